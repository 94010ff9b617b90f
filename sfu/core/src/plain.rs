//! A link without encryption, for tests: both ends, repeatable to the byte.
//!
//! It behaves as the encrypted one does where that matters to whoever drives it: nothing is sent
//! before a connectivity check was answered, the newest check says where datagrams go, credentials
//! must fit, a packet is opened once and a number sealed once, silence takes the link down, checks
//! bring it back, and data channel messages are lost with their datagrams. It protects nothing: the
//! password travels in the clear.
//!
//! What surprises: first bytes are those of STUN (0) and DTLS (23), so that demultiplexing is the
//! real one.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use protocol::replay::ReplayWindow;
use protocol::rtp::{Packet, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;

use crate::transport::{DataChannel, Link, LinkEvent, LinkRefused, NotSealed, OpenError, Transmit};

/// The SFU's end.
#[derive(Debug)]
pub struct PlainLink {
    end: End,
    channel: DataChannel,
}

/// A participant's end.
#[derive(Debug)]
pub struct PlainClient {
    end: End,
    /// Where the SFU is.
    server: SocketAddr,
    next_check: Instant,
    next_hello: Instant,
    /// Numbers the checks; rises over restarts.
    check: u64,
}

/// What both ends have.
#[derive(Debug)]
struct End {
    local: LinkParameters,
    remote: LinkParameters,
    address: Option<SocketAddr>,
    state: State,
    heard: Instant,
    /// The newest check.
    newest: u64,
    sealed: Windows,
    opened: Windows,
    transmits: VecDeque<(SocketAddr, Vec<u8>)>,
    events: VecDeque<LinkEvent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Up,
    Down,
    Closed,
}

type Windows = BTreeMap<Ssrc, ReplayWindow>;

impl Link for PlainLink {
    type Shared = ();

    fn open(
        _shared: &(),
        local: &LinkParameters,
        remote: &LinkParameters,
        channel: DataChannel,
        now: Instant,
    ) -> Result<Self, LinkRefused> {
        for end in [local, remote] {
            if end.ice_ufrag.is_empty() || end.ice_pwd.is_empty() {
                return Err(LinkRefused("ICE credentials are empty".into()));
            }
        }
        Ok(Self { end: End::new(local, remote, now), channel })
    }

    fn receiver_ufrag(stun: &[u8]) -> Option<&str> {
        Check::parse(stun)?.receiver.into()
    }

    fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        let end = &mut self.end;
        if end.state == State::Closed {
            return false;
        }
        if let Some(check) = Check::parse(datagram) {
            let genuine = check.receiver == end.local.ice_ufrag
                && check.sender == end.remote.ice_ufrag
                && check.password == end.local.ice_pwd;
            let copied = check.number < end.newest
                || check.number == end.newest && end.address != Some(from);
            if !genuine || copied {
                return false;
            }
            end.newest = check.number;
            end.address = Some(from);
            let answer =
                frame(ANSWER, &[&check.number.to_be_bytes(), end.local.ice_pwd.as_bytes()]);
            end.transmits.push_back((from, answer));
            end.hear(now);
            return true;
        }
        match datagram {
            HELLO => {
                end.transmits.push_back((from, WELCOME.to_vec()));
                end.come_up(now);
                true
            }
            CLOSE => {
                end.close();
                true
            }
            [DTLS, MESSAGE, message @ ..] if self.channel == DataChannel::Open => {
                end.events.push_back(LinkEvent::Message(message.to_vec()));
                true
            }
            _ => false,
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.end.notice_silence(now, SERVER_SILENCE_MAX);
    }

    fn restart_ice(
        &mut self,
        _now: Instant,
        local: &LinkParameters,
        remote: &LinkParameters,
    ) -> Result<(), LinkRefused> {
        self.end.local = local.clone();
        self.end.remote = remote.clone();
        Ok(())
    }

    fn close(&mut self) {
        self.end.say_goodbye();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        self.end.poll_transmit(buffer)
    }

    fn poll_event(&mut self) -> Option<LinkEvent> {
        self.end.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        (self.end.state == State::Up).then(|| self.end.heard + SERVER_SILENCE_MAX)
    }

    fn address(&self) -> Option<SocketAddr> {
        self.end.address
    }

    fn declare(&mut self, ssrc: Ssrc) {
        self.end.sealed.entry(ssrc).or_insert(ReplayWindow::EMPTY);
    }

    fn seal(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed> {
        self.end.seal(&buffer[..len]).map(|()| len)
    }

    fn seal_rtcp(&mut self, _buffer: &mut [u8], len: usize) -> Result<usize, NotSealed> {
        if matches!(self.end.state, State::Up | State::Down) { Ok(len) } else { Err(NotSealed) }
    }

    fn send_message(&mut self, message: &[u8]) -> Result<(), NotSealed> {
        if self.channel == DataChannel::None {
            return Err(NotSealed);
        }
        self.end.send_message(message)
    }

    fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        self.end.open(packet).map(|()| packet.len())
    }

    fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        if self.end.state == State::Connecting { Err(OpenError::NotUp) } else { Ok(packet.len()) }
    }
}

impl PlainClient {
    /// Makes a participant's end; its first check leaves with the next [`Self::handle_timeout`].
    #[must_use]
    pub fn new(
        local: &LinkParameters,
        remote: &LinkParameters,
        server: SocketAddr,
        now: Instant,
    ) -> Self {
        let end = End::new(local, remote, now);
        Self { end, server, next_check: now, next_hello: now, check: 0 }
    }

    /// Takes a STUN or DTLS datagram; gives whether it was accepted.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        let end = &mut self.end;
        if end.state == State::Closed {
            return false;
        }
        match datagram {
            [STUN, ANSWER, rest @ ..] => {
                let Some((number, password)) = rest.split_first_chunk::<8>() else { return false };
                let number = u64::from_be_bytes(*number);
                let genuine = password == end.remote.ice_pwd.as_bytes()
                    && number <= self.check
                    && end.newest < number;
                if genuine {
                    end.newest = number;
                    end.address = Some(from);
                    end.hear(now);
                    self.next_check = now + CHECK_INTERVAL;
                }
                genuine
            }
            WELCOME => {
                end.come_up(now);
                true
            }
            CLOSE => {
                end.close();
                true
            }
            [DTLS, MESSAGE, message @ ..] => {
                end.events.push_back(LinkEvent::Message(message.to_vec()));
                true
            }
            _ => false,
        }
    }

    /// Lets time pass: checks, the handshake, silence.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.end.state == State::Closed {
            return;
        }
        self.end.notice_silence(now, CLIENT_SILENCE_MAX);
        if self.next_check <= now {
            self.check += 1;
            let end = &self.end;
            let number = self.check.to_be_bytes();
            let name = format!("{}:{}", end.remote.ice_ufrag, end.local.ice_ufrag);
            let parts: [&[u8]; 4] =
                [&number, name.as_bytes(), b"\0", end.remote.ice_pwd.as_bytes()];
            self.end.transmits.push_back((self.server, frame(CHECK, &parts)));
            self.next_check = now + CHECK_RETRY_INTERVAL;
        }
        if self.end.state == State::Connecting
            && self.next_hello <= now
            && let Some(address) = self.end.address
        {
            self.end.transmits.push_back((address, HELLO.to_vec()));
            self.next_hello = now + HELLO_RETRY_INTERVAL;
        }
    }

    /// Replaces the ICE credentials of both ends and where the SFU is.
    pub fn restart_ice(
        &mut self,
        now: Instant,
        local: &LinkParameters,
        remote: &LinkParameters,
        server: SocketAddr,
    ) {
        self.end.local = local.clone();
        self.end.remote = remote.clone();
        self.server = server;
        self.next_check = now;
    }

    /// Sends a data channel message, if the link is up.
    pub fn send_message(&mut self, message: &[u8]) -> Result<(), NotSealed> {
        self.end.send_message(message)
    }

    /// Says goodbye; the datagram for it comes out of [`Self::poll_transmit`].
    pub fn close(&mut self) {
        self.end.say_goodbye();
    }

    /// The next control datagram, written into `buffer`.
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        self.end.poll_transmit(buffer)
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.end.events.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let hello = self.end.state == State::Connecting && self.end.address.is_some();
        let silent = (self.end.state == State::Up).then(|| self.end.heard + CLIENT_SILENCE_MAX);
        let check = (self.end.state != State::Closed).then_some(self.next_check);
        [check, hello.then_some(self.next_hello), silent].into_iter().flatten().min()
    }

    /// Whether the SFU is heard.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.end.state == State::Up
    }
}

impl End {
    fn new(local: &LinkParameters, remote: &LinkParameters, now: Instant) -> Self {
        Self {
            local: local.clone(),
            remote: remote.clone(),
            address: None,
            state: State::Connecting,
            heard: now,
            newest: 0,
            sealed: Windows::new(),
            opened: Windows::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    fn hear(&mut self, now: Instant) {
        self.heard = now;
        if self.state == State::Down {
            self.state = State::Up;
            self.events.push_back(LinkEvent::Up);
        }
    }

    fn come_up(&mut self, now: Instant) {
        if self.state == State::Connecting {
            self.heard = now;
            self.state = State::Up;
            self.events.push_back(LinkEvent::Up);
        }
    }

    fn notice_silence(&mut self, now: Instant, silence_max: Duration) {
        if self.state == State::Up && silence_max <= now.saturating_since(self.heard) {
            self.state = State::Down;
            self.events.push_back(LinkEvent::Down);
        }
    }

    fn close(&mut self) {
        self.state = State::Closed;
        self.events.push_back(LinkEvent::Closed);
    }

    fn send_message(&mut self, message: &[u8]) -> Result<(), NotSealed> {
        let address = self.address.filter(|_| self.state == State::Up).ok_or(NotSealed)?;
        let mut bytes = vec![DTLS, MESSAGE];
        bytes.extend(message);
        self.transmits.push_back((address, bytes));
        Ok(())
    }

    fn say_goodbye(&mut self) {
        if let Some(address) = self.address {
            self.transmits.push_back((address, CLOSE.to_vec()));
        }
        self.state = State::Closed;
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        let (to, bytes) = self.transmits.pop_front()?;
        buffer.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Transmit { to, len: bytes.len() })
    }

    fn seal(&mut self, packet: &[u8]) -> Result<(), NotSealed> {
        if !matches!(self.state, State::Up | State::Down) {
            return Err(NotSealed);
        }
        once(&mut self.sealed, packet).map_err(|_| NotSealed)
    }

    fn open(&mut self, packet: &[u8]) -> Result<(), OpenError> {
        if !matches!(self.state, State::Up | State::Down) {
            return Err(OpenError::NotUp);
        }
        once(&mut self.opened, packet)
    }
}

fn once(windows: &mut Windows, packet: &[u8]) -> Result<(), OpenError> {
    let packet = Packet::parse(packet).map_err(|_| OpenError::Malformed)?;
    let window = windows.entry(packet.ssrc).or_insert(ReplayWindow::EMPTY);
    let number = window.extend(packet.sequence_number);
    if !window.is_fresh(number) {
        return Err(OpenError::Replayed);
    }
    window.mark(number);
    Ok(())
}

/// A connectivity check, as read.
struct Check<'a> {
    number: u64,
    receiver: &'a str,
    sender: &'a str,
    password: &'a str,
}

impl<'a> Check<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let [STUN, CHECK, rest @ ..] = datagram else { return None };
        let (number, text) = rest.split_first_chunk::<8>()?;
        let (name, password) = core::str::from_utf8(text).ok()?.split_once('\0')?;
        let (receiver, sender) = name.split_once(':')?;
        Some(Self { number: u64::from_be_bytes(*number), receiver, sender, password })
    }
}

fn frame(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![STUN, kind];
    parts.iter().for_each(|part| bytes.extend(*part));
    bytes
}

const STUN: u8 = 0;
const DTLS: u8 = 23;
const CHECK: u8 = b'Q';
const ANSWER: u8 = b'A';
const MESSAGE: u8 = b'M';
const HELLO: &[u8] = &[DTLS, b'H'];
const WELCOME: &[u8] = &[DTLS, b'W'];
const CLOSE: &[u8] = &[DTLS, b'C'];

/// As in the encrypted link.
const SERVER_SILENCE_MAX: Duration = Duration::from_secs(30);
const CLIENT_SILENCE_MAX: Duration = Duration::from_secs(4);
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const CHECK_RETRY_INTERVAL: Duration = Duration::from_millis(100);
const HELLO_RETRY_INTERVAL: Duration = Duration::from_millis(150);
