//! Links that come, go, restart and change their addresses.

use core::time::Duration;

use protocol::control::{Command, Event, PayloadTypes};
use protocol::id::ParticipantId;
use protocol::rtp::{PayloadType, Ssrc};

use super::{SERVER, Table, add_source, address_of, open, packet, pair, parameters, subscribe};
use crate::limits::ADDRESS_HELD;
use crate::plain::PlainClient;
use crate::transport::LinkEvent;

#[test]
fn links_come_up_once_and_down_after_silence_and_up_again() {
    let mut table = pair();
    let events = |table: &mut Table, id: u32| -> Vec<&'static str> {
        let events = core::mem::take(&mut table.events);
        let names = events.iter().filter_map(|event| match event {
            Event::LinkUp { participant } if participant.0 == id => Some("up"),
            Event::LinkDown { participant } if participant.0 == id => Some("down"),
            Event::LinkClosed { participant, .. } if participant.0 == id => Some("closed"),
            Event::LinkUp { .. }
            | Event::LinkDown { .. }
            | Event::LinkClosed { .. }
            | Event::CommandRefused { .. }
            | Event::Uplink { .. }
            | Event::OverRate { .. }
            | Event::Downlink { .. }
            | Event::WorkerLoad { .. } => None,
        });
        names.collect()
    };
    assert_eq!(events(&mut table, 2), ["up"]);
    table.play(1, 11, 1);
    assert_eq!(table.numbers(2), [22]);
    let away = table.clients.remove(&2).expect("joined");
    table.run(Duration::from_secs(35));
    assert_eq!(events(&mut table, 2), ["down"]);
    let unheard = play_far_on(&mut table);
    assert_eq!(table.router.counters().unsent_link_down, unheard);
    table.clients.insert(2, away);
    table.run(Duration::from_secs(2));
    assert_eq!(events(&mut table, 2), ["up"]);
    // The gap must not show, or SRTP would lose count.
    for number in [FAR, FAR + 1] {
        table.play(1, 11, number);
    }
    assert_eq!(table.numbers(2), [23, 24]);
}

/// So far that a number after it looks like one long before: more than 32,768 on.
const FAR: u16 = 40_001;

/// Plays as little as leads from number 1 to [`FAR`]; gives how many packets.
fn play_far_on(table: &mut Table) -> u64 {
    let numbers = (2001..FAR).step_by(2000);
    let packets = numbers.clone().count();
    numbers.for_each(|number| table.play(1, 11, number));
    packets as u64
}

#[test]
fn a_stream_that_carried_nothing_for_long_goes_on_without_a_gap() {
    let mut table = pair();
    table.play(1, 11, 1);
    table.command(Command::Unsubscribe { subscriber: ParticipantId(2), stream: Ssrc(21) });
    play_far_on(&mut table);
    table.command(subscribe(2, 21, 1, 11));
    for number in [FAR, FAR + 1] {
        table.play(1, 11, number);
    }
    assert_eq!(table.numbers(2), [22, 23, 24]);
    assert_eq!(table.router.counters().unsent_not_sealed, 0);
}

/// The only payload type of a packet here that is not Opus.
const RED: u8 = PayloadType::RED.0;

#[test]
fn a_stream_goes_on_without_a_gap_after_payloads_that_its_subscriber_does_not_take() {
    let mut table = Table::of(2);
    table.command(add_source(1, 11));
    let payload_types = PayloadTypes { opus: PayloadType::OPUS, red: None, capture_time: false };
    let mut only_opus = subscribe(2, 21, 1, 11);
    if let Command::Subscribe { payload_types: theirs, .. } = &mut only_opus {
        *theirs = payload_types;
    }
    table.command(only_opus);
    table.play(1, 11, 1);
    let numbers = (2001..FAR).step_by(2000);
    let untaken = numbers.clone().count() as u64;
    for number in numbers {
        let mut red = packet(11, number, u32::from(number) * 120, &[7]);
        red[1] = RED;
        table.take(address_of(1), red);
    }
    assert_eq!(table.router.counters().unsent_payload, untaken);
    for number in [FAR, FAR + 1] {
        table.play(1, 11, number);
    }
    assert_eq!(table.numbers(2), [22, 23, 24]);
    assert_eq!(table.router.counters().unsent_not_sealed, 0);
}

#[test]
fn a_link_that_its_participant_ends_is_closed_and_not_only_down() {
    let mut table = pair();
    table.events.clear();
    let (_, client) = table.clients.get_mut(&2).expect("joined");
    client.close();
    table.settle();
    let local_ufrag = parameters("server", 2).ice_ufrag;
    let closed = Event::LinkClosed { participant: ParticipantId(2), local_ufrag };
    assert_eq!(table.events, [closed]);
    table.play(1, 11, 1);
    assert_eq!(table.router.counters().unsent_link_down, 1);
}

#[test]
fn an_ice_restart_changes_credentials_and_nothing_else() {
    let mut table = pair();
    table.play(1, 11, 1);
    let (server, client) = (parameters("fresh", 2), parameters("client-again", 2));
    table.command(Command::RestartIce {
        participant: ParticipantId(2),
        local: server.clone(),
        remote: client.clone(),
    });
    table.play(1, 11, 2);
    let now = table.now;
    let entry = table.clients.get_mut(&2).expect("joined");
    entry.1.restart_ice(now, &client, &server, SERVER.into());
    table.run(Duration::from_secs(30));
    table.play(1, 11, 3);
    assert_eq!(table.numbers(2), [22, 23, 24]);
    assert!(table.clients[&2].1.is_up());
}

#[test]
fn a_closed_link_leaves_nothing_behind() {
    let mut table = pair();
    table.command(add_source(2, 12));
    table.command(subscribe(1, 31, 2, 12));
    table.command(Command::CloseLink { participant: ParticipantId(2) });
    let (_, client) = table.clients.get_mut(&2).expect("joined");
    let closed = core::iter::from_fn(|| client.poll_event()).any(|e| e == LinkEvent::Closed);
    assert!(closed, "the participant was told");
    table.play(1, 11, 1);
    table.play(2, 12, 1);
    assert!(table.sent.is_empty());
    assert_eq!(table.router.links(), 1);
    assert!(table.refused(subscribe(1, 32, 2, 12)).contains("no link"));
    table.join(2, "room");
}

#[test]
fn closing_everything_tells_everybody() {
    let mut table = Table::of(3);
    table.router.close_all(table.now);
    table.settle();
    for (_, client) in table.clients.values_mut() {
        let closed = core::iter::from_fn(|| client.poll_event()).any(|e| e == LinkEvent::Closed);
        assert!(closed);
    }
    assert_eq!(table.router.links(), 0);
}

#[test]
fn an_address_that_is_held_cannot_be_taken_but_one_that_is_left_can() {
    let mut table = pair();
    // Participant 3 knows its own credentials and forges the address of 1.
    table.command(open(3, "room"));
    let (server, client) = (parameters("server", 3), parameters("client", 3));
    let mut thief = PlainClient::new(&client, &server, SERVER.into(), table.now);
    let mut steal = |table: &mut Table| {
        thief.handle_timeout(table.now);
        let mut buffer = [0; 1500];
        while let Some(transmit) = thief.poll_transmit(&mut buffer) {
            let datagram = &mut buffer[..transmit.len];
            table.router.handle_datagram(table.now, address_of(1), datagram);
        }
    };
    steal(&mut table);
    assert_eq!(table.router.counters().dropped_address_held, 1);
    table.play(1, 11, 1);
    assert_eq!(table.heard(2).len(), 1, "1 is heard as before");
    // 1 is gone for good; its address goes to whoever has it then.
    table.clients.remove(&1);
    table.run(ADDRESS_HELD);
    steal(&mut table);
    assert_eq!(table.router.counters().dropped_address_held, 1);
    table.play(1, 11, 2);
    assert_eq!(table.router.counters().dropped_unknown_ssrc, 1, "it is 3's address");
}
