//! The same as `receiving` and `sending`, one datagram at a time, for systems without `recvmmsg`.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use protocol::time::Instant;

use super::{DATAGRAM_BUFFER_BYTES, MediaSocket, Received, Room, inward};
use crate::telemetry::SocketCounters;

/// Nothing that this system could be asked for.
pub(crate) const fn tell_arrivals_and_drops(_socket: &socket2::Socket) {}

/// Room for one datagram.
pub(crate) struct ReceiveBatch {
    buffer: [u8; DATAGRAM_BUFFER_BYTES],
    received: Option<Received>,
}

impl ReceiveBatch {
    /// Datagrams that one call takes at most.
    pub(crate) const DATAGRAMS: usize = 1;

    pub(crate) fn new() -> Self {
        Self { buffer: [0; DATAGRAM_BUFFER_BYTES], received: None }
    }

    /// Takes a datagram if there is one; gives how many that was.
    pub(crate) fn receive(
        &mut self,
        socket: &MediaSocket,
        counters: &mut SocketCounters,
    ) -> io::Result<usize> {
        counters.receive_calls += 1;
        let mut buffer = [MaybeUninit::uninit(); DATAGRAM_BUFFER_BYTES];
        match socket.socket.recv_from(&mut buffer) {
            Ok((len, from)) => {
                for (byte, received) in self.buffer.iter_mut().zip(&buffer[..len]) {
                    // SAFETY: the system wrote the first `len` bytes.
                    *byte = unsafe { received.assume_init() };
                }
                let received = |from| Received { from: inward(from), len, age: None };
                self.received = from.as_socket().map(received);
                counters.received_datagrams += 1;
                Ok(1)
            }
            Err(error) => {
                // The last is what a datagram that was sent earlier met with (Windows).
                let nothing = [
                    io::ErrorKind::WouldBlock,
                    io::ErrorKind::Interrupted,
                    io::ErrorKind::ConnectionReset,
                ];
                if nothing.contains(&error.kind()) { Ok(0) } else { Err(error) }
            }
        }
    }

    /// The datagram of the last call.
    pub(crate) fn datagram(&mut self, at: usize) -> Option<(Received, &mut [u8])> {
        let received = self.received.filter(|_| at == 0)?;
        Some((received, &mut self.buffer[..received.len]))
    }
}

/// A datagram that waits to be sent.
pub(crate) struct SendBatch {
    buffer: [u8; DATAGRAM_BUFFER_BYTES],
    queued: Option<(SocketAddr, usize, Option<Instant>)>,
}

impl SendBatch {
    pub(crate) fn new() -> Self {
        Self { buffer: [0; DATAGRAM_BUFFER_BYTES], queued: None }
    }

    /// The buffer for the next datagram.
    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// Adds what was written into the buffer, which must then be sent.
    pub(crate) fn push(
        &mut self,
        socket: &MediaSocket,
        to: SocketAddr,
        len: usize,
        arrived: Option<Instant>,
    ) -> Room {
        self.queued = Some((socket.outward(to), len, arrived));
        Room::Full
    }

    /// Drops the copy of a packet that arrived so long ago that `is_late` says so; gives how many.
    pub(crate) fn drop_late(&mut self, is_late: impl Fn(Instant) -> bool) -> u64 {
        let dropped = self.queued.take_if(|queued| queued.2.is_some_and(is_late));
        u64::from(dropped.is_some())
    }

    /// When the packet arrived that it is a copy of.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        self.queued.and_then(|queued| queued.2)
    }

    /// How many datagrams there are.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.queued.is_some())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.queued.is_none()
    }

    /// When the packet arrived that the datagram of the last flush was a copy of.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = Instant> + '_ {
        self.queued.iter().filter_map(|queued| queued.2)
    }

    /// Forgets what was flushed.
    pub(crate) fn clear(&mut self) {
        self.queued = None;
    }

    /// Sends what waits, or drops it.
    pub(crate) fn flush(&mut self, socket: &MediaSocket, counters: &mut SocketCounters) {
        let Some((to, len, _)) = self.queued else { return };
        counters.send_calls += 1;
        match socket.socket.send_to(&self.buffer[..len], &to.into()) {
            Ok(_) => {
                counters.sent_messages += 1;
                counters.sent_datagrams += 1;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => counters.dropped_full += 1,
            Err(_) => counters.dropped_refused += 1,
        }
    }
}
