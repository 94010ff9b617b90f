//! Objects that no row names: found after a day, and deleted.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use social::id::ObjectId;
use social::objects::{ObjectKey, ObjectKind, Objects, ObjectsConfig};

use super::{begin, file, for_each_file_store, get, objects, send, wav};
use crate::world::{Engine, World};

#[tokio::test]
async fn what_no_row_names_is_deleted_when_it_is_a_day_old_and_nothing_else_is() {
    for_each_file_store(async |world: World| {
        let mut ada = world.account("ada").await;
        world.work().await;
        let id = file(&mut ada, "x.wav", &wav(1000)).await;
        let orphan = async |kind| {
            let key = ObjectKey::new(kind, ObjectId::fresh(world.now()));
            let bytes = Bytes::from_static(b"orphan");
            world.social.objects().put_bytes(key, "text/plain", bytes).await.expect("written");
            key
        };
        let mut old = Vec::new();
        for kind in ObjectKind::ALL {
            // What is unfinished is a disk's own, and given a name there when it is done.
            if kind != ObjectKind::Unfinished {
                old.push(orphan(kind).await);
            }
        }
        world.clock.advance(Duration::from_secs(23 * 3600));
        let young = orphan(ObjectKind::File).await;
        let upload = begin(&mut ada, "y.wav", 1000).await;
        assert_eq!(send(&ada, &upload, 0, &wav(100)).await.status, StatusCode::OK);
        world.work().await;
        assert_eq!(objects(&world).await.len(), old.len() + 3, "nothing is a day old");
        world.clock.advance(Duration::from_secs(3600));
        world.work().await;
        let left = objects(&world).await;
        assert!(old.iter().all(|key| !left.contains(key)), "{left:?}");
        assert!(left.contains(&young), "it may be named in a moment");
        assert_eq!(left.len(), 3, "the file, the part and the young one");
        assert_eq!(get(&ada, &format!("/files/{id}/content")).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn files_on_a_disk_are_their_owners_only_and_a_write_that_broke_off_is_swept_too() {
    let world = World::new(Engine::Sqlite).await;
    let mut ada = world.account("ada").await;
    world.work().await;
    file(&mut ada, "x.wav", &wav(1000)).await;
    world.work().await;
    let ObjectsConfig::Disk(folder) = &world.config.objects else { unreachable!("a folder") };
    let key = objects(&world).await[0];
    let path = folder.join(key.to_string());
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&path), 0o600);
    for above in path.ancestors().skip(1).take(3) {
        assert_eq!(mode(above), 0o700, "{}", above.display());
    }
    let broken = ObjectKey::new(ObjectKind::Unfinished, ObjectId::fresh(world.now()));
    let broken = folder.join(broken.to_string());
    std::fs::create_dir_all(broken.parent().expect("it has one")).expect("made");
    std::fs::write(&broken, b"half").expect("written");
    world.clock.advance(Duration::from_secs(24 * 3600 + 1));
    world.work().await;
    assert!(!broken.exists() && path.exists());
}

#[tokio::test]
async fn a_store_that_keeps_nothing_is_named_at_the_start() {
    let world = World::new(Engine::Sqlite).await;
    let file = world.folder.join("file");
    std::fs::write(&file, b"").expect("written");
    let open = async |config: &ObjectsConfig| Objects::open(config, world.now()).await;
    let error = open(&ObjectsConfig::Disk(file.join("objects"))).await.map(drop);
    let error = error.expect_err("no folder").to_string();
    assert!(error.contains("file/objects cannot keep files"), "{error}");
    assert!(error.contains("must be this user's"), "{error}");
}
