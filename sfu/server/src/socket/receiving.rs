//! `recvmmsg`: many datagrams with one system call, each with when it arrived and how many the socket
//! has dropped so far.
//!
//! The arrays that the kernel writes are made anew for each call on the stack, so that no pointer
//! outlives it; that costs some 50 ns a batch.

use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::{io, ptr};

use libc::c_int;
use socket2::{SockAddr, SockAddrStorage, Socket};

use super::ancillary::{Ancillary, arrival_age, dropped_before};
use super::{DATAGRAM_BUFFER_BYTES, MediaSocket, Received, inward};
use crate::limits::RECEIVE_BATCH_DATAGRAMS;
use crate::telemetry::SocketCounters;

/// Has the system tell with each datagram when it arrived and how many were dropped; where it does
/// not, delays are counted from when datagrams are taken.
pub(crate) fn tell_arrivals_and_drops(socket: &Socket) {
    let yes: c_int = 1;
    for option in [libc::SO_TIMESTAMPNS, libc::SO_RXQ_OVFL] {
        // SAFETY: the option is an integer, which lives until the call returns.
        let _told = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                ptr::from_ref(&yes).cast(),
                u32::try_from(size_of::<c_int>()).unwrap_or(0),
            )
        };
    }
}

/// Room for the datagrams of one receiving call.
pub(crate) struct ReceiveBatch {
    buffers: Box<[[u8; DATAGRAM_BUFFER_BYTES]; RECEIVE_BATCH_DATAGRAMS]>,
    received: [Option<Received>; RECEIVE_BATCH_DATAGRAMS],
    /// Datagrams that the system had dropped, as told with the last one taken.
    dropped: u32,
}

impl ReceiveBatch {
    /// Datagrams that one call takes at most.
    pub(crate) const DATAGRAMS: usize = RECEIVE_BATCH_DATAGRAMS;

    pub(crate) fn new() -> Self {
        Self {
            buffers: Box::new([[0; DATAGRAM_BUFFER_BYTES]; RECEIVE_BATCH_DATAGRAMS]),
            received: [None; RECEIVE_BATCH_DATAGRAMS],
            dropped: 0,
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
        let mut ancillary = [Ancillary::EMPTY; RECEIVE_BATCH_DATAGRAMS];
        // SAFETY: both are plain C structures, for which zero is a value: null pointers and zero
        // lengths.
        let (mut vectors, mut messages) = unsafe {
            (
                MaybeUninit::<[libc::iovec; RECEIVE_BATCH_DATAGRAMS]>::zeroed().assume_init(),
                MaybeUninit::<[libc::mmsghdr; RECEIVE_BATCH_DATAGRAMS]>::zeroed().assume_init(),
            )
        };
        let slots = self.buffers.iter_mut().zip(&mut names).zip(&mut ancillary);
        let slots = slots.zip(&mut vectors).zip(&mut messages);
        for ((((buffer, name), ancillary), vector), message) in slots {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            message.msg_hdr.msg_name = ptr::from_mut(name).cast();
            message.msg_hdr.msg_namelen = name.size_of();
            message.msg_hdr.msg_iov = vector;
            message.msg_hdr.msg_iovlen = 1;
            message.msg_hdr.msg_control = ptr::from_mut(ancillary).cast();
            message.msg_hdr.msg_controllen = size_of::<Ancillary>();
        }
        // SAFETY: the messages point into `buffers`, `names`, `ancillary` and `vectors`, which live
        // and stay put until the call returns, and whose lengths are given with them.
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
        let wall_clock = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        for (at, (name, message)) in names.into_iter().zip(&messages).take(count).enumerate() {
            // SAFETY: the kernel wrote an address of `msg_namelen` bytes there.
            let name = unsafe { SockAddr::new(name, message.msg_hdr.msg_namelen) };
            let len = usize::try_from(message.msg_len).unwrap_or(0);
            let ancillary = &ancillary[at];
            let control_len = message.msg_hdr.msg_controllen;
            let age = arrival_age(ancillary, control_len, wall_clock);
            self.received[at] =
                name.as_socket().map(|from| Received { from: inward(from), len, age });
            if let Some(dropped) = dropped_before(ancillary, control_len) {
                counters.dropped_unread += u64::from(dropped.wrapping_sub(self.dropped));
                self.dropped = dropped;
            }
        }
        counters.received_datagrams += count as u64;
        Ok(count)
    }

    /// One datagram of the last call.
    pub(crate) fn datagram(&mut self, at: usize) -> Option<(Received, &mut [u8])> {
        let received = self.received[at]?;
        Some((received, &mut self.buffers[at][..received.len]))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_datagram_tells_how_long_it_waited() {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("free");
        let mut batch = ReceiveBatch::new();
        let mut counters = SocketCounters::default();
        let mut ages = || {
            sender.send_to(b"early", socket.local()).expect("loopback");
            std::thread::sleep(Duration::from_millis(20));
            sender.send_to(b"late", socket.local()).expect("loopback");
            assert_eq!(batch.receive(&socket, &mut counters).expect("readable"), 2);
            [(0, b"early".as_slice()), (1, b"late")].map(|(at, sent)| {
                let (received, bytes) = batch.datagram(at).expect("there");
                assert_eq!(bytes, sent);
                received.age.expect("told")
            })
        };
        // A moment after the first socket of the machine asked for it, the kernel begins to note it.
        let noted = (0..100).map(|_| ages()).find(|ages| Duration::from_millis(20) <= ages[0]);
        let [early, late] = noted.expect("the wait is seen");
        assert!(late < early, "{early:?} {late:?}");
    }

    #[test]
    fn what_a_full_socket_drops_is_counted() {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        socket.socket.set_recv_buffer_size(4096).expect("allowed");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("free");
        let mut batch = ReceiveBatch::new();
        let mut counters = SocketCounters::default();
        for _ in 0..100 {
            sender.send_to(&[0; 1000], socket.local()).expect("loopback");
        }
        let mut taken = 0;
        while let 1.. = batch.receive(&socket, &mut counters).map_or(0, |count| {
            taken += count;
            count
        }) {}
        // The count comes with the next datagram that is taken.
        sender.send_to(b"next", socket.local()).expect("loopback");
        taken += batch.receive(&socket, &mut counters).expect("readable");
        assert!(0 < counters.dropped_unread, "{counters:?}");
        assert_eq!(counters.dropped_unread + taken as u64, 101, "{counters:?}");
    }
}
