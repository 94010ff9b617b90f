//! The link itself: which address it talks to, whether it is up, and its queues.
//!
//! Everything cryptographic is in `stack/` (ICE, DTLS, SCTP) and [`crate::srtp`]. Here STUN is
//! authenticated before the stack sees it, and says where datagrams go: at the server the newest
//! request that nominates its path, or any where the nominated path has fallen silent; at the
//! client the answers.
//!
//! What surprises: a link that is down is not over. It sends to the last address for as long as it
//! lives, and is up again with the next authenticated STUN message. Only `Closed` is final.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::signal::LinkParameters;
use protocol::time::Instant;

use crate::certificate::parse_fingerprint;
use crate::config::{
    IceCredentials, LinkConfig, LinkError, LinkEvent, LinkState, Role, SendError, Transmit,
};
use crate::limits::{
    CLIENT_SILENCE_MAX, EVENTS_MAX, PATH_SILENCE_MAX, SERVER_SILENCE_MAX, TRANSMITS_MAX,
};
use crate::srtp::{SrtpOpener, SrtpSealer};
use crate::stack::{Stack, StackConfig, StackOutput, stun_is_authentic};
use crate::stun::{Class, Message};
use crate::transactions::{Noted, Transactions};

/// One end of one link.
///
/// One thread drives it; the SRTP halves can be taken out and moved to others.
pub struct Link {
    role: Role,
    stack: Stack,
    local: IceCredentials,
    remote: IceCredentials,
    remote_candidates: Vec<SocketAddr>,
    state: LinkState,
    sealer: Option<SrtpSealer>,
    opener: Option<SrtpOpener>,
    /// Where datagrams go.
    address: Option<SocketAddr>,
    heard: Instant,
    /// When authenticated STUN last came from `address` itself.
    address_heard: Instant,
    rechecked: Instant,
    /// Server: requests that were taken. Client: requests it sent. A message that is replayed must
    /// not move the address.
    transactions: Transactions,
    transmits: VecDeque<(SocketAddr, Vec<u8>)>,
    events: VecDeque<LinkEvent>,
}

impl Link {
    /// Makes one end of a link; a client starts its checks with the next
    /// [`Self::handle_timeout`].
    pub fn new(config: &LinkConfig, now: Instant) -> Result<Self, LinkError> {
        let remote = IceCredentials::from(&config.remote);
        config.local.check()?;
        remote.check()?;
        let remote_fingerprint =
            parse_fingerprint(&config.remote.fingerprint).ok_or(LinkError::MalformedFingerprint)?;
        let stack_config = StackConfig {
            role: config.role,
            certificate: &config.certificate,
            local: &config.local,
            remote: &remote,
            remote_fingerprint,
            remote_candidates: &config.remote_candidates,
            data_channel: config.data_channel,
        };
        Ok(Self {
            role: config.role,
            stack: Stack::new(&stack_config, now).ok_or(LinkError::Stack)?,
            local: config.local.clone(),
            remote,
            remote_candidates: config.remote_candidates.clone(),
            state: LinkState::Connecting,
            sealer: None,
            opener: None,
            address: None,
            heard: now,
            address_heard: now,
            rechecked: now,
            transactions: Transactions::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        })
    }

    /// Takes a STUN message or DTLS record; gives whether it belonged here. RTP and RTCP go to
    /// [`Self::opener_mut`].
    ///
    /// STUN that is not authentic, or replayed, changes nothing. DTLS protects itself; callers with
    /// many links should still pass it only from addresses at which STUN was accepted.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> bool {
        match Kind::of(bytes) {
            Kind::Stun => self.handle_stun(now, from, bytes),
            Kind::Dtls => {
                self.with_stack(|stack, sink| stack.handle_datagram(now, from, bytes, sink));
                true
            }
            Kind::Rtp | Kind::Rtcp | Kind::Unknown => false,
        }
    }

    /// Lets time pass: retransmissions, connectivity checks, silence.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.with_stack(|stack, sink| stack.handle_timeout(now, sink));
        if self.state == LinkState::Up && self.silence_max() <= now.saturating_since(self.heard) {
            self.state = LinkState::Down;
            self.push_event(LinkEvent::Down);
        }
        if self.recheck_due().is_some_and(|due| due <= now) {
            self.rechecked = now;
            self.with_stack(|stack, sink| stack.recheck(now, sink));
        }
    }

    /// Replaces the ICE credentials of both ends (RFC 8445 §9). DTLS, SRTP and the address stay
    /// until authenticated STUN says otherwise; the other end's fingerprint must be the same.
    /// `remote_candidates` are for clients; known ones need not be repeated. A link that is over
    /// refuses.
    pub fn restart_ice(
        &mut self,
        now: Instant,
        local: IceCredentials,
        remote: &LinkParameters,
        remote_candidates: &[SocketAddr],
    ) -> Result<(), LinkError> {
        if self.state == LinkState::Closed {
            return Err(LinkError::Closed);
        }
        let remote = IceCredentials::from(remote);
        local.check()?;
        remote.check()?;
        self.local = local;
        self.remote = remote;
        self.transactions.clear();
        for &candidate in remote_candidates {
            if !self.remote_candidates.contains(&candidate) {
                self.remote_candidates.push(candidate);
            }
        }
        self.rechecked = now;
        let (local, remote) = (self.local.clone(), self.remote.clone());
        self.with_stack(|stack, sink| {
            stack.restart_ice(now, &local, &remote, remote_candidates, sink);
        });
        Ok(())
    }

    /// Sends a data channel message.
    pub fn send_channel(&mut self, message: &[u8]) -> Result<(), SendError> {
        let mut accepted = false;
        self.with_stack(|stack, sink| accepted = stack.send(message, sink));
        if accepted { Ok(()) } else { Err(SendError::Exhausted) }
    }

    /// Tells the other end that this is the end. Send what [`Self::poll_transmit`] gives and drop
    /// the link.
    pub fn close(&mut self) {
        self.with_stack(Stack::close);
        self.state = LinkState::Closed;
    }

    /// The next STUN or DTLS datagram to send, written into `buffer`, which should hold
    /// [`DATAGRAM_BYTES_MAX`] bytes; what does not fit is dropped.
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        while let Some((to, bytes)) = self.transmits.pop_front() {
            if let Some(out) = buffer.get_mut(..bytes.len()) {
                out.copy_from_slice(&bytes);
                return Some(Transmit { to, len: bytes.len() });
            }
        }
        None
    }

    /// What happened since it was last asked.
    pub fn poll_event(&mut self) -> Option<LinkEvent> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let silent = (self.state == LinkState::Up).then(|| self.heard + self.silence_max());
        [self.stack.poll_timeout(), silent, self.recheck_due()].into_iter().flatten().min()
    }

    /// Seals what leaves, while the link is up or down and unless it was taken.
    pub fn sealer_mut(&mut self) -> Option<&mut SrtpSealer> {
        self.sealer.as_mut()
    }

    /// Opens what arrives, while the link is up or down and unless it was taken.
    pub fn opener_mut(&mut self) -> Option<&mut SrtpOpener> {
        self.opener.as_mut()
    }

    /// Takes the sealing half out, once the link is up, to use it on another thread. It serves for
    /// as long as the link lives, through ICE restarts.
    pub fn take_sealer(&mut self) -> Option<SrtpSealer> {
        self.sealer.take()
    }

    /// Takes the opening half out, as [`Self::take_sealer`] does the other.
    pub fn take_opener(&mut self) -> Option<SrtpOpener> {
        self.opener.take()
    }

    /// How the link stands.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        self.state
    }

    /// Where to send SRTP: the path that ICE nominated last, or one that is heard in its place.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// When authenticated STUN was last heard from the other end; the link's making at first.
    #[must_use]
    pub const fn heard(&self) -> Instant {
        self.heard
    }

    /// This end's ICE credentials as they are now.
    #[must_use]
    pub const fn local(&self) -> &IceCredentials {
        &self.local
    }

    fn handle_stun(&mut self, now: Instant, from: SocketAddr, bytes: &[u8]) -> bool {
        let Some(message) = Message::parse(bytes) else { return false };
        let accepted = match (self.role, message.class) {
            (Role::Server, Class::Request) => self.accept_request(now, from, bytes, &message),
            (Role::Client, Class::Request) => self.accept_check(from, bytes, &message),
            (Role::Client, Class::Success) => self.accept_answer(now, from, bytes, &message),
            _ => false,
        };
        if accepted {
            self.with_stack(|stack, sink| stack.handle_datagram(now, from, bytes, sink));
        }
        accepted
    }

    /// Server: a connectivity check of the participant.
    fn accept_request(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
        message: &Message<'_>,
    ) -> bool {
        let addressed = message.username.and_then(|name| name.split_once(':'))
            == Some((self.local.ufrag.as_str(), self.remote.ufrag.as_str()));
        if !addressed || !stun_is_authentic(bytes, &self.local.pwd) {
            return false;
        }
        // A request is sent again with the same transaction while it goes unanswered, and from the
        // same address: it is answered, and says nothing new. From another it is somebody else's
        // copy.
        match self.transactions.note(message.transaction_id, from) {
            Noted::Elsewhere | Noted::Exhausted => return false,
            Noted::Again => return true,
            Noted::First => {}
        }
        self.heard = now;
        // A browser whose NAT changed its port does not know, and checks on without nominating.
        let silent = PATH_SILENCE_MAX <= now.saturating_since(self.address_heard);
        if message.use_candidate || self.address.is_some() && silent {
            self.address = Some(from);
        }
        if self.address == Some(from) {
            self.address_heard = now;
        }
        self.revive();
        true
    }

    /// Client: a check of a server that is not ICE-lite, which believes in a path only once it was
    /// answered itself (RFC 8445 §7.3). It says nothing about where media goes.
    fn accept_check(&self, from: SocketAddr, bytes: &[u8], message: &Message<'_>) -> bool {
        let addressed = message.username.and_then(|name| name.split_once(':'))
            == Some((self.local.ufrag.as_str(), self.remote.ufrag.as_str()));
        // From nowhere else, because the library remembers every address that it answers.
        addressed
            && self.remote_candidates.contains(&from)
            && stun_is_authentic(bytes, &self.local.pwd)
    }

    /// Client: the server's answer to a check.
    fn accept_answer(
        &mut self,
        now: Instant,
        from: SocketAddr,
        bytes: &[u8],
        message: &Message<'_>,
    ) -> bool {
        if !self.transactions.contains(message.transaction_id, from)
            || !stun_is_authentic(bytes, &self.remote.pwd)
        {
            return false;
        }
        let rank = |address: SocketAddr| {
            self.remote_candidates.iter().position(|candidate| *candidate == address)
        };
        let silent = CLIENT_SILENCE_MAX <= now.saturating_since(self.heard);
        let better = self.address.is_none_or(|address| silent || rank(from) < rank(address));
        if better {
            self.address = Some(from);
        }
        if self.address == Some(from) {
            self.heard = now;
        }
        self.revive();
        true
    }

    /// Up again after authenticated STUN.
    fn revive(&mut self) {
        if self.state == LinkState::Down {
            self.state = LinkState::Up;
            self.push_event(LinkEvent::Up);
        }
    }

    fn recheck_due(&self) -> Option<Instant> {
        let client = self.role == Role::Client && self.state != LinkState::Closed;
        let since = self.heard.max(self.rechecked);
        client.then(|| since + CLIENT_SILENCE_MAX)
    }

    const fn silence_max(&self) -> Duration {
        match self.role {
            Role::Server => SERVER_SILENCE_MAX,
            Role::Client => CLIENT_SILENCE_MAX,
        }
    }

    /// Calls into the stack and takes in what comes of it.
    fn with_stack(&mut self, call: impl FnOnce(&mut Stack, &mut dyn FnMut(StackOutput))) {
        let mut outputs = Vec::new();
        call(&mut self.stack, &mut |output| outputs.push(output));
        for output in outputs {
            self.take_in(output);
        }
    }

    fn take_in(&mut self, output: StackOutput) {
        match output {
            StackOutput::Transmit { to, bytes } => self.queue_transmit(to, bytes),
            StackOutput::Connected(keys) => {
                let halves = match self.role {
                    Role::Server => keys.server_halves(),
                    Role::Client => keys.client_halves(),
                };
                let Some((sealer, opener)) = halves else {
                    self.state = LinkState::Closed;
                    return self.push_event(LinkEvent::Closed);
                };
                self.sealer = Some(sealer);
                self.opener = Some(opener);
                self.state = LinkState::Up;
                self.push_event(LinkEvent::Up);
            }
            StackOutput::ChannelOpen => self.push_event(LinkEvent::ChannelOpen),
            StackOutput::ChannelMessage(message) => {
                self.push_event(LinkEvent::ChannelMessage(message));
            }
            StackOutput::Failed => {
                if self.state != LinkState::Closed {
                    self.state = LinkState::Closed;
                    self.push_event(LinkEvent::Closed);
                }
            }
        }
    }

    fn queue_transmit(&mut self, to: SocketAddr, bytes: Vec<u8>) {
        // STUN goes where it is meant to, everything else where ICE has settled.
        let to = if Kind::of(&bytes) == Kind::Stun {
            if let Some(message) = Message::parse(&bytes)
                && message.class == Class::Request
            {
                self.transactions.note(message.transaction_id, to);
            }
            to
        } else {
            self.address.unwrap_or(to)
        };
        if DATAGRAM_BYTES_MAX < bytes.len() {
            return;
        }
        if TRANSMITS_MAX <= self.transmits.len() {
            self.transmits.pop_front();
        }
        self.transmits.push_back((to, bytes));
    }

    fn push_event(&mut self, event: LinkEvent) {
        if EVENTS_MAX <= self.events.len() {
            let oldest_message =
                self.events.iter().position(|event| matches!(event, LinkEvent::ChannelMessage(_)));
            self.events.remove(oldest_message.unwrap_or(0));
        }
        self.events.push_back(event);
    }
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Link")
            .field("role", &self.role)
            .field("state", &self.state)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
