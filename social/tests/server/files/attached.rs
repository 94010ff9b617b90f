//! Files that messages carry: who gets them, and what becomes of them.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use social::store::Db;
use uuid::Uuid;

use super::{begin, file, for_each_file_store, get, raw, wav};
use crate::chat::{at, bodies};
use crate::chat_words::block;
use crate::ear::{Ear, listen};
use crate::world::{Answer, Person, World};

impl Person {
    pub(crate) async fn try_attach(&mut self, chat: &str, body: &str, files: &[&str]) -> Answer {
        let body = json!({ "client_id": Uuid::new_v4(), "body": body, "files": files });
        self.post(&format!("/chats/{chat}/messages"), body).await
    }

    /// The message that was sent with files.
    pub(crate) async fn attach(&mut self, chat: &str, body: &str, files: &[&str]) -> Value {
        let sent = self.try_attach(chat, body, files).await;
        assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        sent.body
    }

    /// How a file is answered for, by every route that reads it.
    async fn reads(&self, id: &str) -> Vec<u16> {
        let mut statuses = Vec::new();
        for path in ["", "/content", "/peaks", "/comments"] {
            statuses.push(get(self, &format!("/files/{id}{path}")).await.status.as_u16());
        }
        let path = format!("/files/{id}/link");
        let link = raw(self, Method::POST, &path, &[], Vec::new()).await;
        statuses.push(link.status.as_u16());
        statuses
    }

    async fn assert_reads(&self, id: &str) {
        assert_eq!(self.reads(id).await, [200, 200, 200, 200, 201]);
    }

    async fn assert_reads_nothing(&self, id: &str) {
        assert_eq!(self.reads(id).await, [404; 5]);
    }
}

async fn count(world: &World, sql: &'static str) -> i64 {
    match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await.expect("reads"),
        Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads"),
    }
}

const GRANTS: &str = "SELECT count(*) FROM file_grants";
const CARRIED: &str = "SELECT count(*) FROM message_files";

#[tokio::test]
async fn whoever_sees_a_message_reads_its_files_and_nobody_else_does() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let (mut bob, mut late) = (world.account("bob").await, world.account("late").await);
        let eve = world.account("eve").await;
        let bytes = wav(80_000);
        let id = file(&mut ada, "Take 3.wav", &bytes).await;
        let chat = ada.group(&["bob"]).await;
        let address = listen(world.router.clone()).await;
        let mut ear = Ear::caught_up(address, &bob).await;
        let sent = ada.attach(&chat, "", &[&id]).await;
        assert_eq!((&sent["body"], &sent["files"][0]["file"]["id"]), (&json!(""), &json!(id)));
        // What a player needs comes with the message, and again when it is known how long it sounds.
        let heard = ear.next_of("message").await["message"]["files"][0]["file"].clone();
        let known = ["name", "media_type", "size", "analysis"].map(|field| heard[field].clone());
        assert_eq!(
            known,
            [json!("Take 3.wav"), json!("audio/wav"), json!(bytes.len()), json!("waiting")]
        );
        world.work().await;
        let heard = ear.next_of("message").await["message"]["files"][0]["file"].clone();
        assert_eq!((&heard["analysis"], &heard["duration_ms"]), (&json!("done"), &json!(10_000)));
        assert_eq!(bob.history(&chat).await[0]["files"][0]["file"], heard);
        bob.assert_reads(&id).await;
        eve.assert_reads_nothing(&id).await;
        let path = format!("/files/{id}/content");
        let part = raw(&bob, Method::GET, &path, &[("range", "bytes=0-3")], Vec::new()).await;
        assert_eq!((part.status, part.bytes), (StatusCode::PARTIAL_CONTENT, b"RIFF".to_vec()));
        let said = json!({ "at_ms": 5000, "text": "louder here" });
        let said = bob.post(&format!("/files/{id}/comments"), said).await;
        assert_eq!(said.status, StatusCode::CREATED, "{said:?}");
        bob.delete(&format!("/files/{id}")).await.is(404, "not_found");
        // Whoever comes later does not see what was said before, nor what it carried.
        let members = format!("/chats/{chat}/members");
        ada.post(&members, json!({ "username": "late" })).await;
        late.assert_reads_nothing(&id).await;
        let again = ada.attach(&chat, "again", &[&id]).await;
        late.assert_reads(&id).await;
        // Of two messages that carry it, one is enough.
        ada.delete(&at(&again)).await.is_done();
        late.assert_reads_nothing(&id).await;
        bob.assert_reads(&id).await;
        let other = ada.attach(&chat, "", &[&id]).await;
        late.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        late.assert_reads_nothing(&id).await;
        for message in [&sent, &other] {
            ada.delete(&at(message)).await.is_done();
        }
        bob.assert_reads_nothing(&id).await;
        ada.assert_reads(&id).await;
        assert_eq!(bob.history(&chat).await[0]["files"], json!([]));
        assert_eq!((count(&world, GRANTS).await, count(&world, CARRIED).await), (0, 0));
        // A chat that is gone leaves nothing of it either.
        ada.attach(&chat, "", &[&id]).await;
        for person in [&mut ada, &mut bob] {
            person.post(&format!("/chats/{chat}/leave"), json!({})).await.is_done();
        }
        assert_eq!((count(&world, GRANTS).await, count(&world, CARRIED).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_deleted_is_shown_as_gone_in_every_message() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let id = file(&mut ada, "gone soon.wav", &wav(10)).await;
        let kept = file(&mut ada, "kept.wav", &wav(10)).await;
        let (direct, group) = (ada.chat_with("bob").await, ada.group(&["bob"]).await);
        for chat in [&direct, &group] {
            ada.attach(chat, "listen", &[&id, &kept]).await;
        }
        world.work().await;
        let address = listen(world.router.clone()).await;
        let mut ear = Ear::caught_up(address, &bob).await;
        ada.delete(&format!("/files/{id}")).await.is_done();
        for _ in 0..2 {
            let heard = ear.next_of("message").await["message"].clone();
            assert_eq!((&heard["body"], &heard["deleted_at"]), (&json!("listen"), &Value::Null));
            assert_eq!(heard["files"][0], json!({ "file": null }));
            assert_eq!(heard["files"][1]["file"]["id"], json!(kept));
        }
        bob.assert_reads_nothing(&id).await;
        bob.assert_reads(&kept).await;
        assert_eq!(bob.search("q=gone").await, Vec::<String>::new());
        assert_eq!(bob.search("q=kept").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_message_carries_files_that_are_here_and_its_authors_own() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let chat = ada.chat_with("bob").await;
        let own = file(&mut ada, "own.wav", &wav(10)).await;
        let others = file(&mut bob, "others.wav", &wav(10)).await;
        let unfinished = begin(&mut ada, "unfinished.wav", 100).await;
        let unknown = Uuid::now_v7().to_string();
        for wrong in [&others, &unfinished, &unknown] {
            let refused = ada.try_attach(&chat, "x", &[&own, wrong]).await;
            refused.is(422, "invalid");
            assert_eq!(refused.body["field"], "files");
        }
        ada.try_attach(&chat, "x", &[&own, &own]).await.is(422, "invalid");
        ada.try_attach(&chat, "  ", &[]).await.is(422, "invalid");
        // One that was given somebody is not theirs to give on.
        ada.attach(&chat, "", &[&own]).await;
        bob.try_attach(&chat, "", &[&own]).await.is(422, "invalid");
        let mut many = Vec::new();
        for number in 0..11 {
            many.push(file(&mut ada, &format!("{number}.wav"), &wav(10)).await);
        }
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        ada.try_attach(&chat, "x", &many).await.is(422, "invalid");
        world.clock.advance(Duration::from_secs(60));
        let longest = "\u{1f941}".repeat(4000);
        let sent = ada.attach(&chat, &longest, &many[..10]).await;
        let names: Vec<_> = sent["files"]
            .as_array()
            .expect("files")
            .iter()
            .map(|carried| carried["file"]["name"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(names, (0..10).map(|number| format!("{number}.wav")).collect::<Vec<_>>());
        // Sent once, however often it is tried.
        let path = format!("/chats/{chat}/messages");
        let body = |files: &[&str]| json!({ "client_id": own, "body": "once", "files": files });
        let first = ada.post(&path, body(&[&own, many[0]])).await;
        assert_eq!(ada.post(&path, body(&[&own, many[0]])).await.body, first.body);
        for other in [&[][..], &[own.as_str()], &[many[0], &own], &[own.as_str(), many[1]]] {
            ada.post(&path, body(other)).await.is(409, "conflict");
        }
        ada.delete(&format!("/files/{own}")).await.is_done();
        let again = ada.post(&path, body(&[&own, many[0]])).await;
        assert_eq!((again.status, &again.body["id"]), (StatusCode::OK, &first.body["id"]));
        // Another text, or none: what it carries stays.
        let edited = ada.patch(&at(&first.body), json!({ "body": "" })).await;
        assert_eq!(edited.body["files"][1]["file"]["id"], many[0]);
        let plain = ada.send(&chat, "plain").await;
        ada.patch(&at(&plain), json!({ "body": "" })).await.is(422, "invalid");
    })
    .await;
}

#[tokio::test]
async fn sending_and_deleting_a_file_at_once_ends_and_leaves_nothing_half() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let chats = [ada.chat_with("bob").await, ada.group(&["bob"]).await];
        for _ in 0..8 {
            world.clock.advance(Duration::from_secs(10));
            let id = file(&mut ada, "x.wav", &wav(10)).await;
            let sent = chats.clone().map(|chat| {
                let (mut ada, id) = (ada.clone(), id.clone());
                tokio::spawn(async move { ada.try_attach(&chat, "x", &[&id]).await })
            });
            let mut again = ada.clone();
            let path = format!("/files/{id}");
            let deleted = tokio::spawn(async move { again.delete(&path).await });
            for sent in sent {
                let sent = sent.await.expect("no panic");
                assert!([200, 422].contains(&sent.status.as_u16()), "{sent:?}");
            }
            deleted.await.expect("no panic").is_done();
        }
        for chat in &chats {
            for message in bob.history(chat).await {
                assert_eq!(message["files"], json!([{ "file": null }]));
            }
        }
        assert_eq!(count(&world, GRANTS).await, 0);
        assert_eq!(count(&world, "SELECT count(*) FROM message_files WHERE words <> ''").await, 0);
    })
    .await;
}

#[tokio::test]
async fn promise_23_files_of_blocked_people_are_read_where_their_messages_are() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let (direct, group) = (ada.chat_with("bob").await, ada.group(&["bob"]).await);
        let before = file(&mut ada, "before.wav", &wav(10)).await;
        ada.attach(&direct, "", &[&before]).await;
        block(&world, &mut bob, &mut ada).await;
        let id = file(&mut ada, "x.wav", &wav(10)).await;
        ada.try_attach(&direct, "", &[&id]).await.is(404, "not_found");
        bob.assert_reads_nothing(&id).await;
        world.work().await;
        bob.assert_reads(&before).await;
        ada.attach(&group, "", &[&id]).await;
        bob.assert_reads(&id).await;
    })
    .await;
}

#[tokio::test]
async fn promise_5_the_files_of_somebody_who_is_gone_are_gone_from_others_chats() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let chat = ada.group(&["bob"]).await;
        let id = file(&mut ada, "zzcanary.wav", &wav(10)).await;
        let others = file(&mut bob, "others.wav", &wav(10)).await;
        ada.attach(&chat, "listen @bob", &[&id]).await;
        bob.attach(&chat, "this too @ada", &[&others]).await;
        world.work().await;
        bob.assert_reads(&id).await;
        assert_eq!(crate::erasure::ask(&mut ada).await.status, StatusCode::ACCEPTED);
        world.clock.advance(Duration::from_secs(31 * 86_400));
        world.work_until_clean().await;
        bob.assert_reads_nothing(&id).await;
        bob.assert_reads(&others).await;
        let history = bob.history(&chat).await;
        assert_eq!((&history[0]["files"], &history[0]["body"]), (&json!([]), &Value::Null));
        assert_eq!(history[1]["files"][0]["file"]["id"], json!(others));
        assert_eq!((count(&world, GRANTS).await, count(&world, CARRIED).await), (1, 1));
        assert_eq!(bob.get("/account/notices").await.body["notices"], json!([]));
        assert!(!world.any_file_holds("zzcanary").await, "not a byte");
        assert!(world.any_file_holds("others").await, "what is there is found");
    })
    .await;
}

#[tokio::test]
async fn messages_are_found_by_sound_and_by_the_names_of_files() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        let mut eve = world.account("eve").await;
        let (direct, group) = (ada.chat_with("bob").await, ada.group(&["bob"]).await);
        let bass = file(&mut ada, "Bass_Take-3.wav", &wav(10)).await;
        let drums = file(&mut bob, "ÜBUNG drums.wav", &wav(10)).await;
        let mut png = std::io::Cursor::new(Vec::new());
        let image = image::DynamicImage::new_rgb8(8, 8);
        image.write_to(&mut png, image::ImageFormat::Png).expect("encoded");
        let photo = file(&mut ada, "bass.png", png.get_ref()).await;
        ada.attach(&direct, "here it is", &[&photo, &bass]).await;
        ada.attach(&direct, "the stage", &[&photo]).await;
        world.clock.advance(Duration::from_secs(60));
        let later = world.now().0;
        bob.attach(&group, "and mine", &[&drums]).await;
        let said = bob.send(&group, "drums and bass").await;
        // By the names of files, by words or their beginnings, whatever their case.
        assert_eq!(ada.search("q=take").await, ["here it is"]);
        assert_eq!(ada.search("q=BASS+ta+3").await, ["here it is"]);
        assert_eq!(ada.search("q=%C3%BCbu").await, ["and mine"]);
        assert_eq!(ada.search("q=ass").await, Vec::<String>::new());
        assert_eq!(ada.search("q=bass").await, ["drums and bass", "the stage", "here it is"]);
        assert_eq!(ada.search("q=drums&from=bob").await, ["drums and bass", "and mine"]);
        // By sound, alone and with all else.
        assert_eq!(ada.search("audio=true").await, ["and mine", "here it is"]);
        assert_eq!(ada.search("audio=true&q=bass").await, ["here it is"]);
        assert_eq!(ada.search("audio=true&q=here").await, ["here it is"]);
        assert_eq!(ada.search("audio=true&from=bob").await, ["and mine"]);
        assert_eq!(ada.search(&format!("audio=true&since={later}")).await, ["and mine"]);
        assert_eq!(ada.search(&format!("audio=true&until={later}")).await, ["here it is"]);
        assert_eq!(ada.search(&format!("audio=true&chat={group}")).await, ["and mine"]);
        assert_eq!(ada.search("audio=false&q=stage").await, ["the stage"]);
        ada.get("/search/messages?audio=false").await.is(422, "invalid");
        for query in ["audio=true", "q=bass", "q=take"] {
            assert_eq!(eve.search(query).await, Vec::<String>::new(), "not theirs");
        }
        // Whoever came later finds what came later.
        ada.post(&format!("/chats/{group}/members"), json!({ "username": "eve" })).await;
        assert_eq!(eve.search("audio=true").await, Vec::<String>::new());
        bob.delete(&at(&said)).await.is_done();
        ada.delete(&format!("/files/{bass}")).await.is_done();
        assert_eq!(ada.search("audio=true").await, ["and mine"]);
        // By pages, over what is said and what is named.
        for number in 0..35 {
            world.clock.advance(Duration::from_secs(1));
            if number % 2 == 0 {
                ada.send(&direct, &format!("{number} übung")).await;
            } else {
                bob.attach(&group, &format!("{number}"), &[&drums]).await;
            }
        }
        let first = ada.get("/search/messages?q=%C3%BCbung").await.body;
        let next = first["next"].as_str().expect("there are more").to_owned();
        let path = format!("/search/messages?q=%C3%BCbung&cursor={next}");
        let second = ada.get(&path).await.body;
        let mut all = bodies(&first["messages"]);
        all.extend(bodies(&second["messages"]));
        assert_eq!((all.len(), all[0].as_str(), all[35].as_str()), (36, "34 übung", "and mine"));
        assert_eq!(second["next"], Value::Null);
    })
    .await;
}
