//! Erasure: what happens to everything that is kept of somebody who wants it gone.
//!
//! On the day they ask, their account is hidden and their devices are signed out; `account` has the
//! routes. When the time has come, a job goes through [`PERSONAL`], each step in a transaction of its
//! own, and the account's row goes last: a server that is killed anywhere between leaves an account
//! that is still due, and the next one goes through all steps again, of which those that were done find
//! nothing. What surprises: before the first step it is written down, in the database and in a file
//! that no backup holds ([`Ledger`]), which account is erased, as a keyed hash. That is the point of no
//! return; and a database that comes from a backup has those accounts erased again before anybody
//! sees it.

mod job;
mod ledger;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use uuid::Uuid;

use crate::clean::Clean;
use crate::clock::{Clock, UnixMs};
use crate::export::{self, Archives};
use crate::id::AccountId;
use crate::limits::{ERASURE_LEDGER_LIFE, REPLAY_PAGE};
use crate::secret::{Hash, Purpose, ServerKey};
use crate::store::{Account, Db, StoreError, Tx};

pub use job::{Erase, KIND};
pub use ledger::{Ledger, WrittenErasure};

/// One thing that is forgotten.
pub enum Step {
    /// In one transaction of the database, whose commit follows.
    Rows(for<'a> fn(&'a mut Tx, &'a Account, UnixMs) -> Work<'a>),
    /// Elsewhere: in files, or at a service that keeps something of theirs.
    Outside(for<'a> fn(&'a Eraser, &'a Account) -> Work<'a>),
}

/// Forgetting, on its way.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'a>>;

/// What is forgotten of somebody beside the rows that go with the account's own, in this order. Each
/// step finds nothing where it was done before.
pub const PERSONAL: &[Step] = &[
    Step::Outside(|eraser, account| Box::pin(export::forget(eraser, account.id))),
    // Before chats: a room that nobody takes over goes with its own.
    Step::Rows(|tx, account, _| Box::pin(async move { Ok(tx.forget_rooms(account.id).await?) })),
    Step::Rows(|tx, account, now| {
        Box::pin(async move { Ok(tx.forget_chats(account.id, now).await?) })
    }),
    Step::Rows(|tx, account, now| {
        Box::pin(async move { Ok(tx.forget_files(account.id, now).await?) })
    }),
    Step::Rows(|tx, account, now| {
        Box::pin(async move { Ok(tx.forget_people(account.id, now).await?) })
    }),
    Step::Outside(|eraser, account| Box::pin(eraser.forget_usage(account.id))),
    Step::Rows(|tx, account, _| Box::pin(async move { Ok(tx.forget_account(account).await?) })),
];

/// Something could not be forgotten. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of this server's cannot be read, written or removed.
    #[error("a file beside the database: {0}")]
    File(#[from] std::io::Error),
    /// Whoever else keeps something of theirs did not do it.
    #[error("{0} did not erase what it has")]
    Elsewhere(&'static str),
}

/// Erases accounts.
#[derive(Debug, Clone)]
pub struct Eraser {
    /// Whose.
    pub db: Db,
    /// By which clock.
    pub clock: Arc<dyn Clock>,
    /// What makes a hash of an account's id.
    pub key: ServerKey,
    /// Where it is written down outside the database.
    pub ledger: Ledger,
    /// Where the archives are that people asked for.
    pub archives: Arc<dyn Archives>,
}

impl Eraser {
    /// What stands for an account that is erased.
    #[must_use]
    pub fn hash(&self, account: AccountId) -> Hash {
        self.key.keyed_hash(Purpose::Erasure, account.uuid().as_bytes())
    }

    /// Erases an account whose time has come; whether it had.
    ///
    /// # Errors
    /// When a step fails. Those before it hold.
    pub async fn erase_due(&self, id: AccountId) -> Result<bool, Failed> {
        let now = self.clock.now();
        let hash = self.hash(id);
        let mut tx = self.db.begin().await?;
        // Whoever takes it back locks it too, and looks whether it is written down.
        tx.lock_account(id).await?;
        let account = tx.account_or_hidden(id).await?;
        let is_due = |account: &Account| account.erase_at.is_some_and(|at| at <= now);
        let Some(account) = account.filter(is_due) else { return Ok(false) };
        tx.note_erasure(&hash, now).await?;
        tx.commit().await?;
        self.ledger.write(vec![WrittenErasure { hash, erased_at: now }]).await?;
        self.forget(&account).await?;
        tracing::info!("an account was erased");
        Ok(true)
    }

    /// Erases again what was erased before and is there all the same, as in a database that comes from a
    /// backup; how many accounts. The ledger's file and its table have the same lines afterwards.
    ///
    /// # Errors
    /// When the ledger cannot be read, or a step fails.
    pub async fn replay(&self) -> Result<usize, Failed> {
        let known = self.agree().await?;
        let mut after = AccountId::new(Uuid::nil());
        let mut erased = 0;
        while !known.is_empty() {
            let ids = self.db.read().await?.account_ids(after, REPLAY_PAGE).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            for id in ids.into_iter().filter(|id| known.contains_key(&self.hash(*id))) {
                let account = self.db.read().await?.account_or_hidden(id).await?;
                if let Some(account) = account {
                    self.forget(&account).await?;
                    erased += 1;
                }
            }
        }
        if erased != 0 {
            tracing::warn!(accounts = erased, "accounts were there again, and are erased again");
        }
        Ok(erased)
    }

    /// Under which name somebody was counted, only the server's key tells.
    async fn forget_usage(&self, account: AccountId) -> Result<(), Failed> {
        let mut tx = self.db.begin().await?;
        tx.forget_usage(account, &self.key).await?;
        Ok(tx.commit().await?)
    }

    /// Gives the file what only the table has, and the other way round; all of it.
    async fn agree(&self) -> Result<BTreeMap<Hash, UnixMs>, Failed> {
        let written = self.ledger.read().await?;
        let noted = self.db.read().await?.erasures().await?;
        let noted: BTreeMap<Hash, UnixMs> =
            noted.into_iter().filter_map(|(hash, at)| Some((hash.try_into().ok()?, at))).collect();
        let mut all: BTreeMap<Hash, UnixMs> =
            written.iter().map(|line| (line.hash, line.erased_at)).collect();
        let lacking: Vec<_> = noted
            .iter()
            .filter(|(hash, _)| !all.contains_key(*hash))
            .map(|(hash, at)| WrittenErasure { hash: *hash, erased_at: *at })
            .collect();
        if !lacking.is_empty() {
            self.ledger.write(lacking).await?;
        }
        let mut tx = self.db.begin().await?;
        for (hash, at) in all.iter().filter(|(hash, _)| !noted.contains_key(*hash)) {
            tx.note_erasure(hash, *at).await?;
        }
        tx.commit().await?;
        all.extend(noted);
        Ok(all)
    }

    async fn forget(&self, account: &Account) -> Result<(), Failed> {
        let now = self.clock.now();
        for step in PERSONAL {
            match step {
                Step::Rows(forget) => {
                    let mut tx = self.db.begin().await?;
                    tx.lock_account(account.id).await?;
                    forget(&mut tx, account, now).await?;
                    tx.commit().await?;
                }
                Step::Outside(forget) => forget(self, account).await?,
            }
        }
        let mut tx = self.db.begin().await?;
        tx.lock_account(account.id).await?;
        tx.remove_account(account.id).await?;
        // In the same transaction: whoever is killed here leaves no row and a job that cleans.
        Clean::schedule_all(&mut tx, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets which accounts were erased so long ago that no backup can hold them.
    pub(crate) async fn purge(&self, now: UnixMs) -> Result<(), Failed> {
        let before = now.before(ERASURE_LEDGER_LIFE);
        self.ledger.purge(before).await?;
        let mut tx = self.db.begin().await?;
        tx.purge_erasures(before).await?;
        tx.commit().await?;
        Ok(())
    }
}
