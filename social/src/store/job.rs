//! The table of what is done later.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::{Conn, Driver, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::JobId;
use crate::limits::JOB_LEASE;

/// Something to be done later.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// Who does it.
    pub kind: &'static str,
    /// What it is about: ids, nothing of what they name.
    pub payload: serde_json::Value,
    /// While a job with this key waits, another one is not added.
    pub once_key: Option<&'a str>,
    /// Not before.
    pub due_at: UnixMs,
}

/// A job that was taken: whoever took it has it until its lease ends.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Who does it.
    pub kind: String,
    /// What it is about.
    pub payload: serde_json::Value,
    /// How often it was taken, this time included.
    pub attempts: i64,
    /// Until when it was taken, at first.
    pub(crate) locked_until: UnixMs,
    lease: Uuid,
}

/// The beginning of the statement that takes a job, up to where the engines differ.
macro_rules! claim {
    () => {
        "UPDATE jobs SET locked_until = $2, lease = $3, attempts = attempts + 1
         WHERE id = (SELECT id FROM jobs
                     WHERE due_at <= $1 AND (locked_until IS NULL OR locked_until <= $1)
                     ORDER BY due_at, id LIMIT 1"
    };
}

type Row = (JobId, String, String, i64);

impl Tx {
    /// Adds a job, which is there when this transaction is committed; whether it was added.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enqueue(&mut self, job: &NewJob<'_>, now: UnixMs) -> Result<bool, StoreError> {
        let sql = "INSERT INTO jobs (id, kind, payload, once_key, due_at, attempts, created_at)
                   VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (once_key) DO NOTHING";
        let payload = job.payload.to_string();
        let added = on!(self, c => query(sql).bind(JobId::fresh(now)).bind(job.kind).bind(&payload)
            .bind(job.once_key).bind(job.due_at).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(added == 1)
    }

    /// Takes the job that has been due for longest, if one is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_job(&mut self, now: UnixMs) -> Result<Option<Job>, StoreError> {
        let lease = Uuid::new_v4();
        let until = now.after(JOB_LEASE);
        // On PostgreSQL several servers take jobs at once, and none waits for the row of another; on
        // SQLite there is one writer.
        let row: Option<Row> = match self.driver() {
            Driver::Sqlite(c) => {
                let sql = concat!(claim!(), ") RETURNING id, kind, payload, attempts");
                query_as(sql).bind(now).bind(until).bind(lease).fetch_optional(c).await?
            }
            Driver::Pg(c) => {
                let sql = concat!(
                    claim!(),
                    " FOR UPDATE SKIP LOCKED) RETURNING id, kind, payload, attempts"
                );
                query_as(sql).bind(now).bind(until).bind(lease).fetch_optional(c).await?
            }
        };
        let Some((id, kind, payload, attempts)) = row else { return Ok(None) };
        let payload = serde_json::from_str(&payload)
            .map_err(|error| StoreError::Failed(sqlx::Error::Decode(error.into())))?;
        Ok(Some(Job { id, kind, payload, attempts, locked_until: until, lease }))
    }

    /// Removes a job that is done; whether it still belonged to its taker.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_job(&mut self, job: &Job) -> Result<bool, StoreError> {
        let sql = "DELETE FROM jobs WHERE id = $1 AND lease = $2";
        let removed = on!(self, c => query(sql).bind(job.id).bind(job.lease)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Gives a job back, to be taken again at a later moment; whether it still belonged to its
    /// taker. `error` says what failed, and nothing of whom it was about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn postpone_job(
        &mut self,
        job: &Job,
        due_at: UnixMs,
        attempts: i64,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET due_at = $3, attempts = $4, last_error = $5,
                   locked_until = NULL, lease = NULL WHERE id = $1 AND lease = $2";
        let changed = on!(self, c => query(sql).bind(job.id).bind(job.lease).bind(due_at)
            .bind(attempts).bind(error).execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Keeps a job for another while; whether it still belonged to its taker. One that does not is
    /// somebody else's by now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extend_job(&mut self, job: &Job, now: UnixMs) -> Result<bool, StoreError> {
        let sql = "UPDATE jobs SET locked_until = $3 WHERE id = $1 AND lease = $2";
        let changed = on!(self, c => query(sql).bind(job.id).bind(job.lease)
            .bind(now.after(JOB_LEASE)).execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}

impl Conn {
    /// Until when a job is its taker's; none where it no longer is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_of_job(&mut self, job: &Job) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT locked_until FROM jobs WHERE id = $1 AND lease = $2";
        Ok(on!(self, c => query_scalar(sql).bind(job.id).bind(job.lease)
            .fetch_optional(&mut *c).await)?)
    }

    /// How many jobs wait, taken ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn jobs_waiting(&mut self) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM jobs";
        Ok(on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?)
    }

    /// What failed last, of the jobs of a kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job_errors(&mut self, kind: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT last_error FROM jobs WHERE kind = $1 AND last_error IS NOT NULL
                   ORDER BY id";
        Ok(on!(self, c => query_scalar(sql).bind(kind).fetch_all(&mut *c).await)?)
    }
}
