//! What went through the socket.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the session was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetworkCounts {
    /// Media packets sent.
    pub sent_packets: u64,
    /// Bytes of all datagrams sent, without IP and UDP headers.
    pub sent_bytes: u64,
    /// Datagrams that the socket refused.
    pub send_errors: u64,
    /// Media packets received and taken.
    pub received_packets: u64,
    /// Bytes of all datagrams received, without IP and UDP headers.
    pub received_bytes: u64,
    /// Datagrams that were not the server's, forged, replayed, or of no known stream.
    pub rejected_datagrams: u64,
}

/// The same, as the threads count. Relaxed throughout: each stands for itself.
#[derive(Debug, Default)]
pub(super) struct Counters {
    sent_packets: AtomicU64,
    sent_bytes: AtomicU64,
    send_errors: AtomicU64,
    received_packets: AtomicU64,
    received_bytes: AtomicU64,
    rejected_datagrams: AtomicU64,
}

impl Counters {
    /// A datagram left; `media` of them were media packets.
    pub(super) fn sent(&self, bytes: usize, media: u64) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.sent_packets.fetch_add(media, Ordering::Relaxed);
    }

    pub(super) fn send_failed(&self) {
        self.send_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn arrived(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn taken(&self) {
        self.received_packets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self) {
        self.rejected_datagrams.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn load(&self) -> NetworkCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NetworkCounts {
            sent_packets: load(&self.sent_packets),
            sent_bytes: load(&self.sent_bytes),
            send_errors: load(&self.send_errors),
            received_packets: load(&self.received_packets),
            received_bytes: load(&self.received_bytes),
            rejected_datagrams: load(&self.rejected_datagrams),
        }
    }
}
