//! The router with encrypted links on a network in memory: no time passes on it, and a datagram may
//! claim any sender.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use protocol::control::{Command, Event, PayloadTypes};
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use sfu::Router;
use sfu_server::EncryptedLink;
use transport::srtp::OpenError;
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkState, Role};

/// The router and native participants around it.
pub(crate) struct Memory {
    pub(crate) now: Instant,
    pub(crate) router: Router<EncryptedLink>,
    pub(crate) members: BTreeMap<u32, Member>,
    pub(crate) events: Vec<Event>,
    certificate: Certificate,
    /// Counts links, so that a later one of the same participant has other credentials.
    links: u32,
    /// Datagrams that left the router so far: receiver, bytes.
    pub(crate) sent: Vec<(SocketAddr, Vec<u8>)>,
    /// Whether [`Self::sent`] is kept.
    pub(crate) recording: bool,
}

/// A native participant.
pub(crate) struct Member {
    pub(crate) link: Link,
    pub(crate) address: SocketAddr,
    pub(crate) heard: Vec<(Ssrc, u16, Vec<u8>)>,
    pub(crate) unopened: Vec<OpenError>,
    /// Compound RTCP packets, opened.
    pub(crate) reports: Vec<Vec<u8>>,
    certificate: Certificate,
    next: BTreeMap<Ssrc, u16>,
    restarts: u32,
}

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 7882);

impl Memory {
    pub(crate) fn new() -> Self {
        let certificate = Certificate::generate().expect("randomness");
        Self {
            now: Instant::from_ns(1_000_000_000),
            router: Router::new(certificate.clone()),
            members: BTreeMap::new(),
            events: Vec::new(),
            certificate,
            links: 0,
            sent: Vec::new(),
            recording: false,
        }
    }

    /// Participants 1 to `count` in one room, everybody publishing and hearing everybody else.
    pub(crate) fn of(count: u32) -> Self {
        let mut memory = Self::new();
        for id in 1..=count {
            memory.join(id, "room");
        }
        for id in 1..=count {
            memory.publish(id, source_of(id));
        }
        for subscriber in 1..=count {
            for publisher in (1..=count).filter(|publisher| *publisher != subscriber) {
                let stream = stream_of(subscriber, publisher);
                memory.subscribe(subscriber, stream, publisher, source_of(publisher));
            }
        }
        memory
    }

    pub(crate) fn join(&mut self, id: u32, room: &str) {
        self.links += 1;
        let certificate = Certificate::generate().expect("randomness");
        let name = format!("{id}.{}", self.links);
        let server = parameters("server", &name, self.certificate.fingerprint());
        let client = parameters("client", &name, certificate.fingerprint());
        self.command(Command::OpenLink {
            participant: ParticipantId(id),
            room: RoomId::parse(room).expect("a name"),
            worker: WorkerId(0),
            local: server.clone(),
            remote: client.clone(),
            data_channel: true,
        });
        let config = LinkConfig {
            role: Role::Client,
            certificate: certificate.clone(),
            local: IceCredentials::from(&client),
            remote: server,
            remote_candidates: vec![SERVER.into()],
            data_channel: true,
        };
        let port = u16::try_from(10_000 + self.links).expect("few links");
        let member = Member {
            link: Link::new(&config, self.now).expect("well formed"),
            address: SocketAddr::from(([198, 51, 100, 1], port)),
            heard: Vec::new(),
            unopened: Vec::new(),
            reports: Vec::new(),
            certificate,
            next: BTreeMap::new(),
            restarts: 0,
        };
        self.members.insert(id, member);
        let deadline = self.now + Duration::from_secs(10);
        while self.members[&id].link.state() != LinkState::Up {
            assert!(self.now < deadline, "participant {id} never came up");
            self.run(Duration::from_millis(10));
        }
    }

    pub(crate) fn publish(&mut self, id: u32, ssrc: Ssrc) {
        self.command(Command::AddSource {
            participant: ParticipantId(id),
            track: TrackId(ssrc.0),
            ssrc,
            payload_types: PayloadTypes::NATIVE,
            packets_per_second: 1000,
        });
    }

    pub(crate) fn subscribe(&mut self, id: u32, stream: Ssrc, publisher: u32, source: Ssrc) {
        self.command(Command::Subscribe {
            subscriber: ParticipantId(id),
            stream,
            publisher: ParticipantId(publisher),
            source,
            payload_types: PayloadTypes::NATIVE,
        });
    }

    pub(crate) fn restart_ice(&mut self, id: u32) {
        let now = self.now;
        let fingerprint = self.certificate.fingerprint().to_owned();
        let member = self.members.get_mut(&id).expect("joined");
        member.restarts += 1;
        let name = format!("{}.{id}.restart{}", self.links, member.restarts);
        let server = parameters("server", &name, &fingerprint);
        let client = parameters("client", &name, member.certificate.fingerprint());
        member
            .link
            .restart_ice(now, IceCredentials::from(&client), &server, &[])
            .expect("well formed");
        let participant = ParticipantId(id);
        self.command(Command::RestartIce { participant, local: server, remote: client });
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.router.handle_command(self.now, command);
        self.settle();
    }

    /// Seals the next packet of a source.
    pub(crate) fn sealed(&mut self, id: u32, source: Ssrc, payload: &[u8]) -> Vec<u8> {
        let member = self.members.get_mut(&id).expect("joined");
        let number = member.next.entry(source).or_insert(100);
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type: PayloadType::OPUS,
            sequence_number: *number,
            timestamp: u32::from(*number) * 120,
            ssrc: source,
            payload,
        };
        *number = number.wrapping_add(1);
        let mut bytes = vec![0; 1400];
        let len = packet.write(&mut bytes).expect("fits");
        let sealer = member.link.sealer_mut().expect("up");
        let len = sealer.seal(&mut bytes, len).expect("numbers rise");
        bytes.truncate(len);
        bytes
    }

    pub(crate) fn play(&mut self, id: u32, payload: &[u8]) {
        let mut bytes = self.sealed(id, source_of(id), payload);
        let from = self.members[&id].address;
        self.take(from, &mut bytes);
    }

    /// A datagram arrives at the router.
    pub(crate) fn take(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        self.router.handle_datagram(self.now, from, datagram);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        let mut buffer = [0; 1500];
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.router.poll_transmit(&mut buffer) {
                quiet = false;
                let datagram = &mut buffer[..transmit.len];
                if self.recording {
                    self.sent.push((transmit.to, datagram.to_vec()));
                }
                let receiver =
                    self.members.values_mut().find(|member| member.address == transmit.to);
                if let Some(member) = receiver {
                    member.take(self.now, datagram);
                }
            }
            for member in self.members.values_mut() {
                while let Some(transmit) = member.link.poll_transmit(&mut buffer) {
                    quiet = false;
                    let datagram = &mut buffer[..transmit.len];
                    self.router.handle_datagram(self.now, member.address, datagram);
                }
            }
            self.events.extend(std::iter::from_fn(|| self.router.poll_event()));
            if quiet {
                return;
            }
        }
    }

    pub(crate) fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let timers = self.members.values().filter_map(|member| member.link.poll_timeout());
            let router = self.router.poll_timeout().map(|wake| wake.0);
            let next = timers.chain(router).min().unwrap_or(end);
            if end < next {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            for member in self.members.values_mut() {
                if member.link.poll_timeout().is_some_and(|due| due <= self.now) {
                    member.link.handle_timeout(self.now);
                }
            }
            self.router.handle_timeout(self.now);
        }
    }
}

impl Member {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let kind = Kind::of(datagram);
        if !matches!(kind, Kind::Rtp | Kind::Rtcp) {
            self.link.handle_datagram(now, SERVER.into(), datagram);
            return;
        }
        let Some(opener) = self.link.opener_mut() else { return };
        if kind == Kind::Rtcp {
            match opener.open_rtcp(datagram) {
                Ok(len) => self.reports.push(datagram[..len].to_vec()),
                Err(error) => self.unopened.push(error),
            }
            return;
        }
        match opener.open(datagram) {
            Ok(len) => {
                let packet = Packet::parse(&datagram[..len]).expect("written properly");
                let payload = packet.payload.to_vec();
                self.heard.push((packet.ssrc, packet.sequence_number, payload));
            }
            Err(error) => self.unopened.push(error),
        }
    }
}

pub(crate) fn source_of(id: u32) -> Ssrc {
    Ssrc(1000 + id)
}

pub(crate) fn stream_of(subscriber: u32, publisher: u32) -> Ssrc {
    Ssrc(1_000_000 * subscriber + publisher)
}

fn parameters(end: &str, name: &str, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{end}{name}"),
        ice_pwd: format!("a long password of {end}{name}"),
        fingerprint: fingerprint.into(),
    }
}

#[test]
fn forwarding_with_encryption_does_not_allocate() {
    let mut memory = Memory::of(8);
    memory.play(1, b"warm");
    let from = memory.members[&1].address;
    let mut packets: Vec<Vec<u8>> =
        (0..400).map(|_| memory.sealed(1, source_of(1), &[7; 120])).collect();
    let (now, router) = (memory.now, &mut memory.router);
    let mut buffer = [0; 1500];
    let mut forwarded = 0;
    assert_no_alloc::assert_no_alloc(|| {
        for packet in &mut packets {
            router.handle_datagram(now, from, packet);
            while router.poll_transmit(&mut buffer).is_some() {
                forwarded += 1;
            }
        }
    });
    assert_eq!(forwarded, 400 * 7);
}
