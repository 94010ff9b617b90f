//! The worker, participants around it, and what must be true after every datagram.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::sync::OnceLock;

use protocol::control::{Command, Event};
use protocol::datagram::Kind;
use protocol::id::ParticipantId;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use sfu::{Counters, Router};
use sfu_server::EncryptedLink;
use transport::Certificate;

use super::handmade::Handmade;
use super::paper::Paper;
use super::person::{Person, Whole};
use super::{HANDMADE, parameters};

pub(super) struct World {
    pub(super) now: Instant,
    router: Router<EncryptedLink>,
    pub(super) people: BTreeMap<u32, Person>,
    pub(super) handmade: Option<(Handmade, LinkParameters)>,
    paper: Paper,
    /// Links so far, for names and addresses that never come back.
    links: u16,
    /// What reached the worker: whose, and from where.
    pub(super) overheard: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Packets that are still on their way: from whom.
    pub(super) under_way: VecDeque<(u32, Vec<u8>)>,
    /// Payloads that came through, for whoever wants to know.
    pub(super) heard: BTreeMap<u32, u64>,
}

/// Who made a datagram, as far as packets of audio go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// A participant with a link.
    Participant(u32),
    /// Somebody else, or it is a copy, or it was changed.
    Stranger,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: Instant::from_ns(1_000_000_000),
            router: Router::new(certificates()[0].clone()),
            people: BTreeMap::new(),
            handmade: None,
            paper: Paper::default(),
            links: 0,
            overheard: VecDeque::new(),
            under_way: VecDeque::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Carries out a command; gives whether the worker did.
    pub(super) fn command(&mut self, command: Command) -> bool {
        self.events();
        self.router.handle_command(self.now, command.clone());
        let mut refused = false;
        while let Some(event) = self.router.poll_event() {
            if let Event::CommandRefused { command: whole, .. } = &event {
                assert_eq!(**whole, command, "a refused command comes back whole");
                refused = true;
            } else {
                self.take_event(&event);
            }
        }
        if !refused {
            self.paper.note(&command);
        }
        self.drain();
        self.check_sizes();
        !refused
    }

    /// Credentials and an address for another link.
    pub(super) fn another(&mut self) -> (String, SocketAddr) {
        self.links += 1;
        let address = SocketAddr::from(([198, 51, 100, 1], 10_000 + self.links));
        (self.links.to_string(), address)
    }

    pub(super) fn server_parameters(name: &str) -> LinkParameters {
        parameters("server", name, certificates()[0].fingerprint())
    }

    pub(super) fn certificate_of(id: u32) -> &'static Certificate {
        &certificates()[1 + id as usize % 2]
    }

    /// A datagram arrives at the worker, and what it leads to leaves.
    pub(super) fn feed(&mut self, from: SocketAddr, datagram: &[u8], maker: Maker) {
        let kind = Kind::of(datagram);
        let before = *self.router.counters();
        self.router.handle_datagram(self.now, from, &mut datagram.to_vec());
        self.drain();
        let after = *self.router.counters();
        let told = |count: fn(&Counters) -> u64| count(&after) - count(&before);
        let (received, dropped, copies) =
            (told(|c| c.received_packets), told(dropped), told(copies_made));
        let what = format!("{kind:?} from {from}: {received} {dropped} {copies}");
        match kind {
            Kind::Rtp if received == 1 && dropped == 0 => {
                let Maker::Participant(id) = maker else { panic!("{what}, and it is nobody's") };
                let ssrc = [datagram[8], datagram[9], datagram[10], datagram[11]];
                let ssrc = Ssrc(u32::from_be_bytes(ssrc));
                assert_eq!(copies, self.paper.subscribers(ParticipantId(id), ssrc), "{what}");
                assert_ne!(copies, 0, "{what}: dropped, and not counted");
            }
            Kind::Rtp | Kind::Unknown => assert_eq!((dropped, copies), (1, 0), "{what}"),
            Kind::Rtcp => assert_eq!(told(|c| c.rtcp_received) + dropped, 1, "{what}"),
            // DTLS brings any number of messages along.
            Kind::Stun => assert_eq!(told(|c| c.control_received) + dropped, 1, "{what}"),
            Kind::Dtls => assert!(1 <= told(|c| c.control_received) + dropped, "{what}"),
        }
        if self.overheard.len() == OVERHEARD_MAX {
            self.overheard.pop_front();
        }
        self.overheard.push_back((from, datagram.to_vec()));
        self.check_sizes();
    }

    /// Lets datagrams go back and forth until there are none.
    pub(super) fn settle(&mut self) {
        for _ in 0..EXCHANGES_MAX {
            let mut quiet = true;
            self.drain();
            for id in self.people.keys().copied().collect::<Vec<_>>() {
                let person = self.people.get_mut(&id).expect("listed");
                let from = person.address;
                for (datagram, whole) in person.outgoing() {
                    quiet = false;
                    if datagram.is_empty() {
                        continue;
                    }
                    let maker = match whole {
                        Whole::Yes => Maker::Participant(id),
                        Whole::No => Maker::Stranger,
                    };
                    self.feed(from, &datagram, maker);
                }
            }
            if let Some((handmade, _)) = &mut self.handmade {
                let (from, datagrams) = (handmade.address, handmade.outgoing());
                quiet &= datagrams.is_empty();
                for datagram in datagrams {
                    self.feed(from, &datagram, Maker::Participant(HANDMADE));
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the worker and its participants answer each other for ever");
    }

    /// Lets time pass, with everybody's timers but those of `silent` ones.
    pub(super) fn pass(&mut self, duration: Duration, silent: impl Fn(u32) -> bool) {
        let end = self.now + duration;
        loop {
            self.settle();
            let timers = self.people.iter().filter(|(id, _)| !silent(**id));
            let timers = timers.filter_map(|(_, person)| person.link.poll_timeout());
            let router = self.router.poll_timeout().map(|wake| wake.0);
            let next = timers.chain(router).min().unwrap_or(end);
            if end < next {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            for (_, person) in self.people.iter_mut().filter(|(id, _)| !silent(**id)) {
                person.handle_timeout(self.now);
            }
            self.router.handle_timeout(self.now);
            self.events();
        }
    }

    /// Takes what the worker sends: audio is checked, the rest goes to whoever has the address.
    fn drain(&mut self) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while let Some(transmit) = self.router.poll_transmit(&mut buffer) {
            let datagram = &mut buffer[..transmit.len];
            if Kind::of(datagram) == Kind::Rtp {
                self.hear(transmit.to, datagram);
                continue;
            }
            let holder = self.people.values_mut().find(|person| person.address == transmit.to);
            if let Some(person) = holder {
                person.take_control(self.now, datagram);
            } else if let Some((handmade, _)) = &mut self.handmade
                && handmade.address == transmit.to
            {
                handmade.take(datagram);
            }
        }
        self.events();
    }

    /// A packet of audio left the worker.
    fn hear(&mut self, to: SocketAddr, datagram: &mut [u8]) {
        let ssrc = [datagram[8], datagram[9], datagram[10], datagram[11]];
        let stream = Ssrc(u32::from_be_bytes(ssrc));
        let subscriber = stream.0 / STREAMS_OF_EACH;
        let (publisher, source) = self.paper.behind(ParticipantId(subscriber), stream);
        if subscriber == HANDMADE {
            return;
        }
        let person = self.people.get_mut(&subscriber).expect("it has a link");
        assert!(person.claimed.contains(&to), "{subscriber} was never at {to}");
        let Some(packet) = person.open(datagram) else { return };
        assert_eq!(packet.ssrc, stream);
        // What comes over a data channel made by hand is whatever it is.
        if publisher.0 != HANDMADE {
            assert_eq!(packet.payload[..8], marker(publisher.0, source), "another's packet");
        }
        *self.heard.entry(subscriber).or_default() += 1;
    }

    fn events(&mut self) {
        while let Some(event) = self.router.poll_event() {
            self.take_event(&event);
        }
    }

    fn take_event(&mut self, event: &Event) {
        match event {
            Event::LinkClosed { participant, .. } => self.paper.note_over(*participant),
            Event::CommandRefused { .. } => panic!("nothing was commanded"),
            Event::LinkUp { .. }
            | Event::LinkDown { .. }
            | Event::Uplink { .. }
            | Event::OverRate { .. }
            | Event::Downlink { .. }
            | Event::WorkerLoad { .. } => {}
        }
    }

    /// What the worker counted.
    #[cfg(test)]
    pub(super) const fn counters(&self) -> &Counters {
        self.router.counters()
    }

    fn check_sizes(&self) {
        let sizes = (self.router.links(), self.router.sources(), self.router.streams());
        assert_eq!(sizes, self.paper.sizes(), "links, sources, streams");
    }

    /// Closes every link; nothing of them is left.
    pub(super) fn end(mut self) {
        self.router.close_all(self.now);
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while self.router.poll_transmit(&mut buffer).is_some() {}
        while self.router.poll_event().is_some() {}
        let sizes = (self.router.links(), self.router.sources(), self.router.streams());
        assert_eq!(sizes, (0, 0, 0), "links, sources, streams");
    }
}

/// How a payload of a participant's source begins.
pub(super) fn marker(publisher: u32, source: Ssrc) -> [u8; 8] {
    let mut marker = [0; 8];
    marker[..4].copy_from_slice(&publisher.to_be_bytes());
    marker[4..].copy_from_slice(&source.0.to_be_bytes());
    marker
}

/// What was dropped before it could be forwarded, by whatever cause.
fn dropped(c: &Counters) -> u64 {
    let stun = c.dropped_stun + c.dropped_address_held;
    let rates = c.dropped_control_rate
        + c.dropped_stranger_link_rate
        + c.dropped_stranger_rate
        + c.dropped_source_rate;
    let strange = c.dropped_unknown_kind + c.dropped_unknown_address + c.dropped_unknown_ssrc;
    let broken = c.dropped_malformed + c.dropped_forged + c.dropped_empty;
    let misplaced = c.dropped_replayed + c.dropped_astray + c.dropped_payload_type;
    let unheard = c.dropped_muted + c.dropped_unsubscribed;
    stun + rates + strange + broken + misplaced + unheard
}

/// Copies for subscribers, sent or with a reason why not.
fn copies_made(c: &Counters) -> u64 {
    let unsent = c.unsent_link_down + c.unsent_payload + c.unsent_before_join + c.unsent_not_sealed;
    c.forwarded_packets + unsent
}

/// The worker's certificate, and two that participants share: making one takes as long as a
/// handshake.
fn certificates() -> &'static [Certificate; 3] {
    static CERTIFICATES: OnceLock<[Certificate; 3]> = OnceLock::new();
    let generate = || [(); 3].map(|()| Certificate::generate().expect("there is randomness"));
    CERTIFICATES.get_or_init(generate)
}

/// Which SSRCs are a participant's, of the streams it receives.
pub(super) const STREAMS_OF_EACH: u32 = 1_000_000;

/// Datagrams kept for copies of them.
const OVERHEARD_MAX: usize = 256;

/// A handshake takes about ten; one instruction sends hundreds of messages, and every datagram may be
/// answered once.
const EXCHANGES_MAX: usize = 10_000;
