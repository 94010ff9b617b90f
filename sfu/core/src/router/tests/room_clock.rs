//! Questions for the time: who is answered, where, and what the answer says.

use core::time::Duration;

use protocol::control::Command;
use protocol::room_clock::{Answer, Question, StreamCapture};
use protocol::rtcp::{self, NtpTime};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::{Instant, RoomTime, ShortTime};

use super::{Table, add_source, address_of, subscribe};
use crate::limits::{RTCP_INTERVAL, RTCP_PACKETS_PER_SECOND_MAX};
use crate::transport::LinkEvent;

/// Seconds after 1970 at which the router's time begins.
const EPOCH_S: i64 = 1_790_000_000;

fn table(members: u32) -> Table {
    let mut table = Table::of(members);
    let epoch = NtpTime::from_unix(Duration::from_secs(EPOCH_S.cast_unsigned()));
    table.router = core::mem::replace(&mut table.router, super::Router::new(())).with_epoch(epoch);
    table
}

fn question(sent_ns: u64) -> Vec<u8> {
    let mut bytes = [0; 64];
    let len = Question { sent: Instant::from_ns(sent_ns) }.write(&mut bytes).expect("fits");
    bytes[..len].to_vec()
}

fn answer(bytes: &[u8]) -> Option<Answer> {
    rtcp::parse(bytes).ok()?.find_map(|packet| Answer::read(&packet))
}

/// The router's clock at an instant, as it is read from an answer.
fn is_at(time: RoomTime, instant: Instant) -> bool {
    let passed = i64::try_from(instant.as_ns()).expect("a short test");
    time.ns_since(RoomTime::from_ns(EPOCH_S * 1_000_000_000 + passed)).abs() <= 1
}

#[test]
fn a_question_is_answered_with_when_it_came_and_when_it_was_handled() {
    let mut table = table(2);
    let arrived = table.now;
    table.now = arrived + Duration::from_micros(300);
    let now = table.now;
    table.router.handle_waiting(now, arrived, address_of(1), &mut question(77));
    table.settle();
    let [(_, to, bytes)] = table.reports.as_slice() else { panic!("{:?}", table.reports) };
    assert_eq!(*to, address_of(1));
    let answer = answer(bytes).expect("an answer");
    assert_eq!(answer.sent, Instant::from_ns(77));
    assert!(is_at(answer.received, arrived) && is_at(answer.replied, now), "{answer:?}");
}

#[test]
fn a_question_in_a_data_channel_is_answered_there() {
    let mut table = table(2);
    let (_, client) = table.clients.get_mut(&2).expect("joined");
    client.send_message(&question(5)).expect("the link is up");
    table.settle();
    let (_, client) = table.clients.get_mut(&2).expect("joined");
    let messages = core::iter::from_fn(|| client.poll_event());
    let answers: Vec<Answer> = messages
        .filter_map(|event| match event {
            LinkEvent::Message(bytes) => answer(&bytes),
            LinkEvent::Up | LinkEvent::Down | LinkEvent::Closed => None,
        })
        .collect();
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(answer.sent, Instant::from_ns(5));
    assert!(is_at(answer.received, table.now));
    assert!(table.reports.is_empty(), "{:?}", table.reports);
}

#[test]
fn whoever_asks_too_often_or_from_nowhere_is_not_answered() {
    let mut table = table(2);
    table.take("203.0.113.9:9".parse().expect("an address"), question(1));
    assert!(table.reports.is_empty());
    for number in 0..4 * u64::from(RTCP_PACKETS_PER_SECOND_MAX) {
        table.take(address_of(1), question(number));
    }
    let answered = table.reports.len();
    assert!((1..=2 * RTCP_PACKETS_PER_SECOND_MAX as usize).contains(&answered), "{answered}");
    for number in 0..4 * u64::from(RTCP_PACKETS_PER_SECOND_MAX) {
        let (_, client) = table.clients.get_mut(&1).expect("joined");
        client.send_message(&question(number)).expect("the link is up");
        table.settle();
    }
    let (_, client) = table.clients.get_mut(&1).expect("joined");
    assert!(client.poll_event().is_some_and(|event| event == LinkEvent::Up));
    assert_eq!(client.poll_event(), None, "both ways have one rate");
    table.take(address_of(2), question(1));
    assert_eq!(table.reports.len(), answered + 1, "others have their own");
}

#[test]
fn questions_are_answered_without_allocating() {
    let mut table = table(1);
    let (now, mut asked, mut buffer) = (table.now, question(1), [0; 1500]);
    let router = &mut table.router;
    let sent = assert_no_alloc::assert_no_alloc(|| {
        router.handle_datagram(now, address_of(1), &mut asked);
        router.poll_transmit(&mut buffer).map(|outgoing| outgoing.to)
    });
    assert_eq!(sent, Some(address_of(1)));
}

#[test]
fn capture_times_go_to_whoever_takes_them_and_by_message_to_those_with_a_channel() {
    let mut table = table(3);
    table.command(add_source(1, 11));
    table.command(subscribe(2, 21, 1, 11));
    let mut plain = subscribe(3, 31, 1, 11);
    if let Command::Subscribe { payload_types, .. } = &mut plain {
        payload_types.capture_time = false;
    }
    table.command(plain);
    let time = ShortTime::from_bytes([9, 8, 7]);
    let mut bytes = vec![0; 64];
    let packet = Packet {
        marker: false,
        capture_time: Some(time),
        payload_type: PayloadType::OPUS,
        sequence_number: 5,
        timestamp: 600,
        ssrc: Ssrc(11),
        payload: &[1, 2, 3],
    };
    let len = packet.write(&mut bytes).expect("fits");
    table.take(address_of(1), bytes[..len].to_vec());
    let told = |to: u32| {
        let (_, bytes) = table.sent.iter().find(|sent| sent.0 == address_of(to)).expect("sent");
        let packet = Packet::parse(bytes).expect("written properly");
        assert_eq!(packet.payload, [1, 2, 3]);
        (packet.capture_time, packet.timestamp)
    };
    assert_eq!(told(2).0, Some(time));
    let (none, timestamp) = told(3);
    assert_eq!(none, None);
    table.run(RTCP_INTERVAL);
    let (_, client) = table.clients.get_mut(&3).expect("joined");
    let messages = core::iter::from_fn(|| client.poll_event());
    let captures: Vec<StreamCapture> = messages
        .filter_map(|event| match event {
            LinkEvent::Message(bytes) => Some(bytes),
            LinkEvent::Up | LinkEvent::Down | LinkEvent::Closed => None,
        })
        .flat_map(|bytes| {
            let packets = rtcp::parse(&bytes).expect("written properly");
            packets.flat_map(|packet| StreamCapture::read(&packet)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(captures, [StreamCapture { ssrc: Ssrc(31), timestamp, capture_time: time }]);
}
