//! The place of one socket, given up when it is dropped.

use super::hub::Live;
use super::table::Place;
use super::{Jam, Note, Presence};
use crate::id::{AccountId, SessionId};
use crate::problem::Problem;

/// A socket's place.
pub(super) struct Seat {
    live: Live,
    pub(super) account: AccountId,
    pub(super) place: Place,
}

impl Live {
    /// A place for a socket.
    pub(super) fn seat(&self, account: AccountId, session: SessionId) -> Result<Seat, Problem> {
        let place = self.table().add(account, session)?;
        Ok(Seat { live: self.clone(), account, place })
    }
}

impl Seat {
    /// Says how somebody is on this socket.
    pub(super) fn set_presence(&self, state: Presence) {
        self.change(|seat, live| {
            live.table().set_presence(seat.account, seat.place.number, state);
        });
    }

    /// Says whether somebody plays, on this socket.
    pub(super) fn set_jam(&self, jam: Option<Jam>) {
        self.change(|seat, live| {
            live.table().set_jam(seat.account, seat.place.number, jam.clone());
        });
    }

    /// Does something, and tells how somebody is where that makes a difference.
    fn change(&self, change: impl Fn(&Self, &Live)) {
        let before = self.live.table().standing_here(self.account);
        change(self, &self.live);
        let standing = self.live.table().standing_here(self.account);
        if standing != before {
            self.live.tell(Note::Presence { account: self.account, standing });
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.change(|seat, live| live.table().remove(seat.account, seat.place.number));
        self.live.somebody_left();
    }
}

/// The server goes away; come again.
pub(super) const CLOSE_GOING_AWAY: u16 = 1001;

/// The session has ended; sign in again.
pub(super) const CLOSE_SIGNED_OUT: u16 = 4401;

/// The client did not keep up; come again, and say what it knows.
pub(super) const CLOSE_TOO_SLOW: u16 = 4408;
