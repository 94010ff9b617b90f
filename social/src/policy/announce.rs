//! Tells each active account once that the page about privacy will say something else.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::json;

use super::store::Announced;
use crate::clock::Clock;
use crate::jobs::{Handler, Outcome};
use crate::limits::{POLICY_ACTIVE_WITHIN, POLICY_BATCH, POLICY_NOTICE};
use crate::mail::{Mailer, Template};
use crate::people::{NoticeKind, tell};
use crate::secret::{Hash, hex};
use crate::store::{Db, Job, NewJob, StoreError};

/// The kind of its jobs.
pub const KIND: &str = "announce_policy";

/// Announces the version of this server.
#[derive(Debug)]
pub struct Announce {
    /// In which database.
    pub db: Db,
    /// By which clock.
    pub clock: Arc<dyn Clock>,
    /// What writes the mails.
    pub mailer: Mailer,
    /// The version.
    pub hash: Hash,
}

impl Announce {
    /// Announces the version if it is another, and has everybody told. Of the first there is nobody to
    /// tell: who signs up reads it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedule(&self) -> Result<(), StoreError> {
        if self.db.read().await?.policy(&self.hash).await?.is_some() {
            return Ok(());
        }
        let now = self.clock.now();
        let at = Announced { announced_at: now, takes_effect_at: now.after(POLICY_NOTICE) };
        let mut tx = self.db.begin().await?;
        match tx.add_policy(&self.hash, at).await {
            // Another server of the same database was faster.
            Err(StoreError::Taken) => return Ok(()),
            Err(error) => return Err(error),
            Ok(false) => {}
            Ok(true) => {
                let payload = json!({ "policy": hex(&self.hash) });
                let key = format!("policy-{}", hex(&self.hash));
                let once_key = Some(key.as_str());
                tx.enqueue(&NewJob { kind: KIND, payload, once_key, due_at: now }, now).await?;
                tracing::info!("the page about privacy says something else: everybody is told");
            }
        }
        tx.commit().await
    }

    /// Tells some of those who have not been told.
    async fn tell_some(&self, job: &Job) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let Some(policy) = tx.policy(&self.hash).await? else { return Ok(Outcome::Done) };
        if job.payload["policy"] != hex(&self.hash) {
            // Of a version that is no more, nobody needs to hear; of one that is newer, another
            // server of the same database tells.
            let is_newer = tx.last_policy().await?.is_some_and(|last| last != policy);
            let other = Outcome::Failed("other_version");
            return Ok(if is_newer { other } else { Outcome::Done });
        }
        let active_since = now.before(POLICY_ACTIVE_WITHIN);
        let untold = tx
            .untold_of_policy(&self.hash, policy.announced_at, active_since, POLICY_BATCH)
            .await?;
        for account in &untold {
            if tx.told_of_policy(account.id, &self.hash, now).await? {
                self.mailer.to_account(&mut tx, account, Template::PolicyChanged, now).await?;
                tell(&mut tx, account.id, NoticeKind::PolicyChanged, None, None, now).await?;
            }
        }
        tx.commit().await?;
        Ok(if untold.is_empty() { Outcome::Done } else { Outcome::Again(now) })
    }
}

impl Handler for Announce {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            match self.tell_some(&job).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tracing::error!(%error, "not everybody is told of the page about privacy");
                    Outcome::Failed("database")
                }
            }
        })
    }
}
