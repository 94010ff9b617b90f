//! The router over plain links, in virtual time.

mod forwarding;
mod limits;
mod links;
mod room_clock;
mod rtcp;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use protocol::control::{Command, Event, PayloadTypes};
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;

use super::Router;
use crate::plain::{PlainClient, PlainLink};

/// A router and participants around it, on a network that takes no time.
struct Table {
    now: Instant,
    router: Router<PlainLink>,
    clients: BTreeMap<u32, (SocketAddr, PlainClient)>,
    events: Vec<Event>,
    /// RTP that left the router: receiver, packet.
    sent: Vec<(SocketAddr, Vec<u8>)>,
    /// RTCP that left the router: when, receiver, packet.
    reports: Vec<(Instant, SocketAddr, Vec<u8>)>,
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
        worker: WorkerId(0),
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
        packets_per_second: 1000,
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
        capture_time: None,
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
            reports: Vec::new(),
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
                if Kind::of(datagram) == Kind::Rtcp {
                    self.reports.push((self.now, transmit.to, datagram.to_vec()));
                } else if 128 <= datagram[0] {
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
