//! The handles that the app holds: encodings, remotes, gains, levels.
//!
//! For one thread of the app's choice, never an audio thread: this half allocates what the
//! callbacks use, and frees what they give back. What surprises: calls take effect at the next
//! callback, and where a callback does not run (no device yet), they wait in order.

mod playing;

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use protocol::control::PayloadTypes;
use protocol::rtp::Ssrc;
use protocol::time::Instant;
use protocol::units::Decibels;
use thiserror::Error;

use self::playing::Playing;
use crate::click::ClickError;
use crate::encoding::{Channels, Encoding, EncodingError};
use crate::incoming::IncomingCommand;
use crate::limits::{COMMANDS_MAX, REMOTES_MAX, SOURCES_MAX, TAP_FRAMES};
use crate::minute::Minute;
use crate::playing::{BeatDelay, Padding};
use crate::playout_mode::{PlayoutMode, PlayoutModeError};
use crate::recording::Recording;
use crate::room_clock::RoomMapping;
use crate::rt::capture::{CaptureCommand, EncoderSet, Used};
use crate::rt::remote::Remote;
use crate::rt::render::{Freed, Mix, RenderCommand};
use crate::rt::ring::RemoteKey;
use crate::rt::tap::tap;
use crate::session::SessionConfig;
use crate::stats::{Level, RemoteStats, SharedRemote, SharedSession, Stats};

/// The app's half of a session.
#[derive(Debug)]
pub struct Control {
    channels: Channels,
    complexity: u8,
    to_capture: Outbox<CaptureCommand>,
    freed_encoders: rtrb::Consumer<Used>,
    to_render: Outbox<RenderCommand>,
    freed_remotes: rtrb::Consumer<Freed>,
    to_incoming: Outbox<IncomingCommand>,
    shared: Arc<SharedSession>,
    /// Sorted by SSRC.
    remotes: Vec<RemoteHandle>,
    slots: Vec<Slot>,
    /// Every SSRC that was ever sent.
    sources: Vec<Ssrc>,
    /// Of every remote without a mode of its own.
    default_playout: PlayoutMode,
    room_clock: Option<RoomMapping>,
    to_ear: Duration,
    /// Whether the output callback has to be told of the room's clock.
    clock_untold: bool,
    playing: Playing,
}

/// What cannot be done to a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ControlError {
    /// It was not added.
    #[error("no remote has {0:?}")]
    UnknownRemote(Ssrc),
    /// It is there already.
    #[error("{0:?} was added before")]
    MisuseRemoteTwice(Ssrc),
    /// [`REMOTES_MAX`] are there, or are still being taken away by the render callback.
    #[error("{REMOTES_MAX} remotes are as many as can be heard")]
    ExhaustedRemotes,
    /// A gain, pan or level that is not a number in its range.
    #[error("a value outside its range")]
    MisuseValue,
    /// A playout delay that cannot be.
    #[error(transparent)]
    MisusePlayout(#[from] PlayoutModeError),
    /// A click that cannot be played.
    #[error(transparent)]
    MisuseClick(#[from] ClickError),
    /// The codec library could not make a decoder.
    #[error("no decoder could be made")]
    RefusedDecoder,
    /// A callback or thread does not take its commands.
    #[error("{COMMANDS_MAX} commands wait for a callback that does not run")]
    ExhaustedCommands,
}

/// Whether something is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mute {
    /// It is not.
    Muted,
    /// It is.
    Open,
}

/// Whether a remote is among those that alone are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Solo {
    /// It is; whoever is not soloed falls silent. Mute comes before solo.
    Soloed,
    /// It is not.
    Together,
}

pub(crate) struct ControlPorts {
    pub(crate) to_capture: rtrb::Producer<CaptureCommand>,
    pub(crate) freed_encoders: rtrb::Consumer<Used>,
    pub(crate) to_render: rtrb::Producer<RenderCommand>,
    pub(crate) freed_remotes: rtrb::Consumer<Freed>,
    pub(crate) to_incoming: rtrb::Producer<IncomingCommand>,
    pub(crate) shared: Arc<SharedSession>,
}

#[derive(Debug)]
struct RemoteHandle {
    ssrc: Ssrc,
    key: RemoteKey,
    shared: Arc<SharedRemote>,
    /// `None` where it follows the default.
    playout: Option<PlayoutMode>,
    minute: Minute,
    channels: Channels,
    beat: BeatDelay,
    padding: Padding,
    /// From microphone to ear.
    wanted_delay: Option<Duration>,
    /// What the line behind it holds at most; 0 where it has none.
    line_frames_max: usize,
    /// For how many decisions that line has delayed nothing.
    line_idle: u32,
}

/// A place in the render callback's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    generation: u32,
    taken: bool,
}

impl Control {
    pub(crate) fn new(config: &SessionConfig, ports: ControlPorts) -> Self {
        Self {
            channels: config.channels,
            complexity: config.complexity,
            to_capture: Outbox::new(ports.to_capture),
            freed_encoders: ports.freed_encoders,
            to_render: Outbox::new(ports.to_render),
            freed_remotes: ports.freed_remotes,
            to_incoming: Outbox::new(ports.to_incoming),
            shared: ports.shared,
            remotes: Vec::new(),
            slots: vec![Slot { generation: 0, taken: false }; REMOTES_MAX],
            sources: Vec::new(),
            default_playout: PlayoutMode::Automatic,
            room_clock: None,
            to_ear: Duration::ZERO,
            clock_untold: false,
            playing: Playing::default(),
        }
    }

    /// Replaces what is sent: no encoding (nothing is sent), one, or two of the same input.
    ///
    /// The first starts where the first before it ended, to the frame. An encoding that stays as
    /// it was is started anew too, so call this only for changes.
    pub fn set_encodings(&mut self, encodings: &[Encoding]) -> Result<(), EncodingError> {
        self.poll();
        Encoding::check_all(encodings)?;
        let new = || encodings.iter().filter(|encoding| !self.sources.contains(&encoding.ssrc));
        if let Some(encoding) = new().nth(SOURCES_MAX - self.sources.len()) {
            return Err(EncodingError::ExhaustedSources { ssrc: encoding.ssrc });
        }
        let new: Vec<Ssrc> = new().map(|encoding| encoding.ssrc).collect();
        let encoders = EncoderSet::new(encodings, self.channels, self.complexity)?;
        self.to_capture
            .push(CaptureCommand::Encoders(Box::new(encoders)))
            .map_err(|_| EncodingError::ExhaustedCommands)?;
        self.sources.extend(new);
        Ok(())
    }

    /// Fades the input out and stops sending, or starts again.
    pub fn set_input_muted(&mut self, mute: Mute) -> Result<(), ControlError> {
        self.tell_capture(CaptureCommand::Mute(mute))
    }

    /// Sets the gain of the input, before its level is measured; at most +40 dB.
    pub fn set_input_gain(&mut self, gain: Decibels) -> Result<(), ControlError> {
        self.tell_capture(CaptureCommand::Gain(gain_factor(gain)?))
    }

    /// Records the dry input from the next callback on: before gain, silent where it is muted. What was recorded before
    /// ends. The recording is for one thread of the app's choice, which reads it some times a second.
    pub fn record(&mut self) -> Result<Recording, ControlError> {
        let (tap, recording) = tap(self.channels.count(), TAP_FRAMES);
        self.tell_capture(CaptureCommand::Record(Some(Box::new(tap))))?;
        Ok(recording)
    }

    /// Records no more; [`Recording::is_over`] once the callback has heard of it and [`Self::poll`] was called.
    pub fn stop_recording(&mut self) -> Result<(), ControlError> {
        self.tell_capture(CaptureCommand::Record(None))
    }

    /// Mixes the input into the output, or (`None`, as at the start) does not.
    ///
    /// The mute of the input does not silence it. Adds no delay where input and output share a
    /// callback.
    pub fn set_monitor_gain(&mut self, gain: Option<Decibels>) -> Result<(), ControlError> {
        let factor = gain.map_or(Ok(0.0), gain_factor)?;
        self.tell_render(RenderCommand::SetMonitorGain(factor))
    }

    /// Tells which payload types packets arrive with from now on.
    pub fn set_payload_types(&mut self, payload_types: PayloadTypes) -> Result<(), ControlError> {
        self.to_incoming
            .push(IncomingCommand::SetPayloadTypes(payload_types))
            .map_err(|_| ControlError::ExhaustedCommands)
    }

    /// Starts to hear a stream, at unity gain in the middle, with the default playout mode.
    pub fn add_remote(&mut self, ssrc: Ssrc, channels: Channels) -> Result<(), ControlError> {
        self.poll();
        let Err(index) = self.remotes.binary_search_by_key(&ssrc, |remote| remote.ssrc) else {
            return Err(ControlError::MisuseRemoteTwice(ssrc));
        };
        let free = self.slots.iter().position(|slot| !slot.taken);
        let place = free.ok_or(ControlError::ExhaustedRemotes)?;
        let slot = &mut self.slots[place];
        let generation = slot.generation.wrapping_add(1);
        let key = RemoteKey { slot: place, generation };
        let shared = Arc::new(SharedRemote::new());
        let mut remote =
            Remote::new(key, channels, Arc::clone(&shared)).ok_or(ControlError::RefusedDecoder)?;
        remote.playout = self.default_playout;
        self.to_render
            .push(RenderCommand::Add(Box::new(remote)))
            .map_err(|_| ControlError::ExhaustedCommands)?;
        *slot = Slot { generation, taken: true };
        let minute = Minute::new();
        let handle = RemoteHandle {
            ssrc,
            key,
            shared: Arc::clone(&shared),
            playout: None,
            minute,
            channels,
            beat: BeatDelay::default(),
            padding: Padding::default(),
            wanted_delay: None,
            line_frames_max: 0,
            line_idle: 0,
        };
        self.remotes.insert(index, handle);
        // After the callback's command, so that the callback knows the remote before its frames.
        self.to_incoming
            .push(IncomingCommand::Add { ssrc, remote: key, shared })
            .map_err(|_| ControlError::ExhaustedCommands)
    }

    /// Fades a stream out and forgets it.
    pub fn remove_remote(&mut self, ssrc: Ssrc) -> Result<(), ControlError> {
        self.poll();
        let index = self.index(ssrc)?;
        let key = self.remotes[index].key;
        self.tell_render(RenderCommand::Remove(key))?;
        self.remotes.remove(index);
        self.to_incoming
            .push(IncomingCommand::Remove { ssrc })
            .map_err(|_| ControlError::ExhaustedCommands)
    }

    /// Sets a remote's gain in the mix, at most +40 dB.
    pub fn set_gain(&mut self, ssrc: Ssrc, gain: Decibels) -> Result<(), ControlError> {
        let factor = gain_factor(gain)?;
        self.set_mix(ssrc, Mix::Gain(factor))
    }

    /// Places a remote between left (-1) and right (1). In the middle both sides are as loud as
    /// the remote sent them; towards one side the other fades, and nothing gets louder.
    pub fn set_pan(&mut self, ssrc: Ssrc, pan: f32) -> Result<(), ControlError> {
        if !(-1.0..=1.0).contains(&pan) {
            return Err(ControlError::MisuseValue);
        }
        self.set_mix(ssrc, Mix::Pan(pan))
    }

    /// Silences a remote in this mix only.
    pub fn set_muted(&mut self, ssrc: Ssrc, mute: Mute) -> Result<(), ControlError> {
        self.set_mix(ssrc, Mix::Mute(mute))
    }

    /// Puts a remote among those that alone are heard.
    pub fn set_soloed(&mut self, ssrc: Ssrc, solo: Solo) -> Result<(), ControlError> {
        self.set_mix(ssrc, Mix::Solo(solo))
    }

    /// Sets what a remote's playout delay is steered by, whatever the default is.
    pub fn set_playout(&mut self, ssrc: Ssrc, mode: PlayoutMode) -> Result<(), ControlError> {
        self.choose_playout(ssrc, Some(mode.check()?))
    }

    /// Has a remote's playout delay follow the default, as it does at the start.
    pub fn follow_default_playout(&mut self, ssrc: Ssrc) -> Result<(), ControlError> {
        self.choose_playout(ssrc, None)
    }

    /// Sets the playout mode of every remote that has none of its own, those that come later
    /// included; [`PlayoutMode::Automatic`] at the start.
    pub fn set_default_playout(&mut self, mode: PlayoutMode) -> Result<(), ControlError> {
        self.default_playout = mode.check()?;
        for remote in self.remotes.iter().filter(|remote| remote.playout.is_none()) {
            self.to_render
                .push(RenderCommand::SetPlayout(remote.key, mode))
                .map_err(|_| ControlError::ExhaustedCommands)?;
        }
        Ok(())
    }

    /// What [`Self::set_default_playout`] was told last.
    #[must_use]
    pub const fn default_playout(&self) -> PlayoutMode {
        self.default_playout
    }

    /// Frees what the callbacks gave back and hands them what waited. Call it about once a second;
    /// every other call of this half does it too where it matters.
    pub fn poll(&mut self) {
        while self.freed_encoders.pop().is_ok() {}
        while let Ok(freed) = self.freed_remotes.pop() {
            match freed {
                Freed::Remote(remote) => self.slots[remote.key().slot].taken = false,
                Freed::Line(_) => {}
            }
        }
        self.to_capture.flush();
        self.to_render.flush();
        self.tell_room_clock();
        self.to_incoming.flush();
        for remote in &mut self.remotes {
            remote.minute.note(remote.shared.counts());
        }
        self.steer_delays();
    }

    /// Everything measured; allocates the list of remotes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            input: self.shared.input.load(),
            output: self.shared.output.load(),
            outgoing_overrun_frames: self.shared.outgoing_overrun.load(),
            relief: self.shared.relief(),
            remotes: self.remotes().collect(),
        }
    }

    /// How each remote fares, in the order of their SSRCs; allocates nothing.
    pub fn remotes(&self) -> impl Iterator<Item = RemoteStats> {
        let rendered_at = Instant::from_ns(self.shared.rendered_at.load());
        self.remotes.iter().map(move |remote| {
            let measured = remote.shared.load(remote.ssrc);
            RemoteStats {
                playout: remote.playout.unwrap_or(self.default_playout),
                wanted_delay: remote.wanted_delay,
                concealed_ms_per_minute: remote.minute.concealed_ms(remote.shared.counts()),
                mouth_to_device: self.room_clock.and_then(|clock| {
                    remote.shared.mouth_to_device(measured.codec, &clock, rendered_at)
                }),
                ..measured
            }
        })
    }

    /// Says what the room's clock shows when the output leaves the engine, so that delays can be told from microphone
    /// to device, and the click be played.
    pub fn set_room_clock(&mut self, mapping: RoomMapping) {
        self.clock_untold |= self.room_clock != Some(mapping);
        self.room_clock = Some(mapping);
        self.tell_room_clock();
    }

    /// Says how long the device takes from the engine's output to the ear: what the click is played earlier by. Nothing
    /// where the room's clock has it already.
    pub fn set_to_ear(&mut self, to_ear: Duration) {
        self.clock_untold |= self.to_ear != to_ear;
        self.to_ear = to_ear;
        self.tell_room_clock();
    }

    /// The input after input gain, before mute.
    #[must_use]
    pub fn input_level(&self) -> Level {
        self.shared.input.load()
    }

    /// What is handed to the device.
    #[must_use]
    pub fn output_level(&self) -> Level {
        self.shared.output.load()
    }

    fn index(&self, ssrc: Ssrc) -> Result<usize, ControlError> {
        self.remotes
            .binary_search_by_key(&ssrc, |remote| remote.ssrc)
            .map_err(|_| ControlError::UnknownRemote(ssrc))
    }

    fn set_mix(&mut self, ssrc: Ssrc, mix: Mix) -> Result<(), ControlError> {
        let key = self.remotes[self.index(ssrc)?].key;
        self.tell_render(RenderCommand::SetMix(key, mix))
    }

    fn choose_playout(
        &mut self,
        ssrc: Ssrc,
        choice: Option<PlayoutMode>,
    ) -> Result<(), ControlError> {
        let index = self.index(ssrc)?;
        let mode = choice.unwrap_or(self.default_playout);
        self.tell_render(RenderCommand::SetPlayout(self.remotes[index].key, mode))?;
        self.remotes[index].playout = choice;
        Ok(())
    }

    /// Tells the output callback the newest of the room's clock, if it takes it: an older one is of no use to it.
    fn tell_room_clock(&mut self) {
        let Some(mapping) = self.room_clock.filter(|_| self.clock_untold) else { return };
        let to_ear_ns = i64::try_from(self.to_ear.as_nanos()).unwrap_or(i64::MAX);
        let command = RenderCommand::SetRoomClock(mapping, to_ear_ns);
        self.clock_untold = !self.to_render.offer(command);
    }

    fn tell_capture(&mut self, command: CaptureCommand) -> Result<(), ControlError> {
        self.to_capture.push(command).map_err(|_| ControlError::ExhaustedCommands)
    }

    fn tell_render(&mut self, command: RenderCommand) -> Result<(), ControlError> {
        self.to_render.push(command).map_err(|_| ControlError::ExhaustedCommands)
    }
}

fn gain_factor(gain: Decibels) -> Result<f32, ControlError> {
    if gain.0.is_nan() || GAIN_DB_MAX < gain.0 {
        return Err(ControlError::MisuseValue);
    }
    Ok(gain.to_factor())
}

/// A command queue with a waiting room, for a reader that may not run for a while.
#[derive(Debug)]
struct Outbox<T> {
    ring: rtrb::Producer<T>,
    waiting: VecDeque<T>,
}

struct Full;

impl<T> Outbox<T> {
    fn new(ring: rtrb::Producer<T>) -> Self {
        Self { ring, waiting: VecDeque::new() }
    }

    fn push(&mut self, command: T) -> Result<(), Full> {
        if COMMANDS_MAX <= self.waiting.len() {
            return Err(Full);
        }
        self.waiting.push_back(command);
        self.flush();
        Ok(())
    }

    /// Hands a command over if nothing waits before it and half of the queue is free.
    fn offer(&mut self, command: T) -> bool {
        let free = self.ring.buffer().capacity() / 2 < self.ring.slots();
        free && self.waiting.is_empty() && self.ring.push(command).is_ok()
    }

    fn flush(&mut self) {
        while !self.ring.is_full()
            && let Some(command) = self.waiting.pop_front()
        {
            if let Err(rtrb::PushError::Full(command)) = self.ring.push(command) {
                self.waiting.push_front(command);
                return;
            }
        }
    }
}

/// Beyond this a gain is a mistake: 40 dB is a factor of 100.
const GAIN_DB_MAX: f32 = 40.0;
