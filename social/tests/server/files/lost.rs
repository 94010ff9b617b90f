//! What a restore brings back of files that were deleted since: said clearly, and gone a day later.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use social::backup::{back_up, restore};

use super::{begin, complete, file, for_each_file_store, get, objects, send, wav, world};
use crate::erasure::eraser;
use crate::world::{PASSWORD, Person, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The same server with an empty database, brought back to where the backup was made, and somebody signed in.
async fn restored(before: &World, backup: &std::path::Path) -> (World, Person) {
    let target = world(before.engine).await.with_objects(before.config.objects.clone()).await;
    target.clock.advance(Duration::from_millis(
        u64::try_from(before.now().0 - target.now().0).expect("later"),
    ));
    restore(&eraser(&target), &target.config.database, backup).await.expect("restored");
    let mut ada = target.device();
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::CREATED);
    (target, ada)
}

#[tokio::test]
async fn a_file_that_a_restore_brings_back_without_its_bytes_says_so_and_is_gone_a_day_later() {
    for_each_file_store(async |source: World| {
        let mut ada = source.account("ada").await;
        let kept = file(&mut ada, "kept.wav", &wav(1000)).await;
        let lost = file(&mut ada, "lost.wav", &wav(1000)).await;
        let upload = begin(&mut ada, "half.wav", wav(1000).len()).await;
        assert_eq!(send(&ada, &upload, 0, &wav(1000)).await.status, StatusCode::OK);
        let backup = source.folder.join("a.vjam");
        back_up(source.db(), &source.config.key, &backup, source.now()).await.expect("made");
        ada.delete(&format!("/files/{lost}")).await.is_done();
        ada.delete(&format!("/uploads/{upload}")).await.is_done();
        source.work().await;
        let (target, mut ada) = restored(&source, &backup).await;
        assert_eq!(
            ada.get(&format!("/files/{lost}")).await.status,
            StatusCode::OK,
            "its row is back"
        );
        let content = get(&ada, &format!("/files/{lost}/content")).await;
        content.is(410, "gone");
        assert!(content.json()["detail"].as_str().expect("a text").contains("no longer has"));
        ada.post(&format!("/files/{lost}/link"), json!({})).await.is(410, "gone");
        complete(&ada, &upload).await.is(410, "gone");
        // Whoever brings the files back later has a day for it.
        target.work().await;
        assert_eq!(ada.get(&format!("/files/{lost}")).await.status, StatusCode::OK);
        target.clock.advance(DAY);
        target.work().await;
        ada.get(&format!("/files/{lost}")).await.is(404, "not_found");
        let there = get(&ada, &format!("/files/{kept}/content")).await;
        assert!(there.bytes == wav(1000), "what is there stays");
        assert_eq!(objects(&target).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn where_no_file_is_there_at_all_none_is_forgotten() {
    for_each_file_store(async |source: World| {
        let mut ada = source.account("ada").await;
        let id = file(&mut ada, "x.wav", &wav(1000)).await;
        let backup = source.folder.join("a.vjam");
        back_up(source.db(), &source.config.key, &backup, source.now()).await.expect("made");
        // A bucket or a disk of its own, to which nobody has brought the files yet.
        let target = world(source.engine).await;
        restore(&eraser(&target), &target.config.database, &backup).await.expect("restored");
        let mut ada = target.device();
        ada.sign_in("ada", PASSWORD).await;
        for _ in 0..2 {
            target.clock.advance(DAY);
            target.work().await;
            let errors = target.db().read().await.expect("reads").job_errors("orphans").await;
            assert_eq!(errors.expect("reads"), ["no_files"]);
            assert_eq!(ada.get(&format!("/files/{id}")).await.status, StatusCode::OK, "it is kept");
        }
    })
    .await;
}
