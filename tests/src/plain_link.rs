//! A media link without encryption, both ends: what the simulator has in the place of ICE, DTLS and
//! SRTP, because those draw randomness that no seed repeats.
//!
//! It keeps what the rest relies on: a link comes up when a check with the right credentials was
//! answered, an address is believed only after such a check, a restart changes the credentials and
//! nothing else, silence takes the link down, and a packet that was opened once is not opened
//! again. Checks look like STUN from their first byte, packets are plain RTP.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use protocol::replay::ReplayWindow;
use protocol::rtp::{Packet, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use sfu::transport::{DataChannel, Link, LinkEvent, LinkRefused, NotSealed, OpenError, Transmit};

/// First byte of a check and of its answer: what STUN's binding request and success begin with.
const REQUEST: u8 = 0;
const ANSWER: u8 = 1;

/// How often a participant checks until it is answered, and from then on.
const CHECK_EVERY: Duration = Duration::from_millis(50);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(1);
/// How long nothing may come before the link counts as down.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// The server's end.
#[derive(Debug)]
pub struct PlainServerLink {
    local: LinkParameters,
    remote: LinkParameters,
    address: Option<SocketAddr>,
    heard: Option<Instant>,
    answers: VecDeque<(SocketAddr, Vec<u8>)>,
    events: VecDeque<LinkEvent>,
    opened: BTreeMap<Ssrc, ReplayWindow>,
    sealed: BTreeMap<Ssrc, ReplayWindow>,
}

impl Link for PlainServerLink {
    type Shared = ();

    fn open(
        _shared: &Self::Shared,
        local: &LinkParameters,
        remote: &LinkParameters,
        _channel: DataChannel,
        _now: Instant,
    ) -> Result<Self, LinkRefused> {
        Ok(Self {
            local: local.clone(),
            remote: remote.clone(),
            address: None,
            heard: None,
            answers: VecDeque::new(),
            events: VecDeque::new(),
            opened: BTreeMap::new(),
            sealed: BTreeMap::new(),
        })
    }

    fn receiver_ufrag(stun: &[u8]) -> Option<&str> {
        let [REQUEST, rest @ ..] = stun else { return None };
        core::str::from_utf8(rest).ok()?.split(' ').next()
    }

    fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        if datagram != check(&self.local, &self.remote) {
            return false;
        }
        if self.heard.is_none() {
            self.events.push_back(LinkEvent::Up);
        }
        self.heard = Some(now);
        self.address = Some(from);
        self.answers.push_back((from, answer(&self.remote)));
        true
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.heard.is_some_and(|heard| heard + SILENCE_MAX <= now) {
            self.heard = None;
            self.events.push_back(LinkEvent::Down);
        }
    }

    fn restart_ice(
        &mut self,
        _now: Instant,
        local: &LinkParameters,
        remote: &LinkParameters,
    ) -> Result<(), LinkRefused> {
        self.local = local.clone();
        self.remote = remote.clone();
        Ok(())
    }

    fn close(&mut self) {}

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        let (to, bytes) = self.answers.pop_front()?;
        buffer.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Transmit { to, len: bytes.len() })
    }

    fn poll_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.heard.map(|heard| heard + SILENCE_MAX)
    }

    fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    fn declare(&mut self, _ssrc: Ssrc) {}

    fn seal(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed> {
        if self.address.is_none() {
            return Err(NotSealed);
        }
        let packet = Packet::parse(&buffer[..len]).map_err(|_| NotSealed)?;
        let window = self.sealed.entry(packet.ssrc).or_insert(ReplayWindow::EMPTY);
        let number = window.extend(packet.sequence_number);
        // With real keys this would give the keystream away.
        assert!(window.is_fresh(number), "{:?}, {number:?} is sealed twice", packet.ssrc);
        window.mark(number);
        Ok(len)
    }

    fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        if self.address.is_none() {
            return Err(OpenError::NotUp);
        }
        let parsed = Packet::parse(packet).map_err(|_| OpenError::Malformed)?;
        let window = self.opened.entry(parsed.ssrc).or_insert(ReplayWindow::EMPTY);
        let number = window.extend(parsed.sequence_number);
        if !window.is_fresh(number) {
            return Err(OpenError::Replayed);
        }
        window.mark(number);
        Ok(packet.len())
    }

    fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        Ok(packet.len())
    }
}

/// A participant's end.
#[derive(Debug)]
pub struct PlainClientLink {
    local: LinkParameters,
    remote: Option<LinkParameters>,
    answered: Option<Instant>,
    heard: Instant,
    up: bool,
    check_due: Instant,
}

/// What a participant learns from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainEvent {
    /// A check was answered.
    Up,
    /// Nothing came for a while.
    Down,
}

impl PlainClientLink {
    /// An end that waits for the server's half.
    #[must_use]
    pub const fn new(local: LinkParameters, now: Instant) -> Self {
        Self { local, remote: None, answered: None, heard: now, up: false, check_due: now }
    }

    /// New credentials: the server's half is waited for anew.
    pub fn restart(&mut self, local: LinkParameters, now: Instant) {
        *self = Self { up: self.up, ..Self::new(local, now) };
    }

    /// The server's half.
    pub fn accept(&mut self, remote: LinkParameters, now: Instant) {
        self.remote = Some(remote);
        self.check_due = now;
        self.heard = now;
    }

    /// Takes a datagram that is not RTP.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Option<PlainEvent> {
        if datagram != answer(&self.local) {
            return None;
        }
        self.heard = now;
        let first = self.answered.is_none();
        self.answered = Some(now);
        let was_up = core::mem::replace(&mut self.up, true);
        (first || !was_up).then_some(PlainEvent::Up)
    }

    /// Notes that media came.
    pub fn handle_media(&mut self, now: Instant) {
        self.heard = now;
    }

    /// Lets time pass; gives a check to send and what has happened.
    pub fn handle_timeout(&mut self, now: Instant) -> (Option<Vec<u8>>, Option<PlainEvent>) {
        let mut event = None;
        if self.up && self.heard + SILENCE_MAX <= now {
            self.up = false;
            self.answered = None;
            event = Some(PlainEvent::Down);
        }
        let Some(remote) = self.remote.as_ref().filter(|_| self.check_due <= now) else {
            return (None, event);
        };
        let wait = if self.answered.is_some() { KEEPALIVE_EVERY } else { CHECK_EVERY };
        self.check_due = now + wait;
        (Some(check(remote, &self.local)), event)
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        self.check_due
    }

    /// What stands for the certificate: it stays through restarts.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.local.fingerprint
    }

    /// Whether media may be sent.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.up
    }
}

/// Who is asked, who asks, and the password of who is asked.
fn check(asked: &LinkParameters, asking: &LinkParameters) -> Vec<u8> {
    let text = format!("{} {} {}", asked.ice_ufrag, asking.ice_ufrag, asked.ice_pwd);
    [&[REQUEST], text.as_bytes()].concat()
}

fn answer(asking: &LinkParameters) -> Vec<u8> {
    [&[ANSWER], asking.ice_ufrag.as_bytes(), b" ", asking.ice_pwd.as_bytes()].concat()
}
