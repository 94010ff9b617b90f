//! How often somebody changes rooms, and tries to come into one.

use std::sync::Arc;

use protocol::id::RoomId;

use crate::clock::Clock;
use crate::http::Caller;
use crate::id::AccountId;
use crate::limits::{
    PASS_RATE, ROOM_CHANGE_RATE, ROOM_GUESS_RATE, ROOM_LOOK_RATE, ROOM_WRONG_RATE,
};
use crate::problem::Problem;
use crate::rate::{Limiter, RateKey};
use crate::secret::ServerKey;

/// Every rate of rooms.
#[derive(Debug)]
pub(crate) struct RoomRates {
    key: ServerKey,
    change: Limiter,
    look: Limiter,
    pass: Limiter,
    guess: Limiter,
    wrong: Limiter,
}

impl RoomRates {
    /// Nobody has asked for anything yet. `key` is forgotten with the process.
    pub(crate) fn new(key: ServerKey, clock: &Arc<dyn Clock>) -> Self {
        let limiter = |rate| Limiter::new(rate, Arc::clone(clock));
        Self {
            key,
            change: limiter(ROOM_CHANGE_RATE),
            look: limiter(ROOM_LOOK_RATE),
            pass: limiter(PASS_RATE),
            guess: limiter(ROOM_GUESS_RATE),
            wrong: limiter(ROOM_WRONG_RATE),
        }
    }

    /// A room that is made or changed, or somebody's role in one.
    pub(super) fn change(&self, account: AccountId) -> Result<(), Problem> {
        self.change.count(RateKey::of(&self.key, "change", account.uuid().as_bytes()))
    }

    /// A look at rooms, by anybody.
    pub(super) fn look(&self, caller: &Caller) -> Result<(), Problem> {
        caller.address.map_or(Ok(()), |address| self.look.count(address))
    }

    /// A pass, whatever is shown for it.
    pub(super) fn pass(&self, caller: &Caller) -> Result<(), Problem> {
        caller.address.map_or(Ok(()), |address| self.pass.count(address))
    }

    /// A password that is tried on a room, from an address and by everybody. All who ask from this machine
    /// count as one.
    pub(super) fn guess(&self, caller: &Caller, room: &RoomId) -> Result<(), Problem> {
        let (here, everywhere) = self.guesses(caller, room);
        self.guess.count(here)?;
        self.wrong.count(everywhere).inspect_err(|_| self.guess.give_back(here))
    }

    /// It was no wrong one, and does not count.
    pub(super) fn guess_was_not_wrong(&self, caller: &Caller, room: &RoomId) {
        let (here, everywhere) = self.guesses(caller, room);
        self.guess.give_back(here);
        self.wrong.give_back(everywhere);
    }

    fn guesses(&self, caller: &Caller, room: &RoomId) -> (RateKey, RateKey) {
        let here = RateKey::of_hash(&self.key, "guess", &(caller.address, room.as_str()));
        (here, RateKey::of(&self.key, "wrong", room.as_str().as_bytes()))
    }
}
