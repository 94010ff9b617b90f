//! Has the files of the database cleaned of what was deleted, until nothing is left there.
//!
//! Whoever deletes much at once cleans at once, and leaves here what somebody was in the way of. What
//! surprises: this is a job like any other and not a step of the deletion, because files are cleaned
//! outside of every transaction, and may be in use for longer than anybody would wait.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::json;

use crate::clock::UnixMs;
use crate::data_map;
use crate::jobs::{Handler, Outcome};
use crate::store::{Compaction, Db, Job, NewJob, StoreError, Tx};

/// The kind of its jobs.
pub const KIND: &str = "clean";

/// Cleans.
#[derive(Debug)]
pub struct Clean {
    /// Which database.
    pub db: Db,
}

impl Clean {
    /// Has the files of these tables cleaned, so long after this transaction is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(
        tx: &mut Tx,
        tables: &[&str],
        now: UnixMs,
        wait: Duration,
    ) -> Result<(), StoreError> {
        let payload = json!({ "tables": tables });
        let job = NewJob { kind: KIND, payload, once_key: None, due_at: now.after(wait) };
        tx.enqueue(&job, now).await.map(drop)
    }
}

impl Clean {
    /// Has the files of all tables cleaned, after this transaction is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_all(tx: &mut Tx, now: UnixMs) -> Result<(), StoreError> {
        let tables: BTreeSet<_> = data_map::columns()
            .filter_map(|entry| entry.place.split_once('.'))
            .map(|(table, _)| table)
            .collect();
        let tables: Vec<_> = tables.into_iter().collect();
        Self::schedule(tx, &tables, now, Duration::ZERO).await
    }
}

impl Handler for Clean {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            let tables = job.payload["tables"].as_array().cloned().unwrap_or_default();
            match self.db.compact_tables(|table| tables.iter().any(|named| named == table)).await {
                Ok(Compaction::Done) => Outcome::Done,
                Ok(Compaction::Busy) => Outcome::Failed("files_in_use"),
                Err(error) => {
                    tracing::error!(%error, "what was deleted is still in the files");
                    Outcome::Failed("database")
                }
            }
        })
    }
}
