//! How files come: in parts, resumed, within limits, and known by their first bytes.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;
use social::limits::{
    FILE_BYTES_MAX, PART_BYTES_MAX, PART_WAIT_MAX, PICTURE_BYTES_MAX, UPLOADS_MAX,
};
use social::secret::hex;

use super::{ask, begin, complete, file, for_each_file_store, get, objects, raw, send, sent, wav};
use crate::world::World;

#[tokio::test]
async fn a_file_comes_in_parts_and_is_what_was_sent() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        // Longer than what a bucket takes at once.
        let bytes = wav(2_500_000);
        assert!(PART_BYTES_MAX < bytes.len());
        let done = sent(&mut ada, " Übung 1.wav ", &bytes, 3_000_000).await;
        assert_eq!(done.status, StatusCode::CREATED, "{done:?}");
        let done = done.json();
        assert_eq!(
            (&done["name"], &done["media_type"]),
            (&json!("Übung 1.wav"), &json!("audio/wav"))
        );
        assert_eq!(done["size"], bytes.len());
        let path = format!("/files/{}/content", done["id"].as_str().expect("an id"));
        let there = get(&ada, &path).await;
        assert_eq!(there.status, StatusCode::OK);
        assert!(there.bytes == bytes, "byte for byte");
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1, "the parts are gone");
        // Asked once more, because the answer was lost on the way.
        let again = complete(&ada, done["id"].as_str().expect("an id")).await;
        assert_eq!((again.status, &again.json()["id"]), (StatusCode::CREATED, &done["id"]));
    })
    .await;
}

#[tokio::test]
async fn a_part_that_never_ends_is_given_up_and_what_was_here_stays() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let bytes = wav(1000);
        let id = begin(&mut ada, "x.wav", bytes.len()).await;
        assert_eq!(send(&ada, &id, 0, &bytes[..1000]).await.status, StatusCode::OK);
        let (begun, mut waits) = tokio::sync::mpsc::unbounded_channel();
        let endless = futures_util::stream::once(async move {
            begun.send(()).expect("the test listens");
            std::future::pending::<Result<axum::body::Bytes, std::io::Error>>().await
        });
        let path = format!("/uploads/{id}");
        let asking = ask(
            &ada,
            Method::PATCH,
            &path,
            &[("upload-offset", "1000")],
            axum::body::Body::from_stream(endless),
        );
        let turn = async {
            waits.recv().await.expect("it is read");
            tokio::time::pause();
            tokio::time::advance(PART_WAIT_MAX + Duration::from_millis(1)).await;
            tokio::time::resume();
        };
        let (answer, ()) = tokio::join!(asking, turn);
        answer.is(400, "bad_request");
        assert!(answer.json()["detail"].as_str().expect("text").contains("smaller"));
        assert_eq!(send(&ada, &id, 1000, &bytes[1000..]).await.status, StatusCode::OK);
        assert_eq!(complete(&ada, &id).await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn a_file_is_resumed_where_it_broke_off() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let bytes = wav(1000);
        let id = begin(&mut ada, "x.wav", bytes.len()).await;
        let path = format!("/uploads/{id}");
        assert_eq!(send(&ada, &id, 0, &bytes[..1000]).await.status, StatusCode::OK);
        complete(&ada, &id).await.is(409, "wrong_offset");
        for (offset, part) in [(0, &bytes[..1000]), (999, &bytes[999..]), (1001, &bytes[1001..])] {
            let refused = send(&ada, &id, offset, part).await;
            refused.is(409, "wrong_offset");
            assert!(refused.json()["detail"].as_str().expect("text").contains("1000 bytes"));
        }
        let (_, _, router) = world.restarted().await;
        ada.router = router;
        for method in [Method::HEAD, Method::GET] {
            let there = raw(&ada, method, &path, &[], Vec::new()).await;
            assert_eq!((there.status, there.header("upload-offset")), (StatusCode::OK, "1000"));
        }
        assert_eq!(send(&ada, &id, 1000, &bytes[1000..]).await.status, StatusCode::OK);
        assert_eq!(complete(&ada, &id).await.status, StatusCode::CREATED);
        assert!(get(&ada, &format!("/files/{id}/content")).await.bytes == bytes);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_send_the_same_part_one_is_kept() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let bytes = wav(1000);
        let id = begin(&mut ada, "x.wav", bytes.len()).await;
        let twice = tokio::join!(send(&ada, &id, 0, &bytes), send(&ada, &id, 0, &bytes));
        let mut statuses = [twice.0.status.as_u16(), twice.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        let twice = tokio::join!(complete(&ada, &id), complete(&ada, &id));
        assert_eq!([twice.0.status.as_u16(), twice.1.status.as_u16()], [201, 201]);
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1);
        assert!(get(&ada, &format!("/files/{id}/content")).await.bytes == bytes);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_recording_and_no_picture_is_refused_at_its_first_bytes_whatever_its_name() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let html = "<!DOCTYPE html><html><script>alert(1)</script></html> and so on and so forth";
        for (name, content) in [("x.png", svg), ("x.wav", html), ("x.jpg", &"MZ".repeat(99))] {
            let id = begin(&mut ada, name, 1_000_000).await;
            let refused = send(&ada, &id, 0, content.as_bytes()).await;
            refused.is(415, "kind_not_allowed");
            let there = get(&ada, &format!("/uploads/{id}")).await;
            assert_eq!(there.json()["offset"], 0, "nothing is kept of it");
        }
        let id = begin(&mut ada, "x.wav", 1_000_000).await;
        send(&ada, &id, 0, b"RIFF").await.is(400, "bad_request");
        assert!(objects(&world).await.is_empty());
        // A name decides nothing: a recording is one with any.
        file(&mut ada, "x.html", &wav(10)).await;
    })
    .await;
}

#[tokio::test]
async fn a_file_has_the_size_and_the_hash_that_were_said() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let bytes = wav(100);
        let id = begin(&mut ada, "x.wav", bytes.len()).await;
        send(&ada, &id, 0, &[bytes.as_slice(), b"x"].concat()).await.is(413, "too_large");
        assert_eq!(send(&ada, &id, 0, &bytes).await.status, StatusCode::OK);
        send(&ada, &id, bytes.len(), b"x").await.is(413, "too_large");
        let path = format!("/uploads/{id}/complete");
        let wrong = json!({ "sha256": "0".repeat(64) });
        ada.post(&path, wrong).await.is(422, "invalid");
        ada.post(&path, json!({ "sha256": "0" })).await.is(422, "invalid");
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1, "what came of it is gone, the part is not");
        let right = hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
        let done = ada.post(&path, json!({ "sha256": right })).await;
        assert_eq!(done.status, StatusCode::CREATED, "{done:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_too_large_or_too_much_is_refused_before_it_comes() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let begun = async |ada: &mut crate::world::Person, name: &str, size: i64| {
            ada.post("/uploads", json!({ "name": name, "size": size })).await
        };
        begun(&mut ada, "x", FILE_BYTES_MAX + 1).await.is(413, "too_large");
        begun(&mut ada, "x", 0).await.is(422, "invalid");
        for name in ["", " ", "a/b", "a\\b", "a\nb", &"x".repeat(201)] {
            begun(&mut ada, name, 1).await.is(422, "invalid");
        }
        // A gigabyte holds two of the largest.
        for _ in 0..2 {
            let first = begun(&mut ada, &"ü".repeat(200), FILE_BYTES_MAX).await;
            assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
        }
        begun(&mut ada, "x", 1).await.is(413, "quota_exceeded");
        let all = ada.get("/files").await;
        assert_eq!((&all.body["used"], &all.body["quota"]), (&json!(1 << 30), &json!(1 << 30)));
        let mut grace = world.account("grace").await;
        for _ in 0..UPLOADS_MAX {
            begin(&mut grace, "x", 1).await;
        }
        begun(&mut grace, "x", 1).await.is(429, "too_many_uploads");
        let mut lin = world.account("lin").await;
        let id =
            begin(&mut lin, "x.png", usize::try_from(PICTURE_BYTES_MAX).expect("fits") + 1).await;
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 64]].concat();
        send(&lin, &id, 0, &png).await.is(413, "too_large");
        let id = begin(&mut lin, "x.wav", 2 * PART_BYTES_MAX).await;
        let large = [wav(10), vec![0; PART_BYTES_MAX]].concat();
        send(&lin, &id, 0, &large).await.is(413, "too_large");
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_given_up_or_takes_too_long_makes_room_and_leaves_nothing() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let bytes = wav(1000);
        let given_up = begin(&mut ada, "x.wav", bytes.len()).await;
        send(&ada, &given_up, 0, &bytes[..1000]).await;
        ada.delete(&format!("/uploads/{given_up}")).await.is_done();
        let late = begin(&mut ada, "x.wav", bytes.len()).await;
        send(&ada, &late, 0, &bytes[..1000]).await;
        world.work().await;
        assert_eq!(objects(&world).await.len(), 1);
        world.clock.advance(Duration::from_secs(24 * 3600));
        send(&ada, &late, 1000, &bytes[1000..]).await.is(404, "not_found");
        world.work().await;
        assert!(objects(&world).await.is_empty());
        assert_eq!(ada.get("/files").await.body["used"], 0);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_sends_is_nobody_elses() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut eve = world.account("eve").await;
        let bytes = wav(100);
        let id = begin(&mut ada, "x.wav", bytes.len()).await;
        send(&eve, &id, 0, &bytes).await.is(404, "not_found");
        get(&eve, &format!("/uploads/{id}")).await.is(404, "not_found");
        complete(&eve, &id).await.is(404, "not_found");
        eve.delete(&format!("/uploads/{id}")).await.is(404, "not_found");
        assert_eq!(send(&ada, &id, 0, &bytes).await.status, StatusCode::OK);
        assert_eq!(complete(&ada, &id).await.status, StatusCode::CREATED);
        complete(&eve, &id).await.is(404, "not_found");
    })
    .await;
}
