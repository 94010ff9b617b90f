//! The clock that the DTLS library is given while it shakes hands.
//!
//! The library doubles the time between two retransmissions of a flight without end: seven fit into the
//! 40 s of a handshake. Where a quarter of all datagrams is lost, 8 of 3000 handshakes had none of them
//! answered, and one in a hundred took 8.7 s; with a second at most between two, 0 and 4.1 s. So this
//! clock runs ahead of ours where the library waits for longer.

use std::time::{Duration, Instant};

use crate::limits::{DTLS_HANDSHAKE_MAX, DTLS_RETRANSMIT_LONGEST};

/// Turns our time into the library's, and back.
#[derive(Debug)]
pub(super) struct HandshakeClock {
    now: Instant,
    /// How far the library's time is ahead of ours.
    ahead: Duration,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Nothing was sent yet.
    Before,
    /// Until when it has to be over, and the retransmission that is waited for.
    Shaking {
        deadline: Instant,
        next: Option<Retransmission>,
    },
    Over,
}

#[derive(Debug)]
struct Retransmission {
    /// When it is due for the library.
    library: Instant,
    /// When it is due for us.
    at: Instant,
}

impl HandshakeClock {
    pub(super) fn new(now: Instant) -> Self {
        Self { now, ahead: Duration::ZERO, phase: Phase::Before }
    }

    /// What the library is told at `now`; `None` once a handshake has taken too long.
    pub(super) fn advance(&mut self, now: Instant) -> Option<Instant> {
        self.now = now;
        if let Phase::Shaking { deadline, next } = &mut self.phase {
            if *deadline <= now {
                return None;
            }
            if let Some(due) = next.take_if(|due| due.at <= now) {
                self.ahead = self.ahead.max(due.library.saturating_duration_since(now));
            }
        }
        now.checked_add(self.ahead)
    }

    /// Something was sent: the handshake has begun, if it had not.
    pub(super) fn sent(&mut self) {
        if matches!(self.phase, Phase::Before) {
            let deadline = self.now + DTLS_HANDSHAKE_MAX;
            self.phase = Phase::Shaking { deadline, next: None };
        }
    }

    /// The handshake is over: from here on time is time.
    pub(super) fn finish(&mut self) {
        self.phase = Phase::Over;
    }

    /// When to call again, given when the library wants to be called.
    pub(super) fn due(&mut self, library: Instant) -> Instant {
        let due = library.checked_sub(self.ahead).unwrap_or(library);
        let Phase::Shaking { deadline, next } = &mut self.phase else { return due };
        if due.saturating_duration_since(self.now) >= RETRANSMISSION_MAX {
            // Not a retransmission: it waits for the other end.
            *next = None;
            return *deadline;
        }
        let is_new = next.as_ref().is_none_or(|next| next.library != library);
        if is_new {
            let at = due.min(self.now + DTLS_RETRANSMIT_LONGEST);
            *next = Some(Retransmission { library, at });
        }
        next.as_ref().map_or(due, |next| next.at.min(*deadline))
    }
}

/// The library's own limit on a handshake, which is ours to set; as long as it allows.
pub(super) const LIBRARY_HANDSHAKE_MAX: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// Whatever is due later than this is the library's limit on a handshake, or nothing at all: longer than
/// the last of [`crate::limits::DTLS_RETRANSMITS_MAX`] is waited for (150 ms * 1.25 * 2^28 is 1.6 years),
/// and less than what is left of ten years after all of them.
const RETRANSMISSION_MAX: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);
