//! One simulated musician playing: a real engine session and a real membership of the room, on a
//! sound card and an operating system whose clocks are their own.
//!
//! A player is driven by its callbacks, its timers and what arrives, and gives what it sends. It
//! stands for the native shell: its session's thread looks around every 20 ms, its receiver
//! sleeps until the link wants to be woken. What surprises: the audio callbacks run under an
//! allocation guard, so a scenario fails where a sound card would crackle.

mod together;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use assert_no_alloc::assert_no_alloc;
use engine::{
    Channels, Click, Encoding, IncomingError, RemoteStats, RoomClock, RoomClockStats, Session,
    SessionConfig, Solo,
};
use engine_device::session::membership::{Effect, End, Membership, Musician as Us, Notice, Phase};
use engine_device::session::{Backoff, OwnEnd};
use protocol::codec::Codec;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, TrackId};
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::room_clock::{Answer, QUESTION_BYTES, Question};
use protocol::rtcp;
use protocol::rtp::Ssrc;
use protocol::signal::{ClientEnvelope, ClientMessage, Finding, ServerEnvelope, Source};
use protocol::time::{Instant, RoomTime};
use protocol::units::SampleRate;
use relay::random::Random;
use sfu::transport::LinkEvent;

use crate::knocking::Knocking;
use crate::listener::Tape;
use crate::media::Media;
use crate::musician::Musician;

/// What a player gives to the outside.
#[derive(Debug)]
pub(crate) enum Sent {
    /// A datagram to the server's media address.
    Datagram(Vec<u8>),
    /// Datagrams come from another port from here on.
    NewSocket,
    /// A message on the WebSocket.
    Message(String),
    /// A WebSocket is wanted after so long, in the place of any that there is.
    Connect(Duration),
    /// No WebSocket is wanted any more.
    Disconnect,
}

/// A musician playing.
pub(crate) struct Player {
    pub(crate) setup: Musician,
    session: Session,
    membership: Membership,
    media: Media,
    room_clock: RoomClock,
    backoff: Backoff,
    /// When something last came on the WebSocket, and when the server was asked for something.
    heard_server: Instant,
    pinged: Instant,
    callbacks: u64,
    playback: [Vec<f32>; 2],
    input: Vec<f32>,
    knocking: Knocking,
    played: Vec<f32>,
    heard: Vec<f32>,
    sent: VecDeque<Sent>,
    /// Notices, oldest first.
    pub(crate) notices: Vec<String>,
    pub(crate) ended: Option<End>,
    /// Streams whose packets the engine does not know, since when.
    unknown: BTreeMap<Ssrc, Instant>,
}

impl Player {
    pub(crate) fn new(setup: Musician, mut random: Random, now: Instant) -> Self {
        let period = setup.card.period_frames;
        let config = SessionConfig {
            period_frames_max: period,
            channels: Channels::Mono,
            seed: random.next_u64(),
            ..SessionConfig::default()
        };
        let session = engine::session(&config).expect("a period that any card has");
        let sources = setup.choice.sources().into_iter().map(|codec| Source {
            codec,
            ssrc: Ssrc(u32::try_from(random.next_u64() >> 33).expect("31 bits") + 1),
        });
        let membership = Membership::new(Us {
            room: setup.room.clone(),
            name: setup.name.clone(),
            label: "mic".to_owned(),
            channels: 1,
            choice: setup.choice,
            sources: sources.collect(),
        });
        // As many callbacks as the card would have made since the beginning of time.
        let since = now.saturating_since(Instant::ZERO).as_secs_f64();
        let rate = f64::from(SampleRate::WIRE.as_hz());
        #[expect(clippy::cast_possible_truncation, reason = "a run is short")]
        #[expect(clippy::cast_sign_loss, reason = "time does not run backwards")]
        let callbacks = (since * rate / period as f64).ceil() as u64;
        let silence = vec![0.0; usize::try_from(callbacks).unwrap_or(0) * period];
        Self {
            session,
            membership,
            media: Media::new(random),
            room_clock: RoomClock::default(),
            backoff: Backoff::default(),
            heard_server: now,
            pinged: now,
            callbacks,
            playback: [vec![0.0; period], vec![0.0; period]],
            input: vec![0.0; period],
            knocking: Knocking::default(),
            played: silence.clone(),
            heard: silence,
            sent: VecDeque::from([Sent::Connect(Duration::ZERO)]),
            notices: Vec::new(),
            ended: None,
            unknown: BTreeMap::new(),
            setup,
        }
    }

    /// When the sound card calls back next.
    pub(crate) fn next_callback(&self) -> Instant {
        self.setup.card.callback(self.callbacks)
    }

    /// The sound card calls back: a period in, a period out.
    pub(crate) fn handle_callback(&mut self, now: Instant) {
        let local = self.setup.system.at(now);
        let start = self.played.len();
        for (i, sample) in self.input.iter_mut().enumerate() {
            *sample = self.setup.plays[(start + i) % self.setup.plays.len()];
        }
        // A period is over when it is handed over.
        let captured_at =
            self.callbacks.checked_sub(1).map(|before| self.setup.card.callback(before));
        let captured_at = captured_at.map(|at| self.setup.system.at(at));
        if let (true, Some(at), Some(mapping)) =
            (self.setup.knocks, captured_at, self.room_clock.mapping())
        {
            let click = Click::new(&self.membership.shared().click).expect("signalling let it in");
            self.knocking.play(&click, &mapping, at, local, &mut self.input);
        }
        let [left, right] = &mut self.playback;
        let (capture, render) = (&mut self.session.capture, &mut self.session.render);
        let input = &self.input;
        assert_no_alloc(|| {
            if let Some(at) = captured_at {
                capture.note_time(at);
            }
            capture.capture(&[input]);
            render.render(local, &mut [left, right]);
        });
        self.callbacks += 1;
        self.played.extend_from_slice(&self.input);
        self.heard.extend(left.iter().zip(right.iter()).map(|(l, r)| 0.5 * (l + r)));
        self.send_packets();
    }

    /// The session's thread looks around: fifty times a second.
    pub(crate) fn handle_turn(&mut self, now: Instant) {
        let local = self.setup.system.at(now);
        self.watch_websocket(local);
        self.membership.handle_timeout(local);
        self.session.control.set_room_least(self.membership.room_least());
        self.session.control.set_playing_mode(self.membership.shared().mode);
        self.session.control.poll();
        let remotes = self.session.control.stats().remotes;
        let own = OwnEnd {
            period: Some(SampleRate::WIRE.duration_floor(self.input.len() as u64)),
            network: self.room_clock.stats(local),
            ..OwnEnd::default()
        };
        self.membership.handle_remotes(local, &remotes, &own);
        self.carry_out(now);
    }

    /// The link wants to be driven: see [`Self::link_timeout`].
    pub(crate) fn handle_link_timeout(&mut self, now: Instant) {
        self.carry_out(now);
    }

    /// A datagram from the server.
    pub(crate) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let local = self.setup.system.at(now);
        if Kind::of(bytes) == Kind::Rtcp {
            let packets = rtcp::parse(bytes).expect("the SFU writes properly");
            for answer in packets.filter_map(|packet| Answer::read(&packet)) {
                self.room_clock.answered(local, &answer);
            }
            if let Some(mapping) = self.room_clock.mapping() {
                self.session.outgoing.set_room_clock(mapping);
                self.session.control.set_room_clock(mapping);
            }
        } else if Kind::of(bytes) != Kind::Rtp {
            self.media.handle_datagram(local, bytes);
            self.carry_out(now);
        } else if self.media.has_keys() {
            match self.session.incoming.handle_packet(local, bytes) {
                Ok(()) => {}
                // Media overtakes signalling now and then.
                Err(IncomingError::UnknownSsrc(ssrc)) => {
                    let since = *self.unknown.entry(ssrc).or_insert(now);
                    let name = &self.setup.name;
                    let unknown_for = now.saturating_since(since);
                    assert!(
                        unknown_for < UNKNOWN_MAX,
                        "{name} was never told of {ssrc:?}, whose packets come since {since:?}"
                    );
                }
                Err(error) => panic!("{}'s engine refuses a packet: {error}", self.setup.name),
            }
        }
    }

    /// A message from signalling.
    pub(crate) fn handle_message(&mut self, now: Instant, text: &str) {
        let envelope: ServerEnvelope =
            serde_json::from_str(text).expect("signalling sends messages of the protocol");
        self.handle_life(now);
        self.membership.handle_message(self.setup.system.at(now), envelope);
        if self.membership.phase() == Phase::Joined {
            self.backoff.reset();
        }
        self.carry_out(now);
    }

    /// Anything came on the WebSocket, a ping for instance.
    pub(crate) fn handle_life(&mut self, now: Instant) {
        self.heard_server = self.setup.system.at(now);
    }

    /// The WebSocket stands.
    pub(crate) fn handle_websocket_open(&mut self, now: Instant) {
        self.handle_life(now);
        self.pinged = self.heard_server;
        self.membership.handle_websocket_open();
        self.carry_out(now);
    }

    /// The WebSocket is gone or could not be made.
    pub(crate) fn handle_websocket_gone(&mut self) {
        self.membership.handle_websocket_gone();
        if self.ended.is_none() {
            self.sent.push_back(Sent::Connect(self.backoff.next()));
        }
    }

    pub(crate) fn leave(&mut self, now: Instant) {
        self.membership.leave();
        self.carry_out(now);
    }

    pub(crate) fn set_muted(&mut self, now: Instant, muted: bool) {
        self.membership.set_muted(muted);
        self.carry_out(now);
    }

    /// Solos whatever a participant publishes, and nothing else.
    pub(crate) fn solo(&mut self, source: Option<ParticipantId>) {
        for (participant, _, stats) in self.remotes() {
            let solo = if Some(participant) == source { Solo::Soloed } else { Solo::Together };
            self.session.control.set_soloed(stats.ssrc, solo).expect("a remote that was added");
        }
    }

    pub(crate) fn say(&mut self, now: Instant, text: &str) {
        self.membership.say(text.to_owned());
        self.carry_out(now);
    }

    /// Sends something that the native session has no key for.
    pub(crate) fn send(&mut self, message: ClientMessage) {
        let envelope = ClientEnvelope { request: None, message };
        let text = serde_json::to_string(&envelope).expect("messages have string keys only");
        self.sent.push_back(Sent::Message(text));
    }

    /// What leaves next.
    pub(crate) fn next_sent(&mut self) -> Option<Sent> {
        self.sent.pop_front()
    }

    /// When [`Self::handle_link_timeout`] wants to be called, in virtual time.
    pub(crate) fn link_timeout(&self) -> Option<Instant> {
        let due = [self.media.poll_timeout(), self.room_clock.poll_timeout()];
        due.into_iter().flatten().min().map(|due| self.setup.system.when(due))
    }

    pub(crate) fn participant(&self) -> Option<ParticipantId> {
        self.membership.me()
    }

    /// What is sent, and why where that is not simply what was asked for.
    pub(crate) fn encodings(&self) -> (&[Codec], Option<&str>) {
        self.membership.encodings()
    }

    /// How each remote fares, with whose it is.
    pub(crate) fn remotes(&self) -> Vec<(ParticipantId, TrackId, RemoteStats)> {
        let streams = self.membership.streams();
        let stats = self.session.control.stats().remotes.into_iter();
        stats
            .filter_map(|stats| {
                let stream = streams.get(&stats.ssrc)?;
                Some((stream.participant, stream.track, stats))
            })
            .collect()
    }

    pub(crate) fn played(&self) -> Tape<'_> {
        Tape { card: self.setup.card, samples: &self.played }
    }

    pub(crate) fn heard(&self) -> Tape<'_> {
        Tape { card: self.setup.card, samples: &self.heard }
    }

    /// Whether the media link is up.
    pub(crate) fn is_linked(&self) -> bool {
        self.membership.link_is_up()
    }

    fn send_packets(&mut self) {
        let keyed = self.media.has_keys();
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while let Some(len) = self.session.outgoing.poll_packet(&mut buffer) {
            if keyed {
                self.sent.push_back(Sent::Datagram(buffer[..len].to_vec()));
            }
        }
    }

    /// How late somebody says that they hear somebody else.
    pub(crate) fn told_delay_us(
        &self,
        listener: ParticipantId,
        source: ParticipantId,
    ) -> Option<u32> {
        let tracks = &self.membership.participants().get(&source)?.tracks;
        let told = self.membership.hearings().get(&listener)?;
        told.iter().find(|hearing| tracks.iter().any(|t| t.id == hearing.track))?.delay_us
    }

    /// What the server says that holds the room back.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.membership.findings()
    }

    /// What the room's clock shows, and how well that is known.
    pub(crate) fn room_time(&self, now: Instant) -> Option<(RoomTime, RoomClockStats)> {
        let local = self.setup.system.at(now);
        Some((self.room_clock.mapping()?.room(local), self.room_clock.stats(local)?))
    }

    fn ask_time(&mut self, local: Instant) {
        if self.room_clock.request(local) {
            let mut bytes = vec![0; QUESTION_BYTES];
            Question { sent: local }.write(&mut bytes).expect("as long as it says");
            self.sent.push_back(Sent::Datagram(bytes));
        }
    }

    /// Asks a server that says nothing for a sign of life, and gives it up when none comes.
    fn watch_websocket(&mut self, local: Instant) {
        if self.membership.phase() == Phase::Offline {
            return;
        }
        if SILENCE_MAX < local.saturating_since(self.heard_server) {
            self.handle_websocket_gone();
        } else if PING_EVERY < local.saturating_since(self.heard_server.max(self.pinged)) {
            self.pinged = local;
            self.membership.ping();
        }
    }

    /// Drives the link and carries out what the membership wants, until neither wants anything.
    fn carry_out(&mut self, now: Instant) {
        let local = self.setup.system.at(now);
        loop {
            self.media.drive(local, &mut self.sent);
            while let Some(event) = self.media.poll_event() {
                match event {
                    LinkEvent::Up => {
                        self.room_clock.link_up(local);
                        self.membership.handle_link_up();
                    }
                    LinkEvent::Down => {
                        self.room_clock.link_down();
                        self.membership.handle_link_down();
                    }
                    LinkEvent::Closed => {
                        self.room_clock.link_down();
                        self.membership.handle_link_closed();
                    }
                    LinkEvent::Message(_) => {}
                }
            }
            self.ask_time(local);
            let Some(effect) = self.membership.poll_effect() else { return };
            self.carry_out_effect(now, effect);
        }
    }

    fn carry_out_effect(&mut self, now: Instant, effect: Effect) {
        match effect {
            Effect::Send(envelope) => {
                let envelope = self.disguise(envelope);
                let text = serde_json::to_string(&envelope).expect("messages are JSON");
                self.sent.push_back(Sent::Message(text));
            }
            Effect::OpenLink => {
                let parameters = self.media.open_link();
                self.membership.handle_local_link(parameters);
            }
            Effect::RestartLink => {
                let parameters = self.media.restart_link();
                self.membership.handle_local_link(parameters);
            }
            Effect::AcceptLink { link: remote, candidates } => {
                let server = *candidates.first().expect("the server says where it is");
                let local = self.setup.system.at(now);
                self.media.accept(local, &remote, server, &mut self.sent);
            }
            Effect::SetEncodings { codecs, redundant_frames } => {
                self.set_encodings(&codecs, redundant_frames);
            }
            Effect::SetClick(segments) => {
                self.session.control.set_click(&segments).expect("a click that signalling let in");
            }
            Effect::Takes(_) => {}
            Effect::AddRemote { ssrc, channels } => {
                let channels = Channels::from_count(channels.into()).expect("one or two");
                self.session.control.add_remote(ssrc, channels).expect("a new remote");
                self.unknown.remove(&ssrc);
            }
            Effect::RemoveRemote { ssrc } => {
                self.session.control.remove_remote(ssrc).expect("a remote that was added");
            }
            Effect::Tell(Notice::Fact(text) | Notice::Warning(text)) => self.notices.push(text),
            Effect::Tell(Notice::Chat { name, text }) => {
                self.notices.push(format!("{name}: {text}"));
            }
            Effect::Reconnect => self.handle_websocket_gone(),
            Effect::End(end) => {
                self.room_clock.link_down();
                self.media.close(&mut self.sent);
                self.sent.push_back(Sent::Disconnect);
                self.ended = Some(end);
            }
        }
    }

    fn set_encodings(&mut self, codecs: &[Codec], redundant_frames: usize) {
        let sources = self.membership.sources();
        let encoding = |codec: &Codec| {
            let source = sources.iter().find(|source| source.codec == *codec)?;
            Some(Encoding { redundant_frames, ..Encoding::new(*codec, source.ssrc) })
        };
        let encodings: Vec<Encoding> = codecs.iter().filter_map(encoding).collect();
        self.session.control.set_encodings(&encodings).expect("what signalling wants is possible");
    }

    /// Somebody who pretends to play less than our engine does.
    fn disguise(&self, envelope: ClientEnvelope) -> ClientEnvelope {
        let ClientEnvelope { request, message } = envelope;
        let message = match (message, &self.setup.capabilities) {
            (ClientMessage::Join { version, room, name, seat, pass, .. }, Some(capabilities)) => {
                let capabilities = capabilities.clone();
                ClientMessage::Join { version, room, name, capabilities, seat, pass }
            }
            (message, _) => message,
        };
        ClientEnvelope { request, message }
    }
}

/// As the native session does: a server that says nothing is asked after this, given up after that.
const PING_EVERY: Duration = Duration::from_secs(2);
const SILENCE_MAX: Duration = Duration::from_secs(6);

/// How long packets of a stream may come that signalling has not told of, or has taken back: a
/// second is what TCP needs for a repetition or two.
const UNKNOWN_MAX: Duration = Duration::from_secs(1);
