//! A server that is killed while it erases: in the end nothing is left of the erased, and everything of
//! everybody else that it ever acknowledged is there.
//!
//! What is killed does what a server does: it erases, and serves others meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Passwords;
use social::clock::{ManualClock, UnixMs};
use social::id::AccountId;
use social::secret::ServerKey;
use social::{Config, Social};
use uuid::Uuid;

use crate::chat_crash::{note, places, say, send_until_refused};
use crate::chat_plan::Dice;
use crate::erasure::{ask, id_of, row};
use crate::files::{file, for_each_file_store, get, objects, raw_objects, wav};
use crate::killed::{self, BEGINS, Killed, SERVES};
use crate::world::{Person, World, contains};

/// What the one that is killed is told.
const TOLD: &str = "VJAM_TEST_ERASE_CRASH";

/// For how long it lives at most: about as long as it takes to erase three.
const LIFE_MAX_US: u64 = 150_000;

/// How many wait to be erased at once.
const WAITING: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_1_a_server_that_is_killed_while_it_erases_leaves_nothing_of_the_erased_and_all_of_others()
 {
    if let Ok(told) = std::env::var(TOLD) {
        return serve(serde_json::from_str(&told).expect("what it is told")).await;
    }
    for_each_file_store(async |mut world: World| {
        world.config.erasure_delay = Duration::ZERO;
        world.restart().await;
        let seed = u64::from(std::process::id());
        let mut dice = Dice::new(seed);
        let mut bob = world.account("bob").await;
        world.account("grace").await;
        let chat = bob.group(&["grace"]).await;
        let recording = file(&mut bob, "others.wav", &wav(1000)).await;
        let mut tried = BTreeMap::<Uuid, (usize, Option<i64>)>::new();
        let mut victims: Vec<Victim> = Vec::new();
        let mut between = 0;
        for round in 0..killed::rounds(30) {
            if waiting(&world, &victims).await == 0 {
                for _ in 0..WAITING {
                    let number = victims.len();
                    victims.push(Victim::new(&world, &mut bob, &recording, number).await);
                }
                let newest = victims.len() - WAITING;
                for victim in &mut victims[newest..] {
                    victim.ask_to_be_erased().await;
                }
                assert!(held(&world).await, "what is there is found");
            }
            // Whoever was killed has the job for the length of a lease.
            world.clock.advance(Duration::from_secs(300));
            let mut told = killed::told(&world);
            told["chat"] = json!(chat);
            told["token"] = json!(bob.token);
            let life = Duration::from_micros(dice.below(LIFE_MAX_US));
            // Some die while they start, where those are erased who were half-way.
            let mark = if dice.below(4) == 0 { BEGINS } else { SERVES };
            for line in Killed::start(TEST, TOLD, &told).kill_after(mark, life).await {
                note(&line, &mut tried);
            }
            for victim in &victims {
                let there = row(&world, victim.id).await.is_some();
                between += u64::from(there && victim.is_begun(&world).await);
            }
            assert!(bob.get("/account").await.status == StatusCode::OK, "seed {seed}, {round}");
        }
        eprintln!("{} were erased, and {between} times one was half-way", victims.len());
        // The last start comes to its end.
        world.clock.advance(Duration::from_secs(300));
        world.restart().await;
        bob = bob.through(&world.router);
        world.work_until_clean().await;
        for victim in &mut victims {
            assert!(row(&world, victim.id).await.is_none(), "seed {seed}: {}", victim.name);
            let history = bob.history(&victim.chat).await;
            let said: Vec<_> = history.iter().map(|message| message["body"].as_str()).collect();
            assert_eq!(said, [None, Some("what bob said")], "seed {seed}: {}", victim.name);
        }
        assert!(
            !held(&world).await,
            "seed {seed}: nothing in any file of the database or of objects"
        );
        // Everybody else's.
        // What a start writes to see whether it can is swept, where that start was killed.
        world.clock.advance(Duration::from_secs(25 * 3600));
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1, "seed {seed}");
        let there = get(&bob, &format!("/files/{recording}/content")).await;
        assert!(there.bytes == wav(1000), "seed {seed}");
        let comments = bob.get(&format!("/files/{recording}/comments")).await.body;
        let comments = comments.as_array().expect("comments").clone();
        let own = |comment: &&Value| comment["text"] == "what bob hears";
        assert_eq!(comments.iter().filter(own).count(), victims.len(), "seed {seed}");
        let seen = places(&mut bob, &chat, seed).await;
        for (client_id, (_, seq)) in &tried {
            if let Some(seq) = seq {
                assert_eq!(seen.get(client_id), Some(seq), "seed {seed}: {client_id} was lost");
            }
        }
        assert!(tried.values().any(|(_, seq)| seq.is_some()), "some were acknowledged");
    })
    .await;
}

/// Somebody who wants to be erased; whatever they have has a canary in it.
struct Victim {
    person: Person,
    id: AccountId,
    name: String,
    /// With bob.
    chat: String,
}

impl Victim {
    async fn new(world: &World, bob: &mut Person, recording: &str, number: usize) -> Self {
        // Whoever does as much as this in a moment does too much.
        world.clock.advance(Duration::from_secs(60));
        let name = format!("zzcanary{number}");
        let mut person = world.account(&name).await;
        let id = id_of(&person).await;
        let chat = person.chat_with("bob").await;
        person.send(&chat, "zzcanary of a message").await;
        bob.send(&chat, "what bob said").await;
        let sound = [wav(500), b"zzcanary of a recording".to_vec()].concat();
        file(&mut person, "zzcanary.wav", &sound).await;
        let mut tx = world.db().begin().await.expect("begins");
        let shared = recording.parse().expect("an id");
        tx.grant_file_to_account(shared, id_of(bob).await, id, world.now()).await.expect("granted");
        tx.commit().await.expect("committed");
        let comments = format!("/files/{recording}/comments");
        let said = json!({ "at_ms": 1, "text": "zzcanary of a comment" });
        person.post(&comments, said).await.text("id");
        bob.post(&comments, json!({ "at_ms": 1, "text": "what bob hears" })).await.text("id");
        let report = json!({
            "kind": "person", "username": "bob", "reason": "other", "text": "zzcanary of a report",
        });
        assert_eq!(person.post("/reports", report).await.status, StatusCode::CREATED);
        world.work().await;
        Self { person, id, name, chat }
    }

    async fn ask_to_be_erased(&mut self) {
        let asked = ask(&mut self.person).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
    }

    /// Whether it is written down that they are erased.
    async fn is_begun(&self, world: &World) -> bool {
        let hash = crate::erasure::eraser(world).hash(self.id);
        let known = world.db().read().await.expect("reads").erasures().await.expect("reads");
        known.iter().any(|(one, _)| one[..] == hash[..])
    }
}

async fn waiting(world: &World, victims: &[Victim]) -> usize {
    let mut count = 0;
    for victim in victims {
        count += usize::from(row(world, victim.id).await.is_some());
    }
    count
}

/// Whether anything is left of anybody who wants to be erased.
async fn held(world: &World) -> bool {
    let objects = raw_objects(world).await;
    let in_objects = objects.iter().any(|(_, bytes)| contains(bytes, b"zzcanary"));
    in_objects || world.any_file_holds("zzcanary").await
}

/// This test, as the program that runs it calls it.
const TEST: &str = "erase_crash::promise_1_a_server_that_is_killed_while_it_erases_leaves_nothing_of_\
                    the_erased_and_all_of_others";

/// Erases until it is killed, while somebody sends.
async fn serve(told: Value) {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut config = Config::embedded("x".into(), ServerKey::new([7; 32]));
    config.folder = text(&told["folder"]).into();
    config.database = text(&told["database"]).parse().expect("a URL");
    config.objects = killed::objects(&told);
    config.erasure_delay = Duration::ZERO;
    let clock = Arc::new(ManualClock::new(UnixMs(told["now"].as_i64().expect("a time"))));
    say("");
    say(BEGINS);
    // Whoever was half-way erased is erased here, before anybody is answered.
    let started = Social::start_with(config, clock, Passwords::at_any_cost(4)).await;
    let (social, jobs) = started.expect("it starts");
    say(SERVES);
    tokio::spawn(async move { jobs.run(std::future::pending()).await });
    let bob =
        Person::signed_in(social::http::routes(social, |_| None::<u8>), &text(&told["token"]));
    send_until_refused(bob, text(&told["chat"]), 0).await;
    std::future::pending().await
}
