//! A session with the buffers through which JavaScript exchanges blocks and packets with it.
//!
//! Decides nothing: lengths are checked, numbers become types, and the engine does the rest. It
//! builds on every target, so that its tests run without a browser.

#[cfg(test)]
mod tests;

use core::time::Duration;

use engine::{
    Capture, Channels, Control, ControlError, Encoding, EncodingError, Incoming, IncomingError,
    Mute, Outgoing, PlayoutMode, RemoteStats, Render, RoomMapping, SessionConfig, SessionError,
    Solo, StreamState, session,
};
use protocol::limits::{BAR_BEATS_MAX, CLICK_SEGMENTS_MAX, DATAGRAM_BYTES_MAX};
use protocol::room_state::{BeatStrength, ClickSegment, PlayingMode};
use protocol::rtp::Ssrc;
use protocol::time::{Instant, RoomTime};
use protocol::units::{Bitrate, Decibels};
use thiserror::Error;

/// Channels of the output and at most of the input.
const CHANNELS_MAX: usize = 2;
/// Numbers of the statistics block in front of the first remote.
pub(crate) const HEAD_NUMBERS: usize = 4;
/// Numbers of each remote.
pub(crate) const REMOTE_NUMBERS: usize = 26;

/// Why a call was not carried out; JavaScript sees only that it was not.
#[derive(Debug, PartialEq, Error)]
pub(crate) enum ShellError {
    /// Neither 1 nor 2 channels.
    #[error("{0} channels")]
    MisuseChannels(u32),
    /// More frames or bytes than the buffer holds, or an index behind its end.
    #[error("{0} is more than the buffer holds")]
    MisuseLength(usize),
    /// From the engine.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// From the engine.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// From the engine.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// From the engine.
    #[error(transparent)]
    Incoming(#[from] IncomingError),
}

/// See the module.
pub(crate) struct Shell {
    control: Control,
    capture: Capture,
    render: Render,
    outgoing: Outgoing,
    incoming: Incoming,
    bitrate: Bitrate,
    input: [Vec<f32>; CHANNELS_MAX],
    output: [Vec<f32>; CHANNELS_MAX],
    packet: [u8; DATAGRAM_BYTES_MAX],
    named: [Option<Encoding>; engine::limits::ENCODINGS_MAX],
    laid_out: [Option<ClickSegment>; CLICK_SEGMENTS_MAX],
    refused_packets: u64,
    statistics: Vec<f64>,
}

impl Shell {
    /// Opens a session that publishes `channels` and never sees a longer period.
    pub(crate) fn open(
        period_frames_max: usize,
        channels: u32,
        bitrate: u32,
        seed: u64,
    ) -> Result<Self, ShellError> {
        let bitrate = Bitrate(bitrate);
        let config = SessionConfig {
            period_frames_max,
            channels: track_channels(channels)?,
            seed,
            ..SessionConfig::default()
        };
        let opened = session(&config)?;
        let silence = || vec![0.0; period_frames_max];
        Ok(Self {
            control: opened.control,
            capture: opened.capture,
            render: opened.render,
            outgoing: opened.outgoing,
            incoming: opened.incoming,
            bitrate,
            input: [silence(), silence()],
            output: [silence(), silence()],
            packet: [0; DATAGRAM_BYTES_MAX],
            named: [None; engine::limits::ENCODINGS_MAX],
            laid_out: [const { None }; CLICK_SEGMENTS_MAX],
            refused_packets: 0,
            statistics: vec![0.0; HEAD_NUMBERS + REMOTE_NUMBERS * engine::limits::REMOTES_MAX],
        })
    }

    /// The samples of an input channel; those of the last channel where there is no such one.
    pub(crate) fn input_mut(&mut self, channel: usize) -> &mut [f32] {
        &mut self.input[channel.min(CHANNELS_MAX - 1)]
    }

    /// The buffer for one packet, either way.
    pub(crate) fn packet_mut(&mut self) -> &mut [u8] {
        &mut self.packet
    }

    /// Takes the received packet that fills the first `bytes` of the packet buffer.
    pub(crate) fn handle_packet(&mut self, now_ns: f64, bytes: usize) -> Result<(), ShellError> {
        let packet = self.packet.get(..bytes).ok_or(ShellError::MisuseLength(bytes))?;
        let taken = self.incoming.handle_packet(instant(now_ns), packet);
        self.refused_packets += u64::from(taken.is_err());
        Ok(taken?)
    }

    /// Says where a moment of the context lies on the room's clock: when its input was at the microphone, and
    /// when its output is at the loudspeaker.
    pub(crate) fn set_room_clock(&mut self, context_ns: f64, captured_ns: f64, heard_ns: f64) {
        let at = |room_ns: f64| RoomMapping::new(instant(context_ns), room_time(room_ns), 0.0);
        self.outgoing.set_room_clock(at(captured_ns));
        self.control.set_room_clock(at(heard_ns));
    }

    /// Takes the first `frames` of as many input channels, which came at `now_ns` of the context; gives how
    /// many packets wait.
    pub(crate) fn capture(&mut self, now_ns: f64, channels: usize, frames: usize) -> u32 {
        let [left, right] = &self.input;
        let (Some(left), Some(right)) = (left.get(..frames), right.get(..frames)) else { return 0 };
        self.capture.note_time(instant(now_ns));
        let packets = match channels {
            0 => return 0,
            1 => self.capture.capture(&[left]),
            _ => self.capture.capture(&[left, right]),
        };
        u32::try_from(packets).unwrap_or(u32::MAX)
    }

    /// Puts the next packet to send into the packet buffer; gives its length, 0 for none.
    pub(crate) fn poll_packet(&mut self) -> u32 {
        let length = self.outgoing.poll_packet(&mut self.packet).unwrap_or(0);
        u32::try_from(length).unwrap_or(0)
    }

    /// Writes `frames` of output; nothing where the buffers are shorter.
    pub(crate) fn render(&mut self, now_ns: f64, frames: usize) {
        let [left, right] = &mut self.output;
        let (Some(left), Some(right)) = (left.get_mut(..frames), right.get_mut(..frames)) else {
            return;
        };
        self.render.render(instant(now_ns), &mut [left, right]);
    }

    /// Says how long everything since the last call took to compute. The clock of a worklet counts whole
    /// milliseconds: the sum over some dozens of quanta is what can be believed.
    pub(crate) fn note_load(&mut self, busy_ms: f64) {
        let busy = Duration::try_from_secs_f64(busy_ms / 1000.0).unwrap_or_default();
        self.render.note_load(busy);
    }

    /// Names the encoding at `index` for the next [`Self::apply_encodings`]; the bitrate is the
    /// session's.
    pub(crate) fn set_encoding(
        &mut self,
        index: usize,
        encoding: Encoding,
    ) -> Result<(), ShellError> {
        let place = self.named.get_mut(index).ok_or(ShellError::MisuseLength(index))?;
        *place = Some(Encoding { bitrate: self.bitrate, ..encoding });
        Ok(())
    }

    /// Sends the first `count` of the named encodings from now on.
    pub(crate) fn apply_encodings(&mut self, count: usize) -> Result<(), ShellError> {
        let named = self.named.get(..count).ok_or(ShellError::MisuseLength(count))?;
        let encodings: Vec<Encoding> = named.iter().flatten().copied().collect();
        Ok(self.control.set_encodings(&encodings)?)
    }

    /// Lays out the stretch of the click at `index` for the next [`Self::apply_click`].
    pub(crate) fn click_segment(
        &mut self,
        index: usize,
        segment: ClickNumbers,
    ) -> Result<(), ShellError> {
        let place = self.laid_out.get_mut(index).ok_or(ShellError::MisuseLength(index))?;
        *place = Some(segment.segment()?);
        Ok(())
    }

    /// Plays the first `count` stretches that were laid out; none is no click.
    pub(crate) fn apply_click(&mut self, count: usize) -> Result<(), ShellError> {
        let laid_out = self.laid_out.get(..count).ok_or(ShellError::MisuseLength(count))?;
        let segments: Vec<ClickSegment> = laid_out.iter().flatten().cloned().collect();
        Ok(self.control.set_click(&segments)?)
    }

    /// How loud the click is; minus infinity is silence.
    pub(crate) fn set_click_gain(&mut self, gain_db: f32) -> Result<(), ShellError> {
        let gain = (gain_db != f32::NEG_INFINITY).then_some(Decibels(gain_db));
        Ok(self.control.set_click_gain(gain)?)
    }

    /// Silences what is published, or not.
    pub(crate) fn set_input_mute(&mut self, mute: Mute) -> Result<(), ShellError> {
        Ok(self.control.set_input_muted(mute)?)
    }

    /// Plays a received stream from now on.
    pub(crate) fn add_remote(&mut self, ssrc: Ssrc, channels: u32) -> Result<(), ShellError> {
        Ok(self.control.add_remote(ssrc, track_channels(channels)?)?)
    }

    /// Plays it no more.
    pub(crate) fn remove_remote(&mut self, ssrc: Ssrc) -> Result<(), ShellError> {
        Ok(self.control.remove_remote(ssrc)?)
    }

    /// How a remote is mixed.
    pub(crate) fn set_mix(&mut self, ssrc: Ssrc, mix: Mix) -> Result<(), ShellError> {
        self.control.set_gain(ssrc, Decibels(mix.gain_db))?;
        self.control.set_pan(ssrc, mix.pan)?;
        self.control.set_muted(ssrc, mix.mute)?;
        Ok(self.control.set_soloed(ssrc, mix.solo)?)
    }

    /// What a remote's playout delay is steered by; `None` for what holds for all.
    pub(crate) fn set_playout(
        &mut self,
        ssrc: Ssrc,
        mode: Option<PlayoutMode>,
    ) -> Result<(), ShellError> {
        match mode {
            Some(mode) => self.control.set_playout(ssrc, mode)?,
            None => self.control.follow_default_playout(ssrc)?,
        }
        Ok(())
    }

    /// The same for every remote without a mode of its own.
    pub(crate) fn set_default_playout(&mut self, mode: PlayoutMode) -> Result<(), ShellError> {
        Ok(self.control.set_default_playout(mode)?)
    }

    /// How late everybody is heard.
    pub(crate) fn set_playing_mode(&mut self, mode: PlayingMode) {
        self.control.set_playing_mode(mode);
    }

    /// How late somebody else in the room hears somebody at least, in milliseconds.
    pub(crate) fn set_room_least(&mut self, ms: f64) {
        let least = Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default();
        self.control.set_room_least(least);
    }

    /// Writes the statistics block; gives the number of remotes in it.
    pub(crate) fn update_statistics(&mut self) -> u32 {
        self.control.poll();
        let stats = self.control.stats();
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        let head = [
            f64::from(stats.input.peak.0),
            f64::from(stats.output.peak.0),
            self.refused_packets as f64,
            stats.outgoing_overrun_frames as f64,
        ];
        self.statistics[..HEAD_NUMBERS].copy_from_slice(&head);
        let places = self.statistics[HEAD_NUMBERS..].chunks_exact_mut(REMOTE_NUMBERS);
        let mut remotes = 0;
        for (place, remote) in places.zip(&stats.remotes) {
            place.copy_from_slice(&numbers(remote));
            remotes += 1;
        }
        remotes
    }

    /// The samples of an output channel; those of the last channel where there is no such one.
    pub(crate) fn output(&self, channel: usize) -> &[f32] {
        &self.output[channel.min(CHANNELS_MAX - 1)]
    }

    /// The statistics block as [`Self::update_statistics`] left it.
    pub(crate) fn statistics(&self) -> &[f64] {
        &self.statistics
    }
}

/// How a remote is mixed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix {
    /// Decibels.
    pub(crate) gain_db: f32,
    /// -1 (left) to 1 (right).
    pub(crate) pan: f32,
    /// Whether it is silent.
    pub(crate) mute: Mute,
    /// Whether it is among those that alone are heard.
    pub(crate) solo: Solo,
}

/// A stretch of the click as JavaScript counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClickNumbers {
    /// Microseconds of the room's clock.
    pub(crate) start_us: f64,
    /// The number of its first bar.
    pub(crate) bar: i32,
    /// Beats in a minute, times 1000.
    pub(crate) tempo_millibpm: u32,
    /// Beats of a bar.
    pub(crate) beats: u32,
    /// A bit for each beat, the first in the lowest.
    pub(crate) accents: u32,
    /// The same for beats that are not heard.
    pub(crate) silent: u32,
}

impl ClickNumbers {
    fn segment(self) -> Result<ClickSegment, ShellError> {
        let beats = usize::try_from(self.beats).unwrap_or(usize::MAX);
        if BAR_BEATS_MAX < beats {
            return Err(ShellError::MisuseLength(beats));
        }
        let strength = |beat| match (self.accents >> beat & 1, self.silent >> beat & 1) {
            (1, _) => BeatStrength::Accent,
            (_, 1) => BeatStrength::Silent,
            (_, _) => BeatStrength::Normal,
        };
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
        let start_us = self.start_us as i64;
        Ok(ClickSegment {
            start_us,
            bar: self.bar,
            tempo_millibpm: self.tempo_millibpm,
            // What is played does not depend on it.
            unit: 4,
            beats: (0..beats).map(strength).collect(),
        })
    }
}

/// A remote as JavaScript reads it; `engine_module.ts` names the places.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn numbers(remote: &RemoteStats) -> [f64; REMOTE_NUMBERS] {
    let (mode, fixed_frames) = mode_numbers(remote.playout);
    let why = remote.why;
    [
        f64::from(remote.ssrc.0),
        f64::from(remote.level.peak.0),
        f64::from(remote.buffer_frames),
        f64::from(remote.playout_delay_frames),
        remote.received_packets as f64,
        remote.lost_packets as f64,
        remote.late_packets as f64,
        remote.concealed_frames as f64,
        remote.drift_ppm.map_or(f64::NAN, f64::from),
        f64::from(remote.added_delay_frames),
        remote.recovered_packets as f64,
        remote.splices as f64,
        remote.gaps as f64,
        f64::from(remote.playout_delay_target_frames),
        f64::from(why.network_frames),
        f64::from(why.callback_frames),
        f64::from(why.drift_frames),
        f64::from(why.redundancy_frames),
        f64::from(remote.concealed_ms_per_minute),
        f64::from(remote.rate_ppm),
        f64::from(mode),
        f64::from(fixed_frames),
        f64::from(u8::from(remote.state == StreamState::LeftOut)),
        remote.mouth_to_device.map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3),
        remote.padding.as_secs_f64() * 1e3,
        remote.wanted_delay.map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3),
    ]
}

/// A playout mode as JavaScript counts them, and the frames of a fixed delay.
const fn mode_numbers(mode: PlayoutMode) -> (u32, u32) {
    match mode {
        PlayoutMode::Automatic => (0, 0),
        PlayoutMode::Lower => (1, 0),
        PlayoutMode::Safer => (2, 0),
        PlayoutMode::Fixed(frames) => (3, frames),
    }
}

/// The other way round; `None` for a number that stands for no mode.
pub(crate) const fn mode_of_numbers(mode: u32, fixed_frames: u32) -> Option<PlayoutMode> {
    match mode {
        0 => Some(PlayoutMode::Automatic),
        1 => Some(PlayoutMode::Lower),
        2 => Some(PlayoutMode::Safer),
        3 => Some(PlayoutMode::Fixed(fixed_frames)),
        _ => None,
    }
}

/// 1 or 2 channels as the engine calls them.
fn track_channels(count: u32) -> Result<Channels, ShellError> {
    let channels = usize::try_from(count).ok().and_then(Channels::from_count);
    channels.ok_or(ShellError::MisuseChannels(count))
}

/// Nanoseconds since 1970 as JavaScript counts them.
#[expect(clippy::cast_possible_truncation, reason = "saturates, as wanted")]
fn room_time(ns: f64) -> RoomTime {
    RoomTime::from_ns(ns as i64)
}

/// Nanoseconds as JavaScript counts them; anything before the epoch is the epoch.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
fn instant(now_ns: f64) -> Instant {
    Instant::from_ns(now_ns as u64)
}
