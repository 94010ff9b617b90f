//! How many there are, for whoever watches the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signalling::Signalling;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// WebSockets, joined or not.
    pub connections: usize,
    /// Rooms with at least one seat.
    pub rooms: usize,
    /// Seats, kept ones included.
    pub participants: usize,
    /// Whether another room would be let in.
    pub takes_rooms: bool,
}

/// Where the core's task leaves its numbers. Each stands for itself: they need not be of one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedCensus(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    connections: AtomicUsize,
    rooms: AtomicUsize,
    participants: AtomicUsize,
    takes_rooms: AtomicBool,
}

impl SharedCensus {
    pub(crate) fn take(&self, core: &Signalling) {
        let numbers = &self.0;
        numbers.connections.store(core.connections(), Ordering::Relaxed);
        numbers.rooms.store(core.rooms(), Ordering::Relaxed);
        numbers.participants.store(core.participants(), Ordering::Relaxed);
        numbers.takes_rooms.store(core.takes_rooms(), Ordering::Relaxed);
    }

    /// Nobody is let in any more.
    pub(crate) fn close(&self) {
        self.0.takes_rooms.store(false, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Census {
        let numbers = &self.0;
        Census {
            connections: numbers.connections.load(Ordering::Relaxed),
            rooms: numbers.rooms.load(Ordering::Relaxed),
            participants: numbers.participants.load(Ordering::Relaxed),
            takes_rooms: numbers.takes_rooms.load(Ordering::Relaxed),
        }
    }
}
