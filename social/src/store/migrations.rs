//! How the tables come to be, and how a database of an earlier version becomes one of this.
//!
//! Each step is a file of SQL for both engines; words in braces stand for what the engines call
//! differently. What was applied is remembered with a checksum of its file: a step is never changed
//! after it was released, a new one is added. What surprises: all steps that are missing are one
//! transaction under one lock, so a crash leaves the old database, and of two servers that start at
//! once, the second finds the work done.

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, query, query_as, raw_sql};

use super::{Db, Driver, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::limits::MIGRATION_WAIT_MAX;

/// One step.
#[derive(Debug, Clone, Copy)]
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

/// All steps, in order. A step that was released is never changed.
const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "jobs", sql: include_str!("migrations/0001_jobs.sql") },
    Migration { number: 2, name: "accounts", sql: include_str!("migrations/0002_accounts.sql") },
    Migration {
        number: 3,
        name: "server_key",
        sql: include_str!("migrations/0003_server_key.sql"),
    },
    Migration { number: 4, name: "blocks", sql: include_str!("migrations/0004_blocks.sql") },
    Migration { number: 5, name: "rights", sql: include_str!("migrations/0005_rights.sql") },
    Migration { number: 6, name: "people", sql: include_str!("migrations/0006_people.sql") },
    Migration { number: 7, name: "chats", sql: include_str!("migrations/0007_chats.sql") },
    Migration { number: 8, name: "files", sql: include_str!("migrations/0008_files.sql") },
    Migration { number: 9, name: "usage", sql: include_str!("migrations/0009_usage.sql") },
    Migration { number: 10, name: "policies", sql: include_str!("migrations/0010_policies.sql") },
    Migration { number: 11, name: "rooms", sql: include_str!("migrations/0011_rooms.sql") },
    Migration {
        number: 12,
        name: "identities",
        sql: include_str!("migrations/0012_identities.sql"),
    },
    Migration {
        number: 13,
        name: "attachments",
        sql: include_str!("migrations/0013_attachments.sql"),
    },
    Migration { number: 14, name: "gifs", sql: include_str!("migrations/0014_gifs.sql") },
    Migration { number: 15, name: "watch", sql: include_str!("migrations/0015_watch.sql") },
    Migration {
        number: 16,
        name: "identity_events",
        sql: include_str!("migrations/0016_identity_events.sql"),
    },
    Migration { number: 17, name: "staff", sql: include_str!("migrations/0017_staff.sql") },
    Migration { number: 18, name: "push", sql: include_str!("migrations/0018_push.sql") },
];

/// How many steps this version knows.
pub const NUMBER_OF_MIGRATIONS: usize = MIGRATIONS.len();

/// The tables are not, and do not become, those of this version.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A later version was here.
    #[error(
        "the database was changed by a newer vjam (step {0} of its tables, and this one knows \
         {NUMBER_OF_MIGRATIONS}): run that version, or restore a backup from before"
    )]
    Newer(i64),
    /// A step is not the one that was applied.
    #[error(
        "step {number} ({name}) of the tables is not the one that this database was made with: \
         run the version that made it, or restore a backup of this one's"
    )]
    Changed {
        /// Which step.
        number: i64,
        /// Its name here.
        name: &'static str,
    },
    /// A step that this database should have is not there.
    #[error("step {0} of the tables is missing in this database, though later ones are there")]
    Gap(i64),
    /// The step failed.
    #[error("step {number} ({name}) of the tables failed: {source}")]
    Failed {
        /// Which step.
        number: i64,
        /// Its name.
        name: &'static str,
        /// What the database says.
        source: StoreError,
    },
    /// The database failed otherwise.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings the tables up to date.
pub(super) async fn apply(db: &Db, now: UnixMs) -> Result<(), MigrationError> {
    apply_these(db, MIGRATIONS, now).await
}

async fn apply_these(db: &Db, all: &[Migration], now: UnixMs) -> Result<(), MigrationError> {
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    let table = translate(tx.driver(), TABLE);
    on!(tx, c => raw_sql(AssertSqlSafe(table)).execute(&mut *c).await.map(drop))
        .map_err(StoreError::from)?;
    let applied = applied(&mut tx).await?;
    compare(all, &applied)?;
    for migration in &all[applied.len()..] {
        let Migration { number, name, .. } = *migration;
        let failed = |source| MigrationError::Failed { number, name, source };
        step(&mut tx, migration, now).await.map_err(failed)?;
        tracing::info!(number, name, "the tables of the database changed");
    }
    tx.keep_no_samples().await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps every other server out until the transaction ends. On SQLite it already does: whoever begins
/// one is the writer.
async fn lock(tx: &mut Tx) -> Result<(), StoreError> {
    if let Driver::Pg(conn) = tx.driver() {
        let wait = format!("SET LOCAL lock_timeout = {}", MIGRATION_WAIT_MAX.as_millis());
        raw_sql(AssertSqlSafe(wait)).execute(&mut *conn).await?;
        query("SELECT pg_advisory_xact_lock($1)").bind(PG_LOCK).execute(&mut *conn).await?;
    }
    Ok(())
}

async fn applied(tx: &mut Tx) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let sql = "SELECT number, checksum FROM schema_migrations ORDER BY number";
    Ok(on!(tx, c => query_as::<_, (i64, Vec<u8>)>(sql).fetch_all(&mut *c).await)?)
}

/// That what was applied is the beginning of all.
fn compare(all: &[Migration], applied: &[(i64, Vec<u8>)]) -> Result<(), MigrationError> {
    if let Some((newer, _)) =
        applied.iter().find(|(number, _)| all.iter().all(|m| m.number < *number))
    {
        return Err(MigrationError::Newer(*newer));
    }
    for (migration, (number, checksum)) in all.iter().zip(applied) {
        if migration.number != *number {
            return Err(MigrationError::Gap(migration.number));
        }
        if migration.checksum() != checksum.as_slice() {
            return Err(MigrationError::Changed { number: *number, name: migration.name });
        }
    }
    Ok(())
}

async fn step(tx: &mut Tx, migration: &Migration, now: UnixMs) -> Result<(), StoreError> {
    let sql = translate(tx.driver(), migration.sql);
    on!(tx, c => raw_sql(AssertSqlSafe(sql)).execute(&mut *c).await.map(drop))?;
    let sql = "INSERT INTO schema_migrations (number, name, checksum, applied_at)
               VALUES ($1, $2, $3, $4)";
    let checksum = migration.checksum();
    on!(tx, c => query(sql).bind(migration.number).bind(migration.name).bind(&checksum[..])
        .bind(now).execute(&mut *c).await.map(drop))?;
    Ok(())
}

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql).into()
    }
}

/// Puts in what the engine calls the things in braces.
fn translate(driver: Driver<'_>, sql: &str) -> String {
    let column = match driver {
        Driver::Sqlite(_) => 1,
        Driver::Pg(_) => 2,
    };
    let mut sql = sql.to_owned();
    for words in WORDS {
        sql = sql.replace(words[0], words[column]);
    }
    sql
}

/// What the two engines call differently: in the file, on SQLite, on PostgreSQL.
const WORDS: &[[&str; 3]] = &[
    // The index of the words of messages, which each engine has of its own kind. Before the others,
    // which stand in it; never changed after it was released, like the step that it is part of.
    [
        "{search}",
        include_str!("migrations/0007_search_sqlite.sql"),
        include_str!("migrations/0007_search_postgres.sql"),
    ],
    // A number that each row gets by itself.
    ["{serial}", "INTEGER", "BIGINT GENERATED BY DEFAULT AS IDENTITY"],
    ["{uuid}", "BLOB", "UUID"],
    ["{bytes}", "BLOB", "BYTEA"],
    ["{int}", "INTEGER", "BIGINT"],
    // Without it, SQLite keeps a text in a column of numbers.
    ["{strict}", "STRICT", ""],
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number {int} PRIMARY KEY,
    name TEXT NOT NULL,
    checksum {bytes} NOT NULL,
    applied_at {int} NOT NULL
) {strict};";

/// A number that other programs of the same PostgreSQL server hardly lock.
const PG_LOCK: i64 = 0x766a_616d_736f_6369;

#[cfg(test)]
mod tests;
