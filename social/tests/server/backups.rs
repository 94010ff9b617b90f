//! Backups: whole, for either database, and never a way back for whoever was erased.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;
use social::account::Region;
use social::backup::{BackupError, back_up, prune, restore};
use social::erasure::{Eraser, Ledger};
use social::id::{AccountId, SignUpId};
use social::limits::BACKUP_LIFE;
use social::secret::ServerKey;
use social::store::{NewAccount, SignUp};

use crate::erasure::{ask, eraser, id_of, row};
use crate::world::{Engine, PASSWORD, World, contains, for_each_store};

/// A backup of a world, as it stands.
async fn backup(world: &World, name: &str) -> PathBuf {
    let path = world.folder.join(name);
    back_up(world.db(), &world.config.key, &path, world.now()).await.expect("made");
    path
}

/// What restores into a world with the ledger of another.
pub(crate) fn into(target: &World, ledger_of: &World) -> Eraser {
    Eraser { ledger: Ledger::of(ledger_of.folder.clone()), ..eraser(target) }
}

#[tokio::test]
async fn promise_7_a_restore_brings_everybody_back_but_those_who_were_erased_since() {
    for from in [Engine::Sqlite, Engine::Postgres] {
        for to in [Engine::Sqlite, Engine::Postgres] {
            let (mut source, target) = (World::new(from).await, World::new(to).await);
            source.config.erasure_delay = Duration::ZERO;
            (source.social, source.jobs, source.router) = source.restarted().await;
            let mut ada = source.account("ada").await;
            let mut grace = source.account("grace").await;
            let (id, other) = (id_of(&ada).await, id_of(&grace).await);
            let mut tx = source.db().begin().await.expect("begins");
            tx.block(other, id, source.now()).await.expect("blocked");
            tx.commit().await.expect("committed");
            let path = backup(&source, "a.vjam").await;
            assert!(!contains(&std::fs::read(&path).expect("there"), b"example.org"), "encrypted");
            ask(&mut ada).await;
            source.work().await;
            assert!(row(&source, id).await.is_none());
            let eraser = into(&target, &source);
            let done = restore(&eraser, &target.config.database, &path).await.expect("restored");
            assert_eq!(done.1, 1, "{from:?} to {to:?}: erased again");
            assert!(row(&target, id).await.is_none(), "before the restore is done");
            assert!(!target.any_file_holds("ada@example.org").await, "nor in a file");
            assert_eq!(row(&target, other).await.expect("back").email, "grace@example.org");
            // Everybody signs in anew: whoever was signed out since stays so.
            grace.token.take();
            let mut again = target.device();
            assert_eq!(again.sign_in("grace", PASSWORD).await.status, StatusCode::CREATED);
            again.sign_in("ada", PASSWORD).await.is(401, "wrong_credentials");
            assert_eq!(again.get("/sessions").await.body.as_array().expect("a list").len(), 1);
            // It is not restored over what is there.
            let refused = restore(&eraser, &target.config.database, &path).await;
            let refused = refused.expect_err("somebody is there");
            assert!(matches!(refused, BackupError::NotEmpty { .. }), "{refused}");
        }
    }
}

#[tokio::test]
async fn promise_6_no_backup_is_restored_or_kept_that_is_older_than_sixty_days() {
    for_each_store(async |world: World| {
        let target = World::new(world.engine).await;
        world.account("ada").await;
        let path = backup(&world, "old.vjam").await;
        std::fs::write(world.folder.join("other.txt"), "somebody else's").expect("ours");
        target.clock.advance(BACKUP_LIFE);
        world.clock.advance(BACKUP_LIFE);
        let pruned = prune(&world.folder, world.now()).expect("reads");
        assert_eq!(pruned, Vec::<PathBuf>::new(), "not on the day");
        let newer = backup(&world, "newer.vjam").await;
        for clock in [&target.clock, &world.clock] {
            clock.advance(Duration::from_millis(1));
        }
        let refused = restore(&into(&target, &world), &target.config.database, &path).await;
        let refused = refused.expect_err("too old");
        assert!(matches!(refused, BackupError::TooOld(60)), "{refused}");
        assert!(refused.to_string().contains("60 days"), "{refused}");
        assert_eq!(prune(&world.folder, world.now()).expect("reads"), [path]);
        assert!(newer.exists() && world.folder.join("other.txt").exists());
        let done = restore(&into(&target, &world), &target.config.database, &newer).await;
        assert_eq!(done.expect("restored").1, 0);
    })
    .await;
}

#[tokio::test]
async fn a_backup_is_of_one_moment_while_the_server_writes() {
    for_each_store(async |world: World| {
        let writer = {
            let (db, now) = (world.db().clone(), world.now());
            tokio::spawn(async move {
                for number in 0..300 {
                    add_account(&db, number, now).await;
                }
            })
        };
        let mut made = Vec::new();
        while !writer.is_finished() {
            made.push(backup(&world, &format!("{}.vjam", made.len())).await);
        }
        writer.await.expect("no panic");
        let mut counts = Vec::new();
        for path in made.iter().step_by(made.len().div_ceil(4)) {
            let target = World::new(world.engine).await;
            let eraser = into(&target, &world);
            // A name without its account would be refused here.
            restore(&eraser, &target.config.database, path).await.expect("restored");
            let mut conn = target.db().read().await.expect("reads");
            let ids = conn.account_ids(AccountId::new(uuid::Uuid::nil()), 1000).await;
            let ids = ids.expect("reads");
            for id in &ids {
                let name = conn.account(*id).await.expect("reads").expect("there").username;
                let named = conn.account_by_username(&name).await.expect("reads");
                assert_eq!(named.expect("it has its name").id, *id);
            }
            counts.push(ids.len());
        }
        assert!(counts.is_sorted(), "{counts:?}");
    })
    .await;
}

/// An account, in one transaction as a sign-up makes it.
pub(crate) async fn add_account(db: &social::store::Db, number: u32, now: social::clock::UnixMs) {
    let name = format!("name{number}");
    let email = format!("{name}@example.org");
    let (sign_up, id) = (SignUpId::fresh(now), AccountId::fresh(now));
    let mut tx = db.begin().await.expect("begins");
    let waiting = SignUp {
        id: sign_up,
        region: Region::Eu,
        email: email.clone(),
        email_key: email.clone(),
        username: name.clone(),
        password_hash: None,
        language: "en".into(),
        device_hash: vec![0; 32],
        created_at: now,
        expires_at: now.after(Duration::from_secs(60)),
    };
    tx.add_sign_up(&waiting).await.expect("added");
    tx.reserve_username(&name, sign_up).await.expect("free");
    let new = NewAccount {
        id,
        region: Region::Eu,
        email: &email,
        email_key: &email,
        username: &name,
        password_hash: None,
        language: "en",
    };
    tx.add_account(&new, now).await.expect("added");
    tx.hand_over_username(sign_up, id).await.expect("handed over");
    tx.remove_sign_up(sign_up).await.expect("removed");
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn a_backup_that_finds_no_room_says_so_and_leaves_nothing() {
    for_each_store(async |world: World| {
        // More than the disk, the writer and the way between them take before they notice.
        for number in 0..700 {
            add_account(world.db(), number, world.now()).await;
        }
        let path = world.folder.join("full.vjam");
        let draft = world.folder.join("full.vjam.part");
        std::os::unix::fs::symlink("/dev/full", &draft).expect("ours");
        let made = back_up(world.db(), &world.config.key, &path, world.now());
        let made = tokio::time::timeout(Duration::from_secs(60), made).await.expect("it ends");
        let error = made.expect_err("the disk is full").to_string();
        assert!(error.contains("full.vjam") && error.contains("No space left"), "{error}");
        assert!(!path.exists() && std::fs::symlink_metadata(&draft).is_err(), "nothing is left");
    })
    .await;
}

#[tokio::test]
async fn of_a_backup_that_is_not_whole_or_anothers_nothing_stays() {
    for_each_store(async |world: World| {
        let target = World::new(world.engine).await;
        let mut ada = world.account("ada").await;
        let id = id_of(&ada).await;
        ada.get("/account").await;
        let path = backup(&world, "a.vjam").await;
        let again = back_up(world.db(), &world.config.key, &path, world.now()).await;
        assert!(again.is_err(), "what is there is not written over");
        let whole = std::fs::read(&path).expect("there");
        let cut = world.folder.join("cut.vjam");
        let eraser = into(&target, &world);
        for length in [0, 10, 54, whole.len() - 1] {
            std::fs::write(&cut, &whole[..length]).expect("ours");
            let refused = restore(&eraser, &target.config.database, &cut).await;
            assert!(matches!(refused, Err(BackupError::File { .. })), "{length}");
        }
        let other = Eraser { key: ServerKey::new([8; 32]), ..eraser.clone() };
        let refused = restore(&other, &target.config.database, &path).await;
        assert!(refused.is_err(), "another server's");
        assert!(row(&target, id).await.is_none(), "nothing of it");
        let mut left = std::fs::read_dir(&world.folder).expect("reads").flatten();
        let is_draft =
            |entry: std::fs::DirEntry| entry.path().extension().is_some_and(|end| end == "part");
        assert!(!left.any(is_draft));
        restore(&eraser, &target.config.database, &path).await.expect("whole");
        assert!(row(&target, id).await.is_some());
    })
    .await;
}
