//! Push: a browser hears that something happened while no page is open (RFC 8030).
//!
//! Whoever has something to tell says so in the transaction that it follows from, and a job for each
//! browser of the account sends it. What surprises: a push says next to nothing. It has a kind and the
//! path of a page, no names and no text, and every one is of the same length: it passes through a
//! company that its reader did not choose us for.

mod address;
mod deliver;
mod encrypt;
mod routes;
mod sender;
mod vapid;
mod what;

use std::sync::Arc;

use serde_json::json;

use crate::clock::{Clock, UnixMs};
use crate::id::AccountId;
use crate::limits::{PUSH_AFTER, PUSH_ALERT_LIFE, PUSH_CHANGE_RATE, PUSH_LIFE};
use crate::mail::MailConfig;
use crate::policy::Processor;
use crate::problem::Problem;
use crate::rate::{Limiter, RateKey};
use crate::secret::{self, ServerKey};
use crate::store::{Db, NewJob, StoreError, Tx};

use sender::Sender;
use vapid::Vapid;

pub use address::WrongHost;
pub(crate) use deliver::{Deliver, KIND};
pub(crate) use routes::routes;
pub use vapid::BadKey;
pub(crate) use what::{What, Word};

/// How browsers are told.
#[derive(Debug, Clone, Default)]
pub struct PushConfig {
    /// Whether they are told at all.
    pub switch: PushSwitch,
    /// Push services beside those that browsers are known to use: `push.example.org`, or
    /// `*.example.org` for all below it.
    pub hosts: Vec<String>,
    /// Whether a service on this machine may be asked, in the clear: for tests only.
    pub allows_loopback: bool,
}

/// Whether browsers are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PushSwitch {
    /// They are, where somebody can be named to their push services.
    #[default]
    On,
    /// They are not.
    Off,
}

impl PushConfig {
    /// What can be said without asking anybody.
    ///
    /// # Errors
    /// When a push service is named wrongly.
    pub fn check(&self) -> Result<(), WrongHost> {
        address::Allowed::new(self).map(drop)
    }

    /// Whom push services may write to, if anything is pushed.
    pub(crate) fn subject(&self, contact: Option<&str>, mail: &MailConfig) -> Option<String> {
        match self.switch {
            PushSwitch::On => vapid::subject(contact, mail.from.as_deref()),
            PushSwitch::Off => None,
        }
    }

    /// Who gets something where it is.
    pub(crate) fn processor(&self) -> Processor {
        let known = ["Mozilla", "Google", "Apple", "Microsoft"];
        let added = self.hosts.iter().map(String::as_str);
        let names: Vec<_> = known.into_iter().chain(added).collect();
        Processor {
            name: format!("The push service of your browser: {}", names.join(", ")),
            purpose: "Tells your browser, where you switched that on, that something happened"
                .into(),
            gets:
                "When something happens, and for which browser; not what, which is encrypted for \
                   your browser"
                    .into(),
        }
    }
}

/// Nothing can be pushed, and something is wrong with that.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// A push service is named wrongly.
    #[error("push_hosts: {0}")]
    Host(#[from] WrongHost),
    /// There is no key to sign with.
    #[error(transparent)]
    Key(#[from] BadKey),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What pushes, if anything does.
#[derive(Debug)]
pub(crate) struct Push {
    sender: Option<Arc<Sender>>,
    key: ServerKey,
    changes: Limiter,
}

impl Push {
    /// Makes the key that signs, where there is none. Where nothing is pushed, nobody's browser is
    /// remembered either.
    pub(crate) async fn start(
        config: &PushConfig,
        subject: Option<String>,
        db: &Db,
        key: &ServerKey,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, NotStarted> {
        let allowed = address::Allowed::new(config)?;
        let sender = match subject {
            Some(subject) => Sender::new(Vapid::load(db, key, subject).await?, allowed),
            None => None,
        };
        if sender.is_none() {
            let mut tx = db.begin().await?;
            let forgotten = tx.remove_push_subscriptions().await?;
            tx.commit().await?;
            tracing::info!(
                forgotten,
                "nothing is pushed to browsers: push is off, or neither contact nor mail_from names \
                 whom their push services may write to"
            );
        }
        let changes = Limiter::new(PUSH_CHANGE_RATE, Arc::clone(clock));
        let key = ServerKey::new(secret::random());
        Ok(Self { sender: sender.map(Arc::new), key, changes })
    }

    /// What sends, if anything does.
    pub(crate) fn sender(&self) -> Option<&Arc<Sender>> {
        self.sender.as_ref()
    }

    /// A browser switched on or off.
    fn change(&self, account: AccountId) -> Result<(), Problem> {
        self.changes.count(RateKey::of(&self.key, "account", account.uuid().as_bytes()))
    }
}

/// Has each browser of an account told, once this transaction is committed. What waits to be told of the
/// same chat, or of the same kind, stands for this too.
pub(crate) async fn tell(
    tx: &mut Tx,
    account: AccountId,
    what: What,
    now: UnixMs,
) -> Result<(), StoreError> {
    let until = now.after(if what.word.is_alert() { PUSH_ALERT_LIFE } else { PUSH_LIFE });
    let due_at = if what.chat.is_some() { now.after(PUSH_AFTER) } else { now };
    for (browser, _) in tx.push_subscriptions(account, now).await? {
        let (id, kind) = (browser.id, what.word.text());
        let payload = json!({ "browser": id, "kind": kind, "chat": what.chat, "until": until });
        let key = format!("{KIND} {id} {}", what.topic());
        let job = NewJob { kind: KIND, payload, once_key: Some(&key), due_at };
        tx.enqueue(&job, now).await?;
    }
    Ok(())
}
