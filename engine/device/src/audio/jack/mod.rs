//! JACK as one native duplex client: input and output in the same callback, no frame added.
//!
//! The library is loaded at run time; without it, or without a server, starting fails with a
//! word on what to do. Rate and period are the server's; the period may change at any time, and a
//! client whose server changes its rate has to be started again. What surprises:
//! the names of clients and ports are exact when the user chose one, because patch scripts and
//! measuring rigs connect by name.

mod active;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ::jack::{
    AudioIn, AudioOut, ClientOptions, ClientStatus, Frames, LatencyType, Port, PortFlags,
    ProcessScope, Unowned,
};
use protocol::time::Instant;

pub use self::active::{JackClient, JackNotice, JackNoticeFn, JackProcessFn};

use super::{
    AudioBackend, AudioError, AudioFormat, AudioStatus, Callbacks, DeviceNames, Rates, Timing,
};
use crate::{clock, priority};

/// How to be a JACK client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JackOptions {
    /// The client's name.
    pub name: JackName,
    /// Whether to look for hardware to connect to.
    pub autoconnect: Autoconnect,
}

/// What the JACK client is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JackName {
    /// This, with a number behind it where somebody else has it.
    Like(String),
    /// This and nothing else.
    Exactly(String),
}

/// Whether ports are connected at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoconnect {
    /// To the first physical inputs and outputs.
    Hardware,
    /// To nothing; somebody else does it.
    Nothing,
}

/// A client of the JACK server that `JACK_DEFAULT_SERVER` names (or `default`).
pub struct Jack {
    options: JackOptions,
    state: Arc<State>,
    rates: Rates,
    timing: Timing,
    client: Option<JackClient>,
}

impl Jack {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(options: JackOptions) -> Self {
        Self {
            options,
            state: Arc::default(),
            rates: Rates::default(),
            timing: Timing::default(),
            client: None,
        }
    }

    /// Opens a client and puts it into the server's graph.
    fn enter(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError> {
        self.client = None;
        self.state = Arc::default();
        let client = open(&self.options.name)?;
        let rate_hz = client.sample_rate();
        self.rates = callbacks.set_rates(rate_hz, rate_hz).map_err(|reason| {
            let what = "the JACK server".to_owned();
            AudioError::DeviceRate { what, reason, cure: "Start it with `-r 48000`.".to_owned() }
        })?;
        self.state.period_frames.store(client.buffer_size(), Ordering::Relaxed);
        let register = |error: ::jack::Error| AudioError::Jack(error.to_string());
        let in_1 = client.register_port("in_1", AudioIn::default()).map_err(register)?;
        let in_2 = client.register_port("in_2", AudioIn::default()).map_err(register)?;
        let left = client.register_port("out_1", AudioOut::default()).map_err(register)?;
        let right = client.register_port("out_2", AudioOut::default()).map_err(register)?;
        let format = AudioFormat {
            description: format!("JACK client {:?}", client.name()),
            period_frames: client.buffer_size(),
            rates: self.rates,
            names: DeviceNames {
                backend: "jack",
                input: hardware(&client, PortFlags::IS_OUTPUT),
                output: hardware(&client, PortFlags::IS_INPUT),
            },
        };
        let notifications = Notifications {
            inputs: [in_1.clone_unowned(), in_2.clone_unowned()],
            state: Arc::clone(&self.state),
        };
        let mut process = Process {
            callbacks: callbacks.clone(),
            lost_frames: LOST_MS.map(|ms| rate_hz * ms / 1000),
            inputs: [in_1, in_2],
            outputs: [left, right],
            expected: None,
            state: Arc::clone(&self.state),
        };
        let active = JackClient::start(
            client,
            Box::new(move |scope| process.process(scope)),
            Box::new(move |notice| notifications.take(notice)),
        );
        self.client = Some(active.map_err(|error| {
            let stalled = matches!(error, ::jack::Error::ClientActivationError);
            if stalled { AudioError::JackStalled } else { register(error) }
        })?);
        if self.options.autoconnect == Autoconnect::Hardware {
            self.connect_hardware(callbacks.input_channels());
        }
        self.timing = callbacks.timing().clone();
        Ok(format)
    }

    /// Hands on what the server says of the way from the microphone and to the loudspeaker.
    fn note_latencies(&self) {
        if self.state.shut_down.load(Ordering::Acquire) {
            return;
        }
        let Some(client) = self.client.as_ref().map(JackClient::as_client) else { return };
        let longest = |prefix: &str, way: LatencyType| {
            let names = ["1", "2"].map(|number| format!("{}:{prefix}{number}", client.name()));
            let ports = names.iter().filter_map(|name| client.port_by_name(name));
            let frames = ports.map(|port| port.get_latency_range(way).1).max()?;
            // None at all is what other programs have: what they play in a cycle is here in the same one.
            Some(Duration::from_secs_f64(f64::from(frames) / f64::from(self.rates.output_hz)))
        };
        self.timing.set_input_latency(longest("in_", LatencyType::Capture));
        self.timing.set_output_latency(longest("out_", LatencyType::Playback));
    }

    /// Connects as many inputs as the track has channels: the mean of an instrument and an idle
    /// socket would be half as loud.
    fn connect_hardware(&self, input_channels: usize) {
        let Some(client) = self.client.as_ref().map(JackClient::as_client) else { return };
        let physical = |flags| client.ports(None, Some("audio"), PortFlags::IS_PHYSICAL | flags);
        let own = |prefix: &str| {
            let mut ports = client.ports(None, Some("audio"), PortFlags::empty());
            ports.retain(|port| port.starts_with(&format!("{}:{prefix}", client.name())));
            ports
        };
        let inputs =
            physical(PortFlags::IS_OUTPUT).into_iter().zip(own("in_")).take(input_channels);
        let outputs = own("out_").into_iter().zip(physical(PortFlags::IS_INPUT));
        for (from, to) in inputs.chain(outputs) {
            if let Err(error) = client.connect_ports_by_name(&from, &to) {
                tracing::warn!(%from, %to, %error, "JACK ports not connected");
            }
        }
    }
}

/// What is said of a server that has ordinary priority.
const ORDINARY_PRIORITY: &str = "the JACK server runs without real-time priority: sound may wait for \
    other programs, which is heard as dropouts. Start it with `jackd -R -P70`; if that is refused, add \
    `@audio - rtprio 95` and `@audio - memlock unlimited` to /etc/security/limits.d/audio.conf, put \
    yourself into the group audio, and log in again";

impl AudioBackend for Jack {
    fn start(&mut self, callbacks: &Callbacks) -> Result<AudioFormat, AudioError> {
        // The server gives up a client that is not in its graph after ten times its timeout (JACK 2's
        // `JackEngine::ClientActivate`), which is some tens of milliseconds: one that stalled is asked again.
        for _ in 1..ATTEMPTS {
            match self.enter(callbacks) {
                Err(AudioError::JackStalled) => {}
                other => return other,
            }
        }
        self.enter(callbacks)
    }

    fn status(&self) -> AudioStatus {
        // Somebody may have connected other ports meanwhile.
        self.note_latencies();
        let ended = if self.state.shut_down.load(Ordering::Acquire) {
            Some("the JACK server was shut down".to_owned())
        } else if self.state.panicked.load(Ordering::Relaxed) {
            Some("vjam's audio callback failed, which is a bug".to_owned())
        } else {
            let rate_hz = self.state.rate_hz.load(Ordering::Relaxed);
            let is_same = rate_hz == RATE_UNKNOWN || rate_hz == self.rates.output_hz;
            (!is_same).then(|| format!("the JACK server changed its rate to {rate_hz} Hz"))
        };
        AudioStatus {
            period_frames: self.state.period_frames.load(Ordering::Relaxed),
            rates: self.rates,
            output_latency: self.timing.output_latency(),
            calibrated: false,
            xruns: self.state.xruns.load(Ordering::Relaxed),
            ended,
            trouble: self
                .state
                .ordinary
                .load(Ordering::Relaxed)
                .then(|| ORDINARY_PRIORITY.to_owned()),
        }
    }

    fn stop(&mut self) -> Result<(), AudioError> {
        self.client = None;
        self.state = Arc::default();
        Ok(())
    }
}

/// The server's first hardware port of a kind, by its alias where it has one: JACK calls every card's
/// ports `system`, the alias names the card.
fn hardware(client: &::jack::Client, flags: PortFlags) -> String {
    let ports = client.ports(None, Some("audio"), PortFlags::IS_PHYSICAL | flags);
    let Some(first) = ports.into_iter().next() else { return String::new() };
    let aliases = client.port_by_name(&first).and_then(|port| port.aliases().ok());
    aliases.and_then(|aliases| aliases.into_iter().next()).unwrap_or(first)
}

/// The server that clients of this process would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JackServer {
    /// Its rate.
    pub rate_hz: u32,
    /// Its period.
    pub period_frames: u32,
    /// Hardware inputs, as ports.
    pub inputs: Vec<String>,
    /// Hardware outputs, as ports.
    pub outputs: Vec<String>,
}

/// Looks for a JACK server, without starting one.
pub fn find_server() -> Result<JackServer, AudioError> {
    let client = open(&JackName::Like("vjam-devices".to_owned()))?;
    let physical = |flags| client.ports(None, Some("audio"), PortFlags::IS_PHYSICAL | flags);
    Ok(JackServer {
        rate_hz: client.sample_rate(),
        period_frames: client.buffer_size(),
        inputs: physical(PortFlags::IS_OUTPUT),
        outputs: physical(PortFlags::IS_INPUT),
    })
}

fn open(name: &JackName) -> Result<::jack::Client, AudioError> {
    let (name, exact) = match name {
        JackName::Like(name) => (name, false),
        JackName::Exactly(name) => (name, true),
    };
    let mut options = ClientOptions::NO_START_SERVER;
    options.set(ClientOptions::USE_EXACT_NAME, exact);
    if name.is_empty() || NAME_BYTES_MAX < name.len() || name.contains(['\0', ':']) {
        let reason = format!("{name:?} cannot be a client's name (1 to 60 bytes, no colon)");
        return Err(AudioError::Jack(reason));
    }
    match ::jack::Client::new(name, options) {
        Ok((client, _status)) => Ok(client),
        Err(::jack::Error::LibraryError(reason)) => Err(AudioError::JackLibraryMissing(reason)),
        Err(::jack::Error::ClientError(status)) => {
            let server = std::env::var("JACK_DEFAULT_SERVER")
                .map_or_else(|_| String::new(), |server| format!(" to the name {server:?}"));
            if status.contains(ClientStatus::NAME_NOT_UNIQUE) || (exact && is_taken(name)) {
                Err(AudioError::JackNameTaken(name.clone()))
            } else if status.intersects(ClientStatus::SERVER_FAILED | ClientStatus::SERVER_ERROR) {
                Err(AudioError::JackServerMissing(server))
            } else {
                Err(AudioError::Jack(format!("refused the client: {status:?}")))
            }
        }
        Err(error) => Err(AudioError::Jack(error.to_string())),
    }
}

/// Whether the server would give another name than this one.
///
/// JACK 2 reports a name that is taken as a communication error when the name is to be exact.
fn is_taken(name: &str) -> bool {
    ::jack::Client::new(name, ClientOptions::NO_START_SERVER)
        .is_ok_and(|(client, _)| client.name() != name)
}

/// What JACK's threads leave for whoever asks.
#[derive(Debug, Default)]
struct State {
    period_frames: AtomicU32,
    rate_hz: AtomicU32,
    xruns: AtomicU64,
    /// Whether anything is connected to `in_1` and `in_2`.
    connected: [AtomicBool; 2],
    shut_down: AtomicBool,
    panicked: AtomicBool,
    /// Callbacks have to wait behind other programs.
    ordinary: AtomicBool,
}

struct Process {
    callbacks: Callbacks,
    inputs: [Port<AudioIn>; 2],
    outputs: [Port<AudioOut>; 2],
    /// The shortest and the longest jump of the server's counter that is told as lost frames.
    lost_frames: [Frames; 2],
    /// The server's frame counter at the next period, if none is lost.
    expected: Option<Frames>,
    state: Arc<State>,
}

impl Process {
    fn process(&mut self, scope: &ProcessScope) {
        let start = scope.last_frame_time();
        if let Some(expected) = self.expected {
            // The counter wraps, and a server may set it back.
            let lost = start.wrapping_sub(expected);
            let [least, most] = self.lost_frames;
            if (least..=most).contains(&lost) {
                self.callbacks.lose(lost as usize);
            }
        } else {
            // Asked once: who calls back says how, and nobody else does.
            self.state.ordinary.store(!priority::is_real_time(), Ordering::Relaxed);
        }
        self.expected = Some(start.wrapping_add(scope.n_frames()));
        if let Ok(times) = scope.cycle_times() {
            let age_us = active::time_us().saturating_sub(times.current_usecs);
            let age = Duration::from_micros(age_us);
            let age = u64::try_from(age.as_nanos()).unwrap_or(0);
            let began = clock::now().as_ns().saturating_sub(age);
            self.callbacks.timing().begin_cycle(Instant::from_ns(began));
        }
        let [left, right] = &mut self.outputs;
        let mut output = [left.as_mut_slice(scope), right.as_mut_slice(scope)];
        let [in_1, in_2] = &self.inputs;
        let input = [in_1.as_slice(scope), in_2.as_slice(scope)];
        // A mono track is the mean of what is connected.
        let idle = |number: usize| !self.state.connected[number].load(Ordering::Relaxed);
        let input = match self.callbacks.input_channels() {
            1 if idle(1) => &input[..1],
            1 if idle(0) => &input[1..],
            _ => &input[..],
        };
        self.callbacks.duplex(input, &mut output);
    }
}

struct Notifications {
    /// `in_1` and `in_2`.
    inputs: [Port<Unowned>; 2],
    state: Arc<State>,
}

impl Notifications {
    /// On one of JACK's threads: a few atomic stores.
    fn take(&self, notice: JackNotice) {
        let state = &self.state;
        match notice {
            JackNotice::Period(frames) => state.period_frames.store(frames, Ordering::Relaxed),
            JackNotice::Rate(rate_hz) => state.rate_hz.store(rate_hz, Ordering::Relaxed),
            // Here, because PipeWire takes a lock to tell, which the audio thread must not.
            JackNotice::Connections => {
                for (port, connected) in self.inputs.iter().zip(&state.connected) {
                    connected.store(0 < port.connected_count().unwrap_or(0), Ordering::Relaxed);
                }
            }
            JackNotice::Xrun => {
                state.xruns.fetch_add(1, Ordering::Relaxed);
            }
            // Release pairs with the acquire in `status`: what led here happened before.
            JackNotice::Shutdown => state.shut_down.store(true, Ordering::Release),
            JackNotice::Panicked => state.panicked.store(true, Ordering::Relaxed),
        }
    }
}

/// No notification of the rate has come; it is what it was when the client was opened.
const RATE_UNKNOWN: u32 = 0;

/// Jumps of the server's counter below 100 ms are not told: with them told, the playout delay was
/// seen to grow beside xruns of the dummy driver. Why is not established; the engine finds what
/// really was lost by itself. One of more than ten seconds is no xrun but another counter.
const LOST_MS: [Frames; 2] = [100, 10_000];

/// How often a server that stalls is asked to take the client in.
const ATTEMPTS: usize = 4;

/// JACK names have 64 bytes with the terminator, and may get `-01` behind them.
const NAME_BYTES_MAX: usize = 60;
