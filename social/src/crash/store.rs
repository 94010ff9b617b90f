//! Crashes in the database.

use sqlx::{query, query_as};

use super::scrub::{CrashReport, Scrubbed};
use crate::clock::UnixMs;
use crate::id::CrashId;
use crate::store::{Conn, StoreError, Tx, on};

/// A crash.
#[derive(Debug, Clone)]
pub struct Crash {
    /// Its id.
    pub id: CrashId,
    /// When it was reported.
    pub received_at: UnixMs,
    /// What is kept of it.
    pub(super) report: CrashReport,
}

/// What made some program crash, once or often.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The last crash of it.
    pub last: CrashId,
    /// When the first one was reported that is kept.
    pub first_at: UnixMs,
    /// When that was reported.
    pub last_at: UnixMs,
    /// How often it was reported.
    pub count: i64,
    /// What kind of program it was, the last time.
    pub platform: String,
    /// Of which version.
    pub release: String,
    /// What failed.
    pub title: String,
}

impl Conn {
    /// The causes of all crashes, the one that was reported last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn crash_causes(&mut self, max: i64) -> Result<Vec<Cause>, StoreError> {
        // Ids rise with time: the greatest is the last.
        let sql = "SELECT c.id, g.first, c.received_at, g.number, c.platform, c.release, c.title
                   FROM (SELECT cause, count(*) AS number, min(received_at) AS first,
                         max(received_at) AS last FROM crashes GROUP BY cause) g
                   JOIN crashes c ON c.cause = g.cause AND c.received_at = g.last
                   ORDER BY c.received_at DESC, c.id DESC";
        type Row = (CrashId, UnixMs, UnixMs, i64, String, String, String);
        let rows: Vec<Row> = on!(self, c => query_as(sql).fetch_all(&mut *c).await)?;
        let mut causes: Vec<Cause> = Vec::new();
        for (last, first_at, last_at, count, platform, release, title) in rows {
            let cause = Cause { last, first_at, last_at, count, platform, release, title };
            // Two of one cause at the same moment.
            let again = |other: &&Cause| {
                (other.last_at, other.count, &other.title, &other.platform)
                    == (cause.last_at, cause.count, &cause.title, &cause.platform)
            };
            if causes.last().filter(again).is_none() {
                causes.push(cause);
            }
        }
        causes.truncate(usize::try_from(max).unwrap_or(0));
        Ok(causes)
    }

    /// A crash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn crash(&mut self, id: CrashId) -> Result<Option<Crash>, StoreError> {
        let sql = "SELECT id, received_at, report FROM crashes WHERE id = $1";
        let row: Option<(CrashId, UnixMs, String)> =
            on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(id, received_at, report)| {
            // Of another version, some of it may mean nothing here.
            let report = serde_json::from_str(&report).unwrap_or_default();
            Crash { id, received_at, report }
        }))
    }
}

impl Tx {
    /// Keeps a crash. Where there are as many as may be, the oldest goes.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn add_crash(
        &mut self,
        crash: &Scrubbed,
        crashes_max: i64,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let report = serde_json::to_string(&crash.report).unwrap_or_default();
        let sql = "INSERT INTO crashes (id, received_at, cause, platform, release, title, report)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self, c => query(sql).bind(CrashId::fresh(now)).bind(now).bind(&crash.cause[..])
            .bind(&crash.platform).bind(&crash.release).bind(&crash.title)
            .bind(&report).execute(&mut *c).await.map(drop))?;
        let sql = "DELETE FROM crashes WHERE id IN
                   (SELECT id FROM crashes ORDER BY received_at DESC, id DESC LIMIT 100 OFFSET $1)";
        on!(self, c => query(sql).bind(crashes_max).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes a crash and all others of its cause; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn delete_cause(&mut self, of: CrashId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM crashes WHERE cause = (SELECT cause FROM crashes WHERE id = $1)";
        let removed = on!(self, c => query(sql).bind(of)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed != 0)
    }

    /// Deletes what was reported before; from which tables.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_crashes(
        &mut self,
        before: UnixMs,
    ) -> Result<Option<&'static str>, StoreError> {
        let sql = "DELETE FROM crashes WHERE received_at <= $1";
        let removed = on!(self, c => query(sql).bind(before)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok((removed != 0).then_some("crashes"))
    }
}
