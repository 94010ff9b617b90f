//! Telling providers that it is over: somebody unlinked a sign-in, or wants their account erased.
//!
//! A job tells each, again and again where nobody answers, until it works or thirty days are over; what
//! became of it stands with the sign-in, and its owner gets a mail. What surprises: providers are told
//! while the account waits to be erased, not afterwards, when nothing would be left to tell them with and
//! nobody to tell of it. Whoever takes an erasure back signs in there once more, and all is as it was. A
//! pool of Cognito, where the user would be gone for good, is told on the day itself, before the account is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::Providers;
use super::config::Kind;
use super::fetch::NoAnswer;
use super::vouched::held;
use crate::clean::Clean;
use crate::clock::{Clock, UnixMs};
use crate::erasure::Failed;
use crate::id::{AccountId, IdentityId};
use crate::jobs::{Handler, Outcome};
use crate::limits::IDENTITY_END_MAX;
use crate::mail::{Mailer, Template};
use crate::secret::ServerKey;
use crate::store::{Db, Ending, Identity, Job, NewJob, StoreError, Tx};

/// The kind of its jobs.
pub const KIND: &str = "identity_end";

/// Tells them.
#[derive(Debug, Clone)]
pub struct End {
    /// Of whose sign-ins.
    pub db: Db,
    /// By which clock.
    pub clock: Arc<dyn Clock>,
    /// What the tokens are sealed with.
    pub key: ServerKey,
    /// Whom.
    pub providers: Providers,
    /// What writes to their owners.
    pub mailer: Mailer,
}

impl End {
    /// Has the provider of a sign-in told that was unlinked.
    pub(super) async fn schedule_one(
        tx: &mut Tx,
        id: IdentityId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let payload = json!({ "identity": id });
        let job = NewJob { kind: KIND, payload, once_key: None, due_at: now };
        tx.enqueue(&job, now).await.map(drop)
    }

    /// Has the providers of an account told that is to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn schedule_all(
        tx: &mut Tx,
        account: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        if tx.identities(account).await?.is_empty() {
            return Ok(());
        }
        let payload = json!({ "account": account });
        let job = NewJob { kind: KIND, payload, once_key: None, due_at: now };
        tx.enqueue(&job, now).await.map(drop)
    }

    async fn tell(&self, of: &Identity) -> Result<Ending, NoAnswer> {
        let held = of.shown.token.as_deref().and_then(|token| held(&self.key, token));
        match (held, self.providers.known(&of.shown.provider)) {
            (Some(held), Some(provider)) => provider.end(&held).await,
            // Without a token nothing can be told, nor where nobody knows whom.
            (None, _) | (_, None) => Ok(Ending::Theirs),
        }
    }

    /// Whether a provider is told no sooner than an account is erased, since nothing of it can be taken
    /// back.
    fn is_for_the_day(&self, of: &Identity) -> bool {
        let provider = self.providers.known(&of.shown.provider);
        of.ended_at.is_none()
            && of.shown.token.is_some()
            && provider.is_some_and(|provider| provider.config.kind == Kind::Cognito)
    }

    /// One that was unlinked: forgotten when its provider was told.
    async fn one(&self, id: IdentityId) -> Result<Outcome, StoreError> {
        let found = self.db.read().await?.identity(id).await?;
        let Some(identity) = found else { return Ok(Outcome::Done) };
        let Some(ended_at) = identity.ended_at else { return Ok(Outcome::Done) };
        if let Err(why) = self.tell(&identity).await {
            tracing::warn!(provider = identity.shown.provider, %why, "a provider was not told");
            if self.clock.now() < ended_at.after(IDENTITY_END_MAX) {
                return Ok(Outcome::Failed("provider"));
            }
        }
        let mut tx = self.db.begin().await?;
        tx.remove_ended_identity(id).await?;
        Clean::schedule(&mut tx, &["identities"], self.clock.now(), Duration::ZERO).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// Those of an account that is to be erased; whether all are told now. What became of each is noted at
    /// once: several that hang take longer than a job may that does not say that it is at work, and the
    /// account may be taken back meanwhile.
    async fn all(
        &self,
        id: AccountId,
        untold: Vec<Identity>,
        job: &Job,
    ) -> Result<bool, StoreError> {
        let mut is_all = true;
        let mut is_news = job.kind == KIND && job.attempts == 1;
        let mut untold = untold.into_iter().peekable();
        if untold.peek().is_none() && is_news {
            let mut tx = self.db.begin().await?;
            self.write(&mut tx, id).await?;
            tx.commit().await?;
        }
        while let Some(identity) = untold.next() {
            if self.db.read().await?.hidden_at(id).await?.is_none() {
                return Ok(true);
            }
            let told = self.tell(&identity).await;
            let now = self.clock.now();
            let mut tx = self.db.begin().await?;
            tx.lock_account(id).await?;
            let is_told = match told {
                Ok(ending) => tx.note_ending(&identity, ending, now).await?,
                Err(why) => {
                    let provider = &identity.shown.provider;
                    tracing::warn!(provider, %why, "a provider was not told");
                    false
                }
            };
            is_all &= is_told;
            is_news |= is_told;
            // With the last, so that it is written however this server ends.
            if untold.peek().is_none() && is_news {
                self.write(&mut tx, id).await?;
            }
            tx.extend_job(job, now).await?;
            tx.commit().await?;
        }
        Ok(is_all)
    }

    /// Writes to the owner of an account whom was told, while it waits to be erased.
    async fn write(&self, tx: &mut Tx, id: AccountId) -> Result<(), StoreError> {
        let hidden_at = tx.hidden_at(id).await?;
        let account = tx.account_or_hidden(id).await?;
        if let Some(account) = account.filter(|_| hidden_at.is_some()) {
            let now = self.clock.now();
            self.mailer.to_account(tx, &account, Template::ProvidersTold, now).await?;
        }
        Ok(())
    }

    /// Tries once more before an account is erased: those that were tried for long enough not, but those
    /// whose turn it is now.
    ///
    /// # Errors
    /// When a provider was not told, and it is too early to give up.
    pub(crate) async fn before_erasure(&self, id: AccountId, job: &Job) -> Result<(), Failed> {
        let hidden_at = self.db.read().await?.hidden_at(id).await?;
        let Some(hidden_at) = hidden_at else { return Ok(()) };
        let mut untold = self.db.read().await?.identities_to_end(id).await?;
        let is_late = hidden_at.after(IDENTITY_END_MAX) <= self.clock.now();
        if is_late {
            untold.retain(|identity| self.is_for_the_day(identity));
        }
        if self.all(id, untold, job).await? || is_late {
            return Ok(());
        }
        Err(Failed::Elsewhere("a sign-in provider"))
    }

    async fn end(&self, job: &Job) -> Result<Outcome, StoreError> {
        let id = |name: &str| job.payload[name].as_str().unwrap_or_default();
        if let Ok(identity) = id("identity").parse() {
            return self.one(identity).await;
        }
        let Ok(account) = id("account").parse() else { return Ok(Outcome::Done) };
        let Some(hidden_at) = self.db.read().await?.hidden_at(account).await? else {
            return Ok(Outcome::Done);
        };
        let mut untold = self.db.read().await?.identities_to_end(account).await?;
        untold.retain(|identity| !self.is_for_the_day(identity));
        let is_all = self.all(account, untold, job).await?;
        if is_all || hidden_at.after(IDENTITY_END_MAX) <= self.clock.now() {
            return Ok(Outcome::Done);
        }
        Ok(Outcome::Failed("provider"))
    }
}

impl Handler for End {
    fn run(&self, job: Job) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(async move {
            self.end(&job).await.unwrap_or_else(|error| {
                tracing::error!(%error, "no provider is told");
                Outcome::Failed("database")
            })
        })
    }
}
