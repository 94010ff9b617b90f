//! Erases the accounts whose time has come.

use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use super::{Eraser, Failed};
use crate::account::identity::End;
use crate::clock::UnixMs;
use crate::id::AccountId;
use crate::jobs::{Handler, Outcome};
use crate::limits::{ERASURES_AT_ONCE_MAX, PURGE_EVERY, ROOMS_LISTED_MAX};
use crate::live::Live;
use crate::rooms::{RoomRole, StageNews};
use crate::store::{Db, Job, NewJob, StoreError, Tx};

/// The kind of its jobs.
pub const KIND: &str = "erase";

/// Erases. What surprises: a job names nobody. It erases whoever is due, so that one that was lost, as
/// where the database comes from a backup, costs nothing: the start of a server brings another.
#[derive(Debug)]
pub struct Erase {
    /// By which means.
    pub eraser: Eraser,
    /// What tells the providers that somebody signed in with, before nothing is left of it.
    pub end: End,
    /// Who plays in rooms that somebody else owns from then on, or nobody.
    pub(crate) live: Live,
}

impl Erase {
    /// Has those erased who are due then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(tx: &mut Tx, due_at: UnixMs, now: UnixMs) -> Result<(), StoreError> {
        let job = NewJob { kind: KIND, payload: json!({}), once_key: None, due_at };
        tx.enqueue(&job, now).await.map(drop)
    }

    /// Has those erased who are due at the start of a server, if anybody is to be erased at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule_at_start(db: &Db, now: UnixMs) -> Result<(), StoreError> {
        let mut tx = db.begin().await?;
        // Each that waits has a job of its own, unless the database comes from somewhere else.
        if let Some(due_at) = tx.first_erasure().await? {
            let due_at = due_at.max(now);
            let job = NewJob {
                kind: KIND,
                payload: json!({ "all": true }),
                once_key: Some(KIND),
                due_at,
            };
            tx.enqueue(&job, now).await?;
        }
        tx.commit().await
    }

    async fn erase(&self, job: &Job) -> Result<Outcome, Failed> {
        let eraser = &self.eraser;
        let now = eraser.clock.now();
        let due = eraser.db.read().await?.accounts_to_erase(now, ERASURES_AT_ONCE_MAX).await?;
        let mut failed = 0;
        for id in &due {
            // One that fails keeps nobody else's from being erased.
            if let Err(error) = self.erase_one(*id, job).await {
                tracing::error!(%error, "an account is not erased yet");
                failed += 1;
            }
            let mut tx = eraser.db.begin().await?;
            tx.extend_job(job, eraser.clock.now()).await?;
            tx.commit().await?;
        }
        if failed != 0 {
            return Ok(Outcome::Failed("not_erased"));
        }
        let may_be_more = i64::try_from(due.len()).unwrap_or(i64::MAX) == ERASURES_AT_ONCE_MAX;
        if may_be_more {
            return Ok(Outcome::Again(now));
        }
        if job.payload["all"] != true {
            return Ok(Outcome::Done);
        }
        // That of the start goes on for as long as anybody waits.
        let next = eraser.db.read().await?.first_erasure().await?;
        Ok(next.map_or(Outcome::Done, |at| Outcome::Again(at.max(now.after(PURGE_EVERY)))))
    }

    /// Erases somebody, and tells those who play in their rooms whose those are.
    async fn erase_one(&self, id: AccountId, job: &Job) -> Result<(), Failed> {
        let Self { eraser, end, live } = self;
        end.before_erasure(id, job).await?;
        let rooms = eraser.db.read().await?.rooms_of(id, ROOMS_LISTED_MAX).await?;
        let erased = eraser.erase_due(id).await.map(drop);
        // Also after a step that failed: whoever tries again does not find their rooms any more.
        for room in rooms.iter().filter(|room| room.owner_id == id) {
            let left = eraser.db.read().await?.room(&room.name).await?;
            match left.map(|left| left.owner_id) {
                Some(owner) if owner == id => {}
                Some(heir) => {
                    live.tell_stages(room, StageNews::Role(heir, RoomRole::Owner)).await;
                    live.tell_stages(room, StageNews::Role(id, RoomRole::Guest)).await;
                }
                None => live.tell_stages(room, StageNews::Disowned).await,
            }
        }
        erased
    }
}

impl Handler for Erase {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            self.erase(&job).await.unwrap_or_else(|error| {
                tracing::error!(%error, "nobody is erased");
                Outcome::Failed("database")
            })
        })
    }
}
