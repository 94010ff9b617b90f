//! One remote stream in the render callback: from packets to the frames that are played.
//!
//! The playhead is a media time. What lies under it is decoded at the moment it is needed; what
//! is missing is concealed, and what comes after that is late ([`playing`]). How far the playhead
//! stays behind is moved towards what [`super::playout`] wants by cross-faded splices
//! ([`steering`]). This file has the rest: packets in, the states of a stream, statistics out.
//!
//! A stream starts silently: its first 40 ms are decoded but not heard, because that warms the
//! decoder up and shows how packets arrive, so that the playhead can be placed without any splice.

mod playing;
mod steering;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use protocol::codec::Codec;
use protocol::time::{Instant, MediaTime};

use crate::encoding::Channels;
use crate::limits::PLAYOUT_DELAY_FRAMES_MAX;
use crate::rt::codec::{Decoders, lookahead_frames, packet_frames};
use crate::rt::concealment::{Continuation, Tail};
use crate::rt::drift::DriftEstimator;
use crate::rt::jitter_buffer::{JitterBuffer, Stored};
use crate::rt::meter::Meter;
use crate::rt::mixer::Fader;
use crate::rt::playout::{DelayEstimator, lag};
use crate::rt::ramp::Ramp;
use crate::rt::ring::{FrameHeader, RemoteKey};
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
    /// Frames of the latest packet that arrived.
    arriving_frames: usize,
    /// What the next decoded frames are faded in against.
    tail: Tail,
    /// Whether the last thing heard was silence: then nothing is missing when nothing comes.
    ended_in_silence: bool,
    /// Device time of the latest splice, of the latest that made the delay longer, and since when
    /// another one is wanted.
    spliced_at: i64,
    grown_at: i64,
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
            arriving_frames: 0,
            tail: Tail::new(),
            ended_in_silence: true,
            spliced_at: 0,
            grown_at: i64::MIN / 2,
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
            if !matches!(self.state, State::Idle(_)) && 0 < end.frames_since(self.next) {
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
        if self.arriving_frames != frames {
            self.packet_time_changes(period, header.media_time, frames);
        }
        let late = self.next.frames_since(header.media_time);
        if to_i64(frames) <= late && !self.follow(header) {
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
        self.packets.clear();
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

    /// Packets of another duration need another lag, and longer ones need it from the first on:
    /// what is concealed until it comes makes the lag longer, instead of making the packet late.
    fn packet_time_changes(&mut self, period: &Period, first: MediaTime, frames: usize) {
        let before = core::mem::replace(&mut self.arriving_frames, frames);
        if before == 0 {
            return;
        }
        let fill = |packet| to_i64(fill_frames_max(packet, period.frames));
        self.delay.shift(fill(frames) - fill(before));
        if self.state == State::Playing
            && before < frames
            && self.packets.first().is_none()
            && let Some(wanted) = self.delay.target()
        {
            let playhead = MediaTime::from_frames(period.start - wanted);
            let next = playhead.plus_frames(to_i64(self.timeline.waiting()));
            if next.frames_since(self.next) < 0 {
                self.next = if next.frames_since(first) < 0 { next } else { first };
            }
        }
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
            && START_FRAMES.max(START_PERIODS * to_i64(period.frames)) <= period.start - since
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

    fn publish(&mut self, period: &Period) {
        if self.second.end == 0 {
            self.second.end = period.start + SECOND_FRAMES;
        } else if self.second.end <= period.start {
            self.shared.packets_per_second.store(self.second.packets, Relaxed);
            self.second = Second { end: period.start + SECOND_FRAMES, packets: 0 };
        }
        let lag = self.lag(period);
        let waiting = self.packets.end().map_or(0, |end| end.frames_since(self.next).max(0));
        let buffer = to_i64(self.timeline.waiting()) + waiting;
        let delay = self.playout_delay.max(0.0);
        let wanted = self.delay.target().map_or(delay, |target| delay + to_f32(target - lag));
        let wanted = wanted.min(to_f32(PLAYOUT_DELAY_FRAMES_MAX + to_i64(period.frames)));
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

/// How long the oldest frame of a packet may have waited for the packet to be sent: packets and
/// periods fall into step only as far as they have a common divisor. The publisher's period is not
/// known; this device's will do.
fn fill_frames_max(packet: usize, period: usize) -> usize {
    let (mut a, mut b) = (packet, period);
    // Euclid's algorithm: fewer turns than a number has bits times two.
    while b != 0 {
        (a, b) = (b, a % b);
    }
    packet + period - a
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

/// How long a stream is watched before it is heard: 40 ms, a whole pattern of 120-frame packets
/// against 128-frame periods, two against 64.
const START_FRAMES: i64 = 1920;

/// The same in periods, where they are long.
const START_PERIODS: i64 = 4;

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

const PLAYOUT_DELAY_WEIGHT: f32 = 1.0 / 128.0;

const SECOND_FRAMES: i64 = 48_000;
