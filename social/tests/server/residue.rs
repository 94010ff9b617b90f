//! What is left of somebody who was erased: nothing, in any file.

use std::sync::LazyLock;

use axum::http::StatusCode;
use serde_json::json;
use social::store::Db;

use crate::erasure::ask;
use crate::secrets::LOG;
use crate::world::{Engine, PASSWORD, Person, World, contains, for_each_store};

/// Fills everything that somebody can say of themselves, and has it erased; the texts that they said.
async fn erase_somebody(world: &World) -> (Person, Vec<String>) {
    let canary = format!("zz{:?}", world.engine).to_lowercase();
    let mut ada = world.account(&format!("{canary}-name")).await;
    let change = json!({ "email": format!("{canary}-new@example.com"), "password": PASSWORD });
    assert_eq!(ada.post("/account/email", change).await.status, StatusCode::ACCEPTED);
    let mut laptop = world.device();
    let body = json!({
        "login": format!("{canary}-name"),
        "password": PASSWORD,
        "device_name": format!("{canary}-device"),
    });
    assert_eq!(laptop.post("/sessions", body).await.status, StatusCode::CREATED);
    // Somebody who does not know that they have an account.
    let email = format!("{canary}-name@example.org");
    let again = world.device().sign_up(&email, &format!("{canary}-again"), PASSWORD).await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    let export = ada.post("/account/exports", json!({ "current_password": PASSWORD })).await;
    assert_eq!(export.status, StatusCode::ACCEPTED);
    // Made, so that the archive is there, and mails that nobody takes wait in the table.
    world.smtp.refuse(Some("451 not now\r\n"));
    world.work().await;
    let id = ada.get("/account").await.text("id");
    for said in ["-name@example.org", "-new@example.com", "-device", "-again"] {
        assert!(world.holds(&format!("{canary}{said}")).await, "{said} is kept");
    }
    assert!(folder_holds(world, &canary), "the archive is there");
    assert_eq!(ask(&mut ada).await.status, StatusCode::ACCEPTED);
    world.clock.advance(std::time::Duration::from_secs(30 * 24 * 3600));
    (ada, vec![canary, id])
}

/// Whether a text stands in any file of the server but those of its database.
fn folder_holds(world: &World, text: &str) -> bool {
    let mut folders = vec![world.folder.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("reads") {
            let path = entry.expect("reads").path();
            if path.is_dir() {
                folders.push(path);
            } else if contains(&std::fs::read(&path).expect("reads"), text.as_bytes())
                && !path.to_string_lossy().contains("social.sqlite")
            {
                return true;
            }
        }
    }
    false
}

#[tokio::test]
async fn promise_2_nothing_of_somebody_who_was_erased_is_left_in_any_file_or_log() {
    LazyLock::force(&LOG);
    for_each_store(async |world: World| {
        let mut grace = world.account("grace").await;
        let (_, texts) = erase_somebody(&world).await;
        // As the database does by itself where much is written.
        if let Db::Pg(pool) = world.db() {
            sqlx::raw_sql("ANALYZE").execute(pool).await.expect("sampled");
        }
        world.work_until_clean().await;
        for text in &texts {
            assert!(!world.holds(text).await, "{text} in a row");
            assert!(!world.any_file_holds(text).await, "{text} in a file of the database");
            assert!(!folder_holds(&world, text), "{text} in a file beside it");
            let log = LOG.lock().expect("not poisoned").clone();
            assert!(!contains(&log, text.as_bytes()), "{text} in the log");
        }
        // Names as bytes, too.
        let id: social::id::AccountId = texts[1].parse().expect("an id");
        assert!(!contains(&world.dump().await, id.uuid().as_bytes()));
        assert!(contains(&LOG.lock().expect("not poisoned"), b"an account was erased"));
        // What is somebody else's stays, and would be found.
        grace.sign_in("grace", PASSWORD).await;
        assert_eq!(grace.get("/account").await.status, StatusCode::OK);
        assert!(world.any_file_holds("grace@example.org").await, "what is there is found");
    })
    .await;
}

/// That it is cleaning which removes what a deletion leaves: while somebody who reads is in the way, it
/// is found.
async fn is_found_until_it_is_cleaned(world: World) {
    let (_, texts) = erase_somebody(&world).await;
    // Somebody who reads sees the database as it was, so it has to stay in the files.
    let sql = "SELECT count(*) FROM usernames";
    match world.db() {
        Db::Sqlite { r, .. } => {
            let mut reading = r.begin().await.expect("begins");
            sqlx::query(sql).execute(&mut *reading).await.expect("reads");
            world.work().await;
            reading.rollback().await.expect("ends");
        }
        Db::Pg(pool) => {
            let mut reading = pool.begin().await.expect("begins");
            for table in ["accounts", "usernames", "sessions", "sign_ups", "codes", "mails"] {
                let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
                sqlx::query(sql).execute(&mut *reading).await.expect("reads");
            }
            world.work().await;
            reading.rollback().await.expect("ends");
        }
    }
    let row = world.db().read().await.expect("reads").account_by_email_or_hidden(&texts[0]).await;
    assert!(row.expect("reads").is_none(), "deleted");
    assert!(world.any_file_holds(&texts[0]).await, "deleted, and still in a file");
    // The job that cleans is tried again.
    world.clock.advance(std::time::Duration::from_secs(60));
    world.work_until_clean().await;
    assert!(!world.any_file_holds(&texts[0]).await, "cleaned");
}

#[tokio::test]
async fn promise_3_sqlite_keeps_nothing_once_its_log_is_emptied() {
    is_found_until_it_is_cleaned(World::new(Engine::Sqlite).await).await;
}

#[tokio::test]
async fn promise_4_postgresql_keeps_nothing_once_its_tables_are_written_anew() {
    is_found_until_it_is_cleaned(World::new(Engine::Postgres).await).await;
}
