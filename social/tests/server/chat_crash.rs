//! A server that is killed while people send: what it acknowledged is there, once.
//!
//! The one that is killed is this test binary, which runs `the_server_that_is_killed` on a database that
//! it is told of. `SOCIAL_CRASH_ROUNDS=N` kills more often.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use social::account::Passwords;
use social::clock::ManualClock;
use social::objects::ObjectsConfig;
use social::secret::ServerKey;
use social::{Config, Social};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use uuid::Uuid;

use crate::chat_plan::Dice;
use crate::killed::rounds;
use crate::world::{NOW, Person, World, for_each_store};

/// What the one that is killed is told: the database, the chat, and the tokens of those who send.
const TOLD: &str = "VJAM_TEST_CHAT_CRASH";

#[tokio::test]
async fn a_message_that_was_acknowledged_survives_the_death_of_the_server_and_comes_once() {
    for_each_store(async |world: World| {
        let mut people = Vec::new();
        for name in ["ada", "grace", "mary", "jean"] {
            people.push(world.account(name).await);
        }
        let chat = people[0].group(&["grace", "mary", "jean"]).await;
        let tokens: Vec<_> = people.iter().map(|p| p.token.clone().expect("signed in")).collect();
        let told = json!({
            "database": database(&world),
            "folder": world.folder,
            "chat": chat,
            "tokens": tokens,
        });
        let seed = u64::from(std::process::id());
        let mut dice = Dice::new(seed);
        // By client id: who sent it, and its place where it was acknowledged.
        let mut tried = BTreeMap::<Uuid, (usize, Option<i64>)>::new();
        for round in 0..rounds(24) {
            let acknowledged = kill_after(1 + dice.below(50), &told.to_string(), &mut tried).await;
            assert!(0 < acknowledged, "seed {seed}, round {round}");
        }
        // Whoever was not answered tries again.
        for (client_id, (who, _)) in tried.iter().filter(|(_, (_, seq))| seq.is_none()) {
            world.clock.advance(std::time::Duration::from_secs(1));
            let body = json!({ "client_id": client_id, "body": text(*client_id) });
            let sent = people[*who].post(&format!("/chats/{chat}/messages"), body).await;
            assert_eq!(sent.status, StatusCode::OK, "seed {seed}: {sent:?}");
        }
        let seen = places(&mut people[0], &chat, seed).await;
        assert_eq!(seen.len(), tried.len(), "seed {seed}");
        for (client_id, (_, seq)) in &tried {
            if let Some(seq) = seq {
                assert_eq!(seen.get(client_id), Some(seq), "seed {seed}: {client_id} was lost");
            }
        }
    })
    .await;
}

/// Runs the server until it has acknowledged so many messages, and kills it; how many it had by then.
async fn kill_after(
    count: u64,
    told: &str,
    tried: &mut BTreeMap<Uuid, (usize, Option<i64>)>,
) -> usize {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "chat_crash::the_server_that_is_killed", "--nocapture"])
        .env(TOLD, told)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut acknowledged = 0;
    while let Some(line) = lines.next_line().await.expect("text") {
        if note(&line, tried) {
            acknowledged += 1;
            if count == u64::try_from(acknowledged).expect("few") {
                // SIGKILL; what it wrote before is still read.
                child.start_kill().expect("it runs");
            }
        }
    }
    child.wait().await.expect("it is dead");
    acknowledged
}

/// Notes what a line says of a message, by its client id: who sent it, and its place where it was acknowledged;
/// whether it was.
pub(crate) fn note(line: &str, tried: &mut BTreeMap<Uuid, (usize, Option<i64>)>) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["try", client_id, who] => {
            let who = who.parse().expect("a number");
            tried.insert(client_id.parse().expect("an id"), (who, None));
            false
        }
        ["sent", client_id, seq] => {
            let entry = tried.get_mut(&client_id.parse().expect("an id")).expect("it was tried");
            entry.1 = Some(seq.parse().expect("a number"));
            true
        }
        // What the test harness says.
        _ => false,
    }
}

/// The place of each message of a chat, by its client id.
pub(crate) async fn places(person: &mut Person, chat: &str, seed: u64) -> BTreeMap<Uuid, i64> {
    let mut seen = BTreeMap::new();
    let mut after = 0;
    loop {
        let path = format!("/chats/{chat}/messages?limit=100&after={after}");
        let page = person.get(&path).await.body;
        for message in page["messages"].as_array().expect("messages") {
            let seq = message["seq"].as_i64().expect("a place");
            assert_eq!(seq, after + 1, "seed {seed}: no place is empty");
            after = seq;
            let client_id: Uuid =
                message["client_id"].as_str().expect("one").parse().expect("an id");
            assert_eq!(message["body"], text(client_id));
            assert_eq!(seen.insert(client_id, seq), None, "seed {seed}: twice");
        }
        if page["more"] == false {
            return seen;
        }
    }
}

fn text(client_id: Uuid) -> String {
    format!("message {client_id}")
}

fn database(world: &World) -> String {
    match &world.config.database {
        social::store::DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        social::store::DatabaseUrl::Postgres(url) => url.clone(),
    }
}

/// Where nobody tells it of a database, it makes one, and shows that it does what the other test needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_that_is_killed() {
    if let Ok(told) = std::env::var(TOLD) {
        // The harness may have begun a line.
        say("");
        let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let mut config = Config::embedded("".into(), ServerKey::new([7; 32]));
        config.folder = told["folder"].as_str().expect("a path").into();
        config.objects = ObjectsConfig::Disk(config.folder.join("objects"));
        config.database = told["database"].as_str().expect("a URL").parse().expect("a URL");
        let passwords = Passwords::at_any_cost(4);
        let started = Social::start_with(config, Arc::new(ManualClock::new(NOW)), passwords).await;
        let (social, _) = started.expect("it starts");
        let router = social::http::routes(social, |_| None::<u8>);
        let chat = told["chat"].as_str().expect("an id").to_owned();
        let tokens = told["tokens"].as_array().expect("tokens").clone();
        let senders = tokens.iter().enumerate().map(|(who, token)| {
            let person = Person::signed_in(router.clone(), token.as_str().expect("a token"));
            tokio::spawn(send_until_refused(person, chat.clone(), who))
        });
        for sender in senders.collect::<Vec<_>>() {
            sender.await.expect("no panic");
        }
        // Until it is killed, which may be after all are refused.
        return std::future::pending().await;
    }
    let world = World::new(crate::world::Engine::Sqlite).await;
    let mut ada = world.account("ada").await;
    let chat = ada.group(&[]).await;
    assert_eq!(send_until_refused(ada, chat, 0).await, 20, "as many as the rate lets through");
}

/// Sends and says so, until it is too much; how many messages were acknowledged.
pub(crate) async fn send_until_refused(mut person: Person, chat: String, who: usize) -> usize {
    let mut count = 0;
    loop {
        let client_id = Uuid::new_v4();
        say(&format!("try {client_id} {who}"));
        let body = json!({ "client_id": client_id, "body": text(client_id) });
        let sent = person.post(&format!("/chats/{chat}/messages"), body).await;
        if sent.status == StatusCode::TOO_MANY_REQUESTS {
            return count;
        }
        assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        say(&format!("sent {client_id} {}", sent.body["seq"]));
        count += 1;
    }
}

/// Writes a line that is out when this returns.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody reads");
}
