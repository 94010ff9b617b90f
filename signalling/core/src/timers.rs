//! When to look at what again.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::ParticipantId;
use protocol::time::Instant;

use crate::ConnectionId;

/// Who asked to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// A connection has not joined in time.
    JoinDeadline(ConnectionId),
    /// A connection may have been silent for too long.
    Silence(ConnectionId),
    /// A participant needs a fresh ticket.
    Ticket(ParticipantId),
    /// A path of a participant's may have been calm for long enough.
    Calm(ParticipantId),
    /// A seat was kept long enough.
    Seat(ParticipantId),
    /// What rooms suffer from is to be concluded anew.
    Findings,
}

/// At most one instant for each [`Wake`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    by_time: BTreeSet<(Instant, Wake)>,
    by_wake: BTreeMap<Wake, Instant>,
}

impl Timers {
    /// Wakes at `at`, and not when it was to be before.
    pub(crate) fn set(&mut self, wake: Wake, at: Instant) {
        self.clear(wake);
        self.by_wake.insert(wake, at);
        self.by_time.insert((at, wake));
    }

    pub(crate) fn clear(&mut self, wake: Wake) {
        if let Some(at) = self.by_wake.remove(&wake) {
            self.by_time.remove(&(at, wake));
        }
    }

    pub(crate) fn is_set(&self, wake: Wake) -> bool {
        self.by_wake.contains_key(&wake)
    }

    /// Takes the earliest that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Wake> {
        let (at, wake) = *self.by_time.first()?;
        if now < at {
            return None;
        }
        self.clear(wake);
        Some(wake)
    }

    pub(crate) fn next(&self) -> Option<(Instant, Wake)> {
        self.by_time.first().copied()
    }
}
