//! Cleans the files of the database of what was deleted.
//!
//! A deleted row is still in a file for a while. SQLite overwrites it at once (`secure_delete`), and
//! its log, where it stands too, is emptied by a checkpoint that nobody was in the way of. PostgreSQL
//! writes each table anew (`VACUUM FULL`): an ordinary `VACUUM` only lets others write over it, some
//! day. What surprises: neither works in a transaction, and both can be kept from it by somebody who
//! reads; then it is to be tried again, never taken for done.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection, query_as, query_scalar, raw_sql};
use tokio::time::{Instant, sleep};

use super::{Db, StoreError};
use crate::data_map;
use crate::limits::{CHECKPOINT_WAIT_MAX, SQLITE_BUSY_MAX, VACUUM_LOCK_WAIT_MAX};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compaction {
    /// Nothing is left.
    Done,
    /// Somebody was in the way: something may be left.
    Busy,
}

impl Db {
    /// Cleans the files of what was deleted and committed before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compact(&self) -> Result<Compaction, StoreError> {
        self.compact_tables(|_| true).await
    }

    /// The same for some tables only, where that is less work: each is locked while it is written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compact_tables(
        &self,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Compaction, StoreError> {
        match self {
            Self::Sqlite { w, .. } => {
                // Whoever wants to write waits meanwhile, so somebody who reads is not waited for as
                // long as usual.
                let mut conn = w.acquire().await?;
                set_patience(&mut conn, CHECKPOINT_WAIT_MAX).await?;
                let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
                let checked = query_as::<_, (i64, i64, i64)>(sql).fetch_one(&mut *conn).await;
                set_patience(&mut conn, SQLITE_BUSY_MAX).await?;
                Ok(if checked?.0 == 0 { Compaction::Done } else { Compaction::Busy })
            }
            Self::Pg(pool) => {
                // Whoever is cut off in the middle leaves it with this patience: nobody else gets it.
                let mut conn = pool.acquire().await?;
                conn.close_on_drop();
                if !others_have_ended(&mut conn).await? {
                    return Ok(Compaction::Busy);
                }
                let tables: BTreeSet<_> = data_map::columns()
                    .filter_map(|entry| entry.place.split_once('.'))
                    .map(|(table, _)| table)
                    .filter(|table| is_wanted(table))
                    .collect();
                let wait = format!("SET lock_timeout = {}", VACUUM_LOCK_WAIT_MAX.as_millis());
                raw_sql(AssertSqlSafe(wait)).execute(&mut *conn).await?;
                let mut done = Compaction::Done;
                for table in tables {
                    if write_anew(&mut conn, table).await? == Compaction::Busy {
                        done = Compaction::Busy;
                    }
                }
                Ok(done)
            }
        }
    }
}

/// Writes a table anew, and once more where deleted rows are still in it: a connection that is just being
/// made, to whichever database of the server, may keep them, and is nowhere listed.
async fn write_anew(conn: &mut PgConnection, table: &str) -> Result<Compaction, sqlx::Error> {
    // What this connection deleted a moment ago is not counted yet, and would be taken off what is left.
    raw_sql("SELECT pg_stat_force_next_flush()").execute(&mut *conn).await?;
    for last in (0..VACUUM_TRIES).rev() {
        // With fresh statistics, which hold samples of the rows, and tell how many deleted ones are left.
        let sql = format!("VACUUM (FULL, ANALYZE) {table}");
        match raw_sql(AssertSqlSafe(sql)).execute(&mut *conn).await {
            Ok(_) => {}
            Err(error) if is_lock_timeout(&error) => return Ok(Compaction::Busy),
            Err(error) => return Err(error),
        }
        let sql = "SELECT pg_stat_get_dead_tuples($1::text::regclass)";
        let left: i64 = query_scalar(sql).bind(table).fetch_one(&mut *conn).await?;
        if left == 0 {
            return Ok(Compaction::Done);
        }
        if last == 0 {
            break;
        }
        sleep(VACUUM_AGAIN_AFTER).await;
        if !others_have_ended(conn).await? {
            return Ok(Compaction::Busy);
        }
    }
    Ok(Compaction::Busy)
}

/// Waits for whoever began before this, in vain after a while: a deleted row that somebody may still see is
/// written anew with all others, without a word, whichever tables they read.
async fn others_have_ended(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let sql = "SELECT pg_current_xact_id()::xid::text";
    let own: String = query_scalar(sql).fetch_one(&mut *conn).await?;
    let until = Instant::now() + VACUUM_LOCK_WAIT_MAX;
    loop {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                   AND (datname = current_database() OR datname IS NULL)
                   AND greatest(age(backend_xmin), age(backend_xid)) > age($1::text::xid)";
        let earlier: i64 = query_scalar(sql).bind(&own).fetch_one(&mut *conn).await?;
        if earlier == 0 || until < Instant::now() {
            return Ok(earlier == 0);
        }
        sleep(OTHERS_POLL).await;
    }
}

async fn set_patience(conn: &mut SqliteConnection, wait: Duration) -> Result<(), sqlx::Error> {
    let sql = format!("PRAGMA busy_timeout = {}", wait.as_millis());
    raw_sql(AssertSqlSafe(sql)).execute(conn).await.map(drop)
}

/// How often a table is written anew at most.
const VACUUM_TRIES: u32 = 12;

/// How long it waits for whoever is just connecting, to any database of the server.
const VACUUM_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How often it is looked whether whoever began before has ended.
const OTHERS_POLL: Duration = Duration::from_millis(20);

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("55P03")
}
