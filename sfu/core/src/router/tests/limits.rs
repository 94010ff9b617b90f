//! Every limit, reached.

use core::time::Duration;

use protocol::control::{Command, Event};
use protocol::id::ParticipantId;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;

use super::{SERVER, Table, add_source, address_of, open, packet, pair, parameters, subscribe};
use crate::limits::{
    CONTROL_DATAGRAMS_PER_SECOND_MAX, EVENTS_MAX, FAREWELLS_MAX, LINKS_MAX, PENDING_PACKETS_MAX,
    REPORT_INTERVAL, SOURCE_BURST, SOURCE_PACKETS_PER_SECOND_MAX, SOURCES_PER_LINK_MAX,
    STRANGER_STUN_PER_LINK_PER_SECOND_MAX, STRANGER_STUN_PER_SECOND_MAX, STREAMS_PER_LINK_MAX,
    STREAMS_REMEMBERED_PER_LINK_MAX, SUBSCRIBERS_PER_SOURCE_MAX,
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
    table.events.clear();
    for number in 0..2000 {
        table.play(1, 11, number);
    }
    let burst = (SOURCE_BURST * SOURCE_PACKETS_PER_SECOND_MAX).as_secs();
    assert_eq!(table.heard(2).len() as u64, burst);
    assert_eq!(table.router.counters().dropped_source_rate, 2000 - burst);
    // Whoever sent them is told, once for each second of it.
    for expected in [Some(2000 - burst), None] {
        table.run(REPORT_INTERVAL);
        let events = core::mem::take(&mut table.events);
        let told = events.iter().filter_map(|event| {
            let Event::OverRate { participant, track, ssrc, dropped_packets } = event else {
                return None;
            };
            assert_eq!((participant.0, track.0, ssrc.0), (1, 11, 11));
            Some(u64::from(*dropped_packets))
        });
        assert_eq!(told.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
}

#[test]
fn the_rate_of_a_source_is_between_one_and_the_limit() {
    let mut table = Table::of(1);
    for rate in [0, SOURCE_PACKETS_PER_SECOND_MAX + 1] {
        let mut command = add_source(1, 11);
        if let Command::AddSource { packets_per_second, .. } = &mut command {
            *packets_per_second = rate;
        }
        assert!(table.refused(command).contains("packets per second"));
    }
    assert_eq!(table.router.sources(), 0);
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

/// Checks of a stranger for one link, with a password that is guessed.
fn flood(table: &mut Table, id: u32, checks: u32) {
    let wrong = LinkParameters { ice_pwd: "guessed".into(), ..parameters("server", id) };
    let client = parameters("client", id);
    let mut buffer = [0; 1500];
    for _ in 0..checks {
        let mut guess = PlainClient::new(&client, &wrong, SERVER.into(), table.now);
        guess.handle_timeout(table.now);
        let transmit = guess.poll_transmit(&mut buffer).expect("a check");
        let datagram = &mut buffer[..transmit.len];
        table.router.handle_datagram(table.now, address_of(9999), datagram);
    }
}

#[test]
fn stun_of_strangers_for_one_link() {
    let mut table = Table::new();
    table.command(open(1, "room"));
    flood(&mut table, 1, STRANGER_STUN_PER_LINK_PER_SECOND_MAX + 500);
    let counters = *table.router.counters();
    assert_eq!(counters.dropped_stun, u64::from(STRANGER_STUN_PER_LINK_PER_SECOND_MAX));
    assert_eq!(counters.dropped_stranger_link_rate, 500);
    assert_eq!(counters.dropped_stranger_rate + counters.dropped_control_rate, 0);
}

#[test]
fn a_flood_for_one_link_keeps_out_nobody_else() {
    let mut table = Table::of(2);
    flood(&mut table, 1, 3 * (STRANGER_STUN_PER_SECOND_MAX + CONTROL_DATAGRAMS_PER_SECOND_MAX));
    table.join(3, "room");
    // Nor does it take from what the link itself may send.
    table.router.handle_datagram(table.now, address_of(1), &mut [23, b'?']);
    let counters = table.router.counters();
    assert_eq!(counters.dropped_stranger_rate + counters.dropped_control_rate, 0);
    assert!(table.clients[&1].1.is_up());
}

#[test]
fn stun_of_strangers_for_all_links() {
    let mut table = Table::new();
    // The bucket is full, and is filled once more when it is first empty.
    let share = STRANGER_STUN_PER_LINK_PER_SECOND_MAX;
    let links = 2 * STRANGER_STUN_PER_SECOND_MAX / share;
    for id in 1..=links + 2 {
        table.command(open(id, "room"));
        flood(&mut table, id, share);
    }
    let counters = *table.router.counters();
    assert_eq!(counters.dropped_stun, u64::from(2 * STRANGER_STUN_PER_SECOND_MAX));
    assert_eq!(counters.dropped_stranger_rate, u64::from(2 * share));
    assert_eq!(counters.dropped_stranger_link_rate + counters.dropped_control_rate, 0);
}

#[test]
fn control_datagrams_of_a_link() {
    let mut table = Table::new();
    table.join(1, "room");
    // The bucket is filled once more when it is first empty, a second having passed since the
    // beginning; a few were used for joining.
    let before = *table.router.counters();
    for _ in 0..3 * CONTROL_DATAGRAMS_PER_SECOND_MAX {
        table.router.handle_datagram(table.now, address_of(1), &mut [23, b'?']);
    }
    let counters = *table.router.counters();
    let dropped = counters.dropped_control_rate - before.dropped_control_rate;
    let limit = u64::from(CONTROL_DATAGRAMS_PER_SECOND_MAX);
    assert!((limit..limit + 20).contains(&dropped), "{dropped}");
    assert_eq!(counters.dropped_stranger_link_rate + counters.dropped_stranger_rate, 0);
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
