//! What people say of moments of a recording.

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::id::AccountId;

use super::{file, for_each_file_store, wav};
use crate::erasure::ask;
use crate::world::{PASSWORD, Person, World};

async fn id_of(person: &mut Person) -> AccountId {
    person.get("/account").await.text("id").parse().expect("an id")
}

/// Gives a file to somebody.
pub(super) async fn give(world: &World, id: &str, by: &mut Person, to: &mut Person) {
    let (by, to) = (id_of(by).await, id_of(to).await);
    let mut tx = world.db().begin().await.expect("begins");
    let id = id.parse().expect("an id");
    tx.grant_file_to_account(id, by, to, world.now()).await.expect("granted");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn comments_stand_in_the_order_of_the_recording() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut eve = world.account("eve").await;
        let id = file(&mut ada, "x.wav", &wav(80_000)).await;
        world.work().await;
        give(&world, &id, &mut ada, &mut bob).await;
        let path = format!("/files/{id}/comments");
        let late = ada.post(&path, json!({ "at_ms": 9000, "text": " the end " })).await;
        assert_eq!(late.status, StatusCode::CREATED, "{late:?}");
        let early =
            bob.post(&path, json!({ "at_ms": 0, "text": "ü".repeat(1000) })).await.text("id");
        let wrong = [(-1, "x"), (10_001, "x"), (0, " "), (0, "a\u{0}b"), (0, "\u{1b}[2J")];
        for (at_ms, text) in wrong.into_iter().chain([(0, &*"x".repeat(1001))]) {
            let refused = bob.post(&path, json!({ "at_ms": at_ms, "text": text })).await;
            refused.is(422, "invalid");
        }
        eve.post(&path, json!({ "at_ms": 0, "text": "x" })).await.is(404, "not_found");
        eve.get(&path).await.is(404, "not_found");
        let all = ada.get(&path).await;
        let said: Vec<_> = all
            .body
            .as_array()
            .expect("a list")
            .iter()
            .map(|comment| (comment["at_ms"].clone(), comment["author"]["username"].clone()))
            .collect();
        assert_eq!(said, [(json!(0), json!("bob")), (json!(9000), json!("ada"))]);
        assert_eq!(all.body[1]["text"], "the end");
        // Each deletes their own, and the owner anybody's.
        let late = late.text("id");
        bob.delete(&format!("{path}/{late}")).await.is(404, "not_found");
        eve.delete(&format!("{path}/{early}")).await.is(404, "not_found");
        ada.delete(&format!("{path}/{early}")).await.is_done();
        ada.delete(&format!("{path}/{late}")).await.is_done();
        assert_eq!(bob.get(&path).await.body, json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_picture_has_no_moments_and_a_recording_only_so_many_comments() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut png = std::io::Cursor::new(Vec::new());
        let image = image::DynamicImage::new_rgb8(64, 64);
        image.write_to(&mut png, image::ImageFormat::Png).expect("encoded");
        let id = file(&mut ada, "x.png", png.get_ref()).await;
        let body = json!({ "at_ms": 0, "text": "x" });
        ada.post(&format!("/files/{id}/comments"), body.clone()).await.is(409, "conflict");
        let id = file(&mut ada, "x.wav", &wav(10)).await;
        let path = format!("/files/{id}/comments");
        for _ in 0..social::limits::COMMENTS_MAX {
            assert_eq!(ada.post(&path, body.clone()).await.status, StatusCode::CREATED);
        }
        ada.post(&path, body).await.is(409, "conflict");
    })
    .await;
}

#[tokio::test]
async fn promise_23_what_somebody_says_whom_you_blocked_you_do_not_read() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut eve = world.account("eve").await;
        let id = file(&mut ada, "x.wav", &wav(10)).await;
        give(&world, &id, &mut ada, &mut bob).await;
        give(&world, &id, &mut ada, &mut eve).await;
        let path = format!("/files/{id}/comments");
        let body = json!({ "at_ms": 0, "text": "x" });
        bob.post(&path, body.clone()).await.text("id");
        eve.post(&path, body).await.text("id");
        let mut tx = world.db().begin().await.expect("begins");
        let (by, whom) = (id_of(&mut bob).await, id_of(&mut eve).await);
        tx.block(by, whom, world.now()).await.expect("blocked");
        tx.commit().await.expect("committed");
        let count = |answer: &Value| answer.as_array().map(Vec::len);
        assert_eq!(count(&ada.get(&path).await.body), Some(2));
        assert_eq!(count(&bob.get(&path).await.body), Some(1));
        assert_eq!(count(&eve.get(&path).await.body), Some(1));
        // Nor while their account waits to be erased, when nobody is named.
        assert_eq!(ask(&mut eve).await.status, StatusCode::ACCEPTED);
        assert_eq!(count(&ada.get(&path).await.body), Some(2));
        assert_eq!(count(&bob.get(&path).await.body), Some(1));
    })
    .await;
}

#[tokio::test]
async fn promise_1_whoever_is_to_be_erased_is_not_named_beside_what_they_said() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let id = file(&mut ada, "x.wav", &wav(10)).await;
        give(&world, &id, &mut ada, &mut bob).await;
        let path = format!("/files/{id}/comments");
        bob.post(&path, json!({ "at_ms": 0, "text": "x" })).await.text("id");
        assert_eq!(ada.get(&path).await.body[0]["author"]["username"], "bob");
        assert_eq!(ask(&mut bob).await.status, StatusCode::ACCEPTED);
        let all = ada.get(&path).await.body;
        assert_eq!((&all[0]["text"], &all[0]["author"]), (&json!("x"), &Value::Null));
        let back = json!({ "login": "bob", "password": PASSWORD });
        bob.post("/account/erasure/cancel", back).await.is_done();
        assert_eq!(ada.get(&path).await.body[0]["author"]["username"], "bob");
    })
    .await;
}
