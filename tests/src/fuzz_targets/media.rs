//! The cores that take bytes from the network: the SFU's router and the engine's receiving half.

use core::net::SocketAddr;
use core::time::Duration;

use engine::{Channels, SessionConfig};
use protocol::codec::Codec;
use protocol::control::{Command, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use sfu::Router;
use sfu::plain::{PlainClient, PlainLink};
use sfu::transport::Link;

const ANN: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);
const SOURCE: Ssrc = Ssrc(11);
const STREAM: Ssrc = Ssrc(22);

/// Instructions of four bytes each: a datagram of the bytes that follow, from a stranger or from
/// Ann's own address; a data channel message of Ann's; a command about whatever participants and
/// SSRCs the bytes name; time. In the end Bob still receives what Ann sends.
pub fn router(bytes: &[u8]) {
    let mut world = RouterWorld::new();
    let mut rest = bytes;
    while let [operation, a, b, c, tail @ ..] = rest {
        rest = tail;
        match operation % 8 {
            0..4 => {
                let (datagram, after) = tail.split_at(usize::from(*a).min(tail.len()));
                rest = after;
                let own = operation % 2 == 1;
                let from = if own { world.addresses[0] } else { stranger(*b) };
                // Nothing is secret on this link: whoever writes its goodbye or Bob's password
                // is Ann or Bob.
                let forged = datagram == GOODBYE
                    || PlainLink::receiver_ufrag(datagram)
                        == Some(parameters("server", BOB).ice_ufrag.as_str());
                if !forged {
                    world.router.handle_datagram(world.now, from, &mut datagram.to_vec());
                }
            }
            6 => {
                let (message, after) = tail.split_at(usize::from(*a).min(tail.len()));
                rest = after;
                // The link may be down for a long silence; then nothing is sent.
                let _ = world.clients[0].send_message(message);
                world.settle();
            }
            4 => world.now = world.now + Duration::from_millis(u64::from(*a) * 8),
            5 => world.router.handle_timeout(world.now),
            _ => {
                // Participants 3 to 6 and SSRCs of their own: strangers to Ann and Bob.
                let participant = ParticipantId(3 + u32::from(*a % 4));
                let command = command(*b, participant, Ssrc(100 + u32::from(*c % 4)));
                world.router.handle_command(world.now, command);
            }
        }
        world.drain();
    }
    world.must_forward();
}

/// What ends a link without encryption.
const GOODBYE: &[u8] = &[23, b'C'];

fn stranger(host: u8) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, host], 9))
}

fn command(kind: u8, participant: ParticipantId, ssrc: Ssrc) -> Command {
    let payload_types = PayloadTypes::NATIVE;
    let other = ParticipantId(3 + participant.0 % 4);
    match kind % 9 {
        0 | 1 => open(participant),
        2 => Command::CloseLink { participant },
        3 => Command::AddSource {
            participant,
            track: TrackId(9),
            ssrc,
            payload_types,
            packets_per_second: 400,
        },
        4 => Command::RemoveSource { participant, ssrc },
        5 => Command::Subscribe {
            subscriber: participant,
            stream: ssrc,
            publisher: other,
            source: ssrc,
            payload_types,
        },
        6 => Command::Unsubscribe { subscriber: participant, stream: ssrc },
        8 => Command::SetRedundancy {
            subscriber: participant,
            stream: ssrc,
            redundant_frames: kind % 4,
        },
        _ => Command::SetMuted { participant, ssrc, muted: kind.is_multiple_of(16) },
    }
}

fn parameters(of: &str, participant: ParticipantId) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{of}{}", participant.0),
        ice_pwd: "p".repeat(24),
        fingerprint: ["AB"; 32].join(":"),
    }
}

fn server_address() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 7882))
}

fn open(participant: ParticipantId) -> Command {
    Command::OpenLink {
        participant,
        room: RoomId::parse("jam").expect("a good name"),
        worker: WorkerId(0),
        local: parameters("server", participant),
        remote: parameters("app", participant),
        data_channel: true,
    }
}

/// A router with Ann, whom Bob hears.
struct RouterWorld {
    router: Router<PlainLink>,
    now: Instant,
    /// Ann's and Bob's.
    addresses: [SocketAddr; 2],
    clients: [PlainClient; 2],
}

impl RouterWorld {
    fn new() -> Self {
        let now = Instant::ZERO;
        let client = |participant| {
            let (app, server) = (parameters("app", participant), parameters("server", participant));
            PlainClient::new(&app, &server, server_address(), now)
        };
        let mut world = Self {
            router: Router::new(()),
            now,
            addresses: [1, 2].map(|host| SocketAddr::from(([198, 51, 100, host], 5))),
            clients: [ANN, BOB].map(client),
        };
        let payload_types = PayloadTypes::NATIVE;
        let (participant, track) = (ANN, TrackId(1));
        for command in [
            open(ANN),
            open(BOB),
            Command::AddSource {
                participant,
                track,
                ssrc: SOURCE,
                payload_types,
                packets_per_second: 1000,
            },
            Command::Subscribe {
                subscriber: BOB,
                stream: STREAM,
                publisher: ANN,
                source: SOURCE,
                payload_types,
            },
        ] {
            world.router.handle_command(world.now, command);
        }
        world.settle();
        assert!(world.clients.iter().all(PlainClient::is_up), "two checks and two greetings");
        world
    }

    /// Lets the links of Ann and Bob do what is due: checks, the handshake, messages.
    fn settle(&mut self) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        loop {
            let mut quiet = true;
            for (client, address) in self.clients.iter_mut().zip(self.addresses) {
                if client.poll_timeout().is_some_and(|due| due <= self.now) {
                    client.handle_timeout(self.now);
                }
                while let Some(transmit) = client.poll_transmit(&mut buffer) {
                    quiet = false;
                    let datagram = &mut buffer[..transmit.len];
                    self.router.handle_datagram(self.now, address, datagram);
                }
            }
            if quiet {
                return;
            }
            self.drain();
        }
    }

    /// Gives how many RTP packets of Ann's went to Bob, and what else is theirs to their links.
    fn drain(&mut self) -> usize {
        let (mut buffer, mut heard) = ([0; DATAGRAM_BYTES_MAX], 0);
        while let Some(transmit) = self.router.poll_transmit(&mut buffer) {
            assert!(transmit.len <= DATAGRAM_BYTES_MAX);
            let datagram = &buffer[..transmit.len];
            let forwarded = Packet::parse(datagram).is_ok_and(|packet| packet.ssrc == STREAM);
            heard += usize::from(forwarded && transmit.to == self.addresses[1]);
            if let Some(whose) = self.addresses.iter().position(|at| *at == transmit.to) {
                self.clients[whose].handle_datagram(self.now, server_address(), datagram);
            }
        }
        while self.router.poll_event().is_some() {}
        heard
    }

    fn must_forward(&mut self) {
        // Long enough that no rate limit still holds.
        self.now = self.now + Duration::from_secs(2);
        self.router.handle_timeout(self.now);
        self.settle();
        // Without encryption, whoever forges Ann's address is Ann and may have used any numbers: of
        // the four quarters of them, one at least is new.
        let mut heard = 0;
        for quarter in 0..4_u16 {
            for i in 0..8_u16 {
                let packet = Packet {
                    marker: false,
                    capture_time: None,
                    payload_type: PayloadType::OPUS,
                    sequence_number: (quarter << 14) + 5_000 + i,
                    timestamp: u32::from(i) * 120,
                    ssrc: SOURCE,
                    payload: &[1, 2, 3],
                };
                let mut bytes = [0; 32];
                let len = packet.write(&mut bytes).expect("it fits");
                self.router.handle_datagram(self.now, self.addresses[0], &mut bytes[..len]);
                heard += self.drain();
            }
        }
        assert!(4 <= heard, "Bob receives {heard} of 32 packets");
    }
}

/// Packets with a length byte before each, from a remote and about it, with periods rendered in
/// between: nothing panics, and what is played is a number within full scale.
pub fn engine(bytes: &[u8]) {
    let config = SessionConfig { period_frames_max: 64, ..SessionConfig::default() };
    let mut session = engine::session(&config).expect("a period that any card has");
    session.control.add_remote(SOURCE, Channels::Mono).expect("the first remote");
    let (mut left, mut right) = ([0.0_f32; 64], [0.0_f32; 64]);
    let mut now = Instant::ZERO;
    let mut rest = bytes;
    while let [len, tail @ ..] = rest {
        let (packet, after) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = after;
        // Refusals are fine; what is taken must be playable.
        let _ = session.incoming.handle_packet(now, packet);
        for _ in 0..=len % 4 {
            now = now + Duration::from_micros(1_333);
            session.render.render(now, &mut [&mut left, &mut right]);
            let sound = left.iter().chain(&right);
            assert!(sound.clone().all(|sample| sample.is_finite() && sample.abs() <= 1.01));
        }
    }
    let stats = session.control.stats();
    let remote = stats.remotes.first().expect("it is still there");
    assert!(remote.concealed_frames <= remote.played_frames, "{remote:?}");
}

/// A few packets of a real engine, for a corpus: what [`engine()`] takes.
#[must_use]
pub(super) fn engine_seed(codec: Codec) -> Vec<u8> {
    let config = SessionConfig { period_frames_max: 64, ..SessionConfig::default() };
    let mut session = engine::session(&config).expect("a period that any card has");
    let encoding = engine::Encoding::new(codec, SOURCE);
    session.control.set_encodings(&[encoding]).expect("every codec can be sent");
    let tone = crate::sound::sine(440.0, 0.5, 64);
    let (mut out, mut buffer) = (Vec::new(), [0; DATAGRAM_BYTES_MAX]);
    for _ in 0..16 {
        session.capture.capture(&[&tone]);
        while let Some(len) = session.outgoing.poll_packet(&mut buffer) {
            out.push(u8::try_from(len).unwrap_or(u8::MAX));
            out.extend_from_slice(&buffer[..len]);
        }
    }
    out
}
