//! What the encrypted link reads: STUN, SRTP and SRTCP, and the handshake datagram by datagram.

use core::net::SocketAddr;
use core::time::Duration;
use std::sync::OnceLock;

use protocol::datagram::Kind;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::srtp::{OVERHEAD_BYTES_MAX, Profile, SessionKeys};
use transport::stun::{HEADER_BYTES, Message};
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkState, Role};

/// [`transport::stun`]: an accepted message does not depend on what follows it.
pub fn stun(bytes: &[u8]) {
    let Some(message) = Message::parse(bytes) else { return };
    let body_bytes = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    assert_eq!(Message::parse(&bytes[..HEADER_BYTES + body_bytes]), Some(message));
    assert_eq!(Message::parse(&bytes[..HEADER_BYTES + body_bytes - 1]), None, "it is cut");
    if let Some(ufrag) = message.receiver_ufrag() {
        assert!(message.username.is_some_and(|username| username.starts_with(ufrag)));
    }
}

/// [`transport::srtp`]: the first byte chooses the profile, then come instructions of four bytes.
/// Raw bytes never open, a genuine packet that was changed anywhere does not, and whatever came,
/// the next genuine one does.
pub fn srtp(bytes: &[u8]) {
    let Some((profile, mut rest)) = bytes.split_first() else { return };
    let (profile, material_bytes) = match profile % 3 {
        0 => (Profile::AeadAes256Gcm, 88),
        1 => (Profile::AeadAes128Gcm, 56),
        _ => (Profile::AesCm128HmacSha1, 60),
    };
    let material: Vec<u8> = (0..material_bytes).collect();
    let keys = SessionKeys::from_dtls(profile, &material).expect("as long as it must be");
    let (mut sealer, _) = keys.client_halves().expect("keys of the right length");
    let (_, mut opener) = keys.server_halves().expect("keys of the right length");
    let mut next = 0;
    let mut genuine = || {
        next += 1;
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        let len = write(next, &mut packet);
        let len = sealer.seal(&mut packet, len).expect("a number that is new");
        packet[..len].to_vec()
    };
    while let [operation, a, b, c, tail @ ..] = rest {
        rest = tail;
        let (raw, after) = tail.split_at(usize::from(*a).min(tail.len()));
        match operation % 4 {
            0 => {
                rest = after;
                let mut raw = raw.to_vec();
                assert!(opener.open(&mut raw).is_err(), "{raw:?} was never sealed");
            }
            1 => {
                rest = after;
                let mut raw = raw.to_vec();
                assert!(opener.open_rtcp(&mut raw).is_err(), "{raw:?} was never sealed");
            }
            2 => {
                let mut packet = genuine();
                let at = usize::from(u16::from_be_bytes([*a, *b])) % packet.len();
                packet[at] ^= c;
                let opened = opener.open(&mut packet);
                assert_eq!(opened.is_ok(), *c == 0, "byte {at} changed by {c:#x}: {opened:?}");
            }
            _ => {
                let mut packet = genuine();
                packet.truncate(usize::from(*a));
                let opened = opener.open(&mut packet);
                assert!(opened.is_err(), "cut to {a}: {opened:?}");
            }
        }
    }
    let mut packet = genuine();
    let len = opener.open(&mut packet).expect("it is genuine and new");
    assert!(Packet::parse(&packet[..len]).is_ok_and(|packet| packet.payload.len() == 256));
}

/// A packet whose payload is longer than what [`srtp`] cuts to.
fn write(number: u16, out: &mut [u8]) -> usize {
    let packet = Packet {
        marker: false,
        capture_time: None,
        payload_type: PayloadType::RED,
        sequence_number: number,
        timestamp: u32::from(number) * 64,
        ssrc: Ssrc(7),
        payload: &[42; 256],
    };
    let len = packet.write(out).expect("it fits");
    assert!(len + OVERHEAD_BYTES_MAX <= out.len());
    len
}

/// A handshake of two real ends, and instructions of three bytes: a datagram of the bytes that
/// follow, from a stranger or from the participant's own address to the server, or from the
/// server's to the participant; or some turns of the handshake. Nothing panics, and strangers do
/// not keep the link from coming up.
pub fn link(bytes: &[u8]) {
    let mut pair = Pair::new();
    let mut spoiled = false;
    let mut rest = bytes;
    while let [operation, high, low, tail @ ..] = rest {
        rest = tail;
        if operation % 4 == 3 {
            pair.turn(*low % 8);
            continue;
        }
        let len = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (datagram, after) = tail.split_at(len);
        rest = after;
        match operation % 4 {
            // Only STUN: the router passes DTLS on from addresses that authentic STUN came from.
            0 if Kind::of(datagram) == Kind::Stun => {
                assert!(!pair.server.handle_datagram(pair.now, STRANGER.into(), datagram));
            }
            0 => {}
            1 => {
                pair.server.handle_datagram(pair.now, CLIENT.into(), datagram);
                spoiled = true;
            }
            _ => {
                pair.client.handle_datagram(pair.now, SERVER.into(), datagram);
                spoiled = true;
            }
        }
        pair.turn(0);
    }
    for _ in 0..100 {
        if pair.is_up() {
            return;
        }
        pair.turn(1);
    }
    assert!(spoiled, "strangers kept a link from coming up");
}

/// What the participant of one genuine handshake sends, as input for [`link`]: as it was, and with
/// the ClientHello in two fragments.
#[must_use]
pub(super) fn link_seeds() -> Vec<Vec<u8>> {
    let mut pair = Pair::new();
    while !pair.is_up() {
        pair.turn(1);
    }
    let instruction = |operation: u8, datagram: &[u8]| {
        let len = u16::try_from(datagram.len()).expect("a datagram is short").to_be_bytes();
        [&[operation, len[0], len[1]], datagram].concat()
    };
    let turns = [3, 0, 2];
    let whole: Vec<u8> =
        pair.overheard.iter().flat_map(|datagram| instruction(1, datagram)).collect();
    let hello = pair.overheard.iter().find(|datagram| datagram.first() == Some(&22));
    let [first, second] = fragments(hello.expect("a handshake begins with a ClientHello"));
    let fragmented = [turns.to_vec(), instruction(1, &second), instruction(1, &first)].concat();
    let repeated = [fragmented.clone(), turns.to_vec(), fragmented.clone()].concat();
    vec![whole, fragmented, repeated]
}

/// A record with one handshake message cut in two (RFC 6347 §4.2.3).
pub(super) fn fragments(record: &[u8]) -> [Vec<u8>; 2] {
    const RECORD_HEADER_BYTES: usize = 13;
    const HANDSHAKE_HEADER_BYTES: usize = 12;
    let (headers, body) = record.split_at(RECORD_HEADER_BYTES + HANDSHAKE_HEADER_BYTES);
    let (first, second) = body.split_at(body.len() / 2);
    [(0, first), (first.len(), second)].map(|(offset, body)| {
        let three = |n: usize| u32::try_from(n).expect("a message is short").to_be_bytes();
        let mut bytes = headers.to_vec();
        let record_bytes = u16::try_from(HANDSHAKE_HEADER_BYTES + body.len()).expect("short");
        bytes[11..13].copy_from_slice(&record_bytes.to_be_bytes());
        bytes[19..22].copy_from_slice(&three(offset)[1..]);
        bytes[22..25].copy_from_slice(&three(body.len())[1..]);
        bytes.extend(body);
        bytes
    })
}

/// Both ends of a link, with no time between them.
struct Pair {
    now: Instant,
    server: Link,
    client: Link,
    /// What the client has sent.
    overheard: Vec<Vec<u8>>,
}

impl Pair {
    fn new() -> Self {
        static CERTIFICATES: OnceLock<[Certificate; 2]> = OnceLock::new();
        let generate = || [(); 2].map(|()| Certificate::generate().expect("there is randomness"));
        let [server, client] = CERTIFICATES.get_or_init(generate);
        let now = Instant::from_ns(1_000_000_000);
        let parameters = |name: &str, certificate: &Certificate| LinkParameters {
            ice_ufrag: name.to_owned(),
            ice_pwd: format!("the password of the {name}"),
            fingerprint: certificate.fingerprint().to_owned(),
        };
        let (at_server, at_client) = (parameters("server", server), parameters("client", client));
        let link = |role, own: &Certificate, local: &LinkParameters, remote: &LinkParameters| {
            let config = LinkConfig {
                role,
                certificate: own.clone(),
                local: IceCredentials::from(local),
                remote: remote.clone(),
                remote_candidates: vec![SERVER.into()],
                data_channel: true,
            };
            Link::new(&config, now).expect("well formed")
        };
        Self {
            now,
            server: link(Role::Server, server, &at_server, &at_client),
            client: link(Role::Client, client, &at_client, &at_server),
            overheard: Vec::new(),
        }
    }

    fn is_up(&self) -> bool {
        self.server.state() == LinkState::Up && self.client.state() == LinkState::Up
    }

    /// Lets time pass a few times, and datagrams go back and forth.
    fn turn(&mut self, times: u8) {
        for _ in 0..times {
            self.now = self.now + Duration::from_millis(50);
            self.server.handle_timeout(self.now);
            self.client.handle_timeout(self.now);
            self.exchange();
        }
        self.exchange();
        while self.server.poll_event().is_some() || self.client.poll_event().is_some() {}
    }

    fn exchange(&mut self) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        // Two ends that answered each other for ever would be a bug too.
        for _ in 0..EXCHANGES_MAX {
            let mut quiet = true;
            while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
                quiet = false;
                self.overheard.push(buffer[..transmit.len].to_vec());
                self.server.handle_datagram(self.now, CLIENT.into(), &buffer[..transmit.len]);
            }
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                quiet = false;
                if transmit.to == SocketAddr::from(CLIENT) {
                    self.client.handle_datagram(self.now, SERVER.into(), &buffer[..transmit.len]);
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the two ends answer each other for ever");
    }
}

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 7882);
const CLIENT: ([u8; 4], u16) = ([198, 51, 100, 1], 40_000);
const STRANGER: ([u8; 4], u16) = ([203, 0, 113, 1], 9);

/// A handshake takes about ten; every datagram of a wild input may be answered once.
const EXCHANGES_MAX: usize = 1000;
