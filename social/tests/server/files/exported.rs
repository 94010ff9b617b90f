//! The files in the archive of what is kept of somebody.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::objects::ObjectsConfig;

use super::{file, for_each_file_store, objects, wav};
use crate::export::{fetched, follow, link, made, proof, unpacked};
use crate::world::{Person, World, contains};

#[tokio::test]
async fn promise_9_the_archive_has_the_files_as_they_are_kept_under_names_that_lead_nowhere_else() {
    for_each_file_store(async |world: World| {
        let (mut ada, mut bob) = (world.account("ada").await, world.account("bob").await);
        // Larger than what is read or written at once.
        let recording = wav(500_000);
        let trap = [wav(10), b"<script>".to_vec()].concat();
        let long = file(&mut ada, "Take 3.wav", &recording).await;
        let hard = file(&mut ada, "..:evil|x.html", &trap).await;
        let others = file(&mut bob, "canary.wav", &wav(77)).await;
        let chat = bob.chat_with("ada").await;
        bob.attach(&chat, "", &[&others]).await;
        let sent = ada.attach(&chat, "", &[&long]).await;
        let files = fetched(&world, &mut ada).await;
        let contents: Vec<Value> = serde_json::from_slice(&files["contents.json"]).expect("a list");
        assert_eq!(contents.len(), 2, "only what is theirs: {contents:?}");
        for (id, name, bytes) in
            [(&long, "Take_3.wav", &recording), (&hard, ".._evil_x.html.wav", &trap)]
        {
            let path = format!("files/{id}-{name}");
            let entry = json!({ "file": id, "path": path, "bytes": bytes.len() });
            assert!(contents.contains(&entry), "{contents:?}");
            assert!(files[&path] == **bytes, "{path}");
        }
        assert_eq!(files.keys().filter(|name| name.starts_with("files/")).count(), 2);
        let attached: Vec<Value> =
            serde_json::from_slice(&files["attachments.json"]).expect("a list");
        assert_eq!(attached, [json!({ "message": sent["id"], "file": long })]);
        assert!(contains(&files["README.txt"], b"contents.json"));
        assert!(!files.values().any(|bytes| contains(bytes, b"canary")), "nobody else's");
    })
    .await;
}

#[tokio::test]
async fn promise_9_an_archive_is_made_again_where_it_broke_off_and_without_what_is_gone() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let kept = file(&mut ada, "kept.wav", &wav(1000)).await;
        let lost = file(&mut ada, "lost.wav", &wav(2000)).await;
        world.work().await;
        // What a server left that was killed half-way, and one that has it no longer.
        let asked = ada.post("/account/exports", proof()).await;
        assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
        let id = asked.text("id");
        let folder = world.folder.join("exports");
        std::fs::create_dir_all(&folder).expect("ours");
        std::fs::write(folder.join(format!("{id}.part")), b"PK half of it").expect("ours");
        let (killed, jobs, _) = world.restarted().await;
        drop(killed);
        // An object that is lost keeps nobody from all else that is theirs.
        let size = u64::try_from(wav(2000).len()).expect("small");
        let mut found = None;
        for key in objects(&world).await {
            let whole = world.social.objects().read_all(key, 0..size).await;
            if whole.is_ok_and(|bytes| bytes.len() == wav(2000).len()) {
                found = Some(key);
            }
        }
        world.social.objects().remove(found.expect("it is there")).await.expect("removed");
        jobs.run_due().await.expect("the database works");
        let url = link(&mut ada, &id).await;
        let (status, _, archive) = follow(&world, axum::http::Method::GET, &url).await;
        assert_eq!(status, StatusCode::OK);
        let files = unpacked(&archive);
        let names: Vec<_> = files.keys().filter(|name| name.starts_with("files/")).collect();
        assert_eq!(names, [&format!("files/{kept}-kept.wav")], "{lost} is lost");
    })
    .await;
}

#[tokio::test]
async fn promise_9_an_archive_waits_for_files_that_cannot_be_read_and_is_whole_then() {
    let world = World::new(crate::world::Engine::Sqlite).await;
    let mut ada = world.account("ada").await;
    file(&mut ada, "x.wav", &wav(1000)).await;
    world.work().await;
    let ObjectsConfig::Disk(folder) = &world.config.objects else { unreachable!("a folder") };
    let path = folder.join(objects(&world).await[0].to_string());
    let whole = std::fs::read(&path).expect("there");
    // Half of it, as a disk leaves it that fails.
    std::fs::write(&path, &whole[..100]).expect("ours");
    let id = ada.post("/account/exports", proof()).await.text("id");
    world.work().await;
    let list = ada.get("/account/exports").await.body;
    assert_eq!(list[0]["state"], "waiting");
    let left = std::fs::read_dir(world.folder.join("exports")).expect("there").count();
    assert_eq!(left, 0, "nothing half is kept");
    std::fs::write(&path, &whole).expect("ours");
    world.clock.advance(Duration::from_secs(5));
    world.work().await;
    let url = link(&mut ada, &id).await;
    let (_, _, archive) = follow(&world, axum::http::Method::GET, &url).await;
    assert!(unpacked(&archive).values().any(|bytes| *bytes == whole));
}

#[tokio::test]
async fn promise_9_two_archives_are_kept_and_the_oldest_goes() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(60));
            ids.push(made(&world, &mut ada).await);
        }
        let ids_of = async |ada: &mut Person| {
            let list = ada.get("/account/exports").await.body;
            let list = list.as_array().expect("a list").clone();
            list.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids_of(&mut ada).await, ids[1..]);
        let kept = std::fs::read_dir(world.folder.join("exports")).expect("there").count();
        assert_eq!(kept, 2);
    })
    .await;
}
