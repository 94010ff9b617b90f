//! Deletes objects that no row names, and rows whose object is not there.
//!
//! The former are what a server left that was killed between the two; they are looked for each day. The
//! latter come only with a backup that is older than a file's end, so they are looked for after a restore.
//! What surprises: not until a day after it, and not where no file is there at all, since a folder or a
//! bucket may have to be brought back, too.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use serde_json::json;

use crate::clock::{Clock, UnixMs};
use crate::id::FileId;
use crate::jobs::{Handler, Outcome};
use crate::limits::{FILES_LOOKED_FOR_AT_ONCE, OBJECTS_LEASE_EVERY, ORPHAN_AGE, SWEEP_EVERY};
use crate::objects::{ObjectKind, Objects};
use crate::problem::Problem;
use crate::store::{Db, Job, NewJob, StoreError, Tx};

/// The kind of its job.
pub const KIND: &str = "orphans";

/// Does it.
#[derive(Debug)]
pub struct Orphans {
    /// By which database.
    pub db: Db,
    /// By which clock.
    pub clock: Arc<dyn Clock>,
    /// Of which objects.
    pub objects: Objects,
}

impl Orphans {
    /// Has it done where the last time was a day ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(tx: &mut Tx, now: UnixMs) -> Result<(), StoreError> {
        if tx.begin_sweep(now, now.before(SWEEP_EVERY)).await? {
            let job = NewJob { kind: KIND, payload: json!({}), once_key: Some(KIND), due_at: now };
            tx.enqueue(&job, now).await?;
        }
        Ok(())
    }

    /// Has rows looked for that a backup brings back without their objects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_rows(tx: &mut Tx, now: UnixMs) -> Result<(), StoreError> {
        let job = NewJob {
            kind: KIND,
            payload: json!({ "rows": true }),
            once_key: Some("orphans_rows"),
            due_at: now.after(ORPHAN_AGE),
        };
        tx.enqueue(&job, now).await.map(drop)
    }

    async fn sweep(&self, job: &Job) -> Result<Outcome, Problem> {
        // A rule of the bucket may have been taken away since the start.
        if let Err(error) = self.objects.check_aftermath().await {
            tracing::error!(%error, "files do not go when people are promised that they do");
        }
        // Whatever is younger may be named in a moment.
        let before = self.clock.now().before(ORPHAN_AGE);
        let mut all = self.objects.list();
        let mut seen = 0;
        let mut removed = 0;
        while let Some(key) = all.try_next().await? {
            seen += 1;
            if seen % OBJECTS_LEASE_EVERY == 0 {
                self.keep(job).await?;
            }
            if key.begun_at() <= before && !self.db.read().await?.is_object_named(key.id()).await? {
                self.objects.remove(key).await?;
                removed += 1;
            }
        }
        tracing::debug!(seen, removed, "objects without a row are gone");
        Ok(Outcome::Done)
    }

    async fn sweep_rows(&self, job: &Job) -> Result<Outcome, Problem> {
        let mut any = false;
        let mut all = self.objects.list();
        while !any && let Some(key) = all.try_next().await? {
            any = key.kind() == ObjectKind::File;
        }
        drop(all);
        let mut after = FileId::FIRST;
        let mut removed = 0;
        loop {
            let page = self.db.read().await?.files_after(after, FILES_LOOKED_FOR_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            if !any {
                tracing::error!(
                    "not one file of the database is where files are kept; bring them back"
                );
                return Ok(Outcome::Failed("no_files"));
            }
            after = last.id;
            for file in page {
                if !self.objects.is_there(file.key()).await? {
                    let now = self.clock.now();
                    let mut tx = self.db.begin().await?;
                    tx.delete_file(file.id, now).await?;
                    tx.commit().await?;
                    removed += 1;
                }
            }
            self.keep(job).await?;
        }
        tracing::info!(removed, "files whose objects a restore did not find are no longer listed");
        Ok(Outcome::Done)
    }

    /// Says that it is at work.
    async fn keep(&self, job: &Job) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.extend_job(job, self.clock.now()).await?;
        tx.commit().await
    }
}

impl Handler for Orphans {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            let done = if job.payload["rows"] == true {
                self.sweep_rows(&job).await
            } else {
                self.sweep(&job).await
            };
            // Its words are in the log already.
            done.unwrap_or(Outcome::Failed("objects"))
        })
    }
}
