//! A session with the buffers through which JavaScript exchanges blocks and packets with it.
//!
//! Decides nothing: lengths are checked, numbers become types, and the engine does the rest. It
//! builds on every target, so that its tests run without a browser.

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

#[cfg(test)]
mod tests {
    use protocol::codec::Codec;

    use super::*;

    const SSRC: Ssrc = Ssrc(7);

    fn shell() -> Shell {
        Shell::open(64, 1, 96_000, 1).expect("valid settings")
    }

    /// A sender of PCM and a receiver of it.
    fn pair() -> (Shell, Shell) {
        let (mut sender, mut receiver) = (shell(), shell());
        sender.set_encoding(0, Encoding::new(Codec::Pcm, SSRC)).expect("there is a first place");
        sender.apply_encodings(1).expect("pcm can be sent");
        receiver.add_remote(SSRC, 1).expect("room for one remote");
        (sender, receiver)
    }

    /// Plays a constant through both for 200 periods; gives the left output's last sample.
    fn play(sender: &mut Shell, receiver: &mut Shell, from_period: u32) -> f32 {
        play_all(&mut [sender], receiver, from_period)
    }

    fn play_all(senders: &mut [&mut Shell], receiver: &mut Shell, from_period: u32) -> f32 {
        for period in from_period..from_period + 200 {
            let now_ns = f64::from(period) * 64.0 / 48_000.0 * 1e9;
            for sender in &mut *senders {
                sender.input_mut(0).fill(0.25);
                sender.capture(now_ns, 1, 64);
                loop {
                    let bytes = sender.poll_packet() as usize;
                    if bytes == 0 {
                        break;
                    }
                    let packet = sender.packet_mut()[..bytes].to_vec();
                    receiver.packet_mut()[..bytes].copy_from_slice(&packet);
                    // A packet under way to a remote that was just removed is nobody's.
                    let _unknown = receiver.handle_packet(now_ns, bytes);
                }
            }
            receiver.render(now_ns, 64);
        }
        receiver.output(0)[63]
    }

    #[test]
    fn a_computer_that_is_too_slow_leaves_out_the_quietest() {
        const QUIET: Ssrc = Ssrc(8);
        let (mut loud, mut receiver) = pair();
        let mut quiet = shell();
        quiet.set_encoding(0, Encoding::new(Codec::Pcm, QUIET)).expect("there is a first place");
        quiet.apply_encodings(1).expect("pcm can be sent");
        receiver.add_remote(QUIET, 1).expect("room for another remote");
        let softer = Mix { gain_db: -20.0, pan: 0.0, mute: Mute::Open, solo: Solo::Together };
        receiver.set_mix(QUIET, softer).expect("a known remote");
        // 17 times 0.27 s of callbacks that need most of it.
        let mut left_out = |rounds: core::ops::Range<u32>, busy_ms: f64| {
            for round in rounds {
                play_all(&mut [&mut loud, &mut quiet], &mut receiver, 200 * round);
                receiver.note_load(busy_ms);
            }
            assert_eq!(receiver.update_statistics(), 2);
            let remotes = receiver.statistics()[HEAD_NUMBERS..].chunks_exact(REMOTE_NUMBERS);
            remotes.take(2).map(|remote| remote[22]).collect::<Vec<_>>()
        };
        assert_eq!(left_out(0..17, 20.0), [0.0, 0.0]);
        assert_eq!(left_out(17..51, 220.0), [0.0, 1.0]);
    }

    #[test]
    fn mouth_to_ear_is_known_once_both_know_the_rooms_time() {
        let (mut sender, mut receiver) = pair();
        let mouth_to_ear = |receiver: &mut Shell| {
            assert_eq!(receiver.update_statistics(), 1);
            receiver.statistics()[HEAD_NUMBERS + 23]
        };
        play(&mut sender, &mut receiver, 0);
        assert!(mouth_to_ear(&mut receiver).is_nan());
        // At the sender sound is 5 ms old when it comes, and the receiver's output is heard 20 ms later.
        sender.set_room_clock(0.0, 1.79e18 - 5e6, 1.79e18);
        receiver.set_room_clock(0.0, 1.79e18, 1.79e18 + 20e6);
        play(&mut sender, &mut receiver, 200);
        let ms = mouth_to_ear(&mut receiver);
        // A frame that comes at the very moment of the callback is put off by a period of 1.33 ms.
        assert!((ms - 26.33).abs() < 0.1, "{ms}");
    }

    /// The frames at which something begins to be heard after silence, in 4 s.
    fn onsets(shell: &mut Shell) -> Vec<u32> {
        let (mut onsets, mut quiet) = (Vec::new(), 4_800);
        for period in 0..3_000_u32 {
            shell.render(f64::from(period) * 64.0 / 48_000.0 * 1e9, 64);
            for (sample, frame) in shell.output(0).iter().zip(64 * period..) {
                if *sample != 0.0 && 4_800 <= quiet {
                    onsets.push(frame);
                }
                quiet = if *sample == 0.0 { quiet + 1 } else { 0 };
            }
            if period % 100 == 0 {
                shell.update_statistics();
            }
        }
        onsets
    }

    #[test]
    fn a_click_is_heard_when_the_rooms_clock_shows_it() {
        const ROOM_US: f64 = 1.79e15;
        let segment = ClickNumbers {
            start_us: ROOM_US + 250_000.0,
            bar: 0,
            tempo_millibpm: 120_000,
            beats: 4,
            accents: 0b0001,
            silent: 0b0010,
        };
        let clicking = |heard_later_ms: f64| {
            let mut shell = shell();
            shell.set_room_clock(0.0, 1.79e18, 1.79e18 + heard_later_ms * 1e6);
            shell.click_segment(0, segment).expect("there is a first place");
            shell.apply_click(1).expect("a click");
            shell
        };
        // Beats are 24,000 frames apart; the second of each bar is not heard. A beat that falls on a frame's very
        // moment may sound from the next on.
        let expected = [0, 2, 3, 4, 6, 7].map(|beat| 12_000 + 24_000 * beat);
        let near = |onsets: &[u32], earlier: u32| {
            assert_eq!(onsets.len(), expected.len(), "{onsets:?}");
            for (onset, beat) in onsets.iter().zip(expected) {
                assert!(onset.abs_diff(beat - earlier) <= 1, "{onsets:?}");
            }
        };
        near(&onsets(&mut clicking(0.0)), 0);
        near(&onsets(&mut clicking(10.0)), 480);
        let mut silenced = clicking(0.0);
        silenced.set_click_gain(f32::NEG_INFINITY).expect("silence");
        assert!(onsets(&mut silenced).is_empty());
        let mut ended = clicking(0.0);
        ended.apply_click(0).expect("no click");
        assert!(onsets(&mut ended).is_empty());
        silenced.click_segment(4, segment).expect_err("behind the last place");
        silenced.click_segment(0, ClickNumbers { beats: 17, ..segment }).expect_err("too many");
        silenced.set_click_gain(f32::NAN).expect_err("no gain");
    }

    #[test]
    fn what_one_shell_captures_another_renders() {
        let (mut sender, mut receiver) = pair();
        let heard = play(&mut sender, &mut receiver, 0);
        assert!((0.24..0.26).contains(&heard), "{heard}");
        assert_eq!(receiver.update_statistics(), 1);
        let remote = &receiver.statistics()[HEAD_NUMBERS..][..REMOTE_NUMBERS];
        assert_eq!(remote[0], f64::from(SSRC.0));
        assert_eq!(remote[5], 0.0, "nothing is lost");
        assert_eq!(receiver.statistics()[2], 0.0, "nothing is refused");
    }

    #[test]
    fn gain_mute_and_removal_are_heard() {
        let (mut sender, mut receiver) = pair();
        let quieter = Mix { gain_db: -6.02, pan: 0.0, mute: Mute::Open, solo: Solo::Together };
        receiver.set_mix(SSRC, quieter).expect("a known remote");
        let heard = play(&mut sender, &mut receiver, 0);
        assert!((0.12..0.13).contains(&heard), "{heard}");
        receiver.set_mix(SSRC, Mix { mute: Mute::Muted, ..quieter }).expect("a known remote");
        assert_eq!(play(&mut sender, &mut receiver, 200), 0.0);
        receiver.set_mix(SSRC, Mix { pan: 2.0, ..quieter }).expect_err("beyond the right");
        receiver.set_mix(SSRC, quieter).expect("a known remote");
        sender.set_input_mute(Mute::Muted).expect("the callback runs");
        assert_eq!(play(&mut sender, &mut receiver, 400), 0.0);
        sender.set_input_mute(Mute::Open).expect("the callback runs");
        receiver.remove_remote(SSRC).expect("a known remote");
        assert_eq!(play(&mut sender, &mut receiver, 600), 0.0);
        assert_eq!(receiver.update_statistics(), 0);
    }

    #[test]
    fn a_playout_mode_is_numbers_both_ways_and_in_the_statistics() {
        for mode in [0, 1, 2, 3] {
            let known = mode_of_numbers(mode, 480).expect("one of four");
            assert_eq!(mode_numbers(known), (mode, if mode == 3 { 480 } else { 0 }));
        }
        assert_eq!(mode_of_numbers(4, 0), None);
        let (_, mut receiver) = pair();
        let told = |receiver: &mut Shell| {
            receiver.update_statistics();
            let remote = &receiver.statistics()[HEAD_NUMBERS..][..REMOTE_NUMBERS];
            [remote[20], remote[21]]
        };
        assert_eq!(told(&mut receiver), [0.0, 0.0]);
        receiver.set_default_playout(PlayoutMode::Lower).expect("possible");
        assert_eq!(told(&mut receiver), [1.0, 0.0]);
        receiver.set_playout(SSRC, Some(PlayoutMode::Fixed(960))).expect("a known remote");
        assert_eq!(told(&mut receiver), [3.0, 960.0]);
        receiver.set_playout(SSRC, Some(PlayoutMode::Fixed(24_001))).expect_err("too long");
        receiver.set_playout(SSRC, None).expect("a known remote");
        assert_eq!(told(&mut receiver), [1.0, 0.0]);
    }

    #[test]
    fn lengths_behind_the_buffers_are_refused() {
        let mut shell = shell();
        assert_eq!(shell.handle_packet(0.0, 1401), Err(ShellError::MisuseLength(1401)));
        assert_eq!(shell.capture(0.0, 1, 65), 0);
        shell.render(0.0, 65);
        assert!(shell.set_encoding(2, Encoding::new(Codec::Opus, SSRC)).is_err());
        assert!(shell.apply_encodings(3).is_err());
        assert_eq!(Shell::open(64, 3, 96_000, 1).err(), Some(ShellError::MisuseChannels(3)));
    }

    #[test]
    fn a_packet_of_nobody_is_counted() {
        let mut shell = shell();
        shell.packet_mut()[0] = 0x80;
        assert!(shell.handle_packet(0.0, 12).is_err());
        shell.update_statistics();
        assert_eq!(shell.statistics()[2], 1.0);
    }
}
