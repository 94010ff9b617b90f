//! A musician's stay in a room: signalling, engine and network tied together.
//!
//! A [`PreparedSession`] has the engine, its threads and the [`Callbacks`] for an audio backend;
//! joining makes it a [`RoomSession`]. One thread talks to signalling and holds the engine's control half; what
//! follows from a message is decided in [`membership`], which is pure. What surprises: a session
//! outlives its WebSocket, its media link and its audio device; each is mended on its own.

mod around;
mod backoff;
mod codec_choice;
mod hearing;
mod link_policy;
pub mod membership;
mod mixes;
mod pass;
mod reception;
mod run;
mod view;

use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use engine::{Channels, ClickSettings, Control, PlayoutMode, SessionConfig};
use protocol::id::TrackId;
use protocol::room_state::PlayingMode;
use protocol::rtp::Ssrc;
use protocol::signal::Source;
use protocol::units::{Bitrate, Decibels};
use signalling_client::RoomLink;
use thiserror::Error;

pub use self::backoff::Backoff;
pub use self::codec_choice::CodecChoice;
pub use self::hearing::OwnEnd;
pub use self::membership::{End, Notice, Uplink};
use self::membership::{Membership, Musician};
pub use self::pass::RoomKey;
use self::run::Runner;
pub use self::view::{Mix, ParticipantView, Reach, TrackView, View};
use crate::audio::{
    AudioStatus, Callbacks, InputGate, Load, LostFrames, PERIOD_FRAMES_MAX, Timing,
};
use crate::clock;
use crate::network::Network;
use crate::random;
use crate::takes::{Road, SharedClock, Stems, Takes, TakesOptions, Tell, Whose};

/// What a session is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// The room.
    pub link: RoomLink,
    /// How the musician wants to be called.
    pub name: String,
    /// The own track's name.
    pub label: String,
    /// Channels of the own track.
    pub channels: Channels,
    /// How it is coded.
    pub codec: CodecChoice,
    /// Of each encoding that compresses.
    pub bitrate: Bitrate,
    /// What the playout delay of everybody is steered by, unless asked otherwise for one of them.
    pub playout: PlayoutMode,
    /// How late everybody is heard, whatever the room says; `None` as the room does.
    pub mode: Option<PlayingMode>,
    /// Where takes are recorded to; `None`: nothing is recorded or sent.
    pub takes: Option<TakesOptions>,
    /// What lets into a room that is private.
    pub key: Option<RoomKey>,
    /// Where media goes instead of the address that the server names.
    pub media_via: Option<SocketAddr>,
}

/// Why a session could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The engine cannot do what was asked for.
    #[error(transparent)]
    Engine(#[from] engine::SessionError),
    /// The engine refuses a setting.
    #[error(transparent)]
    Setting(#[from] engine::ControlError),
    /// The operating system refused a socket or a thread.
    #[error("no socket or thread for media: {0}")]
    System(#[from] std::io::Error),
}

/// What a musician asks of a running session.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Stops (or resumes) the own track for everybody.
    SetMuted(bool),
    /// Mixes somebody's track.
    SetMix(TrackId, Mix),
    /// Steers the playout delay of everybody whose mix says nothing else.
    SetDefaultPlayout(PlayoutMode),
    /// Hears oneself, at this gain, or not.
    SetMonitor(Option<Decibels>),
    /// Hears oneself as late as everybody in *aligned* mode, or at once.
    SetMonitorAligned(bool),
    /// Says something to the room.
    Say(String),
    /// Takes the lead of click and mode, or gives it up.
    Lead(bool),
    /// Begins the click after so many bars counted in, or changes the one that runs from its next bar on.
    SetClick(ClickSettings, u8),
    /// Ends the click.
    EndClick,
    /// Hears the click at this gain, or not.
    SetClickGain(Option<Decibels>),
    /// Sets how everybody hears everybody.
    SetMode(PlayingMode),
    /// Sets how one hears everybody oneself; `None` as the room does.
    SetOwnMode(Option<PlayingMode>),
    /// Begins a take, in half a second; an empty title lets the server choose one.
    StartTake(String),
    /// Ends the take that is being recorded.
    StopTake,
    /// Marks the present moment of it.
    MarkTake(String),
    /// Tells how the audio backend does, once a second: the room is told what is wrong with it.
    NoteAudio(AudioStatus),
    /// Leaves the room.
    Leave,
}

/// What a session tells a musician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something to read.
    Notice(Notice),
    /// It is over; nothing follows.
    Ended(End),
}

/// An engine with its network threads that is not in a room yet.
///
/// Start an audio backend with [`Self::callbacks`] before [`Self::join`]: what arrives while
/// nothing is rendered only piles up.
pub struct PreparedSession {
    link: RoomLink,
    key: Option<RoomKey>,
    bitrate: Bitrate,
    membership: Membership,
    control: Control,
    network: Network,
    callbacks: Callbacks,
    timing: Timing,
    mode: Option<PlayingMode>,
    takes: Option<TakesOptions>,
    whose: Whose,
    load: Load,
    gate: InputGate,
}

impl PreparedSession {
    /// Makes the engine, the media threads and the callbacks.
    pub fn new(options: SessionOptions) -> Result<Self, StartError> {
        clock::start();
        let engine::Session { mut control, mut capture, mut render, outgoing, incoming } =
            engine::session(&SessionConfig {
                period_frames_max: PERIOD_FRAMES_MAX,
                channels: options.channels,
                seed: random::u64(),
                ..SessionConfig::default()
            })?;
        control.set_default_playout(options.playout)?;
        let network = Network::start(outgoing, incoming, options.media_via)?;
        let sender = network.sender_waker();
        let (lost, load) = (LostFrames::default(), Load::default());
        let (worked, of_callbacks) = (load.clone(), load.clone());
        let (captured, rendered) = (lost.clone(), lost.clone());
        let timing = Timing::default();
        let captured_at = timing.clone();
        let of_device = timing.clone();
        let callbacks = Callbacks::new(
            options.channels.count(),
            Box::new(move |input| {
                match captured.take_captured() {
                    0 => {}
                    frames => capture.skip(frames),
                }
                if let Some(at) = captured_at.take_captured_at() {
                    capture.note_time(at);
                }
                if 0 < capture.capture(input) {
                    sender.wake_for_packets();
                }
            }),
            Box::new(move |output| {
                match rendered.take_rendered() {
                    0 => {}
                    frames => render.skip(frames),
                }
                render.note_load(worked.take());
                render.render(clock::now(), output);
            }),
        )
        .with_lost(lost)
        .with_timing(timing)
        .with_load(load);
        let sources = options
            .codec
            .sources()
            .into_iter()
            .map(|codec| Source { codec, ssrc: Ssrc(random::nonzero_u32()) });
        let whose = Whose {
            server: options.link.http_url(),
            name: options.name.clone(),
            label: options.label.clone(),
            channels: if options.channels == Channels::Stereo { 2 } else { 1 },
        };
        let mut membership = Membership::new(Musician {
            room: options.link.room.clone(),
            name: options.name,
            label: options.label,
            channels: if options.channels == Channels::Stereo { 2 } else { 1 },
            choice: options.codec,
            sources: sources.collect(),
        });
        if options.key.is_some() {
            membership.use_passes();
        }
        Ok(Self {
            link: options.link,
            key: options.key,
            bitrate: options.bitrate,
            membership,
            control,
            network,
            callbacks,
            timing: of_device,
            mode: options.mode,
            takes: options.takes,
            whose,
            load: of_callbacks,
            gate: InputGate::default(),
        })
    }

    /// What an audio backend has to call.
    #[must_use]
    pub fn callbacks(&self) -> Callbacks {
        self.callbacks.clone()
    }

    /// Opens when the media link is up for the first time.
    #[must_use]
    pub fn gate(&self) -> InputGate {
        self.gate.clone()
    }

    /// Goes into the room.
    pub fn join(self) -> Result<RoomSession, StartError> {
        let (requests, requests_received) = mpsc::channel();
        let (events_sent, events) = mpsc::channel();
        let view = Arc::new(Mutex::new(View::default()));
        let (road, shared_clock) = (Road::default(), SharedClock::default());
        let to_musician = Mutex::new(events_sent.clone());
        let tell: Tell = Arc::new(move |notice| {
            let events = to_musician.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody listening is the musician's choice.
            let _ = events.send(Event::Notice(notice));
        });
        let stems = self
            .takes
            .as_ref()
            .map(|options| Stems::start(options, road.clone(), Arc::clone(&tell)));
        let takes = self.takes.as_ref().zip(stems.clone()).map(|(options, stems)| {
            Takes::new(options, self.whose, shared_clock.clone(), stems, tell)
        });
        let mut runner = Runner::new(run::Parts {
            link: self.link,
            key: self.key,
            bitrate: self.bitrate,
            membership: self.membership,
            control: self.control,
            network: self.network,
            gate: self.gate,
            timing: self.timing,
            mode: self.mode,
            takes,
            road,
            shared_clock,
            load: self.load,
            view: Arc::clone(&view),
            requests: requests_received,
            events: events_sent,
        });
        let thread =
            thread::Builder::new().name("vjam-signalling".into()).spawn(move || runner.run())?;
        Ok(RoomSession { requests, events, view, stems, thread: Some(thread) })
    }
}

/// A running session. Dropping it leaves the room without a word; see [`Self::leave`].
pub struct RoomSession {
    requests: mpsc::Sender<Request>,
    events: mpsc::Receiver<Event>,
    view: Arc<Mutex<View>>,
    stems: Option<Stems>,
    thread: Option<JoinHandle<()>>,
}

impl RoomSession {
    /// Asks for something; takes effect within some 20 ms.
    pub fn request(&self, request: Request) {
        // A session that has ended has said so in an event.
        let _ = self.requests.send(request);
    }

    /// How things are.
    #[must_use]
    pub fn view(&self) -> View {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whoever sends what was recorded, which outlasts the session; `None` where nothing is.
    #[must_use]
    pub fn stems(&self) -> Option<Stems> {
        self.stems.clone()
    }

    /// The next event, if one comes in time.
    #[must_use]
    pub fn next_event(&self, timeout: Duration) -> Option<Event> {
        match self.events.recv_timeout(timeout) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let text = "the session's thread has ended".to_owned();
                Some(Event::Ended(End::Refused(text)))
            }
        }
    }

    /// Leaves the room and waits until the server knows, or for `timeout`.
    pub fn leave(mut self, timeout: Duration) {
        self.request(Request::Leave);
        let deadline = std::time::Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match self.events.recv_timeout(left) {
                Ok(Event::Notice(_)) => {}
                Ok(Event::Ended(_)) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => return,
            }
        }
        if let Some(thread) = self.thread.take() {
            // It has said that it is over; a panic of it was told by the panic hook.
            let _ = thread.join();
        }
    }
}
