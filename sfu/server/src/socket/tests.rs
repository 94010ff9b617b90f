//! What a batch does with datagrams that the system does not take.

use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{MediaSocket, SendBatch};
use crate::telemetry::SocketCounters;

fn push(batch: &mut SendBatch, socket: &MediaSocket, to: SocketAddr, bytes: &[u8]) {
    batch.buffer()[..bytes.len()].copy_from_slice(bytes);
    batch.push(socket, to, bytes.len(), None);
}

#[test]
fn a_datagram_that_cannot_be_sent_costs_those_around_it_nothing() {
    let socket = MediaSocket::bind("127.0.0.1:0".parse().expect("an address")).expect("free");
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("free");
    let to = receiver.local_addr().expect("bound");
    let mut counters = SocketCounters::default();
    let mut batch = SendBatch::new();
    push(&mut batch, &socket, to, b"one");
    // Nothing is sent to port 0, and nothing from loopback to elsewhere.
    push(&mut batch, &socket, "127.0.0.1:0".parse().expect("an address"), b"nowhere");
    push(&mut batch, &socket, "198.51.100.1:9".parse().expect("an address"), b"unroutable");
    push(&mut batch, &socket, to, b"two");
    batch.flush(&socket, &mut counters);
    let mut buffer = [0; 100];
    for expected in [b"one", b"two"] {
        let len = receiver.recv(&mut buffer).expect("sent over loopback");
        assert_eq!(&buffer[..len], expected);
    }
    assert_eq!((counters.sent_datagrams, counters.dropped_refused), (2, 2));
    assert_eq!(counters.dropped_full, 0);
}

/// A full buffer is made with a socket of the machine itself: the system keeps nothing of UDP over
/// loopback in the sender's buffer, and what a network card does is no test's to say. The sending,
/// and what the system answers, are the same.
#[test]
fn what_finds_the_buffer_full_is_dropped_and_counted_and_what_comes_later_is_sent() {
    let folder = tempfile::tempdir().expect("a place for a socket");
    let path = folder.path().join("receiver");
    let receiver = Socket::new(Domain::UNIX, Type::DGRAM, None).expect("supported");
    let address = SockAddr::unix(&path).expect("a short path");
    receiver.bind(&address).expect("free");
    receiver.set_nonblocking(true).expect("supported");
    let sender = Socket::new(Domain::UNIX, Type::DGRAM, None).expect("supported");
    sender.set_nonblocking(true).expect("supported");
    sender.set_send_buffer_size(1).expect("as small as there is");
    let local = "127.0.0.1:1".parse().expect("an address");
    let socket = MediaSocket { socket: sender, local };
    let mut counters = SocketCounters::default();
    let mut batch = SendBatch::new();
    let mut flush = |count: usize| {
        let before = counters;
        for number in 0..count {
            // To other addresses, or they would be one message, which only UDP cuts.
            let stands_for =
                SocketAddr::from(([192, 0, 2, 1], u16::try_from(number).expect("few")));
            batch.buffer()[..4].copy_from_slice(b"late");
            batch.push_to(address.clone(), stands_for, 4);
        }
        batch.flush(&socket, &mut counters);
        batch.clear();
        let sent = counters.sent_datagrams - before.sent_datagrams;
        let full = counters.dropped_full - before.dropped_full;
        assert_eq!((sent + full, counters.dropped_refused), (count as u64, 0));
        sent
    };
    let taken = flush(50);
    assert!((1..50).contains(&taken), "{taken} of 50 fit");
    assert_eq!(flush(10), 0, "there is no more room");
    let mut buffer = [0_u8; 100];
    for _ in 0..taken {
        let read = std::io::Read::read(&mut (&receiver), &mut buffer).expect("it was sent");
        assert_eq!(&buffer[..read], b"late");
    }
    assert_eq!(flush(1), 1, "there is room again, and nothing old came first");
}
