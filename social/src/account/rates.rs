//! What is counted of whom.

use std::sync::Arc;

use crate::clock::Clock;
use crate::http::Caller;
use crate::id::AccountId;
use crate::limits::{
    AGE_RATE, CODE_RATE, CRASH_RATE, EXPORT_RATE, IDENTITY_EVENT_RATE, LOGIN_RATE, MAIL_RATE,
    MAILBOX_RATE, PASSWORD_RATE, RENAME_RATE, SIGN_IN_RATE, SIGN_UP_RATE, USAGE_RATE,
};
use crate::problem::Problem;
use crate::rate::{Limiter, RateKey};
use crate::secret::ServerKey;

/// Every rate of accounts.
#[derive(Debug)]
pub struct Rates {
    key: ServerKey,
    age: Limiter,
    sign_up: Limiter,
    mail: Limiter,
    mailbox: Limiter,
    code: Limiter,
    sign_in: Limiter,
    identity_event: Limiter,
    known: Limiter,
    unknown: Limiter,
    login: Limiter,
    proof: Limiter,
    rename: Limiter,
    usage: Limiter,
    crash: Limiter,
    export: Limiter,
}

impl Rates {
    /// Nobody has asked for anything yet. `key` is forgotten with the process.
    #[must_use]
    pub fn new(key: ServerKey, clock: &Arc<dyn Clock>) -> Self {
        let limiter = |rate| Limiter::new(rate, Arc::clone(clock));
        Self {
            key,
            age: limiter(AGE_RATE),
            sign_up: limiter(SIGN_UP_RATE),
            mail: limiter(MAIL_RATE),
            mailbox: limiter(MAILBOX_RATE),
            code: limiter(CODE_RATE),
            sign_in: limiter(SIGN_IN_RATE),
            identity_event: limiter(IDENTITY_EVENT_RATE),
            known: limiter(PASSWORD_RATE),
            unknown: limiter(PASSWORD_RATE),
            login: limiter(LOGIN_RATE),
            proof: limiter(PASSWORD_RATE),
            rename: limiter(RENAME_RATE),
            usage: limiter(USAGE_RATE),
            crash: limiter(CRASH_RATE),
            export: limiter(EXPORT_RATE),
        }
    }

    pub(super) fn age_by_address(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.age, caller)
    }

    pub(super) fn sign_up_by_address(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.sign_up, caller)
    }

    pub(super) fn code_by_address(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.code, caller)
    }

    pub(super) fn sign_in_by_address(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.sign_in, caller)
    }

    pub(super) fn identity_event_by_address(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.identity_event, caller)
    }

    /// A mail that somebody makes the server send to an address, which may be anybody's.
    pub(super) fn mail_to(&self, caller: &Caller, email_key: &str) -> Result<(), Problem> {
        self.mail.count(self.asker(caller, "mail", email_key))?;
        self.mailbox.count(RateKey::of(&self.key, "mailbox", email_key.as_bytes()))
    }

    /// A password for a name, from a device that its account knows, or from any other. Those that are
    /// known have a table of their own, which nobody else fills.
    pub(super) fn password(
        &self,
        caller: &Caller,
        login: &str,
        known: Option<&[u8]>,
    ) -> Result<(), Problem> {
        match known {
            Some(device) => {
                self.known.count(RateKey::of_hash(&self.key, "known", &(device, login)))
            }
            None => {
                self.unknown.count(self.asker(caller, "unknown", login))?;
                self.login.count(RateKey::of(&self.key, "login", login.as_bytes()))
            }
        }
    }

    /// A password that somebody gives who is signed in.
    pub(super) fn proof(&self, account: AccountId) -> Result<(), Problem> {
        self.proof.count(RateKey::of(&self.key, "proof", account.uuid().as_bytes()))
    }

    pub(crate) fn usage(&self, account: AccountId) -> Result<(), Problem> {
        self.usage.count(RateKey::of(&self.key, "usage", account.uuid().as_bytes()))
    }

    pub(crate) fn crash(&self, caller: &Caller) -> Result<(), Problem> {
        by_address(&self.crash, caller)
    }

    pub(super) fn rename(&self, account: AccountId) -> Result<(), Problem> {
        self.rename.count(RateKey::of(&self.key, "rename", account.uuid().as_bytes()))
    }
}

impl Rates {
    /// An archive of what is kept of somebody.
    pub(crate) fn export(&self, account: AccountId) -> Result<(), Problem> {
        self.export.count(RateKey::of(&self.key, "export", account.uuid().as_bytes()))
    }

    /// Counts something for somebody: by their address, and where that says nothing, by the device that
    /// they say they have.
    fn asker(&self, caller: &Caller, kind: &str, name: &str) -> RateKey {
        let device = caller.device.as_ref().filter(|_| caller.address.is_none());
        let device = device.map(|device| device.bytes());
        RateKey::of_hash(&self.key, kind, &(caller.address, device, name))
    }
}

fn by_address(limiter: &Limiter, caller: &Caller) -> Result<(), Problem> {
    caller.address.map_or(Ok(()), |address| limiter.count(address))
}
