//! The router as a whole: what it owns, its interface, its timers. What comes in is in
//! `incoming.rs`, what goes out in `outgoing.rs`.

mod incoming;
mod outgoing;
mod room_clock;
mod rtcp;
#[cfg(test)]
mod tests;

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};

use protocol::control::{Command, Event};
use protocol::datagram::Kind;
use protocol::id::ParticipantId;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::room_clock::Answer;
use protocol::rtcp::NtpTime;
use protocol::time::Instant;

use self::rtcp::Reports;
use crate::limits::{
    ANSWERS_MAX, EVENTS_MAX, REPORT_INTERVAL, STRANGER_STUN_PER_SECOND_MAX,
    TIMER_ROUND_INTERVAL_MIN,
};
use crate::member::{AddressTable, Member, MemberKey, MemberKind};
use crate::pending::PendingRing;
use crate::publisher::Source;
use crate::rate::Bucket;
use crate::slab::Slab;
use crate::stats::Counters;
use crate::subscriber::Stream;
use crate::transport::Link;

/// What wants [`Router::handle_timeout`] to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Timers of links: connectivity, handshakes, data channels.
    Links,
    /// The report of all sources.
    Report,
    /// RTCP to a link.
    Rtcp,
}

/// A datagram to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub to: SocketAddr,
    /// Bytes of it in the caller's buffer.
    pub len: usize,
    /// When the packet that it is a copy of arrived; `None` for control datagrams.
    pub arrived: Option<Instant>,
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
    /// The wall clock at [`Instant::ZERO`].
    epoch: NtpTime,
    pub(crate) reports: Reports,
    /// Who asked for the time.
    asked: VecDeque<(MemberKey, Answer)>,
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
            epoch: NtpTime::default(),
            reports: Reports::default(),
            asked: VecDeque::with_capacity(ANSWERS_MAX),
        }
    }

    /// Says what the wall clock shows at [`Instant::ZERO`]: that is the clock of all rooms of this
    /// router, and of the times in sender reports. Without it they count from there.
    #[must_use]
    pub fn with_epoch(self, epoch: NtpTime) -> Self {
        Self { epoch, ..self }
    }

    /// Takes a datagram; opens it in place.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &mut [u8]) {
        self.handle_waiting(now, now, from, datagram);
    }

    /// Takes a datagram that has waited in a socket since it `arrived`; opens it in place.
    pub fn handle_waiting(
        &mut self,
        now: Instant,
        arrived: Instant,
        from: SocketAddr,
        datagram: &mut [u8],
    ) {
        self.counters.received_bytes += datagram.len() as u64;
        if DATAGRAM_BYTES_MAX < datagram.len() {
            self.counters.dropped_malformed += 1;
            return;
        }
        match Kind::of(datagram) {
            Kind::Rtp => self.handle_rtp(arrived, from, datagram),
            Kind::Rtcp => self.handle_rtcp(now, arrived, from, datagram),
            Kind::Stun => self.handle_stun(now, from, datagram),
            Kind::Dtls => self.handle_dtls(now, from, datagram),
            Kind::Unknown => self.counters.dropped_unknown_kind += 1,
        }
    }

    /// Carries out a command of signalling. One that cannot be carried out is answered by
    /// [`Event::CommandRefused`] and changes nothing.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        let participant = command.participant();
        if let Err(text) = self.carry_out(now, command.clone()) {
            self.counters.commands_refused += 1;
            let command = Box::new(command);
            self.push_event(Event::CommandRefused { participant, command, text });
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
        self.queue_reports(now);
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
    pub fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Outgoing> {
        // Audio first: it is what is waited for.
        let outgoing = self.poll_forwarded(buffer).or_else(|| self.poll_control(buffer))?;
        self.counters.sent_bytes += outgoing.len as u64;
        Some(outgoing)
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
        let rtcp = self.reports.poll_timeout().map(|due| (due, Wake::Rtcp));
        [round, report, rtcp].into_iter().flatten().min_by_key(|wake| wake.0)
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

    /// How many sources there are in all links.
    #[must_use]
    pub const fn sources(&self) -> usize {
        self.sources.len()
    }

    /// How many streams to all links are remembered, carrying or not.
    #[must_use]
    pub const fn streams(&self) -> usize {
        self.streams.len()
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
            let dropped_packets = source.take_over_rate();
            if 0 < dropped_packets {
                let Source { participant, track, ssrc, .. } = *source;
                events.push(Event::OverRate { participant, track, ssrc, dropped_packets });
            }
        }
        events.append(&mut self.downlinks());
        for event in events {
            self.push_event(event);
        }
        self.next_report = (!self.by_participant.is_empty()).then(|| now + REPORT_INTERVAL);
    }

    fn push_event(&mut self, event: Event) {
        if EVENTS_MAX <= self.events.len() {
            self.events.pop_front();
            self.counters.dropped_events += 1;
        }
        self.events.push_back(event);
    }
}
