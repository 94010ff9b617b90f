//! Every limit, reached.

use core::time::Duration;

use protocol::control::Command;
use protocol::id::ParticipantId;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;

use super::{SERVER, Table, add_source, address_of, open, packet, pair, parameters, subscribe};
use crate::limits::{
    CONTROL_DATAGRAMS_PER_SECOND_MAX, EVENTS_MAX, FAREWELLS_MAX, LINKS_MAX, PENDING_PACKETS_MAX,
    SOURCE_BURST_PACKETS_MAX, SOURCES_PER_LINK_MAX, STRANGER_STUN_PER_SECOND_MAX,
    STREAMS_PER_LINK_MAX, STREAMS_REMEMBERED_PER_LINK_MAX, SUBSCRIBERS_PER_SOURCE_MAX,
};
use crate::plain::PlainClient;

#[test]
fn links() {
    let mut table = Table::new();
    let limit = u32::try_from(LINKS_MAX).expect("small");
    for id in 0..limit {
        table.router.handle_command(table.now, open(id, "room"));
    }
    assert!(table.refused(open(limit, "room")).contains("full"));
    assert!(table.refused(open(0, "room")).contains("open already"));
}

#[test]
fn ufrags_are_unique() {
    let mut table = Table::of(1);
    let mut again = open(2, "room");
    if let Command::OpenLink { local, .. } = &mut again {
        *local = parameters("server", 1);
    }
    assert!(table.refused(again).contains("ufrag"));
}

#[test]
fn sources_per_link() {
    let mut table = Table::of(1);
    let limit = u32::try_from(SOURCES_PER_LINK_MAX).expect("small");
    for ssrc in 0..limit {
        table.command(add_source(1, ssrc));
    }
    assert!(table.refused(add_source(1, limit)).contains("already has 16 sources"));
    assert!(table.refused(add_source(1, 0)).contains("already has a source"));
}

#[test]
fn streams_per_link() {
    let mut table = Table::of(2);
    table.command(add_source(1, 11));
    table.command(add_source(1, 12));
    // Each source may have fewer subscribers than a link streams: fill from several.
    for source in 13..13 + 8 {
        table.command(add_source(1, source));
    }
    let mut streams = 0..;
    for source in 11..13 + 8 {
        for stream in streams.by_ref().take(SUBSCRIBERS_PER_SOURCE_MAX) {
            if usize::try_from(stream).expect("small") < STREAMS_PER_LINK_MAX {
                table.command(subscribe(2, stream, 1, source));
            }
        }
    }
    table.events.clear();
    assert!(table.refused(subscribe(2, 5000, 1, 20)).contains("already receives"));
}

#[test]
fn streams_remembered_per_link() {
    let mut table = Table::of(2);
    table.command(add_source(1, 11));
    let limit = u32::try_from(STREAMS_REMEMBERED_PER_LINK_MAX).expect("small");
    for stream in 0..limit {
        table.command(subscribe(2, stream, 1, 11));
        let (subscriber, stream) = (ParticipantId(2), Ssrc(stream));
        table.command(Command::Unsubscribe { subscriber, stream });
    }
    assert!(table.refused(subscribe(2, limit, 1, 11)).contains("new link"));
    table.events.clear();
    table.command(subscribe(2, 0, 1, 11));
    assert_eq!(table.events, [], "one that is remembered still works");
}

#[test]
fn subscribers_per_source() {
    let mut table = Table::of(2);
    table.command(add_source(1, 11));
    let limit = u32::try_from(SUBSCRIBERS_PER_SOURCE_MAX).expect("small");
    for stream in 0..limit {
        table.command(subscribe(2, stream, 1, 11));
    }
    assert!(table.refused(subscribe(2, limit, 1, 11)).contains("subscribers"));
}

#[test]
fn packets_of_a_source() {
    let mut table = pair();
    for number in 0..2000 {
        table.play(1, 11, number);
    }
    let burst = usize::try_from(SOURCE_BURST_PACKETS_MAX).expect("small");
    assert!(table.heard(2).len() <= 2 * burst);
    assert!(0 < table.router.counters().dropped_source_rate);
}

#[test]
fn pending_packets() {
    let mut table = pair();
    for number in 0..100_u16 {
        let mut bytes = packet(11, number, 0, &[7]);
        table.router.handle_datagram(table.now, address_of(1), &mut bytes);
    }
    table.settle();
    assert_eq!(table.heard(2).len(), PENDING_PACKETS_MAX);
    assert_eq!(table.router.counters().dropped_pending, 100 - PENDING_PACKETS_MAX as u64);
}

#[test]
fn stun_of_strangers() {
    let mut table = Table::new();
    table.command(open(1, "room"));
    let wrong = LinkParameters { ice_pwd: "guessed".into(), ..parameters("server", 1) };
    let client = parameters("client", 1);
    // A second's worth, twice: the bucket fills once more when it is first empty.
    for _ in 0..2 * STRANGER_STUN_PER_SECOND_MAX + 100 {
        let mut guess = PlainClient::new(&client, &wrong, SERVER.into(), table.now);
        guess.handle_timeout(table.now);
        let mut buffer = [0; 1500];
        let transmit = guess.poll_transmit(&mut buffer).expect("a check");
        let datagram = &mut buffer[..transmit.len];
        table.router.handle_datagram(table.now, address_of(9), datagram);
    }
    let counters = table.router.counters();
    assert!(0 < counters.dropped_control_rate);
    assert!(0 < counters.dropped_stun);
    assert_eq!(counters.control_received, 0);
}

#[test]
fn control_datagrams_of_a_link() {
    let mut table = pair();
    for _ in 0..3 * CONTROL_DATAGRAMS_PER_SECOND_MAX {
        table.router.handle_datagram(table.now, address_of(1), &mut [23, b'?']);
    }
    assert!(0 < table.router.counters().dropped_control_rate);
}

#[test]
fn events() {
    let mut table = Table::new();
    for id in 0..u32::try_from(EVENTS_MAX).expect("small") + 5 {
        let nobody = Command::CloseLink { participant: ParticipantId(id) };
        table.router.handle_command(table.now, nobody);
    }
    assert_eq!(table.router.counters().dropped_events, 5);
    assert_eq!(core::iter::from_fn(|| table.router.poll_event()).count(), EVENTS_MAX);
}

#[test]
fn farewells() {
    let mut table = Table::new();
    let mut buffer = [0; 1500];
    for id in 0..u32::try_from(FAREWELLS_MAX).expect("small") {
        table.router.handle_command(table.now, open(id, "room"));
        let (server, client) = (parameters("server", id), parameters("client", id));
        let mut client = PlainClient::new(&client, &server, SERVER.into(), table.now);
        client.handle_timeout(table.now);
        let transmit = client.poll_transmit(&mut buffer).expect("a check");
        let datagram = &mut buffer[..transmit.len];
        table.router.handle_datagram(table.now, address_of(9), datagram);
        // Nobody polls, so each leaves an answer and a goodbye.
        let close = Command::CloseLink { participant: ParticipantId(id) };
        table.router.handle_command(table.now, close);
        table.now = table.now + Duration::from_millis(1);
    }
    assert_eq!(table.router.farewells.len(), FAREWELLS_MAX);
}
