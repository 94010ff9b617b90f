//! What is left of somebody's files when they leave: nothing.

use axum::http::StatusCode;
use serde_json::json;
use social::id::AccountId;
use social::objects::ObjectsConfig;

use super::{begin, file, for_each_file_store, get, objects, raw_objects, send, wav};
use crate::world::{Person, World, contains};

async fn id_of(person: &mut Person) -> AccountId {
    person.get("/account").await.text("id").parse().expect("an id")
}

#[tokio::test]
async fn promise_2_no_byte_of_somebodys_files_is_left_and_what_they_said_of_others_is_empty() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let canary = [wav(1000), b"canary-in-a-recording".to_vec()].concat();
        let id = file(&mut ada, "canary-name.wav", &canary).await;
        let unfinished = begin(&mut ada, "canary-name-2.wav", canary.len() + 1).await;
        assert_eq!(send(&ada, &unfinished, 0, &canary).await.status, StatusCode::OK);
        let others = file(&mut bob, "others.wav", &wav(1000)).await;
        let mut tx = world.db().begin().await.expect("begins");
        let (ada_id, bob_id) = (id_of(&mut ada).await, id_of(&mut bob).await);
        for (file, by, to) in [(&id, ada_id, bob_id), (&others, bob_id, ada_id)] {
            let file = file.parse().expect("an id");
            tx.grant_file_to_account(file, by, to, world.now()).await.expect("granted");
        }
        tx.commit().await.expect("committed");
        let said = json!({ "at_ms": 1, "text": "canary-of-a-comment" });
        ada.post(&format!("/files/{others}/comments"), said.clone()).await.text("id");
        bob.post(&format!("/files/{id}/comments"), said).await.text("id");
        let held = raw_objects(&world).await;
        assert!(held.iter().any(|(_, bytes)| contains(bytes, b"canary")), "what is there is found");
        let mut tx = world.db().begin().await.expect("begins");
        tx.forget_files(ada_id, world.now()).await.expect("forgotten");
        tx.commit().await.expect("committed");
        // At once for everybody, before any job.
        get(&bob, &format!("/files/{id}")).await.is(404, "not_found");
        world.work().await;
        for (name, bytes) in raw_objects(&world).await {
            assert!(!contains(&bytes, b"canary"), "{name}");
        }
        let left = objects(&world).await;
        assert_eq!(left.len(), 1, "only others' files: {left:?}");
        let comments = bob.get(&format!("/files/{others}/comments")).await;
        assert_eq!(comments.body[0]["text"], "");
        assert!(comments.body[0]["author"].is_null(), "{comments:?}");
        assert_eq!(world.db().compact().await.expect("cleaned"), social::store::Compaction::Done);
        assert!(!world.files_hold("canary").await, "nor in the database");
        assert!(world.files_hold("others.wav").await, "what is there is found");
        // Done once more, it does no harm.
        let mut tx = world.db().begin().await.expect("begins");
        tx.forget_files(ada_id, world.now()).await.expect("forgotten");
        tx.commit().await.expect("committed");
        world.work().await;
        assert_eq!(get(&bob, &format!("/files/{others}/content")).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn an_object_that_cannot_be_deleted_is_tried_again_until_it_is_gone() {
    let world = World::new(crate::world::Engine::Sqlite).await;
    let mut ada = world.account("ada").await;
    let id = file(&mut ada, "x.wav", &wav(10)).await;
    world.work().await;
    let ObjectsConfig::Disk(folder) = &world.config.objects else { unreachable!("a folder") };
    // A folder where the file was: no user can delete it as a file.
    let key = objects(&world).await[0];
    let path = folder.join(key.to_string());
    std::fs::remove_file(&path).expect("there");
    std::fs::create_dir(&path).expect("in its place");
    ada.delete(&format!("/files/{id}")).await.is_done();
    world.work().await;
    let errors = world.db().read().await.expect("reads").job_errors("remove_objects").await;
    assert_eq!(errors.expect("reads"), ["objects"]);
    std::fs::remove_dir(&path).expect("there");
    std::fs::write(&path, b"canary").expect("in its place");
    world.clock.advance(std::time::Duration::from_secs(5));
    world.work().await;
    assert!(!path.exists());
    assert_eq!(world.db().read().await.expect("reads").jobs_waiting().await.expect("reads"), 1);
}

/// Through the route and the job that people use: what every module keeps goes with the account.
#[tokio::test]
async fn promise_2_an_erased_account_takes_what_every_module_keeps_with_it() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let chat = ada.chat_with("bob").await;
        ada.send(&chat, "zzcanary of a message").await;
        let recording = [wav(1000), b"zzcanary of a recording".to_vec()].concat();
        file(&mut ada, "zzcanary-name.wav", &recording).await;
        let others = file(&mut bob, "others.wav", &wav(1000)).await;
        let mut tx = world.db().begin().await.expect("begins");
        let (ada_id, bob_id) = (id_of(&mut ada).await, id_of(&mut bob).await);
        let shared = others.parse().expect("an id");
        tx.grant_file_to_account(shared, bob_id, ada_id, world.now()).await.expect("granted");
        tx.commit().await.expect("committed");
        let said = json!({ "at_ms": 1, "text": "zzcanary of a comment" });
        ada.post(&format!("/files/{others}/comments"), said).await.text("id");
        let report = json!({
            "kind": "person", "username": "bob", "reason": "other", "text": "zzcanary of a report",
        });
        assert_eq!(ada.post("/reports", report).await.status, StatusCode::CREATED);
        assert!(world.any_file_holds("zzcanary").await, "what is there is found");
        assert_eq!(crate::erasure::ask(&mut ada).await.status, StatusCode::ACCEPTED);
        world.clock.advance(std::time::Duration::from_secs(31 * 86_400));
        world.work_until_clean().await;
        let history = bob.history(&chat).await;
        assert_eq!((history.len(), &history[0]["body"]), (1, &serde_json::Value::Null));
        assert!(history[0]["author"].is_null(), "a place without an author: {history:?}");
        assert_eq!(objects(&world).await.len(), 1, "only the file of bob");
        for (name, bytes) in raw_objects(&world).await {
            assert!(!contains(&bytes, b"zzcanary"), "{name}");
        }
        assert!(!world.any_file_holds("zzcanary").await, "nothing in any file of the database");
        assert_eq!(get(&bob, &format!("/files/{others}/content")).await.status, StatusCode::OK);
    })
    .await;
}
