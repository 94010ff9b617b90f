//! Who is told in the app that a message calls them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::limits::CALLS_MAX;
use uuid::Uuid;

use crate::chat::at;
use crate::chat_words::block;
use crate::world::{Person, World, for_each_store};

impl Person {
    /// What somebody is told: of what kind, of whom, and of which message.
    async fn told(&mut self) -> Vec<(String, String, Value)> {
        let answer = self.get("/account/notices").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let notices = answer.body["notices"].as_array().expect("notices").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        notices
            .iter()
            .map(|notice| {
                let person = text(&notice["person"]["username"]);
                (text(&notice["kind"]), person, notice["message"].clone())
            })
            .collect()
    }

    async fn answer(&mut self, chat: &str, to: &Value, body: &str) -> Value {
        let body = json!({ "client_id": Uuid::new_v4(), "body": body, "reply_to": to["id"] });
        let sent = self.post(&format!("/chats/{chat}/messages"), body).await;
        assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        sent.body
    }
}

fn call(kind: &str, of: &str, message: &Value) -> (String, String, Value) {
    let link = json!({
        "id": message["id"], "chat": message["chat"], "seq": message["seq"],
    });
    (kind.into(), of.into(), link)
}

#[tokio::test]
async fn whoever_is_named_or_answered_is_told_once_and_led_to_the_message() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut other = world.account("other").await;
        let chat = ada.group(&["grace", "other"]).await;
        let first = ada.send(&chat, "hi @grace and @grace, says @ada").await;
        assert_eq!(grace.told().await, [call("mentioned", "ada", &first)]);
        assert_eq!(ada.told().await, [], "not of oneself");
        let second = grace.answer(&chat, &first, "hi").await;
        assert_eq!(ada.told().await, [call("answered", "grace", &second)]);
        // Named and answered is one thing.
        let third = grace.answer(&chat, &first, "@ada @other hi").await;
        let told = ada.told().await;
        assert_eq!(told, [call("mentioned", "grace", &third), call("answered", "grace", &second)]);
        assert_eq!(other.told().await, [call("mentioned", "grace", &third)]);
        // Sent again, told once.
        let body = json!({ "client_id": Uuid::new_v4(), "body": "@other" });
        for _ in 0..2 {
            let path = format!("/chats/{chat}/messages");
            assert_eq!(ada.post(&path, body.clone()).await.status, StatusCode::OK);
        }
        assert_eq!(other.told().await.len(), 2);
        // An edit tells whom it names first, and takes back what it names no more.
        ada.patch(&at(&first), json!({ "body": "hi @other" })).await;
        assert_eq!(grace.told().await, []);
        assert_eq!(other.told().await.len(), 3);
        ada.patch(&at(&first), json!({ "body": "hello @other" })).await;
        assert_eq!(other.told().await.len(), 3);
        // What is deleted calls nobody, and whoever left is not led to where they may not go.
        grace.delete(&at(&third)).await.is_done();
        assert_eq!(other.told().await.len(), 2);
        other.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        assert_eq!(other.told().await, []);
        ada.post(&format!("/chats/{chat}/members"), json!({ "username": "other" })).await;
        assert_eq!(other.told().await, [], "what was before is not theirs to see");
    })
    .await;
}

#[tokio::test]
async fn promise_23_whoever_muted_blocked_or_does_not_want_it_is_told_nothing() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let chat = ada.group(&["grace"]).await;
        let said = grace.send(&chat, "hi").await;
        grace.patch(&format!("/chats/{chat}"), json!({ "muted": true })).await;
        ada.answer(&chat, &said, "@grace").await;
        assert_eq!(grace.told().await, []);
        grace.patch(&format!("/chats/{chat}"), json!({ "muted": false })).await;
        // Programs that do not know of it leave it as it is.
        let path = "/account/preferences";
        let off = json!({
            "presence": true, "read_receipts": true, "typing": true, "mentions": false,
        });
        let older = json!({ "presence": true, "read_receipts": true, "typing": false });
        assert_eq!(grace.get(path).await.body["mentions"], true);
        for preferences in [off.clone(), older] {
            grace.put(path, preferences).await.is_done();
            ada.answer(&chat, &said, "@grace").await;
            assert_eq!(grace.told().await, []);
            assert_eq!(grace.get(path).await.body["mentions"], false);
        }
        let mut on = off;
        on["mentions"] = json!(true);
        grace.put(path, on).await.is_done();
        ada.answer(&chat, &said, "@grace").await;
        assert_eq!(grace.told().await.len(), 1);
        // To part takes back what friends are told, and no message.
        ada.put("/friends/grace", json!({})).await;
        assert_eq!(grace.told().await.len(), 2);
        ada.delete("/friends/grace").await.is_done();
        assert_eq!(grace.told().await.len(), 1);
        block(&world, &mut grace, &mut ada).await;
        assert_eq!(grace.told().await, []);
        let said = ada.answer(&chat, &said, "@grace").await;
        grace.answer(&chat, &said, "@ada").await;
        assert_eq!((grace.told().await, ada.told().await), (vec![], vec![]));
    })
    .await;
}

#[tokio::test]
async fn whoever_calls_often_makes_no_other_notice_go() {
    for_each_store(async |world: World| {
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let chat = ada.group(&["grace"]).await;
        ada.put("/friends/grace", json!({})).await;
        for _ in 0..CALLS_MAX + 2 {
            world.clock.advance(std::time::Duration::from_secs(1));
            ada.send(&chat, "@grace").await;
        }
        let mut told: i64 = 0;
        let mut asked = 0;
        let mut path = "/account/notices".to_owned();
        loop {
            let page = grace.get(&path).await.body;
            for notice in page["notices"].as_array().expect("notices") {
                told += i64::from(notice["kind"] == "mentioned");
                asked += i64::from(notice["kind"] == "friend_asked");
            }
            match page["next"].as_str() {
                Some(next) => path = format!("/account/notices?after={next}"),
                None => break,
            }
        }
        assert_eq!((told, asked), (CALLS_MAX, 1));
    })
    .await;
}
