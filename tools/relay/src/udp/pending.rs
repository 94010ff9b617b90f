//! What is under way: datagrams, by the moment at which they are due, in bounded memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use protocol::time::Instant;

/// The datagrams that are under way.
#[derive(Debug, Default)]
pub(super) struct Pending {
    heap: BinaryHeap<Reverse<Entry>>,
    bytes: usize,
    added: u64,
}

/// A datagram under way.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) bytes: Vec<u8>,
    pub(super) to: To,
}

/// Where a datagram goes.
#[derive(Debug, Clone)]
pub(super) enum To {
    /// Through the socket of the client it is from.
    Target(Arc<UdpSocket>),
    /// From where the client sent to.
    Client(SocketAddr),
}

/// There is no room for another datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

#[derive(Debug)]
struct Entry {
    due: Instant,
    /// Keeps datagrams of one instant apart and in order.
    number: u64,
    datagram: Datagram,
}

/// Of datagrams and what they lie in: a second at 500 Mbit/s.
pub(super) const BYTES_MAX: usize = 64 << 20;

/// What a datagram takes beside its bytes, about.
const OVERHEAD_BYTES: usize = 128;

impl Pending {
    /// Keeps a datagram until it is due.
    pub(super) fn add(&mut self, due: Instant, datagram: Datagram) -> Result<(), Full> {
        let bytes = datagram.bytes.len() + OVERHEAD_BYTES;
        if BYTES_MAX < self.bytes + bytes {
            return Err(Full);
        }
        self.bytes += bytes;
        self.added += 1;
        self.heap.push(Reverse(Entry { due, number: self.added, datagram }));
        Ok(())
    }

    /// When the next one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.due)
    }

    /// Takes one that is due, and when it was.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Instant, Datagram)> {
        if now < self.next_due()? {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.bytes -= entry.datagram.bytes.len() + OVERHEAD_BYTES;
        Some((entry.due, entry.datagram))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn datagram(bytes: Vec<u8>) -> Datagram {
        Datagram { bytes, to: To::Client((Ipv4Addr::LOCALHOST, 9).into()) }
    }

    #[test]
    fn what_is_due_comes_in_the_order_of_dues_and_of_coming() {
        let mut pending = Pending::default();
        for (due, byte) in [(20, 1), (10, 2), (10, 3), (30, 4)] {
            assert_eq!(pending.add(Instant::from_ns(due), datagram(vec![byte])), Ok(()));
        }
        let mut taken = Vec::new();
        while let Some((_, datagram)) = pending.take_due(Instant::from_ns(20)) {
            taken.extend(datagram.bytes);
        }
        assert_eq!(taken, [2, 3, 1]);
        assert_eq!(pending.next_due(), Some(Instant::from_ns(30)));
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let mut pending = Pending::default();
        let large = || datagram(vec![0; BYTES_MAX / 2 - OVERHEAD_BYTES]);
        assert_eq!(pending.add(Instant::ZERO, large()), Ok(()));
        assert_eq!(pending.add(Instant::ZERO, large()), Ok(()));
        assert_eq!(pending.add(Instant::ZERO, datagram(Vec::new())), Err(Full));
        assert!(pending.take_due(Instant::ZERO).is_some());
        assert_eq!(pending.add(Instant::ZERO, large()), Ok(()));
    }
}
