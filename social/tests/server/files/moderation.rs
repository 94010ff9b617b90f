//! Files that were reported.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::account::Role;

use super::comments::give;
use super::{file, for_each_file_store, get, objects, raw, wav};
use crate::ear::{Ear, listen};
use crate::world::{Person, World};

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

/// What was reported, and where moderators see it.
async fn reported(person: &mut Person, message: &Value) -> String {
    let body = json!({ "kind": "message", "item": message["id"], "reason": "sexual", "text": "" });
    let made = person.post("/reports", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    format!("/moderation/reports/{}", made.text("id"))
}

#[tokio::test]
async fn promise_15_a_moderator_opens_what_the_shown_messages_carry_and_nothing_else() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let (mut bob, mut late) = (world.account("bob").await, world.account("late").await);
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let sound = wav(800);
        let chat = ada.group(&["bob"]).await;
        let (mut sent, mut files) = (Vec::new(), Vec::new());
        for number in 0..14 {
            if number == 5 {
                let members = format!("/chats/{chat}/members");
                ada.post(&members, json!({ "username": "late" })).await;
            }
            world.clock.advance(std::time::Duration::from_secs(60));
            let id = file(&mut ada, &format!("{number}.wav"), &sound).await;
            sent.push(ada.attach(&chat, "", &[&id]).await);
            files.push(id);
        }
        let never_sent = file(&mut ada, "own.wav", &sound).await;
        let path = reported(&mut bob, &sent[6]).await;
        let seen = moderator.get(&path).await;
        let shown = seen.body["messages"].as_array().expect("messages");
        let carried: Vec<_> = shown.iter().map(|one| &one["files"][0]["file"]["id"]).collect();
        assert_eq!(carried, files[1..=11].iter().collect::<Vec<_>>());
        assert_eq!(shown[5]["files"][0]["file"]["media_type"], "audio/wav");
        let at = |id: &str| format!("{path}/files/{id}");
        for (number, id) in files.iter().enumerate() {
            let status = get(&moderator, &at(id)).await.status.as_u16();
            assert_eq!(status, if (1..=11).contains(&number) { 200 } else { 404 }, "{number}");
            // The way of the chat's own members stays closed.
            get(&moderator, &format!("/files/{id}/content")).await.is(404, "not_found");
        }
        get(&moderator, &at(&never_sent)).await.is(404, "not_found");
        get(&bob, &at(&files[6])).await.is(403, "forbidden");
        let range = [("range", "bytes=0-3")];
        let part = raw(&moderator, Method::GET, &at(&files[6]), &range, Vec::new()).await;
        assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, &b"RIFF"[..]));
        // Of whoever came later, nothing that was said before; of whoever left, what they reported.
        let theirs = reported(&mut late, &sent[6]).await;
        let of_late = |number: usize| format!("{theirs}/files/{}", files[number]);
        get(&moderator, &of_late(4)).await.is(404, "not_found");
        assert_eq!(get(&moderator, &of_late(5)).await.status, StatusCode::OK);
        late.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        get(&moderator, &of_late(5)).await.is(404, "not_found");
        assert_eq!(get(&moderator, &of_late(6)).await.status, StatusCode::OK);
        // A report of something else shows no message, so no file either.
        let body = json!({ "kind": "person", "username": "ada", "reason": "spam", "text": "" });
        let person = bob.post("/reports", body).await.text("id");
        let other = format!("/moderation/reports/{person}/files/{}", files[6]);
        get(&moderator, &other).await.is(404, "not_found");
        // What its author takes back is out of reach at once.
        ada.delete(&crate::chat::at(&sent[7])).await.is_done();
        get(&moderator, &at(&files[7])).await.is(404, "not_found");
        let lines = moderator.get(&path).await.body["audit"].clone();
        let reads = lines.as_array().expect("lines").iter();
        assert_eq!(reads.filter(|line| line["action"] == "report_file_read").count(), 12);
    })
    .await;
}

#[tokio::test]
async fn promise_15_a_moderator_removes_what_a_shown_message_carries_and_its_owner_reads_why() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let mut mia = world.account_with("mia", Role::Moderator).await;
        let mut moderator = world.account_with("molly", Role::Moderator).await;
        let address = listen(world.router.clone()).await;
        let chat = ada.group(&["bob", "mia"]).await;
        let sound = wav(800);
        let mine = file(&mut bob, "bobs.wav", &sound).await;
        let staff = file(&mut mia, "mias.wav", &sound).await;
        let id = file(&mut ada, "stolen.wav", &sound).await;
        world.work().await;
        mia.attach(&chat, "", &[&staff]).await;
        bob.attach(&chat, "", &[&mine]).await;
        let sent = ada.attach(&chat, "", &[&id]).await;
        let path = reported(&mut bob, &sent).await;
        let at = |id: &str| format!("{path}/files/{id}/remove");
        let why = json!({ "explanation": "It is bob's." });
        moderator.post(&at(&id), json!({ "explanation": " " })).await.is(422, "invalid");
        bob.post(&at(&id), why.clone()).await.is(403, "forbidden");
        // Not of those beside them: an admin does that; and not their own.
        moderator.post(&at(&staff), why.clone()).await.is(403, "forbidden");
        mia.post(&at(&staff), why.clone()).await.is(403, "forbidden");
        let mut ear = Ear::caught_up(address, &bob).await;
        moderator.post(&at(&id), why.clone()).await.is_done();
        let gone = ear.next_of("message").await["message"].clone();
        assert_eq!((&gone["id"], &gone["files"]), (&sent["id"], &json!([{ "file": null }])));
        moderator.post(&at(&id), why.clone()).await.is(404, "not_found");
        get(&ada, &format!("/files/{id}/content")).await.is(404, "not_found");
        let told = ada.get("/account/notices").await.body["notices"][0].clone();
        assert_eq!(
            (&told["kind"], &told["explanation"], &told["report"]),
            (&json!("file_removed"), &json!("It is bob's."), &Value::Null)
        );
        // Whoever sent something beside it is not spared.
        moderator.post(&at(&mine), json!({ "explanation": "And this." })).await.is_done();
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1, "the other stays");
        let seen = moderator.get(&path).await;
        assert_eq!(seen.body["report"]["state"], "open", "it is not decided by that");
        let lines = seen.body["audit"].as_array().expect("lines").clone();
        let removed = lines.iter().filter(|line| line["action"] == "report_file_removed");
        assert_eq!(removed.count(), 2);
    })
    .await;
}
