//! A participant with a native engine's end of a link, and what may go wrong on the way to the
//! worker.

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};

use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::srtp::{SrtpOpener, SrtpSealer};
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkEvent, Role};

use super::super::link::fragments;
use super::SERVER;

pub(super) struct Person {
    pub(super) link: Link,
    pub(super) address: SocketAddr,
    /// Every address from which the worker was sent what is this participant's.
    pub(super) claimed: Vec<SocketAddr>,
    pub(super) sealer: Option<SrtpSealer>,
    opener: Option<SrtpOpener>,
    /// What came before there were keys: the worker may have had them earlier.
    early: Vec<Vec<u8>>,
    next: BTreeMap<Ssrc, u16>,
    /// What happens to the next control datagram.
    pub(super) spoil: VecDeque<Spoil>,
    /// The worker's end is called so.
    pub(super) remote_ufrag: String,
}

/// What happens to a datagram on its way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spoil {
    Lose,
    Change { at: u8, by: u8 },
    Cut { to: u8 },
    Repeat,
    Fragment,
}

impl Person {
    pub(super) fn new(
        certificate: &Certificate,
        client: &LinkParameters,
        server: &LinkParameters,
        address: SocketAddr,
        now: Instant,
    ) -> Self {
        let config = LinkConfig {
            role: Role::Client,
            certificate: certificate.clone(),
            local: IceCredentials::from(client),
            remote: server.clone(),
            remote_candidates: vec![SERVER.into()],
            data_channel: true,
        };
        Self {
            link: Link::new(&config, now).expect("well formed"),
            address,
            claimed: vec![address],
            sealer: None,
            opener: None,
            early: Vec::new(),
            next: BTreeMap::new(),
            spoil: VecDeque::new(),
            remote_ufrag: server.ice_ufrag.clone(),
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.sealer.is_some()
    }

    /// Takes a STUN or DTLS datagram of the worker's.
    pub(super) fn take_control(&mut self, now: Instant, datagram: &[u8]) {
        self.link.handle_datagram(now, SERVER.into(), datagram);
        self.take_events();
    }

    /// Lets timers run.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.link.poll_timeout().is_some_and(|due| due <= now) {
            self.link.handle_timeout(now);
            self.take_events();
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.link.poll_event() {
            if event == LinkEvent::Up && self.sealer.is_none() {
                self.sealer = self.link.take_sealer();
                self.opener = self.link.take_opener();
                for mut packet in core::mem::take(&mut self.early) {
                    self.open(&mut packet);
                }
            }
        }
    }

    /// Opens what the worker sealed: what does not open was sealed twice or for somebody else.
    /// `None` where there are no keys yet.
    pub(super) fn open<'a>(&mut self, datagram: &'a mut [u8]) -> Option<Packet<'a>> {
        let Some(opener) = &mut self.opener else {
            if self.early.len() < EARLY_MAX {
                self.early.push(datagram.to_vec());
            }
            return None;
        };
        let len = opener.open(datagram).expect("sealed once, and for this participant");
        Some(Packet::parse(&datagram[..len]).expect("written properly"))
    }

    /// The next packet of a source, `ahead` numbers after the last, not encrypted.
    pub(super) fn packet(
        &mut self,
        source: Ssrc,
        ahead: u16,
        payload_type: PayloadType,
        payload: &[u8],
    ) -> Vec<u8> {
        let number = self.next.entry(source).or_insert(100);
        *number = number.wrapping_add(ahead);
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type,
            sequence_number: *number,
            timestamp: u32::from(*number) * 120,
            ssrc: source,
            payload,
        };
        let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
        let len = packet.write(&mut bytes).expect("it fits");
        bytes.truncate(len);
        bytes
    }

    /// Seals a packet; `None` where there are no keys, or its number was sealed before.
    pub(super) fn seal(&mut self, mut packet: Vec<u8>) -> Option<Vec<u8>> {
        let len = packet.len();
        packet.resize(len + 32, 0);
        let len = self.sealer.as_mut()?.seal(&mut packet, len).ok()?;
        packet.truncate(len);
        Some(packet)
    }

    /// A sealed receiver report without blocks (RFC 3550 §6.4.2).
    pub(super) fn seal_report(&mut self, ssrc: Ssrc) -> Option<Vec<u8>> {
        let mut report = vec![0x80, 201, 0, 1];
        report.extend(ssrc.0.to_be_bytes());
        report.resize(64, 0);
        let len = self.sealer.as_mut()?.seal_rtcp(&mut report, 8).ok()?;
        report.truncate(len);
        Some(report)
    }

    /// The control datagrams that leave, each with whether it leaves as it was made.
    pub(super) fn outgoing(&mut self) -> Vec<(Vec<u8>, Whole)> {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        let Some(transmit) = self.link.poll_transmit(&mut buffer) else { return Vec::new() };
        let mut bytes = buffer[..transmit.len].to_vec();
        match self.spoil.pop_front() {
            None => vec![(bytes, Whole::Yes)],
            // Something leaves, so that the caller asks again.
            Some(Spoil::Lose) => vec![(Vec::new(), Whole::No)],
            Some(Spoil::Change { at, by }) => {
                let at = usize::from(at) * 7 % bytes.len();
                bytes[at] ^= by;
                vec![(bytes, if by == 0 { Whole::Yes } else { Whole::No })]
            }
            Some(Spoil::Cut { to }) => {
                bytes.truncate(usize::from(to));
                vec![(bytes, Whole::No)]
            }
            Some(Spoil::Repeat) => vec![(bytes.clone(), Whole::Yes), (bytes, Whole::Yes)],
            Some(Spoil::Fragment) if bytes[0] == 22 && 30 < bytes.len() => {
                fragments(&bytes).map(|bytes| (bytes, Whole::No)).to_vec()
            }
            Some(Spoil::Fragment) => vec![(bytes, Whole::Yes)],
        }
    }
}

/// Whether a datagram is as its sender made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

/// Packets kept for a participant who has no keys yet.
const EARLY_MAX: usize = 64;
