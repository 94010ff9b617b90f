//! GIFs: off unless set up, and only for whoever agreed.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::account::Role;
use social::gifs::{GIPHY_API, GifRating, Giphy};
use uuid::Uuid;

use crate::chat::at;
use crate::world::{Engine, Person, World};

fn set_up(config: &mut social::Config) {
    let (key, api) = ("a-key".to_owned(), GIPHY_API.to_owned());
    config.giphy = Some(Giphy { key, rating: GifRating::Pg13, api });
}

async fn send(person: &mut Person, chat: &str, gif: Value) -> crate::world::Answer {
    let body = json!({ "client_id": Uuid::new_v4(), "body": "", "gif": gif });
    person.post(&format!("/chats/{chat}/messages"), body).await
}

#[tokio::test]
async fn there_are_no_gifs_unless_whoever_runs_the_server_sets_them_up() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let (mut ada, _) = (world.account("ada").await, world.account("grace").await);
        let off = json!({ "available": false, "agreed_at": null, "giphy": null });
        assert_eq!(ada.get("/account/gifs").await.body, off);
        ada.put("/account/gifs", json!({ "agreed": true })).await.is(409, "conflict");
        let chat = ada.chat_with("grace").await;
        let gif = json!({ "provider": "giphy", "id": "abc" });
        send(&mut ada, &chat, gif).await.is(409, "conflict");
        let page = world.device().get("/privacy").await;
        assert!(!page.body.to_string().contains("GIPHY"));
    }
}

#[tokio::test]
async fn the_key_is_given_to_whoever_agreed_until_they_take_it_back() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::with(engine, set_up).await;
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        assert!(world.device().get("/privacy").await.body.to_string().contains("GIPHY"));
        let before = json!({ "available": true, "agreed_at": null, "giphy": null });
        assert_eq!(ada.get("/account/gifs").await.body, before);
        let agreed = ada.put("/account/gifs", json!({ "agreed": true })).await;
        let at_first = world.now().0;
        let giphy = json!({ "key": "a-key", "rating": "pg-13", "api": GIPHY_API });
        let after = json!({ "available": true, "agreed_at": at_first, "giphy": giphy });
        assert_eq!((agreed.status, &agreed.body), (StatusCode::OK, &after));
        world.clock.advance(std::time::Duration::from_secs(60));
        ada.put("/account/gifs", json!({ "agreed": true })).await;
        assert_eq!(ada.get("/account/gifs").await.body, after, "when they agreed first");
        assert_eq!(grace.get("/account/gifs").await.body, before, "each for themselves");
        // What they let others see is as it was.
        let preferences = ada.get("/account/preferences").await.body;
        assert_eq!(
            (&preferences["presence"], &preferences["typing"]),
            (&json!(true), &json!(true))
        );
        let back = ada.put("/account/gifs", json!({ "agreed": false })).await;
        assert_eq!(back.body, before);
    }
}

#[tokio::test]
async fn a_message_carries_the_name_of_a_gif_and_nothing_else() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::with(engine, set_up).await;
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let chat = ada.chat_with("grace").await;
        let gif = json!({ "provider": "giphy", "id": "l0MYt5jPR6QX5pnqM" });
        let sent = send(&mut ada, &chat, gif.clone()).await;
        assert_eq!((sent.status, &sent.body["gif"]), (StatusCode::OK, &gif));
        assert_eq!(grace.history(&chat).await[0]["gif"], gif);
        for wrong in [
            json!({ "provider": "tenor", "id": "abc" }),
            json!({ "provider": "giphy", "id": "" }),
            json!({ "provider": "giphy", "id": "../x" }),
            json!({ "provider": "giphy", "id": "a?b" }),
            json!({ "provider": "giphy", "id": "a".repeat(65) }),
            json!({ "provider": "giphy", "id": "abc", "url": "https://x.example" }),
        ] {
            assert_eq!(send(&mut ada, &chat, wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        // Another one under the same name of its author's is another message.
        let body = |id: &str| {
            let gif = json!({ "provider": "giphy", "id": id });
            json!({ "client_id": sent.body["id"], "body": "", "gif": gif })
        };
        let path = format!("/chats/{chat}/messages");
        assert_eq!(ada.post(&path, body("abc")).await.status, StatusCode::OK);
        assert_eq!(ada.post(&path, body("abc")).await.status, StatusCode::OK);
        ada.post(&path, body("other")).await.is(409, "conflict");
        ada.delete(&at(&sent.body)).await.is_done();
        assert_eq!(grace.history(&chat).await[0]["gif"], Value::Null);
    }
}

#[tokio::test]
async fn promise_15_moderators_are_told_which_gif_a_shown_message_has_and_the_key_only_if_they_agreed()
 {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::with(engine, set_up).await;
        let (mut ada, mut grace) = (world.account("ada").await, world.account("grace").await);
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let chat = ada.chat_with("grace").await;
        let gif = json!({ "provider": "giphy", "id": "abc" });
        let sent = send(&mut ada, &chat, gif.clone()).await.body;
        let body = json!({ "kind": "message", "item": sent["id"], "reason": "sexual", "text": "" });
        let report = grace.post("/reports", body).await.text("id");
        let seen = moderator.get(&format!("/moderation/reports/{report}")).await;
        assert_eq!(seen.body["messages"][0]["gif"], gif);
        assert_eq!(moderator.get("/account/gifs").await.body["giphy"], Value::Null);
    }
}
