//! Deletes what has been kept for as long as the data map says, and cleans the files of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::clean::Clean;
use crate::clock::{Clock, UnixMs};
use crate::erasure::{Eraser, Failed};
use crate::export;
use crate::files::{Orphans, Remove};
use crate::jobs::{Handler, Outcome};
use crate::limits::{
    AUDIT_LIFE, CLEAN_AGAIN_AFTER, DEVICE_LIFE, NOTICE_LIFE, PURGE_EVERY, REPORT_LIFE,
};
use crate::store::{Compaction, Db, Job, NewJob, StoreError};

/// The kind of its one job.
pub const KIND: &str = "purge";

/// Does it, again and again.
#[derive(Debug)]
pub struct Purge {
    /// Of which database.
    pub db: Db,
    /// By which clock.
    pub clock: Arc<dyn Clock>,
    /// Where archives are, and what is remembered of those who were erased.
    pub eraser: Eraser,
}

impl Purge {
    /// Sees to it that the job is there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(db: &Db, now: UnixMs) -> Result<(), StoreError> {
        let payload = serde_json::json!({});
        let mut tx = db.begin().await?;
        let job = NewJob { kind: KIND, payload, once_key: Some(KIND), due_at: now };
        tx.enqueue(&job, now).await?;
        tx.commit().await
    }

    async fn purge(&self) -> Result<UnixMs, Failed> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let (devices, audit) = (now.before(DEVICE_LIFE), now.before(AUDIT_LIFE));
        let (notices, reports) = (now.before(NOTICE_LIFE), now.before(REPORT_LIFE));
        let mut tables = tx.purge(now, devices, audit, notices, reports).await?;
        if let Some(parts) = tx.end_uploads(now).await? {
            Remove::schedule(&mut tx, &parts, now).await?;
            tables.extend(["uploads", "upload_parts"]);
        }
        Orphans::schedule(&mut tx, now).await?;
        tx.commit().await?;
        if export::purge(&self.eraser, now).await? {
            tables.push("exports");
        }
        self.eraser.purge(now).await?;
        if !tables.is_empty()
            && self.db.compact_tables(|table| tables.contains(&table)).await? == Compaction::Busy
        {
            let mut tx = self.db.begin().await?;
            Clean::schedule(&mut tx, &tables, now, CLEAN_AGAIN_AFTER).await?;
            tx.commit().await?;
        }
        Ok(now.after(PURGE_EVERY))
    }
}

impl Handler for Purge {
    fn run(&self, _: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async {
            match self.purge().await {
                Ok(next) => Outcome::Again(next),
                Err(error) => {
                    tracing::error!(%error, "what has expired is not deleted");
                    Outcome::Failed("database")
                }
            }
        })
    }
}
