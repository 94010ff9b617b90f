//! The router over plain links, in virtual time: one claim after the other.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use protocol::control::{Command, Event, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::limits::{DATAGRAM_BYTES_MAX, PAYLOAD_BYTES_MAX};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;

use super::Router;
use crate::limits::{
    ADDRESS_HELD, CONTROL_DATAGRAMS_PER_SECOND_MAX, EVENTS_MAX, FAREWELLS_MAX, LINKS_MAX,
    PENDING_PACKETS_MAX, REPORT_INTERVAL, SOURCE_BURST_PACKETS_MAX, SOURCES_PER_LINK_MAX,
    STRANGER_STUN_PER_SECOND_MAX, STREAMS_PER_LINK_MAX, STREAMS_REMEMBERED_PER_LINK_MAX,
    SUBSCRIBERS_PER_SOURCE_MAX,
};
use crate::plain::{PlainClient, PlainLink};
use crate::transport::LinkEvent;

/// A router and participants around it, on a network that takes no time.
struct Table {
    now: Instant,
    router: Router<PlainLink>,
    clients: BTreeMap<u32, (SocketAddr, PlainClient)>,
    events: Vec<Event>,
    /// RTP that left the router: receiver, packet.
    sent: Vec<(SocketAddr, Vec<u8>)>,
}

/// What a test looks at in a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    ssrc: u32,
    number: u16,
    timestamp: u32,
    payload_type: u8,
    marker: bool,
    payload: Vec<u8>,
}

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 7882);

fn address_of(id: u32) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], u16::try_from(10_000 + id).expect("small ids")))
}

fn parameters(name: &str, id: u32) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{name}{id}"),
        ice_pwd: format!("password of {name}{id}"),
        fingerprint: String::new(),
    }
}

fn open(id: u32, room: &str) -> Command {
    Command::OpenLink {
        participant: ParticipantId(id),
        room: RoomId::parse(room).expect("a name"),
        local: parameters("server", id),
        remote: parameters("client", id),
        data_channel: true,
    }
}

fn add_source(id: u32, ssrc: u32) -> Command {
    Command::AddSource {
        participant: ParticipantId(id),
        track: TrackId(ssrc),
        ssrc: Ssrc(ssrc),
        payload_types: PayloadTypes::NATIVE,
    }
}

fn subscribe(subscriber: u32, stream: u32, publisher: u32, source: u32) -> Command {
    Command::Subscribe {
        subscriber: ParticipantId(subscriber),
        stream: Ssrc(stream),
        publisher: ParticipantId(publisher),
        source: Ssrc(source),
        payload_types: PayloadTypes::NATIVE,
    }
}

fn set_muted(id: u32, ssrc: u32, muted: bool) -> Command {
    Command::SetMuted { participant: ParticipantId(id), ssrc: Ssrc(ssrc), muted }
}

fn packet(ssrc: u32, number: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let packet = Packet {
        marker: false,
        payload_type: PayloadType::OPUS,
        sequence_number: number,
        timestamp,
        ssrc: Ssrc(ssrc),
        payload,
    };
    let mut bytes = vec![0; DATAGRAM_BYTES_MAX + 100];
    let len = packet.write(&mut bytes).expect("fits");
    bytes.truncate(len);
    bytes
}

impl Table {
    fn new() -> Self {
        Self {
            now: Instant::from_ns(1_000_000_000),
            router: Router::new(()),
            clients: BTreeMap::new(),
            events: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// Participants 1 to `count` in one room, connected.
    fn of(count: u32) -> Self {
        let mut table = Self::new();
        for id in 1..=count {
            table.join(id, "room");
        }
        table
    }

    fn join(&mut self, id: u32, room: &str) {
        self.command(open(id, room));
        let (server, client) = (parameters("server", id), parameters("client", id));
        let client = PlainClient::new(&client, &server, SERVER.into(), self.now);
        self.clients.insert(id, (address_of(id), client));
        self.run(Duration::from_secs(1));
        assert!(self.clients[&id].1.is_up());
    }

    fn command(&mut self, command: Command) {
        self.router.handle_command(self.now, command);
        self.settle();
    }

    fn refused(&mut self, command: Command) -> String {
        self.events.clear();
        self.command(command);
        match self.events.as_slice() {
            [Event::CommandRefused { text, .. }] => text.clone(),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn take(&mut self, from: SocketAddr, mut datagram: Vec<u8>) {
        self.router.handle_datagram(self.now, from, &mut datagram);
        self.settle();
    }

    fn play(&mut self, id: u32, ssrc: u32, number: u16) {
        let timestamp = u32::from(number) * 120;
        self.take(address_of(id), packet(ssrc, number, timestamp, &[7]));
    }

    /// Lets datagrams go back and forth until there are none.
    fn settle(&mut self) {
        let mut buffer = [0; 1500];
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.router.poll_transmit(&mut buffer) {
                quiet = false;
                let datagram = &buffer[..transmit.len];
                let receiver =
                    self.clients.values_mut().find(|(address, _)| *address == transmit.to);
                if 128 <= datagram[0] {
                    self.sent.push((transmit.to, datagram.to_vec()));
                } else if let Some((_, client)) = receiver {
                    client.handle_datagram(self.now, SERVER.into(), datagram);
                }
            }
            for (address, client) in self.clients.values_mut() {
                while let Some(transmit) = client.poll_transmit(&mut buffer) {
                    quiet = false;
                    let datagram = &mut buffer[..transmit.len];
                    self.router.handle_datagram(self.now, *address, datagram);
                }
            }
            self.events.extend(core::iter::from_fn(|| self.router.poll_event()));
            if quiet {
                return;
            }
        }
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let timers = self.clients.values().filter_map(|(_, client)| client.poll_timeout());
            let router = self.router.poll_timeout().map(|wake| wake.0);
            let next = timers.chain(router).min().unwrap_or(end);
            if end < next {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            for (_, client) in self.clients.values_mut() {
                client.handle_timeout(self.now);
            }
            self.router.handle_timeout(self.now);
        }
    }

    /// What a participant was sent since it was last asked.
    fn heard(&mut self, id: u32) -> Vec<Heard> {
        let mut heard = Vec::new();
        self.sent.retain(|(to, bytes)| {
            if *to != address_of(id) {
                return true;
            }
            let packet = Packet::parse(bytes).expect("the router writes properly");
            heard.push(Heard {
                ssrc: packet.ssrc.0,
                number: packet.sequence_number,
                timestamp: packet.timestamp,
                payload_type: packet.payload_type.0,
                marker: packet.marker,
                payload: packet.payload.to_vec(),
            });
            false
        });
        heard
    }

    fn numbers(&mut self, id: u32) -> Vec<u16> {
        self.heard(id).iter().map(|heard| heard.number).collect()
    }
}

/// Two participants; 1 publishes 11, which 2 receives as 21.
fn pair() -> Table {
    let mut table = Table::of(2);
    table.command(add_source(1, 11));
    table.command(subscribe(2, 21, 1, 11));
    table
}

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
            payload_types: PayloadTypes { opus: PayloadType(109), red },
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
    assert_eq!(table.numbers(2), [22, 24], "the same source: its distance stays");
    table.command(Command::RemoveSource { participant: ParticipantId(1), ssrc: Ssrc(11) });
    table.command(add_source(1, 11));
    table.command(subscribe(2, 21, 1, 11));
    table.play(1, 11, 4);
    assert_eq!(table.numbers(2), [25], "another source: joined on");
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
fn links_come_up_once_and_down_after_silence_and_up_again() {
    let mut table = pair();
    let events = |table: &mut Table, id: u32| -> Vec<&'static str> {
        let events = core::mem::take(&mut table.events);
        let names = events.iter().filter_map(|event| match event {
            Event::LinkUp { participant } if participant.0 == id => Some("up"),
            Event::LinkDown { participant } if participant.0 == id => Some("down"),
            _ => None,
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
            _ => None,
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

mod limits {
    use super::*;

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
}
