//! The forwarding decision: whose is a datagram, who hears the packet in it.
//!
//! What surprises: an address belongs to a participant only after authentic STUN came from it, and
//! stays so for a while even if another participant authenticates from it, because whoever can
//! forge an address could otherwise cut its owner off.

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};

use protocol::control::{Command, Event};
use protocol::datagram::Kind;
use protocol::id::ParticipantId;
use protocol::limits::{DATAGRAM_BYTES_MAX, PAYLOAD_BYTES_MAX};
use protocol::rtp::{HEADER_BYTES, Packet, Ssrc};
use protocol::time::Instant;

use crate::limits::{
    EVENTS_MAX, REPORT_INTERVAL, STRANGER_STUN_PER_SECOND_MAX, TIMER_ROUND_INTERVAL_MIN,
};
use crate::member::{AddressTable, Member, MemberKey, MemberKind};
use crate::pending::{Arrival, PendingRing, Pushed};
use crate::publisher::{Rejected, Source};
use crate::rate::Bucket;
use crate::slab::{Key, Slab};
use crate::stats::Counters;
use crate::subscriber::Stream;
use crate::transport::{Link, LinkEvent, OpenError, Transmit};

/// What wants [`Router::handle_timeout`] to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Timers of links: connectivity, handshakes, data channels.
    Links,
    /// The report of all sources.
    Report,
}

/// All links of one worker and what is forwarded between them.
///
/// Driven by one thread: pass in datagrams and commands, call [`Self::handle_timeout`] when
/// [`Self::poll_timeout`] says, and take out what the `poll` functions give, after every call if
/// delay matters.
pub struct Router<L: Link> {
    pub(crate) shared: L::Shared,
    pub(crate) members: Slab<Member<L>, MemberKind>,
    pub(crate) sources: Slab<Source>,
    pub(crate) streams: Slab<Stream>,
    pub(crate) by_participant: BTreeMap<ParticipantId, MemberKey>,
    pub(crate) by_ufrag: BTreeMap<String, MemberKey>,
    pub(crate) by_address: AddressTable,
    pending: PendingRing,
    /// Links that have control datagrams to send.
    ready: VecDeque<MemberKey>,
    pub(crate) farewells: VecDeque<(SocketAddr, Vec<u8>)>,
    events: VecDeque<Event>,
    pub(crate) counters: Counters,
    stranger_stun: Bucket,
    /// The next round over the links' timers; none is due earlier.
    next_round: Option<Instant>,
    last_round: Instant,
    next_report: Option<Instant>,
}

impl<L: Link> Router<L> {
    /// Makes an empty router; `shared` is what all its links have in common.
    #[must_use]
    pub fn new(shared: L::Shared) -> Self {
        let stun_rate = STRANGER_STUN_PER_SECOND_MAX;
        Self {
            shared,
            members: Slab::new(),
            sources: Slab::new(),
            streams: Slab::new(),
            by_participant: BTreeMap::new(),
            by_ufrag: BTreeMap::new(),
            by_address: AddressTable::default(),
            pending: PendingRing::new(),
            ready: VecDeque::new(),
            farewells: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            stranger_stun: Bucket::new(stun_rate, stun_rate, Instant::ZERO),
            next_round: None,
            last_round: Instant::ZERO,
            next_report: None,
        }
    }

    /// Takes a datagram; opens it in place.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &mut [u8]) {
        self.counters.received_bytes += datagram.len() as u64;
        if DATAGRAM_BYTES_MAX < datagram.len() {
            self.counters.dropped_malformed += 1;
            return;
        }
        match Kind::of(datagram) {
            Kind::Rtp => self.handle_rtp(now, from, datagram),
            Kind::Rtcp => self.handle_rtcp(from, datagram),
            Kind::Stun => self.handle_stun(now, from, datagram),
            Kind::Dtls => self.handle_dtls(now, from, datagram),
            Kind::Unknown => self.counters.dropped_unknown_kind += 1,
        }
    }

    /// Carries out a command of signalling. One that cannot be carried out is answered by
    /// [`Event::CommandRefused`] and changes nothing.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        let participant = subject(&command);
        if let Err(text) = self.carry_out(now, command) {
            self.counters.commands_refused += 1;
            self.push_event(Event::CommandRefused { participant, text });
        }
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next_round.is_some_and(|round| round <= now) {
            self.round(now);
        }
        if self.next_report.is_some_and(|report| report <= now) {
            self.report(now);
        }
    }

    /// Closes every link; what tells the participants comes out of [`Self::poll_transmit`].
    pub fn close_all(&mut self, now: Instant) {
        let participants: Vec<ParticipantId> = self.by_participant.keys().copied().collect();
        for participant in participants {
            self.handle_command(now, Command::CloseLink { participant });
        }
    }

    /// The next datagram to send, written into `buffer`, which must hold [`DATAGRAM_BYTES_MAX`]
    /// bytes: what is too long for it is dropped.
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        // Audio first: it is what is waited for.
        let transmit = self.poll_forwarded(buffer).or_else(|| self.poll_control(buffer))?;
        self.counters.sent_bytes += transmit.len as u64;
        Some(transmit)
    }

    /// What happened since it was last asked.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called next, and for what.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, Wake)> {
        let round = self.next_round.map(|round| (round, Wake::Links));
        let report = self.next_report.map(|report| (report, Wake::Report));
        [round, report].into_iter().flatten().min_by_key(|wake| wake.0)
    }

    /// What was counted so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many links there are.
    #[must_use]
    pub fn links(&self) -> usize {
        self.by_participant.len()
    }

    fn handle_rtp(&mut self, now: Instant, from: SocketAddr, datagram: &mut [u8]) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        let Some(ssrc) = ssrc_of(datagram) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        let Some(member) = self.members.get_mut(key) else { return };
        // Before the packet is opened: a stream that nobody announced is not worth a cipher.
        let Some(source) = member.source(ssrc) else {
            self.counters.dropped_unknown_ssrc += 1;
            return;
        };
        match member.link.open_rtp(datagram) {
            Ok(len) => self.accept(now, source, &datagram[..len]),
            Err(error) => self.count_unopened(error),
        }
    }

    /// Takes in a genuine packet of a source, from RTP or from a data channel.
    fn accept(&mut self, now: Instant, key: Key<Source>, packet: &[u8]) {
        self.counters.received_packets += 1;
        let Ok(packet) = Packet::parse(packet) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        if packet.payload.is_empty() {
            self.counters.dropped_empty += 1;
            return;
        }
        if PAYLOAD_BYTES_MAX < packet.payload.len() {
            self.counters.dropped_malformed += 1;
            return;
        }
        let Some(source) = self.sources.get_mut(key) else { return };
        let (payload_kind, position) = match source.receive(now, &packet) {
            Ok(received) => received,
            Err(rejected) => {
                *match rejected {
                    Rejected::OverRate => &mut self.counters.dropped_source_rate,
                    Rejected::Duplicate => &mut self.counters.dropped_replayed,
                    Rejected::Astray => &mut self.counters.dropped_astray,
                    Rejected::PayloadType => &mut self.counters.dropped_payload_type,
                } += 1;
                return;
            }
        };
        if source.muted {
            self.counters.dropped_muted += 1;
            return;
        }
        if source.subscribers.is_empty() {
            return;
        }
        let pushed = self.pending.push(&Arrival {
            source: key,
            arrived: now,
            position,
            payload_kind,
            marker: packet.marker,
            payload: packet.payload,
        });
        if pushed == Pushed::OldestDropped {
            self.counters.dropped_pending += 1;
        }
    }

    fn handle_rtcp(&mut self, from: SocketAddr, datagram: &mut [u8]) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        let Some(member) = self.members.get_mut(key) else { return };
        match member.link.open_rtcp(datagram) {
            Ok(_) => self.counters.rtcp_received += 1,
            Err(error) => self.count_unopened(error),
        }
    }

    fn handle_stun(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let owner = self.by_address.get(&from).copied();
        let named = L::receiver_ufrag(datagram).and_then(|ufrag| self.by_ufrag.get(ufrag)).copied();
        let Some(key) = named else {
            self.counters.dropped_stun += 1;
            return;
        };
        if owner != Some(key) && !self.stranger_stun.admit(now) {
            self.counters.dropped_control_rate += 1;
            return;
        }
        if let Some(owner) = owner.filter(|owner| *owner != key)
            && self.members.get(owner).is_some_and(|member| member.holds(from, now))
        {
            self.counters.dropped_address_held += 1;
            return;
        }
        if !self.handle_control(now, key, from, datagram) {
            self.counters.dropped_stun += 1;
            return;
        }
        if let Some(owner) = owner.filter(|owner| *owner != key)
            && let Some(member) = self.members.get_mut(owner)
        {
            member.release(from);
        }
        if let Some(member) = self.members.get_mut(key) {
            if let Some(forgotten) = member.hold(from, now) {
                self.by_address.remove(&forgotten);
            }
            self.by_address.insert(from, key);
        }
    }

    fn handle_dtls(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        let Some(&key) = self.by_address.get(&from) else {
            self.counters.dropped_unknown_address += 1;
            return;
        };
        self.handle_control(now, key, from, datagram);
    }

    /// Gives a STUN or DTLS datagram to a link; whether it was accepted.
    fn handle_control(
        &mut self,
        now: Instant,
        key: MemberKey,
        from: SocketAddr,
        datagram: &[u8],
    ) -> bool {
        let Some(member) = self.members.get_mut(key) else { return false };
        if !member.control_rate.admit(now) {
            self.counters.dropped_control_rate += 1;
            return false;
        }
        let accepted = member.link.handle_datagram(now, from, datagram);
        if accepted {
            self.counters.control_received += 1;
        }
        self.pump(now, key);
        accepted
    }

    /// Takes in what a link has to say after anything was done to it.
    pub(crate) fn pump(&mut self, now: Instant, key: MemberKey) {
        loop {
            let Some(member) = self.members.get_mut(key) else { return };
            let participant = member.participant;
            match member.link.poll_event() {
                None => break,
                Some(LinkEvent::Up) => {
                    member.up = true;
                    for (ssrc, stream) in &member.streams {
                        member.link.declare(*ssrc);
                        if let Some(stream) = self.streams.get_mut(*stream) {
                            stream.rewrite.rejoin();
                        }
                    }
                    self.push_event(Event::LinkUp { participant });
                }
                Some(LinkEvent::Down | LinkEvent::Closed) => {
                    member.up = false;
                    self.push_event(Event::LinkDown { participant });
                }
                Some(LinkEvent::Message(message)) => {
                    let source = ssrc_of(&message).and_then(|ssrc| member.source(ssrc));
                    match source {
                        Some(source) => self.accept(now, source, &message),
                        None => self.counters.dropped_unknown_ssrc += 1,
                    }
                }
            }
        }
        let Some(member) = self.members.get_mut(key) else { return };
        if !member.queued {
            member.queued = true;
            self.ready.push_back(key);
        }
        let due = member.link.poll_timeout();
        self.schedule_round(due);
    }

    fn schedule_round(&mut self, due: Option<Instant>) {
        if let Some(due) = due {
            let due = due.max(self.last_round + TIMER_ROUND_INTERVAL_MIN);
            self.next_round = Some(self.next_round.map_or(due, |round| round.min(due)));
        }
    }

    fn round(&mut self, now: Instant) {
        self.next_round = None;
        self.last_round = now;
        let mut due_keys = Vec::new();
        let mut next: Option<Instant> = None;
        for (key, member) in self.members.iter_mut() {
            match member.link.poll_timeout() {
                Some(due) if due <= now => due_keys.push(key),
                Some(due) => next = Some(next.map_or(due, |next| next.min(due))),
                None => {}
            }
        }
        self.schedule_round(next);
        for key in due_keys {
            if let Some(member) = self.members.get_mut(key) {
                member.link.handle_timeout(now);
            }
            self.pump(now, key);
        }
    }

    fn report(&mut self, now: Instant) {
        let mut events = Vec::new();
        for (_, source) in self.sources.iter_mut() {
            if let Some(report) = source.report() {
                events.push(Event::Uplink {
                    participant: source.participant,
                    track: source.track,
                    ssrc: source.ssrc,
                    received_packets: report.received_packets,
                    lost_packets: report.lost_packets,
                    jitter_us: report.jitter_us,
                });
            }
        }
        for event in events {
            self.push_event(event);
        }
        self.next_report = (!self.by_participant.is_empty()).then(|| now + REPORT_INTERVAL);
    }

    /// The next copy of a pending packet: one subscriber after the other, packet after packet.
    fn poll_forwarded(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        while let Some(pending) = self.pending.front() {
            let next = self
                .sources
                .get(pending.source)
                .and_then(|source| source.subscribers.get(pending.next_subscriber));
            let Some(&key) = next else {
                self.pending.pop();
                continue;
            };
            pending.next_subscriber += 1;
            let Some(stream) = self.streams.get_mut(key) else { continue };
            let Some(member) = self.members.get_mut(stream.member) else { continue };
            let Some(to) = member.link.address().filter(|_| member.up) else {
                self.counters.unsent_link_down += 1;
                continue;
            };
            let Some(payload_type) = stream.payload_type(pending.payload_kind) else {
                self.counters.unsent_payload += 1;
                continue;
            };
            let rewritten =
                stream.rewrite.rewrite(pending.source, pending.position, pending.arrived);
            let Some(rewritten) = rewritten else {
                self.counters.unsent_before_join += 1;
                continue;
            };
            let packet = Packet {
                marker: pending.marker || rewritten.joined,
                payload_type,
                sequence_number: rewritten.number.wire(),
                timestamp: rewritten.media_time.rtp_timestamp(),
                ssrc: stream.ssrc,
                payload: pending.payload(),
            };
            let sealed = packet.write(buffer).and_then(|len| member.link.seal(buffer, len).ok());
            let Some(len) = sealed else {
                self.counters.unsent_not_sealed += 1;
                continue;
            };
            self.counters.forwarded_packets += 1;
            return Some(Transmit { to, len });
        }
        None
    }

    fn poll_control(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        while let Some((to, bytes)) = self.farewells.pop_front() {
            if let Some(out) = buffer.get_mut(..bytes.len()) {
                out.copy_from_slice(&bytes);
                self.counters.control_sent += 1;
                return Some(Transmit { to, len: bytes.len() });
            }
        }
        while let Some(&key) = self.ready.front() {
            let Some(member) = self.members.get_mut(key) else {
                self.ready.pop_front();
                continue;
            };
            if let Some(transmit) = member.link.poll_transmit(buffer) {
                self.counters.control_sent += 1;
                return Some(transmit);
            }
            member.queued = false;
            self.ready.pop_front();
        }
        None
    }

    fn push_event(&mut self, event: Event) {
        if EVENTS_MAX <= self.events.len() {
            self.events.pop_front();
            self.counters.dropped_events += 1;
        }
        self.events.push_back(event);
    }

    fn count_unopened(&mut self, error: OpenError) {
        *match error {
            OpenError::Malformed => &mut self.counters.dropped_malformed,
            OpenError::Replayed => &mut self.counters.dropped_replayed,
            OpenError::Forged | OpenError::NotUp => &mut self.counters.dropped_forged,
        } += 1;
    }
}

/// The stream of a packet whose header is not checked yet.
fn ssrc_of(packet: &[u8]) -> Option<Ssrc> {
    let header = packet.first_chunk::<HEADER_BYTES>()?;
    Some(Ssrc(u32::from_be_bytes([header[8], header[9], header[10], header[11]])))
}

/// Whom a refused command is reported to.
const fn subject(command: &Command) -> ParticipantId {
    match command {
        Command::OpenLink { participant, .. }
        | Command::RestartIce { participant, .. }
        | Command::CloseLink { participant }
        | Command::AddSource { participant, .. }
        | Command::RemoveSource { participant, .. }
        | Command::SetMuted { participant, .. }
        | Command::Subscribe { subscriber: participant, .. }
        | Command::Unsubscribe { subscriber: participant, .. } => *participant,
    }
}

#[cfg(test)]
mod tests;
