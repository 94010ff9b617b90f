//! Participants with real sockets and real encryption, driven by the test's own thread.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as StdInstant};

use protocol::control::{Command, Event, PayloadTypes};
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sfu_server::{Commands, Sfu, SfuConfig, SfuHandle};
use transport::srtp::{SrtpOpener, SrtpSealer};
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkEvent, Role};

/// A running server, its events, and the clock of the test.
pub(crate) struct Stage {
    pub(crate) sfu: SfuHandle,
    pub(crate) commands: Commands,
    pub(crate) events: Receiver<Event>,
    /// Where participants who join are told to find the server.
    pub(crate) address: SocketAddr,
    started: StdInstant,
    settled: Cell<u32>,
}

/// A native participant.
pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    pub(crate) link: Link,
    pub(crate) socket: UdpSocket,
    pub(crate) sealer: Option<SrtpSealer>,
    pub(crate) opener: Option<SrtpOpener>,
    pub(crate) server: LinkParameters,
    pub(crate) channel_open: bool,
    /// RTP packets that arrived, in order: stream, sequence number, timestamp, payload.
    pub(crate) heard: Vec<(Ssrc, u16, u32, Vec<u8>)>,
    /// Sequence number of the next packet of each source.
    next: BTreeMap<Ssrc, u16>,
    restarts: u32,
}

/// The longest that anything awaited here may take; never reached in a test that passes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A refused command of this participant keeps its worker busy for so long.
pub(crate) const BUSY: ParticipantId = ParticipantId(999_999);
pub(crate) const BUSY_FOR: Duration = Duration::from_millis(60);

impl Stage {
    pub(crate) fn new() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn at(media: SocketAddr) -> Self {
        Self::with_config(&SfuConfig { media, ..SfuConfig::default() })
    }

    pub(crate) fn with_config(config: &SfuConfig) -> Self {
        let (sender, events) = channel();
        let sfu = Sfu::start(config, move |event| {
            if matches!(&event, Event::CommandRefused { participant, .. } if *participant == BUSY) {
                let end = StdInstant::now() + BUSY_FOR;
                while StdInstant::now() < end {}
            }
            drop(sender.send(event));
        });
        let sfu = sfu.expect("a loopback port is free");
        let commands = sfu.commands();
        let address = sfu.description().workers[0].candidates[0];
        Self { address, sfu, commands, events, started: StdInstant::now(), settled: Cell::new(0) }
    }

    pub(crate) fn now(&self) -> Instant {
        let ns = self.started.elapsed().as_nanos();
        Instant::from_ns(u64::try_from(ns).expect("a short test"))
    }

    pub(crate) fn command(&self, command: Command) {
        self.commands.send(command).expect("the server takes commands");
    }

    /// Opens both ends of a participant's link.
    pub(crate) fn join(&self, id: u32, room: &str) -> Participant {
        self.join_on(WorkerId(0), id, room)
    }

    pub(crate) fn join_on(&self, worker: WorkerId, id: u32, room: &str) -> Participant {
        let id = ParticipantId(id);
        let certificate = Certificate::generate().expect("randomness");
        let description = self.sfu.description();
        let server = server_parameters(id, 0, &description.fingerprint);
        let client = client_parameters(id, 0, certificate.fingerprint());
        self.command(Command::OpenLink {
            participant: id,
            room: RoomId::parse(room).expect("a name"),
            worker,
            local: server.clone(),
            remote: client.clone(),
            data_channel: true,
        });
        let address = description.workers[usize::from(worker.0)].candidates[0];
        let config = LinkConfig {
            role: Role::Client,
            certificate,
            local: IceCredentials::from(&client),
            remote: server.clone(),
            remote_candidates: vec![address],
            data_channel: true,
        };
        Participant {
            id,
            link: Link::new(&config, self.now()).expect("well formed parameters"),
            socket: bind_like(address),
            sealer: None,
            opener: None,
            server,
            channel_open: false,
            heard: Vec::new(),
            next: BTreeMap::new(),
            restarts: 0,
        }
    }

    /// Joins and waits until everybody is connected, data channels included.
    pub(crate) fn join_all(&self, ids: &[u32], room: &str) -> Vec<Participant> {
        let mut participants: Vec<_> = ids.iter().map(|id| self.join(*id, room)).collect();
        self.connect(&mut participants);
        participants
    }

    /// Waits until everybody is connected, data channels included.
    pub(crate) fn connect(&self, participants: &mut [Participant]) {
        self.run_until(participants, |all| {
            all.iter().all(|one| one.sealer.is_some() && one.channel_open)
        });
    }

    pub(crate) fn publish(&self, publisher: &Participant, source: Ssrc) {
        self.command(Command::AddSource {
            participant: publisher.id,
            track: TrackId(source.0),
            ssrc: source,
            payload_types: PayloadTypes::NATIVE,
            packets_per_second: 1000,
        });
    }

    pub(crate) fn subscribe(&self, subscriber: u32, stream: Ssrc, publisher: u32, source: Ssrc) {
        self.command(Command::Subscribe {
            subscriber: ParticipantId(subscriber),
            stream,
            publisher: ParticipantId(publisher),
            source,
            payload_types: PayloadTypes::NATIVE,
        });
    }

    /// Everybody publishes one source and hears everybody else; gives who hears whom under which
    /// SSRC.
    pub(crate) fn connect_all(&self, participants: &[Participant]) {
        for one in participants {
            self.publish(one, source_of(one.id));
        }
        for one in participants {
            for other in participants.iter().filter(|other| other.id != one.id) {
                let stream = stream_of(one.id, other.id);
                self.subscribe(one.id.0, stream, other.id.0, source_of(other.id));
            }
        }
    }

    /// Waits until every command so far is carried out: one that must be refused comes back.
    pub(crate) fn settle(&self, participants: &mut [Participant]) {
        self.settled.set(self.settled.get() + 1);
        let nobody = ParticipantId(1_000_000 + self.settled.get());
        self.command(Command::CloseLink { participant: nobody });
        self.await_event(participants, |event| {
            matches!(event, Event::CommandRefused { participant, .. } if *participant == nobody)
        });
    }

    /// Drives everybody until `done`, or fails.
    pub(crate) fn run_until(
        &self,
        participants: &mut [Participant],
        mut done: impl FnMut(&mut [Participant]) -> bool,
    ) {
        let deadline = StdInstant::now() + PATIENCE;
        loop {
            for one in participants.iter_mut() {
                one.drive(self.now());
            }
            if done(participants) {
                return;
            }
            assert!(
                StdInstant::now() < deadline,
                "never came: {:?} {:?}",
                participants,
                self.sfu.counters()
            );
            let due = participants.iter().filter_map(|one| one.link.poll_timeout()).min();
            let wait = due.map_or(PATIENCE, |due| due.saturating_since(self.now()));
            // Events of the server have no descriptor to wait for: look at least now and then.
            let wait = wait.min(Duration::from_millis(10));
            let mut watched: Vec<PollFd<'_>> =
                participants.iter().map(|one| PollFd::new(&one.socket, PollFlags::IN)).collect();
            let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
            let _ready = poll(&mut watched, Some(&timeout)).expect("poll works");
        }
    }

    /// Waits for an event of the server.
    pub(crate) fn await_event(
        &self,
        participants: &mut [Participant],
        wanted: impl Fn(&Event) -> bool,
    ) -> Event {
        let mut found = None;
        self.run_until(participants, |_| {
            found = self.events.try_iter().find(|event| wanted(event));
            found.is_some()
        });
        found.expect("awaited")
    }
}

impl Participant {
    /// Takes in and sends out what there is.
    pub(crate) fn drive(&mut self, now: Instant) {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            self.take(now, from, &mut buffer[..len]);
        }
        if self.link.poll_timeout().is_some_and(|due| due <= now) {
            self.link.handle_timeout(now);
        }
        while let Some(event) = self.link.poll_event() {
            match event {
                LinkEvent::Up if self.sealer.is_none() => {
                    self.sealer = self.link.take_sealer();
                    self.opener = self.link.take_opener();
                }
                LinkEvent::ChannelOpen => self.channel_open = true,
                LinkEvent::Up
                | LinkEvent::Down
                | LinkEvent::Closed
                | LinkEvent::ChannelMessage(_) => {}
            }
        }
        while let Some(transmit) = self.link.poll_transmit(&mut buffer) {
            self.socket.send_to(&buffer[..transmit.len], transmit.to).expect("loopback sends");
        }
    }

    fn take(&mut self, now: Instant, from: SocketAddr, datagram: &mut [u8]) {
        match Kind::of(datagram) {
            Kind::Rtp => {
                let Some(opener) = &mut self.opener else { return };
                let len = opener.open(datagram).expect("the server seals properly");
                let packet = Packet::parse(&datagram[..len]).expect("the server writes properly");
                self.heard.push((
                    packet.ssrc,
                    packet.sequence_number,
                    packet.timestamp,
                    packet.payload.to_vec(),
                ));
            }
            Kind::Stun | Kind::Dtls => {
                self.link.handle_datagram(now, from, datagram);
            }
            Kind::Rtcp | Kind::Unknown => {}
        }
    }

    /// The next packet of a source, not encrypted.
    pub(crate) fn packet(&mut self, source: Ssrc, payload: &[u8]) -> Vec<u8> {
        let number = self.next.entry(source).or_insert(100);
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
        let mut bytes = vec![0; 1500];
        let len = packet.write(&mut bytes).expect("fits");
        bytes.truncate(len);
        bytes
    }

    /// The next packet of a source, sealed as it goes onto the wire.
    pub(crate) fn sealed(&mut self, source: Ssrc, payload: &[u8]) -> Vec<u8> {
        let mut bytes = self.packet(source, payload);
        let len = bytes.len();
        bytes.resize(len + 32, 0);
        let sealer = self.sealer.as_mut().expect("the link is up");
        let len = sealer.seal(&mut bytes, len).expect("numbers rise");
        bytes.truncate(len);
        bytes
    }

    /// Sends a packet over RTP.
    pub(crate) fn play(&mut self, source: Ssrc, payload: &[u8]) {
        let bytes = self.sealed(source, payload);
        let address = self.link.address().expect("the link is up");
        self.socket.send_to(&bytes, address).expect("loopback sends");
    }

    /// Sends a packet over the data channel.
    pub(crate) fn play_over_channel(&mut self, now: Instant, source: Ssrc, payload: &[u8]) {
        let bytes = self.packet(source, payload);
        self.link.send_channel(&bytes).expect("the channel is open");
        self.drive(now);
    }

    /// New ICE credentials on both ends, as signalling would give them.
    pub(crate) fn restart_ice(&mut self, stage: &Stage) {
        self.restarts += 1;
        let fingerprint = &stage.sfu.description().fingerprint;
        self.server = server_parameters(self.id, self.restarts, fingerprint);
        let client = client_parameters(self.id, self.restarts, fingerprint);
        stage.command(Command::RestartIce {
            participant: self.id,
            local: self.server.clone(),
            remote: client.clone(),
        });
        let local = IceCredentials::from(&client);
        let restarted = self.link.restart_ice(stage.now(), local, &self.server, &[]);
        restarted.expect("well formed parameters");
    }

    /// Moves to another port, as behind a NAT that forgot.
    pub(crate) fn move_away(&mut self) {
        self.socket = bind_like(self.socket.local_addr().expect("bound"));
    }

    /// Payloads heard on a stream.
    pub(crate) fn heard_on(&self, stream: Ssrc) -> Vec<&[u8]> {
        let on_stream = self.heard.iter().filter(|packet| packet.0 == stream);
        on_stream.map(|packet| packet.3.as_slice()).collect()
    }
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} heard {}", self.id, self.link, self.heard.len())
    }
}

pub(crate) fn source_of(participant: ParticipantId) -> Ssrc {
    Ssrc(1000 + participant.0)
}

pub(crate) fn stream_of(subscriber: ParticipantId, publisher: ParticipantId) -> Ssrc {
    Ssrc(1_000_000 * subscriber.0 + publisher.0)
}

fn server_parameters(id: ParticipantId, restarts: u32, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("server{}r{restarts}", id.0),
        ice_pwd: format!("server password {} {restarts} of a test", id.0),
        fingerprint: fingerprint.into(),
    }
}

pub(crate) fn client_parameters(
    id: ParticipantId,
    restarts: u32,
    fingerprint: &str,
) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("client{}r{restarts}", id.0),
        ice_pwd: format!("client password {} {restarts} of a test", id.0),
        fingerprint: fingerprint.into(),
    }
}

fn bind_like(address: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::new(address.ip(), 0)).expect("a free port");
    socket.set_nonblocking(true).expect("supported");
    socket
}
