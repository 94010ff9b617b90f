//! Steps of the tests' own, on a file without any table.

use super::*;
use crate::store::DatabaseUrl;

const FIRST: Migration =
    Migration { number: 1, name: "one", sql: "CREATE TABLE one (id {uuid} PRIMARY KEY) {strict};" };
const SECOND: Migration = Migration {
    number: 2,
    name: "two",
    sql: "CREATE TABLE two (id {int} PRIMARY KEY); INSERT INTO two (id) VALUES (7);",
};

struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let name = crate::secret::hex(&crate::secret::random()[..8]);
        let folder = std::env::temp_dir().join(format!("vjam-migrations-{name}"));
        std::fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.0.join("x.db"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A database without any table.
async fn empty(folder: &Folder) -> Db {
    let DatabaseUrl::Sqlite(path) = folder.url() else { unreachable!("it is a file") };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let w = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let w = w.connect_with(options).await.expect("opens");
    Db::Sqlite { r: w.clone(), w }
}

#[tokio::test]
async fn steps_are_applied_once_and_in_order() {
    let folder = Folder::new();
    let db = empty(&folder).await;
    apply_these(&db, &[FIRST], UnixMs(1)).await.expect("the first");
    for _ in 0..2 {
        apply_these(&db, &[FIRST, SECOND], UnixMs(2)).await.expect("the second");
    }
    let mut tx = db.begin().await.expect("a transaction");
    let numbers: Vec<i64> =
        applied(&mut tx).await.expect("reads").into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn a_step_that_was_changed_or_is_unknown_is_refused() {
    let folder = Folder::new();
    let db = empty(&folder).await;
    apply_these(&db, &[FIRST, SECOND], UnixMs(1)).await.expect("both");
    let changed = Migration { sql: "SELECT 1;", ..SECOND };
    let error = apply_these(&db, &[FIRST, changed], UnixMs(2)).await.expect_err("changed");
    assert!(matches!(error, MigrationError::Changed { number: 2, .. }), "{error}");
    let error = apply_these(&db, &[FIRST], UnixMs(2)).await.expect_err("newer");
    assert!(error.to_string().contains("newer vjam"), "{error}");
    let skipped = Migration { number: 3, ..FIRST };
    let error = apply_these(&db, &[skipped], UnixMs(2)).await.expect_err("a gap");
    assert!(matches!(error, MigrationError::Gap(3)), "{error}");
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_database_as_it_was() {
    let folder = Folder::new();
    let db = empty(&folder).await;
    let broken = Migration {
        number: 2,
        name: "broken",
        sql: "CREATE TABLE three (id {int}); INSERT INTO nowhere VALUES (1);",
    };
    let error = apply_these(&db, &[FIRST, broken], UnixMs(1)).await.expect_err("broken");
    assert!(matches!(error, MigrationError::Failed { number: 2, .. }), "{error}");
    // As if nothing had been tried: both tables can be made.
    apply_these(&db, &[FIRST, SECOND], UnixMs(2)).await.expect("from the beginning");
}

#[test]
fn steps_are_numbered_from_one_without_a_gap() {
    for (number, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.number, number, "{}", migration.name);
    }
}
