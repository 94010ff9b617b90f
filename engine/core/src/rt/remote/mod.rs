//! One remote stream in the render callback: from packets to the frames that are played.
//!
//! The playhead is a media time. What lies under it is decoded at the moment it is needed; what
//! is missing is concealed, and what comes after that is late ([`playing`]). How far the playhead
//! stays behind is moved towards what [`super::playout`] wants by going a little slower or faster than
//! the device ([`steering`]). This file has the states of a stream; [`receiving`] has what happens
//! to packets, [`report`] the statistics.
//!
//! A stream starts silently: its first 40 ms are decoded but not heard, because that warms the
//! decoder up and shows how packets arrive, so that the playhead can be placed without any splice.

mod holes;
mod later;
mod playing;
mod receiving;
mod report;
mod rest;
mod steering;

use std::sync::Arc;

use protocol::codec::Codec;
use protocol::time::{Instant, MediaTime};

use crate::encoding::Channels;
use crate::playout_mode::PlayoutMode;
use crate::rt::codec::Decoders;
use crate::rt::concealment::{Continuation, Tail};
use crate::rt::delay_line::DelayLine;
use crate::rt::drift::DriftEstimator;
use crate::rt::jitter_buffer::JitterBuffer;
use crate::rt::meter::Meter;
use crate::rt::mixer::Fader;
use crate::rt::playout::{DelayEstimator, Found, Tolerance, lag};
use crate::rt::ramp::Ramp;
use crate::rt::remote::holes::Holes;
use crate::rt::remote::receiving::{Followed, Held, LATE_CALLBACKS, Late, NEVER_LATE};
use crate::rt::remote::rest::Rest;
use crate::rt::remote::steering::Moving;
use crate::rt::render::BLOCK_FRAMES;
use crate::rt::resample::{Kernel, Playhead};
use crate::rt::ring::RemoteKey;
use crate::rt::scratch::Scratch;
use crate::rt::timeline::{PAST_FRAMES, Timeline};
use crate::stats::SharedRemote;

/// A remote, made by [`crate::Control`] and owned by the render callback.
#[derive(Debug)]
pub(crate) struct Remote {
    key: RemoteKey,
    shared: Arc<SharedRemote>,
    /// Faders, which the mixer moves.
    pub(crate) fader: Fader,
    /// What the listener wants of the playout delay.
    pub(crate) playout: PlayoutMode,
    /// The least lag that the listener wants, and the device time at which that was said.
    floor: Option<(f64, i64)>,
    /// What is behind the playhead, where it is to be heard much later.
    line: Option<Box<DelayLine>>,
    /// The line before it, and how far it has been faded out.
    retiring: Option<(Box<DelayLine>, usize)>,
    meter: Meter,
    rest: Rest,
    packets: JitterBuffer,
    decoders: Decoders,
    timeline: Timeline,
    playhead: Playhead,
    kernel: &'static Kernel,
    /// A block as it is heard, where the playhead is between frames.
    block: [[f32; BLOCK_FRAMES]; 2],
    continuation: Continuation,
    /// What packets needed, what they would have without those that came repeated, and how they arrived
    /// before any callback looked.
    delay: DelayEstimator,
    plain: DelayEstimator,
    arrivals: DelayEstimator,
    drift: DriftEstimator,
    state: State,
    /// The media time that is decoded next.
    next: MediaTime,
    /// Of the latest packet decoded.
    codec: Option<Codec>,
    packet_frames: usize,
    /// Frames of the latest packet that arrived.
    arriving_frames: usize,
    /// What the next decoded frames are faded in against.
    tail: Tail,
    /// Frames at the end of the timeline that may be heard again: those since the latest one that was
    /// silent or faded.
    whole_frames: usize,
    /// Packets that may still be decoded in this period though a part of them has been played.
    overlaps_left: usize,
    /// Whether the last thing heard was silence: then nothing is missing when nothing comes.
    ended_in_silence: bool,
    /// Which way the playout delay is being changed.
    moving: Option<Moving>,
    /// Device time of the latest splice, and since when another one is wanted.
    spliced_at: i64,
    wanted_since: Option<i64>,
    /// The packets that were late since one was in time.
    late: Option<Late>,
    followed: Option<Followed>,
    /// Device times of the latest callbacks that saw late packets, and the least lag that one of them
    /// needed, latest first.
    late_at: [(i64, i64); LATE_CALLBACKS],
    held: Option<Held>,
    /// Device time of the current callback, and its frames.
    period_start: i64,
    period_frames: usize,
    /// Device time at which a callback had a frame more or less than the one before, as they do where a
    /// device's rate is converted.
    uneven_at: i64,
    /// Since when packets of this duration are seen, and what is added to how they arrive as long as not
    /// every way was seen in which they fall against this device's periods.
    seen_since: i64,
    unseen_frames: Option<i64>,
    /// What was concealed of late.
    holes: Holes,
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
    /// Frames by which it is later than callbacks are at their best.
    pub(crate) late: i64,
    /// When its first frame is handed over, by the line of all callbacks.
    pub(crate) at: Option<Instant>,
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
            playout: PlayoutMode::Automatic,
            floor: None,
            line: None,
            retiring: None,
            meter: Meter::default(),
            rest: Rest::default(),
            packets: JitterBuffer::new(),
            decoders: Decoders::new(channels)?,
            timeline: Timeline::new(channels),
            playhead: Playhead::at_rest(),
            kernel: Kernel::shared(),
            block: [[0.0; BLOCK_FRAMES]; 2],
            continuation: Continuation::new(channels),
            delay: DelayEstimator::new(3 * key.slot),
            plain: DelayEstimator::new(3 * key.slot + 1),
            arrivals: DelayEstimator::new(3 * key.slot + 2),
            drift: DriftEstimator::new(),
            state: State::Idle(None),
            next: MediaTime::default(),
            codec: None,
            packet_frames: 0,
            arriving_frames: 0,
            tail: Tail::new(),
            whole_frames: 0,
            overlaps_left: 0,
            ended_in_silence: true,
            moving: None,
            spliced_at: 0,
            wanted_since: None,
            late: None,
            followed: None,
            late_at: NEVER_LATE,
            held: None,
            period_start: 0,
            period_frames: 0,
            uneven_at: i64::MIN / 2,
            seen_since: 0,
            unseen_frames: None,
            holes: Holes::new(),
            strangers: 0,
            latest: (0, 0),
            second: Second { end: 0, packets: 0 },
            playout_delay: 0.0,
        })
    }

    pub(crate) const fn key(&self) -> RemoteKey {
        self.key
    }

    /// Whether its gap is predicted; `None` where nothing is missing.
    #[cfg(test)]
    pub(crate) fn predicts(&self) -> Option<bool> {
        self.continuation.predicts()
    }

    /// Whether it has faded out after it was removed.
    pub(crate) fn has_left(&self) -> bool {
        self.fader.leaving && self.fader.left.is_silent() && self.fader.right.is_silent()
    }

    /// Treats the next packet as the first.
    fn forget(&mut self) {
        self.delay.clear();
        self.plain.clear();
        self.arrivals.clear();
        self.drift.clear();
        self.packets.clear();
        self.late_at = NEVER_LATE;
        (self.late, self.followed, self.held) = (None, None, None);
        // What was measured of another time says nothing of the next.
        self.floor = None;
        self.state = State::Idle(None);
    }

    /// Starts to play at a packet: for the first time, again after silence, or at once somewhere else.
    fn begin(
        &mut self,
        period: &Period,
        since: Option<i64>,
        (first, needed): (MediaTime, i64),
        scratch: &mut Scratch,
    ) {
        if self.ended_in_silence {
            self.tail.fade_in_from_silence();
            self.timeline.clear();
            self.playhead = Playhead::at_rest();
        } else {
            self.timeline.drop_last(self.timeline.waiting());
            let left = &mut scratch.predictions_left;
            self.tail.fade_from(&mut self.continuation, &self.timeline, left);
            self.playhead.glide_to(0.0);
        }
        self.continuation.end();
        self.moving = None;
        self.packets.clear();
        self.whole_frames = 0;
        self.codec = None;
        self.late = None;
        self.next = first;
        self.ended_in_silence = true;
        if since.is_some() {
            // How packets arrive is known: wait as long as that takes.
            let wanted = self.target().unwrap_or(needed);
            let lead = usize::try_from(wanted - needed).unwrap_or(0).min(self.timeline.room());
            self.timeline.push_with(lead, |_, _, _| 0.0);
            self.state = State::Playing;
        } else {
            self.state = State::Starting { since: period.start, packets: 1 };
            self.seen_since = period.start;
            self.playout_delay = 0.0;
        }
    }

    /// The lag of the playhead: device time minus the media time that is played next.
    fn lag(&self, period: &Period) -> f64 {
        self.lag_at(period.start)
    }

    fn lag_at(&self, start: i64) -> f64 {
        let whole = lag(start, self.next) + to_i64(self.timeline.waiting());
        to_f64(whole) - self.playhead.fraction()
    }

    /// Once a callback, before any of its blocks: opens the stream, steers the delay, publishes.
    pub(crate) fn begin_period(&mut self, period: &Period, scratch: &mut Scratch) {
        self.period_start = period.start;
        if self.period_frames.abs_diff(period.frames) == 1 {
            self.uneven_at = period.start;
        }
        self.period_frames = period.frames;
        self.overlaps_left = OVERLAPS_PER_PERIOD;
        self.look_back(period);
        if let State::Starting { since, packets } = self.state
            && START_FRAMES.max(START_PERIODS * to_i64(period.frames)) <= period.start - since
            && 2 <= packets
        {
            self.open(period, since);
        }
        if self.state == State::Playing {
            self.steer(period, scratch);
        }
        self.publish(period);
    }

    /// Lets the estimators decide anew, where 50 ms are over.
    fn look_back(&mut self, period: &Period) {
        let drift = self.drift.drift().unwrap_or(0.0);
        let tolerance = match self.playout {
            PlayoutMode::Automatic | PlayoutMode::Fixed(_) => Tolerance::Usual,
            PlayoutMode::Lower => Tolerance::High,
            PlayoutMode::Safer => Tolerance::Low,
        };
        self.delay.advance(period.start, drift, tolerance);
        self.plain.advance(period.start, drift, tolerance);
        self.arrivals.advance(period.start, drift, tolerance);
        self.held = self.held.filter(|held| period.start < held.until);
        let (packet, frames) = (self.arriving_frames.max(1), period.frames.max(1));
        // Periods of 69 and 70 frames in turn are in step with no packet.
        let uneven = period.start - self.uneven_at < PATTERN_FRAMES_MAX;
        let common = if uneven { 1 } else { divisor(packet, frames) };
        let pattern = to_i64(packet / common * frames).min(PATTERN_FRAMES_MAX);
        let seen = period.start - self.seen_since;
        // Packets that come several at a time have a pattern of their own, with periods of a length that
        // is not known here.
        let in_bursts = |found: Found| to_i64(packet) < found.target - found.quickest;
        let burst = self.arrivals.found().is_some_and(in_bursts) && seen < PATTERN_FRAMES_MAX;
        let unseen = if seen < pattern { to_i64(frames) } else { 0 };
        let unseen = unseen + if burst { to_i64(frames.max(packet)) } else { 0 };
        self.unseen_frames = (0 < unseen).then_some(unseen);
    }

    /// Ends the silent start: places the playhead where the packets so far want it. What was invented
    /// meanwhile is not for anybody's ears: where the way there leads through it, the playhead stands still
    /// on what came after.
    fn open(&mut self, period: &Period, since: i64) {
        let is_overdue = START_FRAMES_MAX <= period.start - since;
        if 0 < self.continuation.made() && !is_overdue {
            return;
        }
        // Nothing is heard of where it was between two frames.
        self.playhead = Playhead::at_rest();
        let lag = lag(period.start, self.next) + to_i64(self.timeline.waiting());
        let wanted = self.target().unwrap_or(0) - lag;
        // Still silent, so this needs no fade. More than the past holds is left to splices.
        let earlier = usize::try_from(wanted).unwrap_or(0).min(PAST_FRAMES);
        let whole = self.whole_frames.saturating_sub(self.timeline.waiting());
        self.timeline.rewind(earlier.min(whole));
        if whole < earlier && !is_overdue {
            return;
        }
        self.continuation.end();
        if !self.line.as_ref().is_some_and(|line| line.holds_sound()) {
            self.fader.left = Ramp::at(0.0);
            self.fader.right = Ramp::at(0.0);
        }
        self.spliced_at = period.start;
        self.state = State::Playing;
    }

    /// Whether the stream is heard; until then its faders stay closed.
    pub(crate) fn is_open(&self) -> bool {
        self.state == State::Playing || self.line.as_ref().is_some_and(|line| line.holds_sound())
    }

    /// Makes sure that `frames` are ready; gives the two sides of them to be mixed.
    pub(crate) fn play(&mut self, frames: usize, scratch: &mut Scratch) -> Option<[&[f32]; 2]> {
        let frames = frames.min(BLOCK_FRAMES);
        if matches!(self.state, State::Idle(_)) {
            if let Some(line) = self.line.as_mut().filter(|line| !line.holds_sound()) {
                line.forget();
            }
            let Some(line) = self.line.as_mut().filter(|line| line.holds_sound()) else {
                self.meter.add(frames, core::iter::empty());
                return None;
            };
            let [left, right] = line.pass(None, frames, self.retiring.as_mut());
            self.meter.add(frames, left.iter().chain(right).copied());
            return Some([left, right]);
        }
        let reads = self.playhead.reads(frames);
        self.ensure(reads.needed, scratch);
        self.shared.played.add(to_u64(frames));
        let [left, right] = if self.playhead.is_at_rest() {
            self.timeline.play(frames)
        } else {
            let invented = self.look_ahead(reads.ahead, scratch);
            self.timeline.play_between(frames, &mut self.playhead, self.kernel, &mut self.block);
            self.timeline.drop_last(invented);
            let [left, right] = &self.block;
            match self.decoders.channels() {
                Channels::Mono => [&left[..frames], &left[..frames]],
                Channels::Stereo => [&left[..frames], &right[..frames]],
            }
        };
        let [left, right] = match &mut self.line {
            Some(line) => line.pass(Some([left, right]), frames, self.retiring.as_mut()),
            None => [left, right],
        };
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
        if self.continuation.made() < IDLE_FRAMES || self.packets.first().is_some() {
            return;
        }
        match self.state {
            State::Idle(_) => return,
            State::Starting { .. } => self.forget(),
            State::Playing => self.state = State::Idle(Some(period.start)),
        }
        self.timeline.clear();
        self.continuation.end();
    }
}

/// The greatest common divisor, by Euclid's algorithm: fewer turns than a number has bits times two.
fn divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[expect(clippy::cast_precision_loss, reason = "a playout delay")]
fn to_f32(frames: i64) -> f32 {
    frames as f32
}

#[expect(clippy::cast_possible_truncation, reason = "for statistics")]
fn narrow(frames: f64) -> f32 {
    frames as f32
}

#[expect(clippy::cast_precision_loss, reason = "a session is shorter than 2^53 frames")]
fn to_f64(frames: i64) -> f64 {
    frames as f64
}

fn to_i64(frames: usize) -> i64 {
    i64::try_from(frames).unwrap_or(i64::MAX)
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// How long a stream is watched before it is heard: 40 ms, a whole pattern of 120-frame packets
/// against 128-frame periods, two against 64.
const START_FRAMES: i64 = 1920;

/// The same in periods, where they are long.
const START_PERIODS: i64 = 4;

/// The latest that it is heard from, whatever was lost by then: 0.5 s.
const START_FRAMES_MAX: i64 = 24_000;

/// Packets decoded in a period though a part of them has been played: one where a splice or a jump ends,
/// one where a publisher changes codecs. Each costs a whole packet's decoding for a part of its sound.
const OVERLAPS_PER_PERIOD: usize = 2;

/// Patterns of packets against periods that take longer than this (1 s) are not waited for.
const PATTERN_FRAMES_MAX: i64 = 48_000;

/// Nothing but concealment for so long is the end of the stream for now: 200 ms.
const IDLE_FRAMES: usize = 9600;
