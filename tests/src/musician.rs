//! One simulated musician: a real engine session and a real membership of the room, on a sound card
//! and an operating system whose clocks are their own.
//!
//! [`Musician`] is what somebody brings; [`Player`] is them playing. A player is driven by its
//! callbacks, its timers and what arrives, and gives what it sends. What surprises: the audio
//! callbacks run under an allocation guard, so a scenario fails where a sound card would crackle.

use core::time::Duration;
use std::collections::BTreeMap;

use assert_no_alloc::assert_no_alloc;
use engine::{Channels, Encoding, RemoteStats, Session, SessionConfig, Solo};
use engine_device::session::membership::{Effect, End, Membership, Musician as Us, Notice};
use engine_device::session::{Backoff, CodecChoice, Uplink};
use protocol::codec::Codec;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    Capabilities, ClientEnvelope, ClientMessage, EngineKind, LinkParameters, ServerEnvelope, Source,
};
use protocol::time::Instant;

use crate::clock::{SoundCard, SystemClock};
use crate::listener::Tape;
use crate::network::Weather;
use crate::plain_link::{PlainClientLink, PlainEvent};
use crate::random::Random;
use crate::sound::Sound;

/// What somebody brings into a simulated room.
#[derive(Debug, Clone)]
pub struct Musician {
    pub(crate) name: String,
    pub(crate) room: RoomId,
    plays: Vec<f32>,
    pub(crate) card: SoundCard,
    system: SystemClock,
    pub(crate) weather: Weather,
    choice: CodecChoice,
    capabilities: Option<Capabilities>,
}

impl Musician {
    /// Somebody with a good sound card beside the server, who plays a track of `tests/music` over
    /// and over, in the room `jam`.
    #[must_use]
    pub fn new(name: &str, plays: &str) -> Self {
        let sound = Sound::music(plays).expect("the track is in tests/music");
        Self {
            name: name.to_owned(),
            room: RoomId::parse("jam").expect("a good name"),
            plays: sound.to_mono(),
            card: SoundCard::exact(64),
            system: SystemClock { epoch: Duration::from_secs(7), drift_ppm: 0.0 },
            weather: Weather::default(),
            choice: CodecChoice::Auto,
            capabilities: None,
        }
    }

    /// In another room.
    #[must_use]
    pub fn in_room(self, room: &str) -> Self {
        Self { room: RoomId::parse(room).expect("a good name"), ..self }
    }

    /// With this sound card.
    #[must_use]
    pub fn on_card(self, card: SoundCard) -> Self {
        Self { card, ..self }
    }

    /// Far away: this weather on the way up and on the way down.
    #[must_use]
    pub fn behind(self, weather: Weather) -> Self {
        Self { weather, ..self }
    }

    /// With one codec instead of the automatic choice.
    #[must_use]
    pub fn sends(self, codec: Codec) -> Self {
        Self { choice: CodecChoice::Only(codec), ..self }
    }

    /// As an ordinary WebRTC client appears to the others: it plays `opus` and nothing else.
    #[must_use]
    pub fn as_standard(self) -> Self {
        let capabilities =
            Capabilities { engine: EngineKind::Standard, decodes: vec![Codec::Opus] };
        Self { capabilities: Some(capabilities), ..self }
    }

    /// As a jam participant that decodes only these.
    #[must_use]
    pub fn that_decodes(self, decodes: &[Codec]) -> Self {
        let capabilities = Capabilities { engine: EngineKind::Native, decodes: decodes.to_vec() };
        Self { capabilities: Some(capabilities), ..self }
    }

    /// Playing louder or softer than the recording.
    #[must_use]
    pub fn at_level_db(self, db: f32) -> Self {
        let factor = protocol::units::Decibels(db).to_factor();
        Self { plays: self.plays.iter().map(|sample| sample * factor).collect(), ..self }
    }

    /// Playing something else than the music.
    #[must_use]
    pub fn playing(self, samples: Vec<f32>) -> Self {
        Self { plays: samples, ..self }
    }
}

/// What a player gives to the outside.
#[derive(Debug)]
pub(crate) enum Sent {
    /// A datagram to the server's media address.
    Datagram(Vec<u8>),
    /// A message on the WebSocket.
    Message(String),
    /// A WebSocket is wanted after so long.
    Connect(Duration),
}

/// A musician playing.
pub(crate) struct Player {
    pub(crate) setup: Musician,
    session: Session,
    membership: Membership,
    link: Option<PlainClientLink>,
    backoff: Backoff,
    random: Random,
    callbacks: u64,
    playback: [Vec<f32>; 2],
    input: Vec<f32>,
    played: Vec<f32>,
    heard: Vec<f32>,
    sent: Vec<Sent>,
    /// Notices, oldest first.
    pub(crate) notices: Vec<String>,
    pub(crate) ended: Option<End>,
    /// Packets that the engine refused, by reason.
    refused: BTreeMap<String, u64>,
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
        let rate = f64::from(protocol::units::SampleRate::WIRE.as_hz());
        #[expect(clippy::cast_possible_truncation, reason = "a run is short")]
        #[expect(clippy::cast_sign_loss, reason = "time does not run backwards")]
        let callbacks = (since * rate / period as f64).ceil() as u64;
        let silence = vec![0.0; usize::try_from(callbacks).unwrap_or(0) * period];
        Self {
            session,
            membership,
            link: None,
            backoff: Backoff::default(),
            random,
            callbacks,
            playback: [vec![0.0; period], vec![0.0; period]],
            input: vec![0.0; period],
            played: silence.clone(),
            heard: silence,
            sent: vec![Sent::Connect(Duration::ZERO)],
            notices: Vec::new(),
            ended: None,
            refused: BTreeMap::new(),
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
        let [left, right] = &mut self.playback;
        let (capture, render) = (&mut self.session.capture, &mut self.session.render);
        let input = &self.input;
        assert_no_alloc(|| {
            capture.capture(&[input]);
            render.render(local, &mut [left, right]);
        });
        self.callbacks += 1;
        self.played.extend_from_slice(&self.input);
        self.heard.extend(left.iter().zip(right.iter()).map(|(l, r)| 0.5 * (l + r)));
        self.send_packets();
    }

    /// Time passes for everything but the sound card; about twenty times a second.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let local = self.setup.system.at(now);
        if let Some(link) = &mut self.link {
            let (check, event) = link.handle_timeout(local);
            if let Some(check) = check {
                self.sent.push(Sent::Datagram(check));
            }
            self.note_link(event);
        }
        self.membership.handle_timeout(local);
        self.session.control.poll();
        self.carry_out(now);
    }

    /// A datagram from the server.
    pub(crate) fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        let local = self.setup.system.at(now);
        let Some(link) = &mut self.link else { return };
        if Kind::of(bytes) == Kind::Rtp {
            link.handle_media(local);
            if let Err(error) = self.session.incoming.handle_packet(local, bytes) {
                let error = format!("{error:?}");
                let kind = error.split(['(', ' ']).next().unwrap_or_default().to_owned();
                *self.refused.entry(kind).or_default() += 1;
            }
        } else {
            let event = link.handle_datagram(local, bytes);
            self.note_link(event);
            self.carry_out(now);
        }
    }

    /// A message from signalling.
    pub(crate) fn handle_message(&mut self, now: Instant, text: &str) {
        let envelope: ServerEnvelope =
            serde_json::from_str(text).expect("signalling sends messages of the protocol");
        self.membership.handle_message(self.setup.system.at(now), envelope);
        self.backoff.reset();
        self.carry_out(now);
    }

    /// The WebSocket stands.
    pub(crate) fn handle_websocket_open(&mut self, now: Instant) {
        self.membership.handle_websocket_open();
        self.carry_out(now);
    }

    /// The WebSocket is gone or could not be made.
    pub(crate) fn handle_websocket_gone(&mut self) {
        self.membership.handle_websocket_gone();
        if self.ended.is_none() {
            self.sent.push(Sent::Connect(self.backoff.next()));
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

    pub(crate) fn take_sent(&mut self) -> Vec<Sent> {
        core::mem::take(&mut self.sent)
    }

    pub(crate) fn participant(&self) -> Option<ParticipantId> {
        self.membership.me()
    }

    /// What is sent, and why where that is not simply what was asked for.
    pub(crate) fn encodings(&self) -> (&[Codec], Option<&str>) {
        self.membership.encodings()
    }

    /// The server's last report on what is sent.
    pub(crate) fn uplink(&self) -> Option<Uplink> {
        self.membership.uplink()
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

    /// Packets that the engine refused, by reason.
    pub(crate) const fn refused(&self) -> &BTreeMap<String, u64> {
        &self.refused
    }

    /// Whether the media link is up.
    pub(crate) fn is_linked(&self) -> bool {
        self.membership.link_is_up()
    }

    fn send_packets(&mut self) {
        let up = self.link.as_ref().is_some_and(PlainClientLink::is_up);
        let mut buffer = [0; protocol::limits::DATAGRAM_BYTES_MAX];
        while let Some(len) = self.session.outgoing.poll_packet(&mut buffer) {
            if up {
                self.sent.push(Sent::Datagram(buffer[..len].to_vec()));
            }
        }
    }

    fn note_link(&mut self, event: Option<PlainEvent>) {
        match event {
            Some(PlainEvent::Up) => self.membership.handle_link_up(),
            Some(PlainEvent::Down) => self.membership.handle_link_down(),
            None => {}
        }
    }

    fn carry_out(&mut self, now: Instant) {
        let local = self.setup.system.at(now);
        while let Some(effect) = self.membership.poll_effect() {
            match effect {
                Effect::Send(envelope) => {
                    let envelope = self.disguise(envelope);
                    let text = serde_json::to_string(&envelope).expect("messages are JSON");
                    self.sent.push(Sent::Message(text));
                }
                Effect::OpenLink => {
                    let parameters = self.new_parameters();
                    self.link = Some(PlainClientLink::new(parameters.clone(), local));
                    self.membership.handle_local_link(parameters);
                }
                Effect::RestartLink => {
                    let fingerprint = self.link.as_ref().map(|link| link.fingerprint().to_owned());
                    let mut parameters = self.new_parameters();
                    if let (Some(link), Some(fingerprint)) = (&mut self.link, fingerprint) {
                        parameters.fingerprint = fingerprint;
                        link.restart(parameters.clone(), local);
                    }
                    self.membership.handle_local_link(parameters);
                }
                Effect::AcceptLink { link: remote, candidates } => {
                    assert!(!candidates.is_empty(), "the server says where it is");
                    if let Some(link) = &mut self.link {
                        link.accept(remote, local);
                    }
                }
                Effect::SetEncodings { codecs, redundant_frames } => {
                    self.set_encodings(&codecs, redundant_frames);
                }
                Effect::AddRemote { ssrc, channels } => {
                    let channels = Channels::from_count(channels.into()).expect("one or two");
                    self.session.control.add_remote(ssrc, channels).expect("a new remote");
                }
                Effect::RemoveRemote { ssrc } => {
                    self.session.control.remove_remote(ssrc).expect("a remote that was added");
                }
                Effect::Tell(Notice::Fact(text) | Notice::Warning(text)) => self.notices.push(text),
                Effect::Tell(Notice::Chat { name, text }) => {
                    self.notices.push(format!("{name}: {text}"));
                }
                Effect::Reconnect => self.sent.push(Sent::Connect(self.backoff.next())),
                Effect::End(end) => self.ended = Some(end),
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
            (ClientMessage::Join { version, room, name, seat, .. }, Some(capabilities)) => {
                let capabilities = capabilities.clone();
                ClientMessage::Join { version, room, name, capabilities, seat }
            }
            (message, _) => message,
        };
        ClientEnvelope { request, message }
    }

    fn new_parameters(&mut self) -> LinkParameters {
        let mut letters = || format!("{:016x}", self.random.next_u64());
        let (ice_ufrag, ice_pwd) = (letters(), letters() + &letters());
        let byte = |_| format!("{:02X}", self.random.below(256));
        let fingerprint = (0..32).map(byte).collect::<Vec<_>>().join(":");
        LinkParameters { ice_ufrag, ice_pwd, fingerprint }
    }
}
