//! A restore that is killed at any moment: its database has all of the backup or nothing of it, and whoever
//! was erased since is not there once a server runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use social::backup::{BackupError, back_up, restore};
use social::clock::{ManualClock, UnixMs};
use social::data_map;
use social::erasure::{Eraser, Ledger};
use social::export::Folder;
use social::secret::ServerKey;
use social::store::{DatabaseUrl, Db};

use crate::backups::{add_account, into};
use crate::chat_crash::say;
use crate::chat_plan::Dice;
use crate::erasure::{ask, id_of, row};
use crate::killed::{self, BEGINS, Killed};
use crate::world::{Engine, PASSWORD, World};

/// What the one that is killed is told.
const TOLD: &str = "VJAM_TEST_RESTORE_CRASH";

/// How many accounts the backup has beside those who do something.
const ACCOUNTS: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_a_restore_that_is_killed_ends_whole_or_not_at_all_and_brings_nobody_back() {
    if let Ok(told) = std::env::var(TOLD) {
        return bring_back(serde_json::from_str(&told).expect("what it is told")).await;
    }
    for engine in [Engine::Sqlite, Engine::Postgres] {
        eprintln!("on {engine:?}");
        let mut source = World::with(engine, |config| config.erasure_delay = Duration::ZERO).await;
        let mut canary = source.account("zzcanary").await;
        let id = id_of(&canary).await;
        let mut grace = source.account("grace").await;
        let chat = canary.chat_with("grace").await;
        for number in 0..20 {
            canary.send(&chat, &format!("zzcanary of message {number}")).await;
            grace.send(&chat, &format!("message {number}")).await;
            source.clock.advance(Duration::from_secs(1));
        }
        for number in 0..ACCOUNTS {
            add_account(source.db(), number, source.now()).await;
        }
        let backup = source.folder.join("a.vjam");
        back_up(source.db(), &source.config.key, &backup, source.now()).await.expect("made");
        ask(&mut canary).await;
        source.work_until_clean().await;
        source.restart().await;
        assert!(row(&source, id).await.is_none());

        // One that nobody kills says what is whole, and about how long it takes.
        let reference = World::new(engine).await;
        let begun = Instant::now();
        let done = restore(&into(&reference, &source), &reference.config.database, &backup).await;
        assert_eq!(done.expect("restored").1, 1, "erased again");
        let life = u64::try_from(begun.elapsed().as_micros()).expect("short");
        let whole = rows(&reference).await;
        assert!(u64::from(ACCOUNTS) < whole["accounts"].cast_unsigned(), "{whole:?}");

        let seed = u64::from(std::process::id());
        let mut dice = Dice::new(seed);
        let mut target = World::new(engine).await;
        let (mut nothing, mut all) = (0, 0);
        for round in 0..killed::rounds(30) {
            let said = kill(&target, &source, &backup, dice.below(life)).await;
            let there = rows(&target).await;
            if there.values().all(|count| *count == 0) {
                assert!(!said.iter().any(|line| line == DONE), "seed {seed}, round {round}");
                nothing += 1;
                continue;
            }
            all += 1;
            is_whole(&mut target, &source, &backup, &whole, seed).await;
            target = World::new(engine).await;
        }
        eprintln!("{nothing} ended with nothing, and {all} whole");
        // What came to nothing is done again, in the same database.
        let done = restore(&into(&target, &source), &target.config.database, &backup).await;
        done.expect("nothing is in its way");
        is_whole(&mut target, &source, &backup, &whole, seed).await;
        let mut again = target.device();
        assert_eq!(again.sign_in("grace", PASSWORD).await.status, StatusCode::CREATED);
        let said = again.history(&chat).await;
        let own = said.iter().filter(|message| !message["body"].is_null()).count();
        assert_eq!((said.len(), own), (40, 20), "seed {seed}");
    }
}

/// That a database which the backup came into is as it should be when a server starts on it.
async fn is_whole(
    target: &mut World,
    source: &World,
    backup: &Path,
    whole: &BTreeMap<String, i64>,
    seed: u64,
) {
    // As `vjam serve` finds it, with the ledger that names whoever was erased.
    target.config.folder.clone_from(&source.folder);
    target.restart().await;
    assert_eq!(rows(target).await, *whole, "seed {seed}");
    target.work_until_clean().await;
    assert!(!target.any_file_holds("zzcanary").await, "seed {seed}: nothing of the erased");
    let again = restore(&into(target, source), &target.config.database, backup).await;
    assert!(matches!(again, Err(BackupError::NotEmpty { .. })), "seed {seed}: {again:?}");
}

/// Has a process restore a backup, and kills it after so many microseconds; what it said.
async fn kill(target: &World, source: &World, backup: &Path, life_us: u64) -> Vec<String> {
    let mut told = killed::told(target);
    told["ledger"] = json!(source.folder);
    told["backup"] = json!(backup);
    Killed::start(TEST, TOLD, &told).kill_after(BEGINS, Duration::from_micros(life_us)).await
}

/// How many rows each table has of those that a backup brings, all counted at one moment.
async fn rows(world: &World) -> BTreeMap<String, i64> {
    let tables = data_map::columns().filter_map(|entry| entry.place.split_once('.'));
    let mut tables: Vec<_> = tables.map(|(table, _)| table).collect();
    tables.retain(|table| !NOT_BROUGHT.contains(table));
    tables.dedup();
    let counts: Vec<_> =
        tables.iter().map(|table| format!("SELECT '{table}', count(*) FROM {table}")).collect();
    let sql = sqlx::AssertSqlSafe(counts.join(" UNION ALL "));
    let rows: Vec<(String, i64)> = match world.db() {
        Db::Sqlite { r, .. } => sqlx::query_as(sql).fetch_all(r).await.expect("counted"),
        Db::Pg(pool) => sqlx::query_as(sql).fetch_all(pool).await.expect("counted"),
    };
    rows.into_iter().collect()
}

/// Tables that a server fills by itself, or whose rows come with it.
const NOT_BROUGHT: [&str; 12] = [
    "schema_migrations",
    "server_key",
    "sessions",
    "codes",
    "mails",
    "exports",
    "policies",
    "usage_keys",
    "jobs",
    "erasures",
    "push_key",
    "push_subscriptions",
];

/// What is said when a restore is done.
const DONE: &str = "done";

/// This test, as the program that runs it calls it.
const TEST: &str = "restore_crash::promise_7_a_restore_that_is_killed_ends_whole_or_not_at_all_and_brings_\
                    nobody_back";

/// Does what `vjam restore` does.
async fn bring_back(told: Value) {
    let text = |name: &str| told[name].as_str().expect("text").to_owned();
    let now = UnixMs(told["now"].as_i64().expect("a time"));
    let database: DatabaseUrl = text("database").parse().expect("a URL");
    say("");
    say(BEGINS);
    let db = Db::open(&database, now).await.expect("it opens");
    let eraser = Eraser {
        db,
        clock: Arc::new(ManualClock::new(now)),
        key: ServerKey::new([7; 32]),
        ledger: Ledger::of(text("ledger").into()),
        archives: Arc::new(Folder::below(Path::new(&text("folder")))),
    };
    let done = restore(&eraser, &database, Path::new(&text("backup"))).await;
    if done.is_ok() {
        say(DONE);
    }
}
