//! Opened packets on their way to their subscribers, in a ring that never allocates.

use protocol::limits::PAYLOAD_BYTES_MAX;
use protocol::time::{Instant, ShortTime};

use crate::limits::PENDING_PACKETS_MAX;
use crate::publisher::{Payload, Position, Source};
use crate::slab::Key;

/// One packet, rid of everything that is different for each subscriber; its payload lies beside it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    pub(crate) source: Key<Source>,
    pub(crate) arrived: Instant,
    pub(crate) position: Position,
    pub(crate) payload_kind: Payload,
    pub(crate) marker: bool,
    pub(crate) capture_time: Option<ShortTime>,
    /// Who is next in the source's list of subscribers.
    pub(crate) next_subscriber: usize,
}

/// The ring; holds [`PENDING_PACKETS_MAX`] packets.
pub(crate) struct PendingRing {
    slots: Box<[Slot]>,
    first: usize,
    len: usize,
}

#[derive(Clone)]
struct Slot {
    pending: Option<Pending>,
    payload_bytes: usize,
    payload: [u8; PAYLOAD_BYTES_MAX],
}

/// Whether a packet had to go for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Added,
    OldestDropped,
}

impl PendingRing {
    pub(crate) fn new() -> Self {
        let empty = Slot { pending: None, payload_bytes: 0, payload: [0; PAYLOAD_BYTES_MAX] };
        Self { slots: vec![empty; PENDING_PACKETS_MAX].into(), first: 0, len: 0 }
    }

    /// Adds a packet with its payload, of at most [`PAYLOAD_BYTES_MAX`] bytes.
    pub(crate) fn push(&mut self, pending: Pending, payload: &[u8]) -> Pushed {
        let pushed = if self.len == self.slots.len() {
            self.pop();
            Pushed::OldestDropped
        } else {
            Pushed::Added
        };
        let at = (self.first + self.len) % self.slots.len();
        let slot = &mut self.slots[at];
        slot.pending = Some(pending);
        slot.payload_bytes = payload.len();
        slot.payload[..payload.len()].copy_from_slice(payload);
        self.len += 1;
        pushed
    }

    /// The oldest packet and its payload.
    pub(crate) fn front(&mut self) -> Option<(&mut Pending, &[u8])> {
        if self.len == 0 {
            return None;
        }
        let slot = &mut self.slots[self.first];
        Some((slot.pending.as_mut()?, &slot.payload[..slot.payload_bytes]))
    }

    pub(crate) fn pop(&mut self) {
        if 0 < self.len {
            self.first = (self.first + 1) % self.slots.len();
            self.len -= 1;
        }
    }
}
