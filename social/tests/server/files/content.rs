//! How files are served: to whom, in which ranges, and never as a page.

use axum::http::{Method, StatusCode};
use serde_json::json;
use social::id::{AccountId, FileId};

use super::{Raw, file, for_each_file_store, get, raw, wav};
use crate::world::{Person, World};

async fn ranged(person: &Person, id: &str, headers: &[(&str, &str)]) -> Raw {
    raw(person, Method::GET, &format!("/files/{id}/content"), headers, Vec::new()).await
}

#[tokio::test]
async fn a_player_gets_the_bytes_that_it_asks_for() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        // More than is read at once.
        let bytes = wav(100_000);
        let id = file(&mut ada, "x.wav", &bytes).await;
        let size = bytes.len();
        for (range, from, to) in [
            ("bytes=0-0", 0, 1),
            ("bytes=1000-200999", 1000, 201_000),
            ("bytes=399000-", 399_000, size),
            ("bytes=-100", size - 100, size),
            ("bytes=300000-99999999", 300_000, size),
        ] {
            let part = ranged(&ada, &id, &[("range", range)]).await;
            assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
            assert!(part.bytes == bytes[from..to], "{range}");
            assert_eq!(part.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
            assert_eq!(part.header("content-length"), (to - from).to_string());
        }
        let none = ranged(&ada, &id, &[("range", "bytes=99999999-")]).await;
        none.is(416, "no_such_range");
        assert_eq!(none.header("content-range"), format!("bytes */{size}"));
        let all = ranged(&ada, &id, &[]).await;
        let tag = all.header("etag").to_owned();
        assert_eq!((all.status, all.header("accept-ranges")), (StatusCode::OK, "bytes"));
        let same = [("range", "bytes=0-9"), ("if-range", tag.as_str())];
        assert_eq!(ranged(&ada, &id, &same).await.status, StatusCode::PARTIAL_CONTENT);
        let other = [("range", "bytes=0-9"), ("if-range", "\"other\"")];
        assert_eq!(ranged(&ada, &id, &other).await.status, StatusCode::OK);
        let known = ranged(&ada, &id, &[("if-none-match", &tag)]).await;
        assert_eq!((known.status, known.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
        let path = format!("/files/{id}/content");
        let head = raw(&ada, Method::HEAD, &path, &[], Vec::new()).await;
        assert_eq!(head.header("content-length"), size.to_string());
    })
    .await;
}

#[tokio::test]
async fn a_file_never_runs_as_a_page() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        // Sound that is a page behind its first bytes, with the name of one.
        let trap = [wav(10), b"<script>alert(document.cookie)</script>".to_vec()].concat();
        let id = file(&mut ada, "\"; x=.html", &trap).await;
        let there = ranged(&ada, &id, &[]).await;
        assert!(there.bytes == trap, "nothing is changed in a recording");
        for (name, value) in [
            ("content-type", "audio/wav"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "sandbox; default-src 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
            ("content-disposition", "inline; filename*=UTF-8''%22%3B%20x%3D.html"),
        ] {
            assert_eq!(there.header(name), value, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_is_read_by_its_owner_and_by_whom_they_gave_it_and_deleted_by_its_owner() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut bob = world.account("bob").await;
        let mut eve = world.account("eve").await;
        let id = file(&mut ada, "x.wav", &wav(10)).await;
        world.work().await;
        let account = async |person: &mut Person| -> AccountId {
            person.get("/account").await.text("id").parse().expect("an id")
        };
        let (by, to) = (account(&mut ada).await, account(&mut bob).await);
        let file: FileId = id.parse().expect("an id");
        let mut tx = world.db().begin().await.expect("begins");
        tx.grant_file_to_account(file, by, to, world.now()).await.expect("granted");
        tx.grant_file(file, by, uuid::Uuid::max(), world.now()).await.expect("granted");
        tx.commit().await.expect("committed");
        let chats = world.db().read().await.expect("reads").chats_of_file(file).await;
        assert_eq!(chats.expect("reads"), [uuid::Uuid::max()]);
        for path in ["", "/content", "/peaks", "/comments"] {
            let path = format!("/files/{id}{path}");
            assert_eq!(get(&ada, &path).await.status, StatusCode::OK, "{path}");
            assert_eq!(get(&bob, &path).await.status, StatusCode::OK, "{path}");
            get(&eve, &path).await.is(404, "not_found");
        }
        bob.delete(&format!("/files/{id}")).await.is(404, "not_found");
        eve.delete(&format!("/files/{id}")).await.is(404, "not_found");
        assert_eq!(bob.get("/files").await.body["files"], json!([]), "it is not theirs");
        // Whoever is blocked has nothing of it any more, in either direction.
        let mut tx = world.db().begin().await.expect("begins");
        tx.block(to, by, world.now()).await.expect("blocked");
        tx.commit().await.expect("committed");
        get(&bob, &format!("/files/{id}/content")).await.is(404, "not_found");
        ada.delete(&format!("/files/{id}")).await.is_done();
        get(&ada, &format!("/files/{id}/content")).await.is(404, "not_found");
        world.work().await;
        assert!(super::objects(&world).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_list_of_files_goes_on_where_its_page_ended() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut names = Vec::new();
        for number in 0..53 {
            let name = format!("{number}.wav");
            file(&mut ada, &name, &wav(10)).await;
            names.insert(0, name);
        }
        let first = ada.get("/files").await;
        let next = first.text("next");
        let second = ada.get(&format!("/files?before={next}")).await;
        assert_eq!(second.body["next"], json!(null));
        let both = [&first, &second].map(|page| page.body["files"].as_array().expect("a list"));
        assert_eq!([both[0].len(), both[1].len()], [50, 3]);
        let seen: Vec<_> = both.into_iter().flatten().map(|file| file["name"].clone()).collect();
        assert_eq!(seen, names);
        assert_eq!(first.body["used"], 53 * wav(10).len());
        ada.get("/files?before=x").await.is(400, "bad_request");
    })
    .await;
}
