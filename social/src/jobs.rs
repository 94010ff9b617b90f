//! Whatever happens later: mails, deletion, exports.
//!
//! A job is a row that was written in the transaction it follows from, so it is there exactly when
//! that is. Whoever takes it has it for the length of a lease; a server that is killed in the middle
//! leaves it to the next one after that. So a job is done at least once, and its handler must do no
//! harm when it is done again. What surprises: a job holds ids only, and its errors are words of ours,
//! since what a mail server or a disk says may quote whom it is about.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::{Clock, UnixMs};
use crate::limits::{JOB_POLL, JOB_RETRY_FIRST, JOB_RETRY_MAX, JOB_WAIT_MAX, JOBS_AT_ONCE_MAX};
use crate::store::{Db, Job, StoreError};

/// Does the jobs of one kind.
pub trait Handler: Send + Sync {
    /// Does one, perhaps not for the first time. One that takes longer than [`JOB_WAIT_MAX`] says that it
    /// is at work by extending its lease; otherwise it is dropped at any point where it waits.
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, or there is nothing left to do.
    Done,
    /// It is done for now, and wanted again then.
    Again(UnixMs),
    /// It failed, for a reason that is a word of ours, and is tried again later.
    Failed(&'static str),
}

/// Takes jobs and has them done.
#[derive(Clone)]
pub struct Jobs {
    db: Db,
    clock: Arc<dyn Clock>,
    handlers: BTreeMap<&'static str, Arc<dyn Handler>>,
    wake: Arc<Notify>,
}

impl Jobs {
    /// Nobody does anything yet.
    #[must_use]
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, handlers: BTreeMap::new(), wake: Arc::default() }
    }

    /// Has the jobs of a kind done.
    #[must_use]
    pub fn with(mut self, kind: &'static str, handler: Arc<dyn Handler>) -> Self {
        self.handlers.insert(kind, handler);
        self
    }

    /// What wakes it when a job was committed.
    #[must_use]
    pub fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Does what is due until `stop`, and what is being done then to its end.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut running = JoinSet::new();
        loop {
            while running.try_join_next().is_some() {}
            let claimed =
                if running.len() < JOBS_AT_ONCE_MAX { self.claim().await } else { Ok(None) };
            match claimed {
                Ok(Some(job)) => {
                    let jobs = self.clone();
                    running.spawn(async move { jobs.finish(job).await });
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "no job can be taken"),
            }
            tokio::select! {
                () = &mut stop => break,
                () = self.wake.notified() => {}
                Some(_) = running.join_next(), if !running.is_empty() => {}
                () = tokio::time::sleep(JOB_POLL) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Does everything that is due, one after the other; how many jobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        while let Some(job) = self.claim().await? {
            self.finish(job).await?;
            done += 1;
        }
        Ok(done)
    }

    async fn claim(&self) -> Result<Option<Job>, StoreError> {
        let mut tx = self.db.begin().await?;
        let job = tx.claim_job(self.clock.now()).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Has a job done, and cuts it off where it neither ends nor extends its lease: one that waits for
    /// somebody who never answers would keep a place for good.
    async fn work(&self, handler: &dyn Handler, job: &Job) -> Result<Outcome, StoreError> {
        let mut work = handler.run(job.clone());
        let mut until = Some(job.locked_until);
        loop {
            if let Ok(outcome) = timeout(JOB_WAIT_MAX, &mut work).await {
                return Ok(outcome);
            }
            let lease = self.db.read().await?.lease_of_job(job).await?;
            if lease.is_none() || lease <= until {
                return Ok(Outcome::Failed("too_long"));
            }
            until = lease;
        }
    }

    async fn finish(&self, job: Job) -> Result<(), StoreError> {
        let outcome = match self.handlers.get(job.kind.as_str()) {
            Some(handler) => self.work(handler.as_ref(), &job).await?,
            // Of a newer version that runs beside this one, or of one that ran before.
            None => Outcome::Failed("no_handler"),
        };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let still_ours = match outcome {
            Outcome::Done => tx.finish_job(&job).await?,
            Outcome::Again(at) => tx.postpone_job(&job, at, 0, None).await?,
            Outcome::Failed(error) => {
                let at = now.after(retry_after(job.attempts));
                tracing::warn!(kind = job.kind, job = %job.id, attempts = job.attempts, error,
                    "a job failed and is tried again");
                tx.postpone_job(&job, at, job.attempts, Some(error)).await?
            }
        };
        tx.commit().await?;
        if !still_ours {
            tracing::warn!(kind = job.kind, job = %job.id, "a job took longer than its lease");
        }
        Ok(())
    }
}

/// How long a job waits that failed so often.
fn retry_after(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    JOB_RETRY_FIRST.saturating_mul(1 << doublings).min(JOB_RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_fails_waits_longer_each_time_up_to_a_bound() {
        let waits = [1, 2, 3, 20, i64::MAX].map(retry_after);
        assert_eq!(waits[..3], [5, 10, 20].map(Duration::from_secs));
        assert_eq!(waits[3..], [JOB_RETRY_MAX; 2]);
        assert_eq!(retry_after(0), JOB_RETRY_FIRST);
    }
}
