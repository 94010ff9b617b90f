//! A participant made by hand: STUN, DTLS and SCTP as no browser and no library would send them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use protocol::datagram::Kind;
use protocol::time::Instant;
use transport::{Link, LinkEvent, LinkState};

use crate::pair::{certificates, configs};

/// The participant, and the server's end of its link. No time passes between them.
pub(crate) struct Handmade {
    pub(crate) now: Instant,
    pub(crate) server: Link,
    pub(crate) address: SocketAddr,
    dtls: dimpl::Dtls,
    origin: std::time::Instant,
    transactions: u32,
    /// What DTLS carried to the participant.
    received: VecDeque<Vec<u8>>,
    server_tag: u32,
}

/// TSN of the first chunk of data.
pub(crate) const FIRST_NUMBER: u32 = 1000;

pub(crate) const USE_CANDIDATE: &[u8] = &[0, 0x25, 0, 0];

/// A chunk of a data channel message: unordered and whole.
pub(crate) const WHOLE: u8 = 7;

impl Handmade {
    /// Nothing was sent so far.
    #[expect(clippy::disallowed_methods, reason = "an origin, of which only differences are used")]
    pub(crate) fn new() -> Self {
        let made = dimpl::certificate::generate_self_signed_certificate().expect("randomness");
        let [mut config, _] = configs(certificates());
        config.remote.fingerprint = fingerprint(&made.certificate);
        let certificate =
            dimpl::DtlsCertificate { certificate: made.certificate, private_key: made.private_key };
        let now = Instant::from_ns(1_000_000_000);
        let origin = std::time::Instant::now();
        let dtls_config = dimpl::Config::builder().build().expect("defaults");
        let mut dtls = dimpl::Dtls::new_12(Arc::new(dtls_config), certificate, origin);
        dtls.set_active(true);
        Self {
            now,
            server: Link::new(&config, now).expect("well formed"),
            address: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            dtls,
            origin,
            transactions: 0,
            received: VecDeque::new(),
            server_tag: 0,
        }
    }

    /// STUN and DTLS are through.
    pub(crate) fn connected() -> Self {
        let mut handmade = Self::new();
        assert!(handmade.check(USE_CANDIDATE));
        handmade.handshake();
        handmade
    }

    /// SCTP is through as well.
    pub(crate) fn associated() -> Self {
        let mut handmade = Self::connected();
        handmade.associate();
        handmade
    }

    /// A connectivity check from the present address, with attributes before the integrity.
    pub(crate) fn check(&mut self, attributes: &[u8]) -> bool {
        let request = self.request(attributes);
        let accepted = self.server.handle_datagram(self.now, self.address, &request);
        self.exchange();
        accepted
    }

    /// A new authentic connectivity check.
    pub(crate) fn request(&mut self, attributes: &[u8]) -> Vec<u8> {
        self.transactions += 1;
        // ICE-CONTROLLING.
        let attributes = [&[0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], attributes].concat();
        request(self.transactions, ["server", "client"], &attributes)
    }

    /// Lets time pass at both ends.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(due) = self.server.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.server.handle_timeout(self.now);
            self.exchange();
        }
        self.now = end;
    }

    /// Lets time pass at the server until its link is over, while checks go on and all of its DTLS is
    /// lost; gives how often it sent any.
    pub(crate) fn pass_unheard(&mut self) -> usize {
        let mut flights = 0;
        let mut buffer = [0; 1500];
        while self.server.state() != LinkState::Closed {
            let check = self.request(USE_CANDIDATE);
            self.server.handle_datagram(self.now, self.address, &check);
            let mut sent = false;
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                sent |= Kind::of(&buffer[..transmit.len]) == Kind::Dtls;
            }
            flights += usize::from(sent);
            self.now = self.server.poll_timeout().expect("it has not given up").max(self.now);
            self.server.handle_timeout(self.now);
        }
        flights
    }

    /// Runs the DTLS handshake.
    pub(crate) fn handshake(&mut self) {
        self.begin_handshake();
        self.exchange();
        assert!(self.server.sealer_mut().is_some(), "keys are there");
    }

    /// Has DTLS make its first flight.
    pub(crate) fn begin_handshake(&mut self) {
        self.dtls.handle_timeout(self.origin).expect("a clock");
    }

    /// The datagrams that DTLS wants to send.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing hangs on the rest")]
    pub(crate) fn dtls_datagrams(&mut self) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let mut buffer = [0; 2048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => datagrams.push(packet.to_vec()),
                dimpl::Output::ApplicationData(data) => self.received.push_back(data.to_vec()),
                dimpl::Output::Timeout(_) => return datagrams,
                _ => {}
            }
        }
    }

    /// Takes what the server sent; gives whether there was anything.
    pub(crate) fn take(&mut self) -> bool {
        let mut buffer = [0; 1500];
        let mut any = false;
        while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
            any = true;
            if Kind::of(&buffer[..transmit.len]) == Kind::Dtls {
                let _ignored = self.dtls.handle_packet(&buffer[..transmit.len]);
            }
        }
        any
    }

    /// Lets datagrams go back and forth until there are none.
    pub(crate) fn exchange(&mut self) {
        loop {
            let datagrams = self.dtls_datagrams();
            let sent = !datagrams.is_empty();
            for datagram in datagrams {
                self.server.handle_datagram(self.now, self.address, &datagram);
            }
            if !self.take() && !sent {
                return;
            }
        }
    }

    /// Sends chunks in one SCTP packet.
    pub(crate) fn send(&mut self, chunks: &[(u8, u8, Vec<u8>)]) {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88];
        packet.extend(self.server_tag.to_be_bytes());
        packet.extend([0; 4]);
        for (kind, flags, value) in chunks {
            packet.extend([*kind, *flags]);
            packet.extend(u16::try_from(4 + value.len()).expect("short").to_be_bytes());
            packet.extend(value);
            packet.resize(packet.len().next_multiple_of(4), 0);
        }
        let checksum = crc32c(&packet).to_le_bytes();
        packet[8..12].copy_from_slice(&checksum);
        self.dtls.send_application_data(&packet).expect("connected");
        self.exchange();
    }

    /// The SCTP handshake, as the end that begins.
    pub(crate) fn associate(&mut self) {
        self.server_tag = 0;
        self.send(&[(1, 0, init(7))]);
        let answer = self.answers().pop().expect("an INIT ACK");
        assert_eq!(answer[12], 2, "an INIT ACK");
        let tag = answer[16..20].first_chunk().expect("four bytes");
        self.server_tag = u32::from_be_bytes(*tag);
        let cookie = cookie(&answer[32..]).expect("a cookie");
        self.send(&[(10, 0, cookie)]);
        self.pass(Duration::from_secs(1));
        self.answers();
        let opened = core::iter::from_fn(|| self.server.poll_event());
        assert!(opened.into_iter().any(|event| event == LinkEvent::ChannelOpen));
    }

    /// Sends a message in one chunk.
    pub(crate) fn send_message(&mut self, number: u32, stream: u16, flags: u8, message: &[u8]) {
        self.send(&[(0, flags, data(number, stream, message))]);
    }

    /// The SCTP packets that came since it was last asked.
    pub(crate) fn answers(&mut self) -> Vec<Vec<u8>> {
        self.received.drain(..).collect()
    }

    /// Up to which number the server has acknowledged everything, after its delay.
    pub(crate) fn acknowledged(&mut self) -> Option<u32> {
        self.pass(Duration::from_secs(1));
        let acknowledgements = self.answers();
        let last = acknowledgements.iter().rfind(|packet| packet.get(12) == Some(&3))?;
        Some(u32::from_be_bytes(*last[16..].first_chunk()?))
    }

    /// Messages that came through since it was last asked.
    pub(crate) fn messages(&mut self) -> Vec<Vec<u8>> {
        let events = core::iter::from_fn(|| self.server.poll_event());
        let messages = events.filter_map(|event| match event {
            LinkEvent::ChannelMessage(message) => Some(message),
            LinkEvent::Up | LinkEvent::Down | LinkEvent::Closed | LinkEvent::ChannelOpen => None,
        });
        messages.collect()
    }
}

/// The value of an INIT chunk.
/// An authentic connectivity check of one end for the other, `[to, from]`.
pub(crate) fn request(transaction: u32, [to, from]: [&str; 2], attributes: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bytes.extend(format!("number{transaction:06}").as_bytes());
    let name = format!("{to}0:{from}0");
    bytes.extend([0, 6, 0, u8::try_from(name.len()).expect("short")]);
    bytes.extend(name.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    // PRIORITY.
    bytes.extend([0, 0x24, 0, 4, 0x6e, 0, 1, 0xff]);
    bytes.extend(attributes);
    let body = u8::try_from(bytes.len() - 20 + 24).expect("short");
    bytes[3] = body;
    let password = format!("the password of {to}, 0");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    let tag = hmac::sign(&key, &bytes);
    bytes.extend([0, 8, 0, 20]);
    bytes.extend(tag.as_ref());
    bytes
}

pub(crate) fn init(tag: u32) -> Vec<u8> {
    let mut value = tag.to_be_bytes().to_vec();
    value.extend(1_000_000_u32.to_be_bytes());
    value.extend([0xff; 4]);
    value.extend(FIRST_NUMBER.to_be_bytes());
    // FORWARD-TSN supported.
    value.extend([0xc0, 0, 0, 4]);
    value
}

/// The value of a DATA chunk that holds a binary message.
pub(crate) fn data(number: u32, stream: u16, message: &[u8]) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.extend(stream.to_be_bytes());
    value.extend([0, 0, 0, 0, 0, 53]);
    value.extend(message);
    value
}

/// The STATE COOKIE among the parameters of an INIT ACK.
fn cookie(mut parameters: &[u8]) -> Option<Vec<u8>> {
    loop {
        let head = parameters.first_chunk::<4>()?;
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[..2] == [0, 7] {
            return Some(parameters.get(4..len)?.to_vec());
        }
        parameters = parameters.get(len.next_multiple_of(4)..)?;
    }
}

fn fingerprint(certificate: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, certificate);
    let bytes: Vec<String> = hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// CRC-32C (RFC 9260 appendix A), bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}
