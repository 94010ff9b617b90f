//! The database itself: its tables, its steps, and two servers at once.

use std::os::unix::fs::PermissionsExt as _;

use social::account::Passwords;
use social::data_map::{Owner, columns, differences};
use social::secret::ServerKey;
use social::store::{DatabaseUrl, Db, NUMBER_OF_MIGRATIONS};
use social::{Config, Social, StartError};

use crate::postgres;
use crate::world::{Engine, PASSWORD, World, for_each_store};

#[tokio::test]
async fn every_column_of_both_databases_is_in_the_data_map() {
    let mut seen = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world = World::new(engine).await;
        let there = world.db().read().await.expect("reads").columns().await.expect("reads");
        assert_eq!(differences(&there), Vec::<String>::new(), "{engine:?}");
        seen.push(there);
    }
    assert_eq!(seen[0], seen[1], "both have the same tables");
}

#[tokio::test]
async fn a_column_that_a_migration_adds_without_a_word_is_found() {
    for_each_store(async |world: World| {
        let sql = "ALTER TABLE accounts ADD COLUMN shoe_size TEXT";
        match world.db() {
            Db::Sqlite { w, .. } => drop(sqlx::query(sql).execute(w).await.expect("added")),
            Db::Pg(pool) => drop(sqlx::query(sql).execute(pool).await.expect("added")),
        }
        let there = world.db().read().await.expect("reads").columns().await.expect("reads");
        let found = differences(&there);
        assert_eq!(found, ["accounts.shoe_size is in the database and not in the data map"]);
    })
    .await;
}

#[tokio::test]
async fn the_column_by_which_an_owner_is_found_is_in_the_same_table() {
    for entry in columns() {
        let (table, _) = entry.place.split_once('.').expect("table.column");
        if let Owner::Account(column) = entry.owner {
            let place = format!("{table}.{column}");
            assert!(columns().any(|other| other.place == place), "{place}");
        }
    }
}

#[tokio::test]
async fn servers_that_start_at_once_make_the_tables_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let world_like = World::new(engine).await;
        let url: DatabaseUrl = match engine {
            Engine::Sqlite => DatabaseUrl::Sqlite(world_like.folder.join("fresh.sqlite")),
            Engine::Postgres => postgres::fresh().await.parse().expect("a URL"),
        };
        let starts: Vec<_> = (0..6)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Db::open(&url, crate::world::NOW).await })
            })
            .collect();
        let mut dbs = Vec::new();
        for start in starts {
            dbs.push(start.await.expect("no panic").expect("it opens"));
        }
        let sql = "SELECT count(*) FROM schema_migrations";
        let count: i64 = match &dbs[0] {
            Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await.expect("reads"),
            Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads"),
        };
        assert_eq!(usize::try_from(count), Ok(NUMBER_OF_MIGRATIONS));
        for db in dbs {
            db.close().await;
        }
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_or_with_a_changed_step_does_not_open() {
    for_each_store(async |world: World| {
        let run = async |sql: &'static str| match world.db() {
            Db::Sqlite { w, .. } => drop(sqlx::raw_sql(sql).execute(w).await.expect("changed")),
            Db::Pg(pool) => drop(sqlx::raw_sql(sql).execute(pool).await.expect("changed")),
        };
        let open = async || Db::open(&world.config.database, world.now()).await;
        open().await.expect("as it is").close().await;
        run(
            "INSERT INTO schema_migrations SELECT 9999, 'later', checksum, 0 FROM schema_migrations
             WHERE number = 1",
        )
        .await;
        let error = open().await.expect_err("newer").to_string();
        assert!(error.contains("newer vjam") && error.contains("9999"), "{error}");
        run("DELETE FROM schema_migrations WHERE number = 9999").await;
        run("UPDATE schema_migrations SET checksum =
             (SELECT checksum FROM schema_migrations WHERE number = 2) WHERE number = 1")
        .await;
        let error = open().await.expect_err("changed").to_string();
        assert!(error.contains("step 1 (jobs)"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_file_is_its_owners_only_and_set_as_it_must_be() {
    let world = World::new(Engine::Sqlite).await;
    world.account("ada").await;
    for suffix in ["", "-wal", "-shm"] {
        let path = world.folder.join(format!("social.sqlite{suffix}"));
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let Db::Sqlite { r, w } = world.db() else { unreachable!("it is a file") };
    for (pragma, value) in
        [("PRAGMA secure_delete", 1), ("PRAGMA foreign_keys", 1), ("PRAGMA synchronous", 2)]
    {
        let set: i64 = sqlx::query_scalar(pragma).fetch_one(w).await.expect("set");
        assert_eq!(set, value, "{pragma}");
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(r).await.expect("set");
    assert_eq!(mode, "wal");
    let written = sqlx::query("DELETE FROM accounts").execute(r).await;
    assert!(written.is_err(), "readers do not write");
}

#[tokio::test]
async fn what_cannot_be_opened_is_said_without_a_password() {
    let folder = World::new(Engine::Sqlite).await;
    let missing = DatabaseUrl::Sqlite(folder.folder.join("nowhere/x.sqlite"));
    let error = Db::open(&missing, crate::world::NOW).await.expect_err("no folder").to_string();
    assert!(error.contains("nowhere/x.sqlite cannot be opened"), "{error}");
    let junk = folder.folder.join("junk.sqlite");
    std::fs::write(&junk, "this is no database, and long enough to be told from one".repeat(99))
        .expect("ours");
    let error = Db::open(&DatabaseUrl::Sqlite(junk), crate::world::NOW).await.expect_err("junk");
    assert!(error.to_string().contains("junk.sqlite"), "{error}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("one");
    let url = format!("postgres://vjam:s3cret@{port}/vjam");
    let error = Db::open(&url.parse().expect("a URL"), crate::world::NOW).await.expect_err("gone");
    let text = format!("{error} {error:?}");
    assert!(text.contains(&port.to_string()) && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn what_expired_is_deleted() {
    for_each_store(async |world: World| {
        let mut ada = world.account("ada").await;
        let mut person = world.device();
        person.sign_up("waiting@example.org", "waiting", PASSWORD).await;
        // On another device: a refusal deletes what waits of its own.
        world.device().post("/age", serde_json::json!({ "born": "2020-01-01" })).await;
        ada.post("/password-resets", serde_json::json!({ "email": "ada@example.org" })).await;
        assert!(world.holds("waiting@example.org").await);
        world.clock.advance(std::time::Duration::from_secs(366 * 24 * 3600));
        world.work().await;
        let count = async |table: &str| -> i64 {
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            match world.db() {
                Db::Sqlite { r, .. } => sqlx::query_scalar(sql).fetch_one(r).await.expect("reads"),
                Db::Pg(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.expect("reads"),
            }
        };
        for table in ["sign_ups", "codes", "sessions", "devices", "age_refusals", "mails"] {
            assert_eq!(count(table).await, 0, "{table}");
        }
        assert_eq!((count("accounts").await, count("usernames").await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_server_with_another_key_than_its_database_does_not_start() {
    for_each_store(async |world: World| {
        let start = async |key: [u8; 32]| {
            let config = Config { key: ServerKey::new(key), ..world.config.clone() };
            Social::start_with(config, world.clock.clone(), Passwords::at_any_cost(4)).await
        };
        start([7; 32]).await.map(drop).expect("the same key");
        for _ in 0..2 {
            let refused = start([8; 32]).await.map(drop).expect_err("another key");
            assert!(matches!(refused, StartError::OtherKey { .. }), "{refused}");
            assert!(refused.to_string().contains("another key"), "{refused}");
        }
        start([7; 32]).await.map(drop).expect("nothing has changed");
        assert!(!world.holds("server key").await, "the hash of it, and nothing else");
    })
    .await;
}
