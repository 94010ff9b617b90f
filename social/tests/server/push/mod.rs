//! Browsers that are told what happens while no page is open: what they are told, and what not.

mod double;
mod refused;
mod sessions;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chat_words::block;
use crate::world::{PASSWORD, Person, World};
use double::{Service, for_each_service, said};

/// Longer than what calls somebody waits.
const SOON: Duration = Duration::from_secs(5);

/// What arrived after everything was done that is due soon: the kinds, in their order.
async fn kinds(world: &World, service: &Service) -> Vec<String> {
    world.clock.advance(SOON);
    world.work().await;
    let arrived = service.arrived().await;
    arrived.iter().map(|one| said(one)["kind"].as_str().expect("a kind").to_owned()).collect()
}

async fn become_friends(ada: &mut Person, grace: &mut Person) {
    ada.put("/friends/grace", json!({})).await;
    grace.put("/friends/ada", json!({})).await;
}

#[tokio::test]
async fn promise_18_a_push_carries_no_text_and_no_names_and_its_length_tells_nothing() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        let group = ada.group(&["grace"]).await;
        let title = json!({ "title": "canary-title" });
        ada.patch(&format!("/chats/{group}"), title).await;
        let chat = ada.chat_with("grace").await;
        ada.put("/friends/grace", json!({})).await;
        ada.send(&group, &format!("@grace canary-text {}", "long ".repeat(500))).await;
        ada.send(&chat, "canary-text").await;
        grace.put("/account/username", json!({ "username": "canary-name" })).await;
        let mut other = world.device();
        other.sign_in("canary-name", PASSWORD).await;
        world.clock.advance(SOON);
        world.work().await;
        let arrived = service.arrived().await;
        let mut told: Vec<_> = arrived.iter().map(|one| said(one).to_string()).collect();
        told.sort();
        let mut expected = [
            json!({ "go": "/account/people", "kind": "friend_asked", "lang": "en" }).to_string(),
            json!({ "go": format!("/account/chats/{group}"), "kind": "mentioned", "lang": "en" })
                .to_string(),
            json!({ "go": format!("/account/chats/{chat}"), "kind": "message", "lang": "en" })
                .to_string(),
            json!({ "go": "/account", "kind": "security", "lang": "en" }).to_string(),
        ];
        expected.sort();
        assert_eq!(told, expected);
        let lengths: BTreeSet<_> = arrived.iter().map(|one| one["bytes"].to_string()).collect();
        assert_eq!(lengths.len(), 1, "{lengths:?}");
        for one in &arrived {
            for canary in ["canary", "ada", "grace", "example.org"] {
                assert!(!one["text"].as_str().expect("text").contains(canary), "{one}");
            }
            // Whoever passes it on sees less still.
            for word in ["kind", "mentioned", "message", "security", "account"] {
                assert!(!one["raw"].as_str().expect("bytes").contains(word), "{word} in the clear");
                assert!(!one["topic"].as_str().expect("a topic").contains(word));
            }
            let expires_at = one["claims"]["exp"].as_i64().expect("a time") - world.now().0 / 1000;
            assert!(0 < expires_at && expires_at <= 24 * 3600, "{expires_at}");
            assert_eq!(one["claims"]["sub"], "mailto:noreply@jam.example");
        }
        let urgent: Vec<_> = arrived.iter().filter(|one| one["urgency"] == "high").collect();
        assert_eq!(urgent.len(), 1, "the alert");
        assert_eq!(said(urgent[0])["kind"], "security");
    })
    .await;
}

#[tokio::test]
async fn ten_messages_of_one_chat_are_one_push_and_what_was_read_is_none() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        let chat = ada.chat_with("grace").await;
        for _ in 0..10 {
            ada.send(&chat, "hi").await;
        }
        world.work().await;
        assert_eq!(service.arrived().await, Vec::<Value>::new(), "who is looking is not told");
        assert_eq!(kinds(&world, &service).await, ["message"]);
        // Later ones replace what the service may still have.
        let mut topics = BTreeSet::new();
        for _ in 0..3 {
            ada.send(&chat, "hi").await;
            world.clock.advance(SOON);
            world.work().await;
            topics.extend(service.arrived().await.iter().map(|one| one["topic"].to_string()));
        }
        assert_eq!(topics.len(), 1);
        // Read before it is due.
        let last = ada.send(&chat, "hi").await;
        let read = json!({ "seq": last["seq"] });
        grace.put(&format!("/chats/{chat}/read"), read).await.is_done();
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new());
        // One's own are no news, nor what was deleted.
        grace.send(&chat, "hi").await;
        let gone = ada.send(&chat, "hi").await;
        ada.delete(&crate::chat::at(&gone)).await.is_done();
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn promise_18_what_was_muted_is_not_pushed_and_alerts_always_are() {
    for_each_service(async |mut world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        become_friends(&mut ada, &mut grace).await;
        service.switch_on(&mut grace).await;
        let group = ada.group(&["grace"]).await;
        let chat = ada.chat_with("grace").await;
        ada.send(&group, "nobody is named").await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new());
        grace.patch(&format!("/chats/{chat}"), json!({ "muted": true })).await;
        ada.send(&chat, "@grace").await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "a chat that is muted");
        let mut preferences = grace.get("/account/preferences").await.body;
        preferences["mentions"] = json!(false);
        grace.put("/account/preferences", preferences).await.is_done();
        ada.send(&group, "@grace").await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "whoever wants none");
        let mut phone = world.device();
        phone.sign_in("grace", PASSWORD).await;
        assert_eq!(kinds(&world, &service).await, ["security"]);
        world.config.contact = Some("privacy@jam.example".into());
        world.restart().await;
        assert_eq!(kinds(&world, &service).await, ["policy_changed"]);
    })
    .await;
}

#[tokio::test]
async fn who_is_blocked_reaches_no_browser_and_what_is_read_in_the_app_none_either() {
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        let group = ada.group(&["grace"]).await;
        // Both between what happens and when it is told.
        ada.put("/friends/grace", json!({})).await;
        let told = grace.get("/account/notices").await.body["notices"][0]["id"].clone();
        grace.post("/account/notices/read", json!({ "up_to": told })).await.is_done();
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "it was read");
        block(&world, &mut grace, &mut ada).await;
        ada.send(&group, "@grace").await;
        ada.put("/friends/grace", json!({})).await;
        assert_eq!(kinds(&world, &service).await, Vec::<String>::new(), "blocked");
    })
    .await;
}

#[tokio::test]
async fn somebody_who_is_called_without_end_is_pushed_sixty_times_an_hour_and_alerts_come_through()
{
    for_each_service(async |world: World, service: Service| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        service.switch_on(&mut grace).await;
        let chat = ada.chat_with("grace").await;
        let mut pushed = 0;
        for _ in 0..70 {
            ada.send(&chat, "hi").await;
            pushed += kinds(&world, &service).await.len();
        }
        // In the six minutes that this took by the clock, some were allowed again.
        assert!((60..69).contains(&pushed), "{pushed}");
        let mut phone = world.device();
        phone.sign_in("grace", PASSWORD).await;
        assert_eq!(kinds(&world, &service).await, ["security"]);
    })
    .await;
}
