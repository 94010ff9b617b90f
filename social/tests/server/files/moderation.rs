//! Files that were reported.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::account::Role;

use super::comments::give;
use super::{file, for_each_file_store, get, objects, raw, wav};
use crate::world::World;

#[tokio::test]
async fn promise_15_a_moderator_hears_a_file_that_was_reported_and_removes_it() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let sound = wav(800);
        let id = file(&mut ada, "stolen.wav", &sound).await;
        let other = file(&mut ada, "own.wav", &sound).await;
        world.work().await;
        let body = json!({ "kind": "file", "item": id, "reason": "copyright", "text": "Mine." });
        bob.post("/reports", body.clone()).await.is(404, "not_found");
        give(&world, &id, &mut ada, &mut bob).await;
        // A block keeps nobody from reporting.
        crate::chat_words::block(&world, &mut ada, &mut bob).await;
        let made = bob.post("/reports", body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        let path = format!("/moderation/reports/{}", made.text("id"));
        let seen = moderator.get(&path).await;
        let shown = &seen.body["file"];
        assert_eq!(
            (&shown["id"], &shown["name"], &shown["media_type"]),
            (&json!(id), &json!("stolen.wav"), &json!("audio/wav"))
        );
        assert_eq!(seen.body["account"]["username"], "ada");
        let content = format!("{path}/file");
        let whole = get(&moderator, &content).await;
        assert_eq!((whole.status, &whole.bytes), (StatusCode::OK, &sound));
        let range = [("range", "bytes=0-3")];
        let part = raw(&moderator, Method::GET, &content, &range, Vec::new()).await;
        assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &b"RIFF"[..]));
        get(&bob, &content).await.is(403, "forbidden");
        get(&moderator, &format!("/files/{other}/content")).await.is(404, "not_found");
        let decision = json!({ "resolution": "content_removed", "note": "",
                               "explanation": "It is bob's." });
        moderator.post(&format!("{path}/resolve"), decision).await.is_done();
        get(&moderator, &content).await.is(404, "not_found");
        assert_eq!(moderator.get(&path).await.body["file"], Value::Null);
        get(&ada, &format!("/files/{id}/content")).await.is(404, "not_found");
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1, "and the other stays");
        let lines = moderator.get(&path).await.body["audit"].clone();
        let reads = lines.as_array().expect("lines").iter();
        assert_eq!(reads.filter(|line| line["action"] == "report_file_read").count(), 3);
    })
    .await;
}
