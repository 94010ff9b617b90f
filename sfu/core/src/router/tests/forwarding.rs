//! What is forwarded, to whom, and under which numbers.

use core::net::SocketAddr;
use core::time::Duration;

use protocol::control::{Command, Event, PayloadTypes};
use protocol::id::ParticipantId;
use protocol::limits::{DATAGRAM_BYTES_MAX, PAYLOAD_BYTES_MAX};
use protocol::rtp::{PayloadType, Ssrc};

use super::{Heard, Table, add_source, address_of, packet, pair, set_muted, subscribe};
use crate::limits::REPORT_INTERVAL;

#[test]
fn a_packet_goes_to_every_subscriber_and_not_back() {
    let mut table = Table::of(4);
    table.command(add_source(1, 11));
    table.command(subscribe(2, 21, 1, 11));
    table.command(subscribe(3, 31, 1, 11));
    table.play(1, 11, 500);
    let start = |stream: u32| u16::try_from(stream & 0x3fff).expect("14 bits");
    let expected = |stream: u32| Heard {
        ssrc: stream,
        number: start(stream) + 1,
        timestamp: 60_000,
        payload_type: PayloadType::OPUS.0,
        marker: true,
        payload: vec![7],
    };
    assert_eq!(table.heard(2), [expected(21)]);
    assert_eq!(table.heard(3), [expected(31)]);
    assert_eq!(table.heard(1), []);
    assert_eq!(table.heard(4), []);
}

#[test]
fn a_data_channel_message_is_a_packet() {
    let mut table = pair();
    let (_, client) = table.clients.get_mut(&1).expect("joined");
    client.send_message(&packet(11, 5, 600, b"frame")).expect("up");
    table.settle();
    assert_eq!(table.heard(2)[0].payload, b"frame");
}

#[test]
fn nobody_is_subscribed_to_themselves_or_across_rooms() {
    let mut table = Table::of(1);
    table.join(2, "other");
    table.command(add_source(1, 11));
    assert!(table.refused(subscribe(1, 21, 1, 11)).contains("hear itself"));
    assert!(table.refused(subscribe(2, 21, 1, 11)).contains("different rooms"));
    table.play(1, 11, 1);
    assert!(table.sent.is_empty());
}

#[test]
fn payload_types_are_the_subscribers_own() {
    let mut table = Table::of(3);
    table.command(add_source(1, 11));
    for (id, red) in [(2, Some(PayloadType(96))), (3, None)] {
        table.command(Command::Subscribe {
            subscriber: ParticipantId(id),
            stream: Ssrc(id * 10),
            publisher: ParticipantId(1),
            source: Ssrc(11),
            payload_types: PayloadTypes { opus: PayloadType(109), red, capture_time: false },
        });
    }
    table.play(1, 11, 1);
    let mut red = packet(11, 2, 240, &[7]);
    red[1] = PayloadType::RED.0;
    table.take(address_of(1), red);
    let types = |heard: Vec<Heard>| heard.iter().map(|one| one.payload_type).collect::<Vec<_>>();
    assert_eq!(types(table.heard(2)), [109, 96]);
    assert_eq!(types(table.heard(3)), [109], "takes no RED");
    assert_eq!(table.router.counters().unsent_payload, 1);
}

#[test]
fn each_subscriber_gets_the_redundancy_that_it_needs() {
    let mut table = Table::of(4);
    table.command(add_source(1, 11));
    for (id, frames) in [(2, 0), (3, 1), (4, 9)] {
        let stream = Ssrc(id * 10 + 1);
        table.command(subscribe(id, stream.0, 1, 11));
        if 0 < frames {
            table.command(set_redundancy(id, stream, frames));
        }
    }
    // The first packet of a link makes room for its window.
    table.play(1, 11, 0);
    table.sent.clear();
    // Two redundant blocks of 2 and 3 bytes, then the primary.
    let payload = [0xf0, 2, 0, 2, 0xf0, 1, 0, 3, 112, 1, 1, 2, 2, 2, 3, 3];
    let mut red = packet(11, 1, 0, &payload);
    red[1] = PayloadType::RED.0;
    let mut buffer = [0; 1500];
    let (now, router) = (table.now, &mut table.router);
    let mut sent = [[0; 40]; 3];
    let mut lens = [0; 3];
    assert_no_alloc::assert_no_alloc(|| {
        router.handle_datagram(now, address_of(1), &mut red);
        for (sent, len) in sent.iter_mut().zip(&mut lens) {
            let outgoing = router.poll_transmit(&mut buffer).expect("three subscribers");
            *len = outgoing.len;
            sent[..outgoing.len].copy_from_slice(&buffer[..outgoing.len]);
        }
    });
    let payloads: Vec<&[u8]> = sent.iter().zip(lens).map(|(sent, len)| &sent[12..len]).collect();
    assert_eq!(payloads[0], [112, 3, 3]);
    assert_eq!(payloads[1], [0xf0, 1, 0, 3, 112, 2, 2, 2, 3, 3]);
    assert_eq!(payloads[2], payload);
    // What contradicts itself is the receiver's to refuse, and a new subscription needs nothing.
    table.command(Command::Unsubscribe { subscriber: ParticipantId(4), stream: Ssrc(41) });
    table.command(subscribe(4, 41, 1, 11));
    for (number, payload) in [(2, &payload[..]), (3, &[0xf0, 2, 3, 0xff, 112, 1])] {
        let mut red = packet(11, number, 0, payload);
        red[1] = PayloadType::RED.0;
        table.take(address_of(1), red);
    }
    let heard: Vec<_> = table.heard(4).into_iter().map(|heard| heard.payload).collect();
    assert_eq!(heard, [vec![112, 3, 3], vec![0xf0, 2, 3, 0xff, 112, 1]]);
    assert!(table.refused(set_redundancy(2, Ssrc(5), 1)).contains("no stream"));
}

fn set_redundancy(subscriber: u32, stream: Ssrc, redundant_frames: u8) -> Command {
    Command::SetRedundancy { subscriber: ParticipantId(subscriber), stream, redundant_frames }
}

#[test]
fn a_switch_of_source_goes_on_without_a_gap() {
    let mut table = Table::of(3);
    table.command(add_source(1, 11));
    table.command(add_source(2, 12));
    table.command(subscribe(3, 31, 1, 11));
    table.play(1, 11, 500);
    table.now = table.now + Duration::from_millis(10);
    table.command(subscribe(3, 31, 2, 12));
    table.play(1, 11, 501);
    table.play(2, 12, 60_000);
    table.play(2, 12, 60_001);
    let heard = table.heard(3);
    assert_eq!(heard.iter().map(|one| one.number).collect::<Vec<_>>(), [32, 33, 34]);
    assert_eq!(heard[1].timestamp - heard[0].timestamp, 480, "10 ms");
    assert_eq!(heard[2].timestamp - heard[1].timestamp, 120);
    assert_eq!(heard.iter().map(|one| one.marker).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn a_stream_that_was_unsubscribed_keeps_its_numbers() {
    let mut table = pair();
    table.play(1, 11, 100);
    table.command(Command::Unsubscribe { subscriber: ParticipantId(2), stream: Ssrc(21) });
    table.play(1, 11, 101);
    table.command(subscribe(2, 21, 1, 11));
    table.play(1, 11, 102);
    assert_eq!(table.numbers(2), [22, 23], "what it was not sent is not lost");
    table.command(Command::RemoveSource { participant: ParticipantId(1), ssrc: Ssrc(11) });
    table.command(add_source(1, 11));
    table.command(subscribe(2, 21, 1, 11));
    table.play(1, 11, 4);
    assert_eq!(table.numbers(2), [24], "another source: joined on");
}

#[test]
fn a_muted_source_is_silent_and_leaves_no_gap() {
    let mut table = pair();
    table.play(1, 11, 100);
    table.command(set_muted(1, 11, true));
    for number in 101..200 {
        table.play(1, 11, number);
    }
    assert_eq!(table.router.counters().dropped_muted, 99);
    table.command(set_muted(1, 11, false));
    table.play(1, 11, 200);
    assert_eq!(table.numbers(2), [22, 23]);
}

#[test]
fn a_publisher_that_starts_anew_goes_on_at_its_subscribers() {
    let mut table = pair();
    // Over the data channel: an SRTP stream cannot go back in its numbers.
    for number in [30_000, 30_001, 5, 6, 7] {
        let (_, client) = table.clients.get_mut(&1).expect("joined");
        client.send_message(&packet(11, number, 0, &[7])).expect("up");
        table.settle();
    }
    // Only the second packet far off proves the restart.
    assert_eq!(table.numbers(2), [22, 23, 24, 25]);
    assert_eq!(table.router.counters().dropped_astray, 1);
}

#[test]
fn what_comes_twice_is_forwarded_once() {
    let mut table = pair();
    table.play(1, 11, 1);
    table.play(1, 11, 1);
    let (_, client) = table.clients.get_mut(&1).expect("joined");
    client.send_message(&packet(11, 1, 120, &[7])).expect("up");
    table.settle();
    assert_eq!(table.heard(2).len(), 1);
    assert_eq!(table.router.counters().dropped_replayed, 2);
}

#[test]
fn what_is_not_a_packet_of_a_source_is_dropped_by_cause() {
    let mut table = pair();
    let at = address_of(1);
    table.take(at, packet(99, 1, 0, &[7]));
    table.take(at, packet(11, 1, 0, &[]));
    table.take(at, packet(11, 2, 0, &[7; PAYLOAD_BYTES_MAX + 1]));
    table.take(at, packet(11, 3, 0, &[7; DATAGRAM_BYTES_MAX]));
    table.take(at, vec![0x80, 111, 0]);
    table.take(at, vec![255; 40]);
    let mut odd = packet(11, 4, 0, &[7]);
    odd[1] = 5;
    table.take(at, odd);
    table.take(SocketAddr::from(([203, 0, 113, 5], 5)), packet(11, 5, 0, &[7]));
    let counters = *table.router.counters();
    assert_eq!(counters.dropped_unknown_ssrc, 1);
    assert_eq!(counters.dropped_empty, 1);
    assert_eq!(counters.dropped_malformed, 3);
    assert_eq!(counters.dropped_unknown_kind, 1);
    assert_eq!(counters.dropped_payload_type, 1);
    assert_eq!(counters.dropped_unknown_address, 1);
    assert!(table.sent.is_empty());
}

#[test]
fn uplinks_are_reported_each_second_while_something_comes() {
    let mut table = pair();
    for number in [1, 2, 5] {
        table.play(1, 11, number);
    }
    table.events.clear();
    table.run(REPORT_INTERVAL);
    let uplinks = |table: &mut Table| {
        let events = core::mem::take(&mut table.events);
        let uplinks = events.into_iter().filter_map(|event| match event {
            Event::Uplink { received_packets, lost_packets, .. } => {
                Some((received_packets, lost_packets))
            }
            Event::LinkUp { .. }
            | Event::LinkDown { .. }
            | Event::LinkClosed { .. }
            | Event::CommandRefused { .. }
            | Event::OverRate { .. }
            | Event::Downlink { .. }
            | Event::WorkerLoad { .. } => None,
        });
        uplinks.collect::<Vec<_>>()
    };
    assert_eq!(uplinks(&mut table), [(3, 2)]);
    table.run(REPORT_INTERVAL * 3);
    assert_eq!(uplinks(&mut table), []);
}

#[test]
fn calling_handle_twice_before_polling_delays_and_keeps_order() {
    let mut table = pair();
    for number in 1..=5 {
        let mut bytes = packet(11, number, u32::from(number) * 120, &[7]);
        table.router.handle_datagram(table.now, address_of(1), &mut bytes);
    }
    table.settle();
    assert_eq!(table.numbers(2), [22, 23, 24, 25, 26]);
}

#[test]
fn a_source_that_goes_while_its_packets_wait_takes_them_along() {
    let mut table = pair();
    let mut bytes = packet(11, 1, 120, &[7]);
    table.router.handle_datagram(table.now, address_of(1), &mut bytes);
    let gone = Command::RemoveSource { participant: ParticipantId(1), ssrc: Ssrc(11) };
    table.router.handle_command(table.now, gone);
    table.settle();
    assert!(table.sent.is_empty());
}

#[test]
fn forwarding_does_not_allocate() {
    let mut table = Table::of(8);
    table.command(add_source(1, 11));
    for id in 2..=8 {
        table.command(subscribe(id, id * 10, 1, 11));
    }
    table.play(1, 11, 1);
    let mut bytes = packet(11, 0, 0, &[7; 120]);
    let mut buffer = [0; 1500];
    let (now, router) = (table.now, &mut table.router);
    let mut forwarded = 0;
    assert_no_alloc::assert_no_alloc(|| {
        for number in 2..400_u16 {
            bytes[2..4].copy_from_slice(&number.to_be_bytes());
            router.handle_datagram(now, address_of(1), &mut bytes);
            while router.poll_transmit(&mut buffer).is_some() {
                forwarded += 1;
            }
        }
    });
    assert_eq!(forwarded, 398 * 7);
}
