//! Opened packets on their way to their subscribers, in a ring that never allocates.

use protocol::limits::PAYLOAD_BYTES_MAX;
use protocol::time::Instant;

use crate::limits::PENDING_PACKETS_MAX;
use crate::publisher::{Payload, Position, Source};
use crate::slab::Key;

/// One packet, rid of everything that is different for each subscriber.
pub(crate) struct Pending {
    pub(crate) source: Key<Source>,
    pub(crate) arrived: Instant,
    pub(crate) position: Position,
    pub(crate) payload_kind: Payload,
    pub(crate) marker: bool,
    /// Who is next in the source's list of subscribers.
    pub(crate) next_subscriber: usize,
    len: usize,
    bytes: [u8; PAYLOAD_BYTES_MAX],
}

impl Pending {
    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The ring; holds [`PENDING_PACKETS_MAX`] packets.
pub(crate) struct PendingRing {
    slots: Box<[Option<Pending>]>,
    first: usize,
    len: usize,
}

/// What is known of a packet when it is queued.
pub(crate) struct Arrival<'a> {
    pub(crate) source: Key<Source>,
    pub(crate) arrived: Instant,
    pub(crate) position: Position,
    pub(crate) payload_kind: Payload,
    pub(crate) marker: bool,
    /// At most [`PAYLOAD_BYTES_MAX`] bytes.
    pub(crate) payload: &'a [u8],
}

/// Whether a packet had to go for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Added,
    OldestDropped,
}

impl PendingRing {
    pub(crate) fn new() -> Self {
        let slots = core::iter::repeat_with(|| None).take(PENDING_PACKETS_MAX).collect();
        Self { slots, first: 0, len: 0 }
    }

    pub(crate) fn push(&mut self, arrival: &Arrival<'_>) -> Pushed {
        let pushed = if self.len == self.slots.len() {
            self.pop();
            Pushed::OldestDropped
        } else {
            Pushed::Added
        };
        let at = (self.first + self.len) % self.slots.len();
        // The buffer of a slot is kept from its first use on: only the payload is written again.
        let slot = self.slots[at].get_or_insert_with(|| Pending {
            source: arrival.source,
            arrived: arrival.arrived,
            position: arrival.position,
            payload_kind: arrival.payload_kind,
            marker: arrival.marker,
            next_subscriber: 0,
            len: 0,
            bytes: [0; PAYLOAD_BYTES_MAX],
        });
        slot.source = arrival.source;
        slot.arrived = arrival.arrived;
        slot.position = arrival.position;
        slot.payload_kind = arrival.payload_kind;
        slot.marker = arrival.marker;
        slot.next_subscriber = 0;
        slot.len = arrival.payload.len();
        slot.bytes[..slot.len].copy_from_slice(arrival.payload);
        self.len += 1;
        pushed
    }

    pub(crate) fn front(&mut self) -> Option<&mut Pending> {
        if self.len == 0 { None } else { self.slots[self.first].as_mut() }
    }

    pub(crate) fn pop(&mut self) {
        if 0 < self.len {
            self.first = (self.first + 1) % self.slots.len();
            self.len -= 1;
        }
    }
}
