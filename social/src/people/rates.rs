//! What is counted of whoever does something about people.

use std::sync::Arc;

use crate::clock::Clock;
use crate::id::AccountId;
use crate::limits::{
    FRIEND_ASK_AGAIN_RATE, FRIEND_ASK_RATE, LOOK_RATE, PEOPLE_CHANGE_RATE, PHOTO_RATE, REPORT_RATE,
};
use crate::problem::Problem;
use crate::rate::{Limiter, RateKey};
use crate::secret::ServerKey;

/// Every rate of people, each counted by account.
#[derive(Debug)]
pub(crate) struct PeopleRates {
    key: ServerKey,
    look: Limiter,
    ask: Limiter,
    ask_again: Limiter,
    change: Limiter,
    photo: Limiter,
    report: Limiter,
}

impl PeopleRates {
    /// Nobody has done anything yet. `key` is forgotten with the process.
    pub(crate) fn new(key: ServerKey, clock: &Arc<dyn Clock>) -> Self {
        let limiter = |rate| Limiter::new(rate, Arc::clone(clock));
        Self {
            key,
            look: limiter(LOOK_RATE),
            ask: limiter(FRIEND_ASK_RATE),
            ask_again: limiter(FRIEND_ASK_AGAIN_RATE),
            change: limiter(PEOPLE_CHANGE_RATE),
            photo: limiter(PHOTO_RATE),
            report: limiter(REPORT_RATE),
        }
    }

    /// A look at somebody, or for somebody.
    pub(crate) fn look(&self, account: AccountId) -> Result<(), Problem> {
        self.look.count(self.of(account))
    }

    /// Asking somebody to be friends, who may have declined before.
    pub(super) fn ask(&self, account: AccountId, other: AccountId) -> Result<(), Problem> {
        self.ask_again.count(RateKey::of_hash(&self.key, "pair", &(account, other)))?;
        self.ask.count(self.of(account))
    }

    /// Another change.
    pub(super) fn change(&self, account: AccountId) -> Result<(), Problem> {
        self.change.count(self.of(account))
    }

    /// A photo.
    pub(super) fn photo(&self, account: AccountId) -> Result<(), Problem> {
        self.photo.count(self.of(account))
    }

    /// A report.
    pub(super) fn report(&self, account: AccountId) -> Result<(), Problem> {
        self.report.count(self.of(account))
    }

    fn of(&self, account: AccountId) -> RateKey {
        RateKey::of(&self.key, "account", account.uuid().as_bytes())
    }
}
