//! What messages say: whom they name, how they are found, and who is not reached by them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::chat::{at, bodies};
use crate::world::{Person, World, for_each_store};

#[tokio::test]
async fn promise_10_a_message_names_people_as_they_are_called_when_it_is_read() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        world.account("other").await;
        let chat = ada.group(&["grace"]).await;
        let text = "hi @Grace, @grace. @other me@grace @nobody @";
        let sent = ada.send(&chat, text).await;
        let text = "hi @grace, @grace. @other me@grace @nobody @";
        assert_eq!(sent["body"], text);
        assert_eq!(sent["mentions"][0]["username"], "grace");
        assert_eq!(sent["mentions"].as_array().expect("mentions").len(), 1, "who is in the chat");
        assert_eq!(grace.history(&chat).await[0]["mentioned"], true);
        assert_eq!(ada.history(&chat).await[0]["mentioned"], false);
        grace.put("/account/username", json!({ "username": "countess" })).await.is_done();
        let text = "hi @countess, @countess. @other me@grace @nobody @";
        assert_eq!(ada.history(&chat).await[0]["body"], text);
        let edited = ada.patch(&at(&sent), json!({ "body": "never mind" })).await;
        assert_eq!(edited.body["mentions"], json!([]));
        assert_eq!(grace.history(&chat).await[0]["mentioned"], false);
    })
    .await;
}

#[tokio::test]
async fn messages_are_found_by_word_sender_chat_and_time() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut other = world.account("other").await;
        let (direct, group) = (ada.chat_with("grace").await, ada.group(&["grace"]).await);
        ada.send(&direct, "The drums of take three").await;
        world.clock.advance(Duration::from_secs(60));
        let later = world.now().0;
        grace.send(&group, "Louder DRUMS, please").await;
        let said = grace.send(&group, "and the bass").await;
        assert_eq!(
            ada.search("q=drums").await,
            ["Louder DRUMS, please", "The drums of take three"]
        );
        assert_eq!(ada.search("q=dru").await.len(), 2, "a beginning is enough");
        assert_eq!(ada.search("q=rums").await, Vec::<String>::new());
        assert_eq!(ada.search("q=take+drum").await, ["The drums of take three"]);
        assert_eq!(ada.search(&format!("q=drums&chat={group}")).await.len(), 1);
        assert_eq!(ada.search("q=drums&from=ada").await, ["The drums of take three"]);
        assert_eq!(ada.search(&format!("q=drums&since={later}")).await.len(), 1);
        assert_eq!(ada.search(&format!("q=drums&until={later}")).await.len(), 1);
        assert_eq!(ada.search("from=grace").await.len(), 2);
        assert_eq!(other.search("q=drums").await, Vec::<String>::new(), "not theirs");
        for hard in ["q=%22drums", "q=drums*", "q=drums+OR+x", "q=drums%27%29", "q=drums+%26"] {
            ada.search(hard).await;
        }
        ada.get("/search/messages?q=%22%22").await.is(422, "invalid");
        ada.get("/search/messages?from=nobody").await.is(404, "not_found");
        grace.patch(&at(&said), json!({ "body": "and the cello" })).await;
        assert_eq!(ada.search("q=bass").await, Vec::<String>::new());
        assert_eq!(ada.search("q=cello").await, ["and the cello"]);
        grace.delete(&at(&said)).await.is_done();
        assert_eq!(ada.search("q=cello").await, Vec::<String>::new());
        // By pages.
        for number in 0..35 {
            world.clock.advance(Duration::from_secs(1));
            ada.send(&direct, &format!("page {number}")).await;
        }
        let first = ada.get("/search/messages?q=page").await.body;
        let next = first["next"].as_str().expect("there are more").to_owned();
        let second = ada.get(&format!("/search/messages?q=page&cursor={next}")).await.body;
        let mut all = bodies(&first["messages"]);
        all.extend(bodies(&second["messages"]));
        assert_eq!((all.len(), &all[0], &all[34]), (35, &"page 34".into(), &"page 0".into()));
        assert_eq!(second["next"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn promise_23_who_is_blocked_is_answered_like_somebody_who_is_not_there() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let (direct, group) = (ada.chat_with("grace").await, ada.group(&["grace"]).await);
        let said = ada.send(&direct, "hi").await;
        block(&world, &mut grace, &mut ada).await;
        let unknown = json!({ "kind": "direct", "with": "nobody" });
        let unknown = ada.post("/chats", unknown).await;
        let members = format!("/chats/{group}/members");
        let drum = format!("{}/reactions/%F0%9F%A5%81", at(&said));
        for (person, name) in [(&mut ada, "grace"), (&mut grace, "ada")] {
            let with = json!({ "kind": "direct", "with": name });
            let body = json!({ "kind": "group", "title": "x", "members": [name] });
            for answer in [
                person.post("/chats", with).await,
                person.post("/chats", body).await,
                person.try_send(&direct, "hello?").await,
                person.ask(Method::PUT, &drum, None).await,
            ] {
                assert_eq!((answer.status, &answer.body), (unknown.status, &unknown.body));
            }
            assert_eq!(person.history(&direct).await.len(), 1, "what was said is there");
        }
        ada.patch(&at(&said), json!({ "body": "x" })).await.is(404, "not_found");
        // In a group both are in, both are read; but neither calls the other, nor sees how far they read.
        let called = ada.send(&group, "@grace?").await;
        let seen = grace.history(&group).await;
        assert_eq!((&seen[0]["body"], &seen[0]["mentioned"]), (&json!("@grace?"), &json!(false)));
        grace.put(&format!("/chats/{group}/read"), json!({ "seq": called["seq"] })).await.is_done();
        let chat = ada.get(&format!("/chats/{group}")).await.body;
        assert_eq!(chat["members"][1]["read_seq"], Value::Null);
        ada.post(&members, json!({ "username": "nobody" })).await.is(404, "not_found");
        // His own is his to delete.
        ada.delete(&at(&said)).await.is_done();
    })
    .await;
}

/// Blocks somebody.
pub(crate) async fn block(world: &World, by: &mut Person, whom: &mut Person) {
    let (by, whom) = (by.id().await, whom.id().await);
    let (by, whom) = (by.parse().expect("an id"), whom.parse().expect("an id"));
    let mut tx = world.db().begin().await.expect("begins");
    tx.block(by, whom, world.now()).await.expect("blocked");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn limits_are_told() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.account("grace").await;
        let chat = ada.chat_with("grace").await;
        let said = ada.send(&chat, "hi").await;
        let path = |emoji: &str| format!("{}/reactions/{emoji}", at(&said));
        for last in 0x80..0x88 {
            let drum = path(&format!("%F0%9F%98%{last:X}"));
            assert_eq!(ada.ask(Method::PUT, &drum, None).await.status, StatusCode::OK);
        }
        ada.ask(Method::PUT, &path("%F0%9F%A5%81"), None).await.is(409, "full");
        ada.ask(Method::PUT, &path("ok"), None).await.is(422, "invalid");
        for _ in 0..19 {
            ada.send(&chat, "hi").await;
        }
        let refused = ada.try_send(&chat, "one too many").await;
        refused.is(429, "too_many_requests");
        world.clock.advance(Duration::from_secs(1));
        ada.send(&chat, "after a while").await;
        let many: Vec<_> = (0..100).map(|number| format!("name{number}")).collect();
        let body = json!({ "kind": "group", "title": "x", "members": many });
        ada.post("/chats", body).await.is(409, "full");
    })
    .await;
}
