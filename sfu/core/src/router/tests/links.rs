//! Links that come, go, restart and change their addresses.

use core::time::Duration;

use protocol::control::{Command, Event};
use protocol::id::ParticipantId;

use super::{SERVER, Table, add_source, address_of, open, pair, parameters, subscribe};
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
            Event::LinkUp { .. }
            | Event::LinkDown { .. }
            | Event::CommandRefused { .. }
            | Event::Uplink { .. } => None,
        });
        names.collect()
    };
    assert_eq!(events(&mut table, 2), ["up"]);
    let away = table.clients.remove(&2).expect("joined");
    table.run(Duration::from_secs(20));
    assert_eq!(events(&mut table, 2), ["down"]);
    table.play(1, 11, 1);
    assert_eq!(table.router.counters().unsent_link_down, 1);
    table.clients.insert(2, away);
    table.run(Duration::from_secs(2));
    assert_eq!(events(&mut table, 2), ["up"]);
    // A long way on: the gap must not show, or SRTP would lose count.
    for number in [2, 3] {
        table.play(1, 11, number);
    }
    assert_eq!(table.numbers(2), [22, 23]);
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
