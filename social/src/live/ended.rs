//! Ends the sockets of sessions that ended.
//!
//! What surprises: this is not among what may be left out where there is too much. Whose sessions are to
//! be looked at is a set, no larger than who is here, and stays in it until the database has answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::hub::{Live, WeakLive};
use crate::id::AccountId;
use crate::limits::LISTEN_AGAIN_AFTER;

/// Whose sessions are to be looked at.
#[derive(Default)]
pub(super) struct Ended {
    accounts: Mutex<BTreeSet<AccountId>>,
    more: Arc<Notify>,
}

impl Ended {
    fn add(&self, account: AccountId) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).insert(account);
        self.more.notify_one();
    }

    /// What is notified when there is more to look at.
    pub(super) fn more(&self) -> Arc<Notify> {
        Arc::clone(&self.more)
    }

    fn next(&self) -> Option<AccountId> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}

impl Live {
    /// Has somebody's sessions looked at, if they are here.
    pub(super) fn end_soon(&self, account: AccountId) {
        if self.table().is_here(account) {
            self.ended().add(account);
        }
    }
}

/// Looks at sessions, as long as there are sockets that could be of them.
pub(super) async fn end(live: WeakLive, more: Arc<Notify>) {
    while let Some(here) = live.upgrade() {
        while let Some(account) = here.ended().next() {
            if let Err(error) = here.check_sessions(account).await {
                tracing::warn!(%error, "it cannot be looked whether sessions ended");
                here.ended().add(account);
                tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
            }
        }
        drop(here);
        let _ = tokio::time::timeout(LOOK_AROUND, more.notified()).await;
    }
}

/// How often whoever waits looks whether anybody is left.
const LOOK_AROUND: Duration = Duration::from_secs(5);
