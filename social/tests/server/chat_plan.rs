//! Random plans of what people do while a client loses its connection again and again: it sees each
//! change once, in order, and ends with what the server has.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::chat::at;
use crate::ear::{Ear, listen};
use crate::world::{Person, World, for_each_store};

/// Numbers that one seed makes.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What a client knows: each message as it last came, and the last change of each chat.
#[derive(Default)]
struct Client {
    revs: BTreeMap<String, i64>,
    messages: BTreeMap<String, Value>,
}

impl Client {
    /// Takes in what comes.
    fn hear(&mut self, event: &Value, seed: u64) {
        if event["type"] != "message" {
            return;
        }
        let chat = event["chat"].as_str().expect("a chat").to_owned();
        let rev = event["message"]["rev"].as_i64().expect("a rev");
        let known = self.revs.entry(chat).or_insert(0);
        assert!(*known < rev, "seed {seed}: {rev} came after {known}");
        *known = rev;
        let id = event["message"]["id"].as_str().expect("an id").to_owned();
        self.messages.insert(id, event["message"].clone());
    }

    async fn connect(&mut self, at: std::net::SocketAddr, person: &Person, seed: u64) -> Ear {
        let mut ear = Ear::resumed(at, person, json!(self.revs)).await;
        loop {
            let event = ear.next().await;
            if event["type"] == "resumed" {
                return ear;
            }
            self.hear(&event, seed);
        }
    }
}

#[tokio::test]
async fn a_client_misses_nothing_and_sees_nothing_twice_however_often_it_is_cut_off() {
    for_each_store(async |world: World| {
        let mut people = [world.account("ada").await, world.account("grace").await];
        let listener = world.account("listener").await;
        let address = listen(world.router.clone()).await;
        let seed = u64::from(std::process::id());
        let mut dice = Dice::new(seed);
        let mut chats = Vec::new();
        for _ in 0..2 {
            chats.push(people[0].group(&["grace", "listener"]).await);
        }
        let mut client = Client::default();
        for chat in &chats {
            client.revs.insert(chat.clone(), 0);
        }
        let mut sent: Vec<(usize, Value)> = Vec::new();
        let mut ear = Some(client.connect(address, &listener, seed).await);
        for _ in 0..150 {
            world.clock.advance(Duration::from_secs(1));
            let who = usize::try_from(dice.below(2)).expect("small");
            let pick = usize::try_from(dice.below(sent.len().max(1) as u64)).expect("small");
            match (dice.below(10), sent.get(pick).cloned()) {
                (0..=3, _) | (4..=6, None) => {
                    let chat = &chats[usize::try_from(dice.below(2)).expect("small")];
                    sent.push((who, people[who].send(chat, "hi @grace").await));
                }
                (4, Some((author, message))) => {
                    people[author].patch(&at(&message), json!({ "body": "edited" })).await;
                }
                (5, Some((_, message))) => {
                    let drum = format!("{}/reactions/%F0%9F%A5%81", at(&message));
                    people[who].ask(Method::PUT, &drum, None).await;
                }
                (6, Some((author, message))) => {
                    people[author].delete(&at(&message)).await;
                }
                // The connection is cut; what was on its way is gone with it.
                (7, _) => ear = None,
                (8, _) => {
                    if ear.is_none() {
                        ear = Some(client.connect(address, &listener, seed).await);
                    }
                }
                // Something is read, if something must come.
                _ => {
                    let last = last_revs(&mut people[0], &chats).await;
                    if let Some(ear) = &mut ear {
                        while client.revs != last {
                            client.hear(&ear.next().await, seed);
                        }
                    }
                }
            }
        }
        drop(ear);
        let mut ear = client.connect(address, &listener, seed).await;
        let last = last_revs(&mut people[0], &chats).await;
        while client.revs != last {
            client.hear(&ear.next().await, seed);
        }
        let mut listener = listener;
        let mut count = 0;
        for chat in &chats {
            let mut after = 0;
            loop {
                let path = format!("/chats/{chat}/messages?after={after}&limit=100");
                let page = listener.get(&path).await.body;
                for message in page["messages"].as_array().expect("messages") {
                    let id = message["id"].as_str().expect("an id");
                    assert_eq!(client.messages.get(id), Some(message), "seed {seed}");
                    after = message["seq"].as_i64().expect("a place");
                    count += 1;
                }
                if page["more"] == false {
                    break;
                }
            }
        }
        assert_eq!((count, client.messages.len()), (sent.len(), sent.len()), "seed {seed}");
    })
    .await;
}

async fn last_revs(person: &mut Person, chats: &[String]) -> BTreeMap<String, i64> {
    let mut revs = BTreeMap::new();
    for chat in chats {
        let rev = person.get(&format!("/chats/{chat}")).await.body["rev"].as_i64();
        revs.insert(chat.clone(), rev.expect("a rev"));
    }
    revs
}
