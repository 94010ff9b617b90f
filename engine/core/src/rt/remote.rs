//! One remote stream in the render callback: from packets to the frames that are played.
//!
//! The playhead is a media time. [`Remote::prepare`] decodes what lies under it at the moment it
//! is needed; what is missing is concealed, and what comes after that is late. How far the playhead
//! stays behind is steered towards what [`super::playout`] wants by cross-faded splices.
//!
//! A stream starts silently: its first 25 ms are decoded but not heard, because that warms the
//! decoder up and shows how packets arrive, so that the playhead can be placed without any splice.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use protocol::codec::Codec;
use protocol::time::{Instant, MediaTime};

use crate::encoding::Channels;
use crate::limits::PACKET_FRAMES_MAX;
use crate::rt::codec::{Decoders, lookahead_frames, packet_frames};
use crate::rt::concealment::{Continuation, SILENT_FRAMES};
use crate::rt::drift::DriftEstimator;
use crate::rt::jitter_buffer::{JitterBuffer, Stored};
use crate::rt::meter::Meter;
use crate::rt::playout::{DelayEstimator, lag};
use crate::rt::ramp::{Ramp, fade_in};
use crate::rt::ring::{FrameHeader, RemoteKey};
use crate::rt::splice::{self, Preference};
use crate::rt::timeline::Timeline;
use crate::stats::{SharedRemote, StreamState};

/// A remote, made by [`crate::Control`] and owned by the render callback.
#[derive(Debug)]
pub(crate) struct Remote {
    key: RemoteKey,
    shared: Arc<SharedRemote>,
    /// Faders, which the mixer moves.
    pub(crate) fader: Fader,
    meter: Meter,
    packets: JitterBuffer,
    decoders: Decoders,
    timeline: Timeline,
    continuation: Continuation,
    delay: DelayEstimator,
    drift: DriftEstimator,
    state: State,
    /// The media time that is decoded next.
    next: MediaTime,
    /// Of the latest packet decoded.
    codec: Option<Codec>,
    packet_frames: usize,
    /// What the next decoded frames are faded in against.
    tail: Tail,
    /// Whether the last thing heard was silence: then nothing is missing when nothing comes.
    ended_in_silence: bool,
    /// Device time of the latest splice, and since when another one is wanted.
    spliced_at: i64,
    wanted_since: Option<i64>,
    /// Arrival of the first of the packets that were late since one was in time.
    late_since: Option<Instant>,
    /// Packets in a row that belong to some other time.
    strangers: usize,
    /// Device time and lag of the latest packet.
    latest: (i64, i64),
    second: Second,
    /// Mean of the time between a packet's arrival and its playing, in frames.
    playout_delay: f32,
}

/// The device's clock at one callback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    /// Frames played before it.
    pub(crate) start: i64,
    pub(crate) frames: usize,
    pub(crate) now: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Since that device time, or since ever.
    Idle(Option<i64>),
    Starting {
        since: i64,
        packets: usize,
    },
    Playing,
}

/// Gain, pan, mute and solo of one remote as the mixer applies them.
#[derive(Debug)]
pub(crate) struct Fader {
    pub(crate) gain: f32,
    pub(crate) pan: f32,
    pub(crate) open: bool,
    pub(crate) soloed: bool,
    pub(crate) leaving: bool,
    pub(crate) left: Ramp,
    pub(crate) right: Ramp,
}

/// Audio that fades out under new audio, interleaved.
#[derive(Debug)]
struct Tail {
    samples: [f32; 2 * TAIL_FRAMES],
    next: usize,
    end: usize,
}

/// Counts packets by the second.
#[derive(Debug, Clone, Copy)]
struct Second {
    end: i64,
    packets: u32,
}

impl Remote {
    /// Makes a remote with its buffers and decoders; `None` where libopus refuses.
    pub(crate) fn new(
        key: RemoteKey,
        channels: Channels,
        shared: Arc<SharedRemote>,
    ) -> Option<Self> {
        Some(Self {
            key,
            shared,
            fader: Fader::new(),
            meter: Meter::default(),
            packets: JitterBuffer::new(),
            decoders: Decoders::new(channels)?,
            timeline: Timeline::new(channels),
            continuation: Continuation::default(),
            delay: DelayEstimator::new(),
            drift: DriftEstimator::new(),
            state: State::Idle(None),
            next: MediaTime::default(),
            codec: None,
            packet_frames: 0,
            tail: Tail { samples: [0.0; 2 * TAIL_FRAMES], next: 0, end: 0 },
            ended_in_silence: true,
            spliced_at: 0,
            wanted_since: None,
            late_since: None,
            strangers: 0,
            latest: (0, 0),
            second: Second { end: 0, packets: 0 },
            playout_delay: 0.0,
        })
    }

    pub(crate) const fn key(&self) -> RemoteKey {
        self.key
    }

    /// Whether it has faded out after it was removed.
    pub(crate) fn has_left(&self) -> bool {
        self.fader.leaving && self.fader.left.is_silent() && self.fader.right.is_silent()
    }

    /// Takes a codec frame that arrived before this callback.
    pub(crate) fn take(&mut self, period: &Period, header: &FrameHeader, bytes: &[u8]) {
        let Some(frames) = packet_frames(header.codec, bytes) else {
            self.shared.undecodable.add(1);
            return;
        };
        if header.redundant {
            let end = header.media_time.plus_frames(to_i64(frames));
            if self.state != State::Idle(None) && 0 < end.frames_since(self.next) {
                self.store(header, frames, bytes);
            }
            return;
        }
        self.second.packets += 1;
        let needed = lag(period.start, header.media_time);
        if !self.belongs(period, needed) {
            return;
        }
        self.latest = (period.start, needed);
        let age = age_frames(period.now, header.arrival);
        // A packet that came just before the callback might as well have missed it.
        let near_miss = if age < NEAR_MISS_FRAMES { to_i64(period.frames) } else { 0 };
        self.delay.observe(period.start, needed + near_miss);
        #[expect(clippy::cast_precision_loss, reason = "a session is shorter than 2^53 frames")]
        let (start, lag_then) = (period.start as f64, needed as f64);
        self.drift.observe(start - age, lag_then - age);
        match self.state {
            State::Idle(since) => self.begin(period, since, header.media_time, needed),
            State::Starting { since, packets } => {
                self.state = State::Starting { since, packets: packets + 1 };
            }
            State::Playing => {}
        }
        let end = header.media_time.plus_frames(to_i64(frames));
        if end.frames_since(self.next) <= 0 && !self.follow(header) {
            return;
        }
        self.late_since = None;
        let wait = to_f32(self.lag(period) - needed) + to_f32_age(age);
        self.playout_delay += (wait - self.playout_delay) * PLAYOUT_DELAY_WEIGHT;
        self.store(header, frames, bytes);
    }

    /// Whether a packet belongs to the time that the others do. One that does not is dropped, but
    /// a few in a row are a stream that started anew.
    fn belongs(&mut self, period: &Period, needed: i64) -> bool {
        let (at, before) = self.latest;
        let known = self.state != State::Idle(None);
        if !known || needed.abs_diff(before) <= JUMP_FRAMES {
            self.strangers = 0;
            // After a long silence nothing that was learnt holds.
            if let State::Idle(Some(_)) = self.state
                && FORGET_FRAMES < period.start - at
            {
                self.forget();
            }
            return true;
        }
        self.strangers += 1;
        if self.strangers < STRANGERS_MAX {
            return false;
        }
        self.shared.resynchronizations.add(1);
        self.strangers = 0;
        self.forget();
        true
    }

    /// Treats the next packet as the first.
    fn forget(&mut self) {
        self.delay.clear();
        self.drift.clear();
        self.packets.clear();
        self.state = State::Idle(None);
    }

    /// Starts to play at a packet: for the first time, or again after silence.
    fn begin(&mut self, period: &Period, since: Option<i64>, first: MediaTime, needed: i64) {
        self.continuation.end();
        self.timeline.clear();
        self.tail.fade_in_from_silence();
        self.codec = None;
        self.late_since = None;
        self.next = first;
        self.ended_in_silence = true;
        if since.is_some() {
            // How packets arrive is known: wait as long as that takes.
            let wanted = self.delay.target().unwrap_or(needed);
            let lead = usize::try_from(wanted - needed).unwrap_or(0).min(self.timeline.room());
            self.timeline.push_with(lead, |_, _, _| 0.0);
            self.state = State::Playing;
        } else {
            self.state = State::Starting { since: period.start, packets: 1 };
            self.playout_delay = 0.0;
        }
    }

    /// Counts a packet whose time has passed, and decides whether playing follows it: yes if
    /// nothing but late packets has come for a while, so that the way has become longer.
    fn follow(&mut self, header: &FrameHeader) -> bool {
        let since = *self.late_since.get_or_insert(header.arrival);
        let long = FOLLOW_AFTER_NS <= header.arrival.as_ns().saturating_sub(since.as_ns());
        if long && self.packets.first().is_none() && self.state == State::Playing {
            self.next = header.media_time;
            self.shared.resynchronizations.add(1);
            return true;
        }
        if self.state == State::Playing {
            self.shared.late.add(1);
        }
        false
    }

    fn store(&mut self, header: &FrameHeader, frames: usize, bytes: &[u8]) {
        let (codec, redundant) = (header.codec, header.redundant);
        match self.packets.store(codec, header.media_time, frames, redundant, bytes) {
            Stored::Evicted(count) => self.shared.overrun.add(to_u64(count)),
            Stored::Waits | Stored::KnownBefore => {}
        }
    }

    /// The lag of the playhead: device time minus the media time that is played next.
    fn lag(&self, period: &Period) -> i64 {
        lag(period.start, self.next) + to_i64(self.timeline.waiting())
    }

    /// Once a callback, before any of its blocks: opens the stream, steers the delay, publishes.
    pub(crate) fn begin_period(
        &mut self,
        period: &Period,
        scratch: &mut [f32],
        splices_left: &mut usize,
    ) {
        self.delay.advance(period.start, self.drift.drift().unwrap_or(0.0));
        if let State::Starting { since, packets } = self.state
            && START_FRAMES <= period.start - since
            && 2 <= packets
        {
            self.open(period);
        }
        if self.state == State::Playing && 0 < *splices_left && self.steer(period, scratch) {
            *splices_left -= 1;
        }
        self.publish(period);
    }

    /// Ends the silent start: places the playhead where the packets so far want it.
    fn open(&mut self, period: &Period) {
        let wanted = self.delay.target().unwrap_or(0) - self.lag(period);
        // Still silent, so this needs no fade. More than the past holds is left to splices.
        if let Ok(earlier) = usize::try_from(wanted) {
            self.timeline.rewind(earlier);
        }
        self.continuation.end();
        self.fader.left = Ramp::at(0.0);
        self.fader.right = Ramp::at(0.0);
        self.spliced_at = period.start;
        self.state = State::Playing;
    }

    /// Whether the stream is heard; until then its faders stay closed.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Playing
    }

    /// Moves the playhead towards the lag that is wanted; gives whether it searched for a splice.
    fn steer(&mut self, period: &Period, scratch: &mut [f32]) -> bool {
        let Some(wanted) = self.delay.target() else { return false };
        let excess = self.lag(period) - wanted;
        if (0..SHRINK_FRAMES_MIN).contains(&excess) {
            self.wanted_since = None;
            return false;
        }
        let since = *self.wanted_since.get_or_insert(period.start);
        let waited = period.start - since;
        if excess < 0 {
            if period.start - self.spliced_at < GROW_PAUSE_FRAMES {
                return false;
            }
            let least = usize::try_from(-excess).unwrap_or(0);
            self.grow(period, scratch, least, waited)
        } else {
            let pause = if FAST_FRAMES < excess { SHRINK_PAUSE_FAST } else { SHRINK_PAUSE };
            if period.start - self.spliced_at < pause {
                return false;
            }
            let most = usize::try_from(excess).unwrap_or(0);
            self.shrink(period, scratch, most, waited)
        }
    }

    /// Repeats some audio, at least `least` frames if that is possible at once.
    fn grow(&mut self, period: &Period, scratch: &mut [f32], least: usize, waited: i64) -> bool {
        self.ensure(FADE_FRAMES, scratch);
        let fade = self.timeline.waiting().min(FADE_FRAMES_MAX);
        let shortest = least.clamp(LAG_FRAMES_MIN, LAG_FRAMES_MAX - LAG_CHOICE_FRAMES);
        let longest = shortest + LAG_CHOICE_FRAMES;
        let mut template = [0.0; FADE_FRAMES_MAX];
        let mut region = [0.0; FADE_FRAMES_MAX + LAG_CHOICE_FRAMES];
        let (template, region) = (&mut template[..fade], &mut region[..fade + LAG_CHOICE_FRAMES]);
        self.copy_mono(0, template);
        self.copy_mono(-to_isize(longest), region);
        self.spliced_at = period.start;
        let Some(found) = splice::find(template, region, Preference::Late) else { return true };
        if likeness_wanted(waited, GROW_PATIENCE_FRAMES) <= found.likeness
            && self.timeline.repeat(longest - found.index, fade)
        {
            self.shared.splices.add(1);
            self.wanted_since = None;
        }
        true
    }

    /// Leaves out some audio, at most `most` frames.
    fn shrink(&mut self, period: &Period, scratch: &mut [f32], most: usize, waited: i64) -> bool {
        let ready = self.timeline.waiting() + self.packets.frames_without_hole(self.next);
        let keep = FADE_FRAMES.max(period.frames.min(FADE_FRAMES_MAX));
        let Some(room) = ready.checked_sub(keep) else { return false };
        let longest = most.min(room).min(LAG_FRAMES_MAX);
        let shortest = LAG_FRAMES_MIN.min(to_usize(SHRINK_FRAMES_MIN));
        if longest < shortest {
            return false;
        }
        let fade = (ready - longest).min(FADE_FRAMES_MAX);
        self.ensure(longest + fade, scratch);
        let mut template = [0.0; FADE_FRAMES_MAX];
        let mut region = [0.0; FADE_FRAMES_MAX + LAG_FRAMES_MAX];
        let (template, region) = (&mut template[..fade], &mut region[..fade + longest - shortest]);
        self.copy_mono(0, template);
        self.copy_mono(to_isize(shortest), region);
        self.spliced_at = period.start;
        let Some(found) = splice::find(template, region, Preference::Alike) else { return true };
        if likeness_wanted(waited, SHRINK_PATIENCE_FRAMES) <= found.likeness
            && self.timeline.leave_out(shortest + found.index, fade)
        {
            self.shared.splices.add(1);
            self.wanted_since = None;
        }
        true
    }

    fn copy_mono(&self, from: isize, out: &mut [f32]) {
        for (offset, sample) in (from..).zip(out) {
            *sample = self.timeline.mono(offset);
        }
    }

    /// Makes sure that `frames` are ready; gives the two sides of them to be mixed.
    pub(crate) fn play(&mut self, frames: usize, scratch: &mut [f32]) -> Option<[&[f32]; 2]> {
        if matches!(self.state, State::Idle(_)) {
            self.meter.add(frames, core::iter::empty());
            return None;
        }
        self.ensure(frames, scratch);
        self.shared.played.add(to_u64(frames));
        let [left, right] = self.timeline.play(frames);
        match self.decoders.channels() {
            Channels::Mono => self.meter.add(frames, left.iter().copied()),
            Channels::Stereo => {
                self.meter.add(frames, left.iter().chain(right).copied());
            }
        }
        Some([left, right])
    }

    /// Closes the books on a callback whose last block was played.
    pub(crate) fn end_period(&mut self, period: &Period) {
        self.meter.publish(&self.shared.level);
        let nothing_comes = IDLE_FRAMES <= self.continuation.made();
        if nothing_comes && self.packets.first().is_none() && self.state == State::Playing {
            self.state = State::Idle(Some(period.start));
            self.timeline.clear();
            self.continuation.end();
        }
    }

    /// Decodes or conceals until `frames` wait.
    fn ensure(&mut self, frames: usize, scratch: &mut [f32]) {
        // Every turn adds at least one frame, but for packets whose time has passed, of which
        // there are at most as many as the jitter buffer holds.
        while self.timeline.waiting() < frames {
            let Some(first) = self.packets.first() else {
                self.conceal(self.step(), scratch);
                continue;
            };
            let ahead = first.media_time.frames_since(self.next);
            if first.end().frames_since(self.next) <= 0 {
                self.packets.take_first();
            } else if 0 < ahead {
                let hole = usize::try_from(ahead).unwrap_or(usize::MAX);
                self.conceal(hole.min(self.step()), scratch);
            } else {
                self.decode(scratch);
            }
        }
    }

    /// Decodes the earliest packet, which covers the next media time.
    fn decode(&mut self, scratch: &mut [f32]) {
        let channels = self.decoders.channels().count();
        let Some((packet, bytes)) = self.packets.take_first() else { return };
        if self.codec != Some(packet.codec) {
            // The seam between two codecs, or the start: the new decoder knows nothing yet.
            self.decoders.reset(packet.codec);
            if self.codec.is_some() {
                self.tail.fade_from(&mut self.continuation, &mut self.timeline, channels);
            }
            self.codec = Some(packet.codec);
        } else if 0 < self.continuation.made() {
            self.tail.fade_from(&mut self.continuation, &mut self.timeline, channels);
        }
        self.packet_frames = packet.frames;
        let Some(decoded) = self.decoders.decode(packet.codec, bytes, scratch) else {
            self.shared.undecodable.add(1);
            self.conceal(packet.frames.min(PACKET_FRAMES_MAX), scratch);
            return;
        };
        self.continuation.end();
        if packet.redundant {
            self.shared.recovered.add(1);
        }
        // The part before the next media time was played (or concealed) already.
        let played = usize::try_from(self.next.frames_since(packet.media_time)).unwrap_or(0);
        let Some(audio) = scratch.get_mut(played * channels..decoded * channels) else {
            self.next = packet.end();
            return;
        };
        self.tail.fade_out_under(audio, channels);
        let loudest = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        self.ended_in_silence = loudest < SILENT_LEVEL;
        self.timeline.push_interleaved(audio);
        self.next = packet.end();
    }

    /// Frames that are concealed at a time: one packet of the latest kind, as far as it goes.
    fn step(&self) -> usize {
        let codec_step = self.codec.map_or(CONCEAL_FRAMES, Codec::codec_frame_frames);
        self.packet_frames.clamp(1, codec_step)
    }

    /// Invents `frames` in place of the next ones.
    fn conceal(&mut self, frames: usize, scratch: &mut [f32]) {
        if let Some(codec) = self.codec {
            // Its output is not used: the decoder must only know that time has passed.
            self.decoders.conceal(codec, frames, scratch);
        }
        if self.state == State::Playing && !self.ended_in_silence {
            self.shared.concealed.add(to_u64(frames));
        }
        self.continuation.extend(&mut self.timeline, frames);
        if SILENT_FRAMES <= self.continuation.made() {
            self.ended_in_silence = true;
        }
        self.next = self.next.plus_frames(to_i64(frames));
    }

    fn publish(&mut self, period: &Period) {
        if self.second.end <= period.start {
            self.shared.packets_per_second.store(self.second.packets, Relaxed);
            self.second = Second { end: period.start + SECOND_FRAMES, packets: 0 };
        }
        let lag = self.lag(period);
        let waiting = self.packets.end().map_or(0, |end| end.frames_since(self.next).max(0));
        let buffer = to_i64(self.timeline.waiting()) + waiting;
        let delay = self.playout_delay.max(0.0);
        let wanted = self.delay.target().map_or(delay, |target| delay + to_f32(target - lag));
        let fixed = self.packet_frames + self.codec.map_or(0, lookahead_frames);
        let (state, idle) = match self.state {
            State::Idle(_) => (StreamState::Idle, true),
            State::Starting { .. } => (StreamState::Starting, false),
            State::Playing => (StreamState::Playing, false),
        };
        let shown = |frames: u32| if idle { 0 } else { frames };
        let delay = round(delay);
        self.shared.store_state(state, self.codec);
        self.shared.buffer.store(shown(u32::try_from(buffer).unwrap_or(0)), Relaxed);
        self.shared.playout_delay.store(shown(delay), Relaxed);
        self.shared.playout_delay_target.store(shown(round(wanted)), Relaxed);
        let added = delay + u32::try_from(fixed).unwrap_or(0);
        self.shared.added_delay.store(shown(added), Relaxed);
        if let Some(drift) = self.drift.drift() {
            #[expect(clippy::cast_possible_truncation, reason = "below a million ppb")]
            let ppb = (drift * 1e9).round() as i32;
            self.shared.drift_ppb.store(ppb, Relaxed);
        }
    }
}

impl Fader {
    const fn new() -> Self {
        Self {
            gain: 1.0,
            pan: 0.0,
            open: true,
            soloed: false,
            leaving: false,
            left: Ramp::at(0.0),
            right: Ramp::at(0.0),
        }
    }

    /// Sets off towards what is asked; `heard` says whether the stream is heard at all.
    pub(crate) fn glide(&mut self, heard: bool) {
        let factor = if heard && self.open && !self.leaving { self.gain } else { 0.0 };
        self.left.glide_to(factor * (1.0 - self.pan).min(1.0));
        self.right.glide_to(factor * (1.0 + self.pan).min(1.0));
    }
}

impl Tail {
    fn fade_in_from_silence(&mut self) {
        self.samples.fill(0.0);
        (self.next, self.end) = (0, TAIL_FRAMES);
    }

    fn fade_from(
        &mut self,
        continuation: &mut Continuation,
        timeline: &mut Timeline,
        channels: usize,
    ) {
        continuation.peek(timeline, &mut self.samples[..TAIL_FRAMES * channels], channels);
        (self.next, self.end) = (0, TAIL_FRAMES);
    }

    /// Fades from the tail to new audio, in place.
    fn fade_out_under(&mut self, audio: &mut [f32], channels: usize) {
        for frame in audio.chunks_exact_mut(channels).take(self.end - self.next) {
            let weight = fade_in(self.next, self.end);
            let old = self.samples[self.next * channels..].iter();
            for (sample, old) in frame.iter_mut().zip(old) {
                *sample = old + (*sample - old) * weight;
            }
            self.next += 1;
        }
    }
}

/// How alike two stretches must be: much at first, anything once patience is over.
fn likeness_wanted(waited: i64, patience: i64) -> f32 {
    let left = to_f32(patience - waited) / to_f32(patience);
    if left <= 0.0 { -1.0 } else { LIKENESS_MAX * left.min(1.0) }
}

/// Frames between arrival and callback, in fractions.
fn age_frames(now: Instant, arrival: Instant) -> f64 {
    now.saturating_since(arrival).as_secs_f64() * 48_000.0
}

#[expect(clippy::cast_precision_loss, reason = "a playout delay")]
fn to_f32(frames: i64) -> f32 {
    frames as f32
}

#[expect(clippy::cast_possible_truncation, reason = "for statistics")]
fn to_f32_age(age: f64) -> f32 {
    age as f32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn round(frames: f32) -> u32 {
    frames.clamp(0.0, 1e9).round() as u32
}

fn to_i64(frames: usize) -> i64 {
    i64::try_from(frames).unwrap_or(i64::MAX)
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn to_usize(frames: i64) -> usize {
    usize::try_from(frames).unwrap_or(0)
}

fn to_isize(frames: usize) -> isize {
    isize::try_from(frames).unwrap_or(isize::MAX)
}

/// How long a stream is watched before it is heard: 25 ms, a whole pattern of 120-frame packets
/// against 64-frame periods (20 ms) and some.
const START_FRAMES: i64 = 1200;

/// A packet that came less than 0.1 ms before the callback.
const NEAR_MISS_FRAMES: f64 = 4.8;

/// A lag this far from the one before is another time: 1 s.
const JUMP_FRAMES: u64 = 48_000;

/// Packets from another time in a row before they are believed.
const STRANGERS_MAX: usize = 3;

/// Silence after which nothing that was learnt is believed: 5 s.
const FORGET_FRAMES: i64 = 240_000;

/// How long only late packets come before playing follows them: longer than any one jam of
/// packets lasts once it has come loose, far shorter than a musician's patience.
const FOLLOW_AFTER_NS: u64 = 25_000_000;

/// Nothing but concealment for so long is the end of the stream for now: 200 ms.
const IDLE_FRAMES: usize = 9600;

/// An excess below half a millisecond is left alone.
const SHRINK_FRAMES_MIN: i64 = 24;

/// Between two splices, so that they do not add up to a flutter.
const SHRINK_PAUSE: i64 = 4800;
const SHRINK_PAUSE_FAST: i64 = 960;
const GROW_PAUSE_FRAMES: i64 = 480;

/// An excess that is to go fast: 10 ms.
const FAST_FRAMES: i64 = 480;

/// How long a splice waits for a well matched point: 0.1 s when audio is missing, 2 s when there is
/// merely too much of it.
const GROW_PATIENCE_FRAMES: i64 = 4800;
const SHRINK_PATIENCE_FRAMES: i64 = 96_000;

const LIKENESS_MAX: f32 = 0.95;

/// Shortest and longest stretch that a splice repeats or leaves out, and how much longer than
/// necessary a repetition may be for a better match: 10 ms covers a period of 100 Hz.
const LAG_FRAMES_MIN: usize = 24;
const LAG_FRAMES_MAX: usize = 960;
const LAG_CHOICE_FRAMES: usize = 480;

/// Frames over which a splice fades: at least one period of 64, at most 5 ms.
const FADE_FRAMES: usize = 64;
const FADE_FRAMES_MAX: usize = 240;

/// Frames over which decoded audio takes over from concealment.
const TAIL_FRAMES: usize = 120;

/// Frames concealed at a time before any packet has said better.
const CONCEAL_FRAMES: usize = 64;

/// -80 dB of full scale.
const SILENT_LEVEL: f32 = 1e-4;

const PLAYOUT_DELAY_WEIGHT: f32 = 1.0 / 128.0;

const SECOND_FRAMES: i64 = 48_000;
