//! The same as `batched`, one datagram at a time, for systems without `recvmmsg`.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use super::{DATAGRAM_BUFFER_BYTES, MediaSocket, Room, inward};
use crate::telemetry::SocketCounters;

/// Room for one datagram.
pub(crate) struct ReceiveBatch {
    buffer: [u8; DATAGRAM_BUFFER_BYTES],
    received: Option<(SocketAddr, usize)>,
}

impl ReceiveBatch {
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
                self.received = from.as_socket().map(|from| (inward(from), len));
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
    pub(crate) fn datagram(&mut self, at: usize) -> Option<(SocketAddr, &mut [u8])> {
        let (from, len) = self.received.filter(|_| at == 0)?;
        Some((from, &mut self.buffer[..len]))
    }
}

/// A datagram that waits to be sent.
pub(crate) struct SendBatch {
    buffer: [u8; DATAGRAM_BUFFER_BYTES],
    queued: Option<(SocketAddr, usize)>,
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
    pub(crate) fn push(&mut self, socket: &MediaSocket, to: SocketAddr, len: usize) -> Room {
        self.queued = Some((socket.outward(to), len));
        Room::Full
    }

    /// Sends what waits, or drops it.
    pub(crate) fn flush(&mut self, socket: &MediaSocket, counters: &mut SocketCounters) {
        let Some((to, len)) = self.queued.take() else { return };
        counters.send_calls += 1;
        match socket.socket.send_to(&self.buffer[..len], &to.into()) {
            Ok(_) => counters.sent_datagrams += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => counters.dropped_full += 1,
            Err(_) => counters.dropped_refused += 1,
        }
    }
}
