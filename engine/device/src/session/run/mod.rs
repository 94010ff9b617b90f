//! The session's thread: reads the WebSocket, keeps timers, carries out what `membership` decides.
//!
//! It decides nothing itself. Each turn takes at most the WebSocket's read timeout, so requests
//! and the engine are served fifty times a second.

mod connect;
mod relief;
mod requests;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use engine::{
    Channels, Control, ControlError, Encoding, Mute, Relief, RemoteStats, RoomClockStats,
    RoomMapping, Solo,
};
use protocol::id::TrackId;
use protocol::room_state::PlayingMode;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use protocol::units::{Bitrate, Decibels};
use signalling_client::{Received, RoomLink, Signalling, SignallingError};

use self::connect::{Connected, NotConnected, connect};
use self::relief::{left_out, relief_notice};
use crate::audio::{AudioStatus, InputGate, Load, Timing};
use crate::clock;
use crate::durations::DurationSummary;
use crate::network::{Network, NetworkEvent};
use crate::session::around::around;
use crate::session::backoff::Backoff;
use crate::session::membership::{Effect, End, Membership, Notice, Phase, Uplink};
use crate::session::mixes::Mixes;
use crate::session::pass::RoomKey;
use crate::session::view::{Mix, ParticipantView, Reach, TrackView, View};
use crate::session::{Event, OwnEnd, Request};
use crate::takes::{Road, SharedClock, Takes};

/// What the thread owns from the start.
pub(super) struct Parts {
    pub(super) link: RoomLink,
    pub(super) key: Option<RoomKey>,
    pub(super) bitrate: Bitrate,
    pub(super) membership: Membership,
    pub(super) control: Control,
    pub(super) network: Network,
    pub(super) gate: InputGate,
    pub(super) timing: Timing,
    pub(super) mode: Option<PlayingMode>,
    pub(super) takes: Option<Takes>,
    pub(super) road: Road,
    pub(super) shared_clock: SharedClock,
    pub(super) load: Load,
    pub(super) view: Arc<Mutex<View>>,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) events: mpsc::Sender<Event>,
}

pub(super) struct Runner {
    parts: Parts,
    conversation: Conversation,
    backoff: Backoff,
    mixes: Mixes,
    view_due: Instant,
    send_delay: DurationSummary,
    send_delay_due: Instant,
    started: Instant,
    /// What is saved.
    relief: Relief,
    room_clock: Option<(RoomMapping, RoomClockStats)>,
    click_gain: Option<Decibels>,
    /// What was said last of the way up.
    uplink: Option<Uplink>,
    /// What was told last of the audio backend.
    audio: AudioStatus,
    /// How it ended.
    end: Option<End>,
}

/// Where the WebSocket stands.
enum Conversation {
    /// None; the next try is due then.
    Waiting { until: Instant },
    /// A thread of its own connects, because names and addresses take their time.
    Connecting(mpsc::Receiver<Result<Connected, NotConnected>>),
    /// It stands.
    Open { signalling: Box<Signalling>, heard: Instant, pinged: Instant },
}

impl Runner {
    pub(super) fn new(parts: Parts) -> Self {
        let now = clock::now();
        Self {
            parts,
            conversation: Conversation::Waiting { until: now },
            backoff: Backoff::default(),
            mixes: Mixes::default(),
            view_due: now,
            send_delay: DurationSummary::default(),
            send_delay_due: now,
            started: now,
            relief: Relief::Nothing,
            room_clock: None,
            click_gain: Some(Decibels::UNITY),
            uplink: None,
            audio: AudioStatus::default(),
            end: None,
        }
    }

    pub(super) fn run(&mut self) {
        // The first try is part of starting up and told when it fails; waits follow.
        self.backoff.next();
        while self.end.is_none() {
            self.converse();
            self.take_requests();
            self.take_network_events();
            let now = clock::now();
            self.parts.membership.handle_timeout(now);
            self.carry_out(now);
            let membership = &self.parts.membership;
            let found = self.mixes.follow(membership.joinings(), membership.participants());
            self.apply_mixes(&found);
            if self.send_delay_due <= now {
                self.send_delay_due = now + SEND_DELAY_EVERY;
                self.send_delay = self.parts.network.take_send_delay();
            }
            if self.view_due <= now {
                self.view_due = now + VIEW_EVERY;
                let stats = self.parts.control.stats();
                let own = self.own_end(stats.relief);
                self.parts.control.set_to_ear(own.output_latency.unwrap_or_default());
                let in_and_out = [own.input_latency, own.output_latency].into_iter().flatten();
                self.parts.control.set_own_latency(in_and_out.sum());
                let membership = &self.parts.membership;
                self.parts.control.set_room_least(membership.room_least());
                let mode = self.parts.mode.unwrap_or(membership.shared().mode);
                self.parts.control.set_playing_mode(mode);
                self.parts.membership.handle_remotes(now, &stats.remotes, &own);
                self.tell_around(now, &stats.remotes);
                self.parts.control.poll();
                self.watch_road();
                self.refresh_view();
            }
        }
        if let Some(takes) = &mut self.parts.takes {
            takes.finish_recording(&mut self.parts.control);
        }
        if let Conversation::Open { signalling, .. } = core::mem::replace(
            &mut self.conversation,
            Conversation::Waiting { until: self.started },
        ) {
            signalling.close();
        }
        self.parts.network.stop();
        if let Some(end) = self.end.clone() {
            self.tell(Event::Ended(end));
        }
    }

    /// How far we are from the server, for whoever looks at the room.
    fn tell_around(&mut self, now: Instant, remotes: &[RemoteStats]) {
        let clock = self.room_clock.map(|(_, stats)| stats);
        let (codecs, _) = self.parts.membership.encodings();
        let around = around(codecs, clock, remotes, &self.parts.timing);
        self.parts.membership.handle_around(now, around);
    }

    /// One turn with the WebSocket, whatever state it is in.
    fn converse(&mut self) {
        let now = clock::now();
        match &mut self.conversation {
            Conversation::Waiting { until } if *until <= now => {
                let (result_sent, result) = mpsc::channel();
                let (link, key) = (self.parts.link.clone(), self.parts.key.clone());
                let key = key.filter(|_| self.parts.membership.wants_pass());
                let spawned = thread::Builder::new().name("vjam-connect".into()).spawn(move || {
                    // The session may have ended meanwhile.
                    let _ = result_sent.send(connect(&link, key.as_ref()));
                });
                match spawned {
                    Ok(_) => self.conversation = Conversation::Connecting(result),
                    Err(error) => self.lose(now, &SignallingError::Gone(error.to_string())),
                }
            }
            Conversation::Waiting { .. } => thread::sleep(TURN),
            Conversation::Connecting(result) => match result.recv_timeout(TURN) {
                Ok(Ok(Connected { signalling, pass })) => {
                    let signalling = Box::new(signalling);
                    self.parts.membership.set_pass(pass);
                    let (heard, pinged) = (now, now);
                    self.conversation = Conversation::Open { signalling, heard, pinged };
                    self.parts.membership.handle_websocket_open();
                }
                Ok(Err(NotConnected::Lost(error))) => self.lose(now, &error),
                Ok(Err(NotConnected::Refused(text))) => self.end = Some(End::Refused(text)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    self.lose(now, &SignallingError::Gone("no answer".to_owned()));
                }
            },
            Conversation::Open { .. } => self.listen(now),
        }
    }

    fn listen(&mut self, now: Instant) {
        let Conversation::Open { signalling, heard, pinged } = &mut self.conversation else {
            return;
        };
        match signalling.receive() {
            Ok(Received::Nothing) => {}
            Ok(Received::Life) => *heard = clock::now(),
            Ok(Received::Message(envelope)) => {
                *heard = clock::now();
                self.parts.membership.handle_message(*heard, *envelope);
                if self.parts.membership.phase() == Phase::Joined {
                    self.backoff.reset();
                }
                return;
            }
            Err(error) => return self.lose(now, &error),
        }
        if SILENCE_MAX < now.saturating_since(*heard) {
            let text = format!("nothing heard for {} s", SILENCE_MAX.as_secs());
            self.lose(now, &SignallingError::Gone(text));
        } else if PING_EVERY < now.saturating_since((*heard).max(*pinged)) {
            *pinged = now;
            self.parts.membership.ping();
        }
    }

    /// The WebSocket is gone or could not be made: waits before the next try, or gives up where
    /// it never stood.
    fn lose(&mut self, now: Instant, error: &SignallingError) {
        self.parts.membership.handle_websocket_gone();
        let wait = self.backoff.next();
        let never_there = self.parts.membership.me().is_none();
        if never_there && FIRST_TRY_MAX < now.saturating_since(self.started) + wait {
            self.end = Some(End::Refused(error.to_string()));
            return;
        }
        let next = if wait.is_zero() {
            "trying again".to_owned()
        } else {
            format!("trying again in {} s", wait.as_secs_f32())
        };
        self.tell(Event::Notice(Notice::Warning(format!("{error}; {next}"))));
        self.conversation = Conversation::Waiting { until: now + wait };
    }

    fn take_network_events(&mut self) {
        while let Some(event) = self.parts.network.next_event() {
            match event {
                NetworkEvent::Up => {
                    self.parts.membership.handle_link_up();
                    self.parts.gate.open();
                }
                NetworkEvent::Down => self.parts.membership.handle_link_down(),
                NetworkEvent::Closed => self.parts.membership.handle_link_closed(),
                NetworkEvent::RoomClock(mapping, stats) => {
                    self.parts.control.set_room_clock(mapping);
                    self.parts.shared_clock.set((mapping, stats));
                    self.room_clock = Some((mapping, stats));
                }
            }
        }
    }

    fn carry_out(&mut self, now: Instant) {
        while let Some(effect) = self.parts.membership.poll_effect() {
            match effect {
                Effect::Send(envelope) => {
                    if let Conversation::Open { signalling, .. } = &mut self.conversation
                        && let Err(error) = signalling.send(&envelope)
                    {
                        self.lose(now, &error);
                    }
                }
                Effect::OpenLink => {
                    let link = self.parts.network.open_link();
                    self.offer_link(link);
                }
                Effect::RestartLink => {
                    let link = self.parts.network.restart_link();
                    self.offer_link(link);
                }
                Effect::AcceptLink { link, candidates } => {
                    self.parts.network.accept_link(link, candidates);
                }
                Effect::SetEncodings { codecs, redundant_frames } => {
                    let sources = self.parts.membership.sources();
                    let encodings: Vec<_> = codecs
                        .into_iter()
                        .filter_map(|codec| {
                            let source = sources.iter().find(|source| source.codec == codec)?;
                            let mut encoding = Encoding::new(codec, source.ssrc);
                            encoding.bitrate = self.parts.bitrate;
                            encoding.redundant_frames = redundant_frames;
                            Some(encoding)
                        })
                        .collect();
                    if let Err(error) = self.parts.control.set_encodings(&encodings) {
                        self.tell(Event::Notice(Notice::Warning(error.to_string())));
                    }
                }
                Effect::SetClick(segments) => {
                    let done = self.parts.control.set_click(&segments);
                    self.check(done.err());
                }
                Effect::Takes(found) => {
                    if let Some(takes) = &mut self.parts.takes {
                        takes.follow(&found, &mut self.parts.control);
                    }
                }
                Effect::AddRemote { ssrc, channels } => self.add_remote(ssrc, channels),
                Effect::RemoveRemote { ssrc } => {
                    let done = self.parts.control.remove_remote(ssrc);
                    self.check(done.err());
                }
                Effect::Tell(notice) => self.tell(Event::Notice(notice)),
                Effect::Reconnect => {
                    let text = "the server ended the connection".to_owned();
                    self.lose(now, &SignallingError::Gone(text));
                }
                Effect::End(end) => self.end = Some(end),
            }
        }
    }

    /// Tells whoever sends stems how music fares on the way up.
    fn watch_road(&mut self) {
        let membership = &self.parts.membership;
        self.parts.road.set_playing(membership.link_is_up());
        let uplink = membership.uplink();
        if uplink != self.uplink
            && let Some(Uplink { lost_packets, jitter_us, .. }) = uplink
        {
            self.parts.road.note_uplink(lost_packets, jitter_us);
        }
        self.uplink = uplink;
    }

    fn offer_link(&mut self, link: Option<LinkParameters>) {
        match link {
            Some(link) => self.parts.membership.handle_local_link(link),
            None => {
                let text = "no certificate could be made for the media link".to_owned();
                self.end = Some(End::Refused(text));
            }
        }
    }

    fn add_remote(&mut self, ssrc: Ssrc, channels: u8) {
        let channels = if channels == 2 { Channels::Stereo } else { Channels::Mono };
        let added = self.parts.control.add_remote(ssrc, channels);
        let track = self.parts.membership.streams().get(&ssrc).map(|stream| stream.track);
        if let (Ok(()), Some(mix)) = (&added, track.and_then(|track| self.mixes.of(track))) {
            self.apply_mix(ssrc, mix);
        }
        self.check(added.err());
    }

    /// Lets the engine hear how these tracks are mixed.
    fn apply_mixes(&mut self, tracks: &[TrackId]) {
        for track in tracks {
            let Some(mix) = self.mixes.of(*track) else { continue };
            let streams = self.parts.membership.streams();
            let ssrcs = streams.values().filter(|s| s.track == *track).map(|s| s.ssrc);
            for ssrc in ssrcs.collect::<Vec<_>>() {
                self.apply_mix(ssrc, mix);
            }
        }
    }

    fn apply_mix(&mut self, ssrc: Ssrc, mix: Mix) {
        let control = &mut self.parts.control;
        let mute = if mix.muted { Mute::Muted } else { Mute::Open };
        let solo = if mix.soloed { Solo::Soloed } else { Solo::Together };
        let done = control
            .set_gain(ssrc, mix.gain)
            .and_then(|()| control.set_pan(ssrc, mix.pan))
            .and_then(|()| control.set_muted(ssrc, mute))
            .and_then(|()| control.set_soloed(ssrc, solo))
            .and_then(|()| match mix.playout {
                Some(mode) => control.set_playout(ssrc, mode),
                None => control.follow_default_playout(ssrc),
            });
        self.check(done.err());
    }

    fn own_end(&self, relief: Relief) -> OwnEnd {
        let Parts { timing, load, .. } = &self.parts;
        let rate_hz = self.audio.rates.output_hz.max(1);
        let period = Duration::from_secs(self.audio.period_frames.into()) / rate_hz;
        OwnEnd {
            period: Some(period).filter(|period| !period.is_zero()),
            input_latency: timing.input_latency(),
            output_latency: timing.output_latency(),
            missed: self.audio.xruns,
            worked: load.total(),
            left_out: left_out(relief),
            network: self.room_clock.map(|(_, stats)| stats),
        }
    }

    fn refresh_view(&mut self) {
        let stats = self.parts.control.stats();
        if let Some(notice) = relief_notice(self.relief, stats.relief) {
            self.tell(Event::Notice(notice));
        }
        self.relief = stats.relief;
        let membership = &self.parts.membership;
        let (encodings, reason) = membership.encodings();
        let reach = |up| if up { Reach::Connected } else { Reach::Connecting };
        let participants = membership.participants().values().map(|participant| {
            let tracks = participant.tracks.iter().map(|track| {
                let stream = membership.streams().values().find(|s| s.track == track.id);
                let remote = stream.and_then(|stream| {
                    stats.remotes.iter().find(|remote| remote.ssrc == stream.ssrc).copied()
                });
                TrackView {
                    id: track.id,
                    label: track.label.clone(),
                    channels: track.channels,
                    muted: track.muted,
                    mix: self.mixes.of(track.id).unwrap_or_default(),
                    remote,
                    hears_us: self.parts.membership.hears_us(participant.id),
                }
            });
            ParticipantView {
                id: participant.id,
                name: participant.name.clone(),
                engine: participant.engine,
                presence: participant.presence,
                tracks: tracks.collect(),
            }
        });
        let view = View {
            signalling: reach(membership.phase() == Phase::Joined),
            media: reach(membership.link_is_up()),
            me: membership.me(),
            muted: membership.is_muted(),
            encodings: encodings.to_vec(),
            reason: reason.map(str::to_owned),
            uplink: membership.uplink(),
            default_playout: self.parts.control.default_playout(),
            input: stats.input,
            output: stats.output,
            outgoing_overrun_frames: stats.outgoing_overrun_frames,
            relief: stats.relief,
            network: self.parts.network.counts(),
            send_delay: self.send_delay,
            room_clock: self.room_clock,
            shared: membership.shared().clone(),
            own_mode: self.parts.mode,
            click_gain: self.click_gain,
            recording: self.parts.takes.as_ref().is_some_and(Takes::is_recording),
            participants: participants.collect(),
            findings: membership.findings().to_vec(),
        };
        *self.parts.view.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }

    fn check(&self, error: Option<ControlError>) {
        if let Some(error) = error {
            self.tell(Event::Notice(Notice::Warning(error.to_string())));
        }
    }

    fn tell(&self, event: Event) {
        // Nobody listening is the musician's choice.
        let _ = self.parts.events.send(event);
    }
}

/// How long a turn may take while nothing stands to read from.
const TURN: Duration = Duration::from_millis(20);

/// Meters look alive at ten frames a second.
const VIEW_EVERY: Duration = Duration::from_millis(100);

/// What a summary of send delays speaks of.
const SEND_DELAY_EVERY: Duration = Duration::from_secs(1);

/// A server that says nothing is asked after this, and given up after that: a laptop that changed
/// its network is back within seconds, and the seat waits for 15.
const PING_EVERY: Duration = Duration::from_secs(2);
const SILENCE_MAX: Duration = Duration::from_secs(6);

/// A link that never worked is more likely mistyped than down.
const FIRST_TRY_MAX: Duration = Duration::from_secs(5);
