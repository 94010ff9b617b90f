//! How often somebody says something.

use std::sync::Arc;

use crate::clock::Clock;
use crate::id::AccountId;
use crate::limits::{
    CHAT_RATE, LIVE_RATE, MESSAGE_RATE, SEARCH_RATE, SMALL_CHANGE_RATE, TYPING_RATE,
};
use crate::problem::Problem;
use crate::rate::{Limiter, RateKey};
use crate::secret::ServerKey;

/// Every rate of chats.
#[derive(Debug)]
pub struct Rates {
    key: ServerKey,
    chat: Limiter,
    message: Limiter,
    small_change: Limiter,
    search: Limiter,
    typing: Limiter,
    live: Limiter,
}

impl Rates {
    /// Nobody has said anything yet. `key` is forgotten with the process.
    #[must_use]
    pub fn new(key: ServerKey, clock: &Arc<dyn Clock>) -> Self {
        let limiter = |rate| Limiter::new(rate, Arc::clone(clock));
        Self {
            key,
            chat: limiter(CHAT_RATE),
            message: limiter(MESSAGE_RATE),
            small_change: limiter(SMALL_CHANGE_RATE),
            search: limiter(SEARCH_RATE),
            typing: limiter(TYPING_RATE),
            live: limiter(LIVE_RATE),
        }
    }

    /// A chat that is made, or somebody who is let into one.
    pub(super) fn chat(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.chat, account)
    }

    /// A message that is sent, edited or deleted.
    pub(super) fn message(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.message, account)
    }

    /// An emoji, or something of a chat that is set otherwise.
    pub(super) fn small_change(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.small_change, account)
    }

    pub(super) fn search(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.search, account)
    }

    /// That somebody writes.
    pub(crate) fn typing(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.typing, account)
    }

    /// Anything that a socket says.
    pub(crate) fn live(&self, account: AccountId) -> Result<(), Problem> {
        self.count(&self.live, account)
    }

    fn count(&self, limiter: &Limiter, account: AccountId) -> Result<(), Problem> {
        limiter.count(RateKey::of(&self.key, "chat", account.uuid().as_bytes()))
    }
}
