//! `sendmmsg`: many datagrams with one system call, and with GSO (`UDP_SEGMENT`) many in one message.
//!
//! The arrays that the kernel reads are made anew for each call on the stack, so that no pointer
//! outlives it; that costs some 50 ns a call.
//!
//! What surprises: datagrams leave grouped by address and size, not in the order in which they were
//! queued. Two packets of one stream stay in order if they have one size, and are packet times apart
//! otherwise, which is longer than they are ever gathered.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::{io, ptr};

use libc::{c_int, c_void};
use protocol::time::Instant;
use socket2::SockAddr;

use super::ancillary::SegmentSize;
use super::groups::Groups;
use super::{DATAGRAM_BUFFER_BYTES, MediaSocket, Room};
use crate::limits::{SEGMENTS_PER_MESSAGE_MAX, SEND_BATCH_BYTES, SEND_BATCH_DATAGRAMS};
use crate::telemetry::SocketCounters;

/// Datagrams that wait to be sent together.
pub(crate) struct SendBatch {
    /// All of them, one behind the other.
    bytes: Box<[u8]>,
    used: usize,
    /// Never more than there was room for at first.
    queued: Vec<Queued>,
    /// When the oldest of the packets arrived that they are copies of.
    oldest: Option<Instant>,
    groups: Groups,
    /// The order in which they leave.
    order: Vec<usize>,
    messages: Vec<Span>,
    /// Whether the system takes many datagrams in one message; found out by trying.
    segmentation: Segmentation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Segmentation {
    Offloaded,
    Refused,
}

struct Queued {
    to: SockAddr,
    start: usize,
    len: usize,
    arrived: Option<Instant>,
    fate: Fate,
}

/// What becomes of a queued datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Leaves,
    Dropped,
}

/// What one message holds: so many datagrams from there on in the order of sending.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: usize,
    datagrams: usize,
}

impl SendBatch {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; SEND_BATCH_BYTES].into(),
            used: 0,
            queued: Vec::with_capacity(SEND_BATCH_DATAGRAMS),
            oldest: None,
            groups: Groups::new(),
            order: Vec::with_capacity(SEND_BATCH_DATAGRAMS),
            messages: Vec::with_capacity(SEND_BATCH_DATAGRAMS),
            segmentation: Segmentation::Offloaded,
        }
    }

    /// The buffer for the next datagram. There is one unless the batch is full.
    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.bytes[self.used..self.used + DATAGRAM_BUFFER_BYTES]
    }

    /// Adds what was written into the buffer; `Full` where it must be sent before another.
    pub(crate) fn push(
        &mut self,
        socket: &MediaSocket,
        to: SocketAddr,
        len: usize,
        arrived: Option<Instant>,
    ) -> Room {
        self.groups.add(to, len);
        self.add(SockAddr::from(socket.outward(to)), len, arrived)
    }

    /// Adds what was written into the buffer, for an address that is no UDP one; `stands_for` is
    /// another for each such.
    #[cfg(test)]
    pub(crate) fn push_to(&mut self, to: SockAddr, stands_for: SocketAddr, len: usize) {
        self.groups.add(stands_for, len);
        self.add(to, len, None);
    }

    /// Drops the copies of packets that arrived so long ago that `is_late` says so; gives how many.
    pub(crate) fn drop_late(&mut self, is_late: impl Fn(Instant) -> bool) -> u64 {
        let mut dropped = 0;
        for queued in &mut self.queued {
            if queued.arrived.is_some_and(&is_late) {
                queued.fate = Fate::Dropped;
                dropped += 1;
            }
        }
        dropped
    }

    /// Forgets what was flushed.
    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.groups.clear();
        (self.used, self.oldest) = (0, None);
    }

    /// Sends everything that waits. What the system does not take at once is dropped: a packet that
    /// waits is late.
    pub(crate) fn flush(&mut self, socket: &MediaSocket, counters: &mut SocketCounters) {
        self.arrange();
        let mut next = 0;
        while let Some(first) = self.messages.get(next).copied() {
            let sent = self.send(socket, &self.messages[next..], counters);
            let Err(error) = sent else {
                next += sent.unwrap_or(0);
                continue;
            };
            let kind = error.kind();
            if kind == io::ErrorKind::WouldBlock {
                let waiting = self.messages[next..].iter().map(|span| span.datagrams as u64);
                counters.dropped_full += waiting.sum::<u64>();
                return;
            } else if 1 < first.datagrams && is_about_segmentation(&error) {
                // Perhaps only for being many at once: each is tried by itself.
                if is_about_device(&error) {
                    self.segmentation = Segmentation::Refused;
                }
                self.send_singly(socket, first, counters);
                next += 1;
            } else if kind != io::ErrorKind::Interrupted {
                // Only the first is to blame: no route to it, or a firewall.
                counters.dropped_refused += first.datagrams as u64;
                next += 1;
            }
        }
    }

    /// How many datagrams there are.
    pub(crate) fn len(&self) -> usize {
        self.queued.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queued.is_empty()
    }

    /// When the oldest of the packets arrived that they are copies of.
    pub(crate) const fn oldest(&self) -> Option<Instant> {
        self.oldest
    }

    /// When the packets arrived that the datagrams of the last flush were copies of.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = Instant> + '_ {
        let left = self.queued.iter().filter(|queued| queued.fate == Fate::Leaves);
        left.filter_map(|queued| queued.arrived)
    }

    fn add(&mut self, to: SockAddr, len: usize, arrived: Option<Instant>) -> Room {
        let start = self.used;
        self.queued.push(Queued { to, start, len, arrived, fate: Fate::Leaves });
        self.used += len;
        self.oldest = self.oldest.into_iter().chain(arrived).min();
        let is_full = self.queued.len() == SEND_BATCH_DATAGRAMS
            || SEND_BATCH_BYTES < self.used + DATAGRAM_BUFFER_BYTES;
        if is_full { Room::Full } else { Room::Left }
    }

    /// Finds the order in which datagrams leave, and which of them are one message.
    fn arrange(&mut self) {
        let many = match self.segmentation {
            Segmentation::Offloaded => SEGMENTS_PER_MESSAGE_MAX,
            Segmentation::Refused => 1,
        };
        self.order.clear();
        self.messages.clear();
        for group in self.groups.iter() {
            let mut left = 0;
            for at in self.groups.members(group) {
                let queued = &self.queued[at];
                if queued.fate == Fate::Dropped {
                    continue;
                }
                if left == 0 {
                    self.messages.push(Span { first: self.order.len(), datagrams: 0 });
                    // The whole message must fit into what an IP packet could hold.
                    left = many.min(MESSAGE_BYTES_MAX / queued.len.max(1)).max(1);
                }
                self.order.push(at);
                if let Some(message) = self.messages.last_mut() {
                    message.datagrams += 1;
                }
                left -= 1;
            }
        }
    }

    fn send_singly(&self, socket: &MediaSocket, span: Span, counters: &mut SocketCounters) {
        for first in span.first..span.first + span.datagrams {
            if self.send(socket, &[Span { first, datagrams: 1 }], counters).is_err() {
                counters.dropped_refused += 1;
            }
        }
    }

    /// One call with the first of these messages; gives how many of them the system took.
    fn send(
        &self,
        socket: &MediaSocket,
        spans: &[Span],
        counters: &mut SocketCounters,
    ) -> io::Result<usize> {
        const MESSAGES_MAX: usize = 64;
        const DATAGRAMS_MAX: usize = 256;
        const _: () = assert!(SEGMENTS_PER_MESSAGE_MAX <= DATAGRAMS_MAX, "a message fits");
        let mut datagrams = 0;
        let fitting = spans.iter().take(MESSAGES_MAX).take_while(|span| {
            datagrams += span.datagrams;
            datagrams <= DATAGRAMS_MAX
        });
        let spans = &spans[..fitting.count()];
        let mut segment_sizes = [SegmentSize::EMPTY; MESSAGES_MAX];
        // SAFETY: both are plain C structures, for which zero is a value.
        let (mut vectors, mut messages) = unsafe {
            (
                MaybeUninit::<[libc::iovec; DATAGRAMS_MAX]>::zeroed().assume_init(),
                MaybeUninit::<[libc::mmsghdr; MESSAGES_MAX]>::zeroed().assume_init(),
            )
        };
        let mut rest = &mut vectors[..];
        for ((span, message), size) in spans.iter().zip(&mut messages).zip(&mut segment_sizes) {
            let places = &self.order[span.first..span.first + span.datagrams];
            let (own, others) = rest.split_at_mut(places.len());
            rest = others;
            for (vector, at) in own.iter_mut().zip(places) {
                let queued = &self.queued[*at];
                vector.iov_base = self.bytes[queued.start..].as_ptr().cast_mut().cast();
                vector.iov_len = queued.len;
                message.msg_hdr.msg_name = queued.to.as_ptr().cast_mut().cast();
                message.msg_hdr.msg_namelen = queued.to.len();
                *size = SegmentSize::of(queued.len);
            }
            message.msg_hdr.msg_iov = own.as_mut_ptr();
            message.msg_hdr.msg_iovlen = own.len();
            if 1 < own.len() {
                message.msg_hdr.msg_control = ptr::from_mut(size).cast::<c_void>();
                message.msg_hdr.msg_controllen = size_of::<SegmentSize>();
            }
        }
        // SAFETY: the messages point into `bytes`, `queued`, `vectors` and `segment_sizes`, which
        // live and stay put until the call returns; the kernel only reads through them.
        let count = unsafe {
            libc::sendmmsg(
                socket.socket.as_raw_fd(),
                messages.as_mut_ptr(),
                u32::try_from(spans.len()).unwrap_or(0),
                libc::MSG_DONTWAIT,
            )
        };
        counters.send_calls += 1;
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        counters.sent_messages += count as u64;
        let datagrams = spans[..count].iter().map(|span| span.datagrams as u64);
        counters.sent_datagrams += datagrams.sum::<u64>();
        Ok(count)
    }
}

/// What systems say to a message that they cannot cut: this device does not, this kernel has no
/// `UDP_SEGMENT`, or the way to this address is too narrow.
fn is_about_segmentation(error: &io::Error) -> bool {
    const CODES: [c_int; 2] = [libc::EINVAL, libc::EMSGSIZE];
    is_about_device(error) || error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// What systems say of a device that cuts no message to anybody.
fn is_about_device(error: &io::Error) -> bool {
    const CODES: [c_int; 2] = [libc::EIO, libc::EOPNOTSUPP];
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

/// Bytes of one message, all its datagrams together (65,535 less the headers of IPv6 and UDP).
const MESSAGE_BYTES_MAX: usize = 65_000;

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;

    /// Sends datagrams filled with these bytes to two receivers; gives what each heard.
    fn send(
        batch: &mut SendBatch,
        datagrams: &[(usize, u8, usize)],
        counters: &mut SocketCounters,
    ) -> [Vec<Vec<u8>>; 2] {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        let receivers = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").expect("free"));
        for receiver in &receivers {
            let receiver = socket2::SockRef::from(receiver);
            receiver.set_recv_buffer_size(1 << 20).expect("allowed");
        }
        for (to, byte, len) in datagrams {
            batch.buffer()[..*len].fill(*byte);
            let to = receivers[*to].local_addr().expect("bound");
            assert_eq!(batch.push(&socket, to, *len, None), Room::Left);
        }
        batch.flush(&socket, counters);
        batch.clear();
        assert!(batch.is_empty());
        [0, 1].map(|who| {
            let expected = datagrams.iter().filter(|datagram| datagram.0 == who).count();
            receivers[who].set_read_timeout(Some(Duration::from_secs(10))).expect("supported");
            let receive = |_| {
                let mut buffer = [0; DATAGRAM_BUFFER_BYTES];
                let len = receivers[who].recv(&mut buffer).expect("it comes");
                buffer[..len].to_vec()
            };
            (0..expected).map(receive).collect()
        })
    }

    #[test]
    fn one_size_to_one_address_is_one_message_and_arrives_as_many() {
        let mut batch = SendBatch::new();
        let mut counters = SocketCounters::default();
        let datagrams: Vec<_> =
            (0..100_u8).map(|byte| (usize::from(byte % 2), byte, 150)).collect();
        let heard = send(&mut batch, &datagrams, &mut counters);
        for (who, heard) in heard.iter().enumerate() {
            let mine = datagrams.iter().filter(|datagram| datagram.0 == who);
            let mine: Vec<_> = mine.map(|(_, byte, len)| vec![*byte; *len]).collect();
            assert_eq!(*heard, mine, "whole and in order");
        }
        assert_eq!((counters.sent_datagrams, counters.sent_messages), (100, 2));
        assert_eq!(counters.send_calls, 1);
    }

    #[test]
    fn other_sizes_are_other_messages() {
        let mut counters = SocketCounters::default();
        let datagrams = [(0, 1, 100), (0, 2, 200), (0, 3, 100), (1, 4, 100), (0, 5, 1200)];
        let [mut first, second] = send(&mut SendBatch::new(), &datagrams, &mut counters);
        first.sort_unstable();
        let expected = [(1, 100), (2, 200), (3, 100), (5, 1200)].map(|(byte, len)| vec![byte; len]);
        assert_eq!(first, expected);
        assert_eq!(second, [vec![4; 100]]);
        assert_eq!((counters.sent_datagrams, counters.sent_messages), (5, 4));
    }

    #[test]
    fn a_full_batch_leaves_whole_in_as_many_calls_as_it_takes() {
        let mut batch = SendBatch::new();
        let mut counters = SocketCounters::default();
        let datagrams = vec![(0, 7, 20); SEND_BATCH_DATAGRAMS - 1];
        let [first, _] = send(&mut batch, &datagrams, &mut counters);
        assert_eq!(first, vec![vec![7; 20]; SEND_BATCH_DATAGRAMS - 1]);
        let messages = SEND_BATCH_DATAGRAMS.div_ceil(SEGMENTS_PER_MESSAGE_MAX) as u64;
        assert_eq!((counters.sent_messages, counters.send_calls), (messages, messages / 4));
    }

    #[test]
    fn there_is_room_for_a_large_datagram_until_the_batch_says_that_it_is_full() {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        let mut batch = SendBatch::new();
        for (len, datagrams) in [(20, SEND_BATCH_DATAGRAMS), (1500, SEND_BATCH_BYTES / 1500)] {
            for left in (0..datagrams).rev() {
                let room = if left == 0 { Room::Full } else { Room::Left };
                assert_eq!(batch.buffer().len(), DATAGRAM_BUFFER_BYTES);
                assert_eq!(batch.push(&socket, socket.local(), len, None), room, "{left}");
            }
            batch.clear();
        }
    }

    #[test]
    fn what_is_late_does_not_leave_and_is_no_delay() {
        let socket = MediaSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("free");
        let receiver = UdpSocket::bind("127.0.0.1:0").expect("free");
        let to = receiver.local_addr().expect("bound");
        let mut batch = SendBatch::new();
        let mut counters = SocketCounters::default();
        let at = |ns| Some(Instant::from_ns(ns));
        for (byte, arrived) in [(1, at(10)), (2, at(5)), (3, None), (4, at(12)), (5, at(4))] {
            batch.buffer()[0] = byte;
            batch.push(&socket, to, 1, arrived);
        }
        let before = |ns| move |arrived: Instant| arrived < Instant::from_ns(ns);
        assert_eq!(batch.drop_late(before(4)), 0);
        assert_eq!(batch.drop_late(before(10)), 2);
        batch.flush(&socket, &mut counters);
        assert_eq!(batch.arrivals().collect::<Vec<_>>(), [at(10), at(12)].map(Option::unwrap));
        batch.clear();
        assert_eq!(batch.drop_late(before(100)), 0, "what was flushed is forgotten");
        let mut buffer = [0; 10];
        for byte in [1, 3, 4] {
            assert_eq!(receiver.recv(&mut buffer).expect("it comes"), 1);
            assert_eq!(buffer[0], byte);
        }
        assert_eq!((counters.sent_datagrams, counters.sent_messages), (3, 1));
    }

    #[test]
    fn what_cannot_be_segmented_is_sent_one_by_one() {
        let mut batch = SendBatch::new();
        batch.segmentation = Segmentation::Refused;
        let mut counters = SocketCounters::default();
        let [first, _] = send(&mut batch, &[(0, 1, 100), (0, 2, 100)], &mut counters);
        assert_eq!(first, [vec![1; 100], vec![2; 100]]);
        assert_eq!((counters.sent_datagrams, counters.sent_messages), (2, 2));
    }
}
