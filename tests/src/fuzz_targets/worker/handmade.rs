//! A participant without a library of its own for STUN and SCTP, so that it can send what none
//! would. Its DTLS is real.

use core::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::{digest, hmac};
use protocol::signal::LinkParameters;

pub(super) struct Handmade {
    pub(super) address: SocketAddr,
    pub(super) parameters: LinkParameters,
    dtls: dimpl::Dtls,
    /// What DTLS carried here, SCTP packets most likely.
    received: Vec<Vec<u8>>,
    server_tag: u32,
    cookie: Vec<u8>,
    transactions: u32,
}

impl Handmade {
    /// Nothing was sent so far.
    pub(super) fn new(name: &str, address: SocketAddr) -> Self {
        static CERTIFICATE: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
        let (certificate, private_key) = CERTIFICATE.get_or_init(|| {
            let made = dimpl::certificate::generate_self_signed_certificate().expect("randomness");
            (made.certificate, made.private_key)
        });
        let fingerprint = fingerprint(certificate);
        let certificate = dimpl::DtlsCertificate {
            certificate: certificate.clone(),
            private_key: private_key.clone(),
        };
        let origin = std::time::Instant::now();
        let config = dimpl::Config::builder().build().expect("defaults");
        let mut dtls = dimpl::Dtls::new_12(Arc::new(config), certificate, origin);
        dtls.set_active(true);
        // Makes the first flight; the clock stands still after that.
        dtls.handle_timeout(origin).expect("a clock");
        Self {
            address,
            parameters: super::parameters("client", name, &fingerprint),
            dtls,
            received: Vec::new(),
            server_tag: 0,
            cookie: Vec::new(),
            transactions: 0,
        }
    }

    /// An authentic connectivity check that nominates its path.
    pub(super) fn check(&mut self, server: &LinkParameters) -> Vec<u8> {
        self.transactions += 1;
        let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend(format!("hand{:08}", self.transactions).as_bytes());
        let name = format!("{}:{}", server.ice_ufrag, self.parameters.ice_ufrag);
        bytes.extend([0, 6, 0, u8::try_from(name.len()).expect("short")]);
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        // PRIORITY, ICE-CONTROLLING and USE-CANDIDATE.
        bytes.extend([0, 0x24, 0, 4, 0x6e, 0, 1, 0xff]);
        bytes.extend([0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        bytes.extend([0, 0x25, 0, 0]);
        bytes[3] = u8::try_from(bytes.len() - 20 + 24).expect("short");
        let password = server.ice_pwd.as_bytes();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password);
        let tag = hmac::sign(&key, &bytes);
        bytes.extend([0, 8, 0, 20]);
        bytes.extend(tag.as_ref());
        bytes
    }

    /// A DTLS record of the worker's.
    pub(super) fn take(&mut self, datagram: &[u8]) {
        let _refused = self.dtls.handle_packet(datagram);
    }

    /// The records that DTLS wants to send.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing hangs on the rest")]
    pub(super) fn outgoing(&mut self) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let mut buffer = [0; 2048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                dimpl::Output::Packet(packet) => datagrams.push(packet.to_vec()),
                dimpl::Output::ApplicationData(packet) => self.received.push(packet.to_vec()),
                dimpl::Output::Timeout(_) => break,
                _ => {}
            }
        }
        for packet in core::mem::take(&mut self.received) {
            self.learn(&packet);
        }
        datagrams
    }

    /// What an INIT ACK says: the worker's tag, and its cookie.
    fn learn(&mut self, packet: &[u8]) {
        if packet.get(12) != Some(&INIT_ACK) {
            return;
        }
        let tag = packet.get(16..20).and_then(|tag| tag.first_chunk());
        let Some(tag) = tag else { return };
        self.server_tag = u32::from_be_bytes(*tag);
        let mut parameters = packet.get(32..).unwrap_or_default();
        while let Some(head) = parameters.first_chunk::<4>() {
            let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
            if head[..2] == [0, 7] {
                self.cookie = parameters.get(4..len).unwrap_or_default().to_vec();
            }
            parameters = parameters.get(len.max(4).next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// Sends an SCTP packet of one chunk, with the right checksum and, unless it is an INIT, the
    /// worker's tag.
    pub(super) fn send_chunk(&mut self, kind: u8, flags: u8, value: &[u8]) {
        let mut packet = vec![0x13, 0x88, 0x13, 0x88];
        packet.extend(if kind == INIT { 0 } else { self.server_tag }.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend([kind, flags]);
        packet.extend(u16::try_from(4 + value.len()).expect("short").to_be_bytes());
        packet.extend(value);
        packet.resize(packet.len().next_multiple_of(4), 0);
        let checksum = crc32c(&packet).to_le_bytes();
        packet[8..12].copy_from_slice(&checksum);
        self.send_raw(&packet);
    }

    /// Sends bytes where SCTP packets are expected.
    pub(super) fn send_raw(&mut self, packet: &[u8]) {
        let _before_the_handshake = self.dtls.send_application_data(packet);
    }

    /// Sends an INIT, of which `changes` are mixed in from its start on.
    pub(super) fn send_init(&mut self, tag: u8, changes: &[u8]) {
        let mut value = vec![0, 0, 0, tag];
        value.extend(1_000_000_u32.to_be_bytes());
        value.extend([0xff; 4]);
        value.extend(1000_u32.to_be_bytes());
        // FORWARD-TSN and its like are supported.
        value.extend([0xc0, 0, 0, 4, 0x80, 8, 0, 6, 192, 130, 0, 0]);
        mix(&mut value, changes);
        self.send_chunk(INIT, 0, &value);
    }

    /// Sends the last cookie back, likewise.
    pub(super) fn send_cookie(&mut self, changes: &[u8]) {
        let mut cookie = self.cookie.clone();
        mix(&mut cookie, changes);
        self.send_chunk(COOKIE_ECHO, 0, &cookie);
    }

    /// Sends a chunk of data: whole and unordered, as a data channel message is, unless `flags` say
    /// otherwise.
    pub(super) fn send_message(&mut self, number: u8, flags: u8, message: &[u8]) {
        let mut value = (1000 + u32::from(number)).to_be_bytes().to_vec();
        value.extend([0, 0, 0, 0, 0, 0, 0, 53]);
        value.extend(message);
        self.send_chunk(DATA, 7 ^ flags, &value);
    }
}

/// Changes bytes from the start on; those beyond the end are added.
fn mix(bytes: &mut Vec<u8>, changes: &[u8]) {
    for (at, change) in changes.iter().enumerate() {
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= change,
            None => bytes.push(*change),
        }
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

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const COOKIE_ECHO: u8 = 10;
