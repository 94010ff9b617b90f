//! `recvmmsg` and `sendmmsg`: many datagrams with one system call.
//!
//! The arrays that the kernel reads are made anew for each call on the stack, so that no pointer
//! outlives it; that costs some 50 ns a batch.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::{io, ptr};

use socket2::{SockAddr, SockAddrStorage};

use super::{DATAGRAM_BUFFER_BYTES, MediaSocket, Room, inward};
use crate::limits::{RECEIVE_BATCH_DATAGRAMS, SEND_BATCH_DATAGRAMS};
use crate::telemetry::SocketCounters;

/// Room for the datagrams of one receiving call.
pub(crate) struct ReceiveBatch {
    buffers: Box<[[u8; DATAGRAM_BUFFER_BYTES]; RECEIVE_BATCH_DATAGRAMS]>,
    received: [Option<(SocketAddr, usize)>; RECEIVE_BATCH_DATAGRAMS],
}

impl ReceiveBatch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: Box::new([[0; DATAGRAM_BUFFER_BYTES]; RECEIVE_BATCH_DATAGRAMS]),
            received: [None; RECEIVE_BATCH_DATAGRAMS],
        }
    }

    /// Takes what is there without waiting; gives how many datagrams that was.
    pub(crate) fn receive(
        &mut self,
        socket: &MediaSocket,
        counters: &mut SocketCounters,
    ) -> io::Result<usize> {
        let mut names: [_; RECEIVE_BATCH_DATAGRAMS] =
            std::array::from_fn(|_| SockAddrStorage::zeroed());
        // SAFETY: both are plain C structures, for which zero is a value: null pointers and zero
        // lengths.
        let (mut vectors, mut messages) = unsafe {
            (
                MaybeUninit::<[libc::iovec; RECEIVE_BATCH_DATAGRAMS]>::zeroed().assume_init(),
                MaybeUninit::<[libc::mmsghdr; RECEIVE_BATCH_DATAGRAMS]>::zeroed().assume_init(),
            )
        };
        let slots = self.buffers.iter_mut().zip(&mut names).zip(&mut vectors).zip(&mut messages);
        for (((buffer, name), vector), message) in slots {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            message.msg_hdr.msg_name = ptr::from_mut(name).cast();
            message.msg_hdr.msg_namelen = name.size_of();
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
        }
        // SAFETY: the messages point into `buffers`, `names` and `vectors`, which live and stay put
        // until the call returns, and whose lengths are given with them.
        let count = unsafe {
            libc::recvmmsg(
                socket.socket.as_raw_fd(),
                messages.as_mut_ptr(),
                u32::try_from(messages.len()).unwrap_or(0),
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        counters.receive_calls += 1;
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            let nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
            return if nothing.contains(&error.kind()) { Ok(0) } else { Err(error) };
        };
        for (at, (name, message)) in names.into_iter().zip(&messages).take(count).enumerate() {
            // SAFETY: the kernel wrote an address of `msg_namelen` bytes there.
            let name = unsafe { SockAddr::new(name, message.msg_hdr.msg_namelen) };
            let len = usize::try_from(message.msg_len).unwrap_or(0);
            self.received[at] = name.as_socket().map(|from| (inward(from), len));
        }
        counters.received_datagrams += count as u64;
        Ok(count)
    }

    /// One datagram of the last call.
    pub(crate) fn datagram(&mut self, at: usize) -> Option<(SocketAddr, &mut [u8])> {
        let (from, len) = self.received[at]?;
        Some((from, &mut self.buffers[at][..len]))
    }
}

/// Datagrams that wait to be sent with one call.
pub(crate) struct SendBatch {
    buffers: Box<[[u8; DATAGRAM_BUFFER_BYTES]; SEND_BATCH_DATAGRAMS]>,
    queued: [Option<(SockAddr, usize)>; SEND_BATCH_DATAGRAMS],
    len: usize,
}

impl SendBatch {
    pub(crate) fn new() -> Self {
        Self {
            buffers: Box::new([[0; DATAGRAM_BUFFER_BYTES]; SEND_BATCH_DATAGRAMS]),
            queued: [const { None }; SEND_BATCH_DATAGRAMS],
            len: 0,
        }
    }

    /// The buffer for the next datagram. There is one unless the batch is full.
    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffers[self.len]
    }

    /// Adds what was written into the buffer; `Full` where it must be sent before another.
    pub(crate) fn push(&mut self, socket: &MediaSocket, to: SocketAddr, len: usize) -> Room {
        self.queued[self.len] = Some((SockAddr::from(socket.outward(to)), len));
        self.len += 1;
        if self.len == SEND_BATCH_DATAGRAMS { Room::Full } else { Room::Left }
    }

    /// Sends everything that waits. What the system does not take at once is dropped: a packet that
    /// waits is late.
    pub(crate) fn flush(&mut self, socket: &MediaSocket, counters: &mut SocketCounters) {
        if self.len == 0 {
            return;
        }
        // SAFETY: both are plain C structures, for which zero is a value.
        let (mut vectors, mut messages) = unsafe {
            (
                MaybeUninit::<[libc::iovec; SEND_BATCH_DATAGRAMS]>::zeroed().assume_init(),
                MaybeUninit::<[libc::mmsghdr; SEND_BATCH_DATAGRAMS]>::zeroed().assume_init(),
            )
        };
        let queued = self.queued[..self.len].iter().flatten();
        let slots = self.buffers.iter_mut().zip(queued).zip(&mut vectors).zip(&mut messages);
        for (((buffer, (name, len)), vector), message) in slots {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = *len;
            message.msg_hdr.msg_name = name.as_ptr().cast_mut().cast();
            message.msg_hdr.msg_namelen = name.len();
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
        }
        let mut next = 0;
        while next < self.len {
            let waiting = &mut messages[next..self.len];
            // SAFETY: the messages point into `buffers`, `queued` and `vectors`, which live and
            // stay put until the call returns; the kernel only reads through `msg_name`.
            let count = unsafe {
                libc::sendmmsg(
                    socket.socket.as_raw_fd(),
                    waiting.as_mut_ptr(),
                    u32::try_from(waiting.len()).unwrap_or(0),
                    libc::MSG_DONTWAIT,
                )
            };
            counters.send_calls += 1;
            if let Ok(count @ 1..) = usize::try_from(count) {
                counters.sent_datagrams += count as u64;
                next += count;
                continue;
            }
            let error = io::Error::last_os_error().kind();
            if error == io::ErrorKind::WouldBlock {
                counters.dropped_full += (self.len - next) as u64;
                break;
            }
            if error != io::ErrorKind::Interrupted {
                // Only the first is to blame: no route to it, or a firewall.
                counters.dropped_refused += 1;
                next += 1;
            }
        }
        self.len = 0;
    }
}
