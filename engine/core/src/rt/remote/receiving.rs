//! Packets in: which belong to the stream, what they say about the delay, and where they wait.

use protocol::time::{Instant, MediaTime};

use crate::limits::{AHEAD_FRAMES_MAX, PLAYOUT_DELAY_FRAMES_MAX};
use crate::rt::codec::packet_frames;
use crate::rt::jitter_buffer::Stored;
use crate::rt::playout::lag;
use crate::rt::remote::{Period, Remote, State, divisor, narrow, to_f64, to_i64, to_u64};
use crate::rt::ring::FrameHeader;
use crate::rt::scratch::Scratch;

/// Packets that all came after their moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    /// Arrival of the first of them.
    since: Instant,
    /// The lag that it needed.
    needed: i64,
}

/// When playing followed packets that were late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Followed {
    at: Instant,
    /// By how many frames further than it had to.
    more: usize,
}

/// A lag that late packets asked for, and the device time until which it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) lag: i64,
    pub(super) until: i64,
    /// How much of the lag nothing had needed when it was asked for.
    clear: i64,
}

impl Remote {
    /// Takes a codec frame that arrived before this callback.
    pub(crate) fn take(
        &mut self,
        period: &Period,
        header: &FrameHeader,
        bytes: &[u8],
        scratch: &mut Scratch,
    ) {
        let Some(frames) = packet_frames(header.codec, bytes) else {
            self.shared.undecodable.add(1);
            return;
        };
        if self.is_resting() {
            self.second.packets += u32::from(!header.redundant);
            return;
        }
        if header.redundant {
            self.take_redundant(period, header, frames, bytes);
            return;
        }
        self.second.packets += 1;
        let needed = lag(period.start, header.media_time);
        if !self.belongs(period, frames, needed) {
            return;
        }
        self.latest = (period.start, needed);
        let age = age_frames(period.now, header.arrival);
        // On the device's clock as it is without the callbacks' own jitter.
        let since_arrival = age - to_f64(period.late);
        // A packet that came just before the callback, or that only came before it because the callback
        // was late, might as well have missed it; and where packets come later and later they soon will.
        let slide = self.drift.drift().map_or_else(|| self.drift.slide(), |drift| -drift);
        let soon = (slide * NEAR_MISS_AHEAD_FRAMES).clamp(0.0, NEAR_MISS_AHEAD_MAX);
        let is_near = since_arrival < NEAR_MISS_FRAMES + soon;
        let near_miss = if is_near { to_i64(period.frames) } else { 0 };
        self.delay.observe(period.start, needed + near_miss);
        self.plain.observe(period.start, needed + near_miss);
        self.arrivals.observe(period.start, needed - floor(since_arrival));
        self.drift.observe(to_f64(period.start) - since_arrival, to_f64(needed) - since_arrival);
        match self.state {
            State::Idle(since) => {
                self.begin(period, since, (header.media_time, needed), scratch);
            }
            State::Starting { since, packets } => {
                self.state = State::Starting { since, packets: packets + 1 };
            }
            State::Playing => {}
        }
        if self.arriving_frames != frames {
            self.packet_time_changes(period, header.media_time, frames);
        }
        let late = self.next.frames_since(header.media_time);
        let is_followed = match self.state {
            State::Playing => {
                to_i64(frames) <= late && self.follow(period, header, needed, scratch)
            }
            State::Idle(_) | State::Starting { .. } => {
                0 < late && self.start_later(header.media_time)
            }
        };
        if to_i64(frames) <= late && !is_followed {
            return;
        }
        self.late = None;
        let wait = narrow(self.lag(period) - to_f64(needed) + age);
        self.playout_delay += (wait - self.playout_delay) * PLAYOUT_DELAY_WEIGHT;
        self.store(header, frames, bytes);
    }

    /// Takes what a later packet repeats. Where the packet itself was lost, that is how long one has to
    /// wait in order to hear it.
    fn take_redundant(
        &mut self,
        period: &Period,
        header: &FrameHeader,
        frames: usize,
        bytes: &[u8],
    ) {
        if matches!(self.state, State::Idle(_)) {
            return;
        }
        if !self.fits(period, frames, lag(period.start, header.media_time)) {
            self.shared.refused.add(1);
            return;
        }
        let end = header.media_time.plus_frames(to_i64(frames));
        let is_missing = if 0 < end.frames_since(self.next) {
            self.store(header, frames, bytes)
        } else {
            self.holes.forget(header.media_time)
        };
        if is_missing {
            self.delay.observe(period.start, lag(period.start, header.media_time));
        }
    }

    /// Whether a packet belongs to the time that the others do. One that does not is dropped, but
    /// a few in a row are a stream that started anew.
    fn belongs(&mut self, period: &Period, frames: usize, needed: i64) -> bool {
        let (at, before) = self.latest;
        // After a long silence nothing that was learnt holds.
        if let State::Idle(Some(_)) = self.state
            && FORGET_FRAMES < period.start - at
            && needed.abs_diff(before) <= JUMP_FRAMES
        {
            self.forget();
        }
        if self.state == State::Idle(None) || self.fits(period, frames, needed) {
            self.strangers = 0;
            return true;
        }
        self.strangers += 1;
        if self.strangers < STRANGERS_MAX {
            self.shared.refused.add(1);
            return false;
        }
        self.shared.resynchronizations.add(1);
        self.strangers = 0;
        self.forget();
        true
    }

    /// Whether a packet is near in time to the one before, and near enough to where playing wants to be:
    /// what is further ahead would have to wait for longer than anything does. Only a stream that starts is
    /// measured from where playing is: later on, if this device stood still, that is about to leave out the
    /// time that has passed; but until a block of packets was seen, what is wanted follows each of them.
    fn fits(&self, period: &Period, frames: usize, needed: i64) -> bool {
        let (_, before) = self.latest;
        let place = match self.state {
            State::Starting { .. } => {
                Some(lag(period.start, self.next) + to_i64(self.timeline.waiting()))
            }
            State::Idle(_) | State::Playing => self.target(),
        };
        // Targets count in whole periods and packets.
        let ahead_max = AHEAD_FRAMES_MAX + to_i64(2 * period.frames + frames);
        let is_near = place.is_none_or(|place| place - needed <= ahead_max);
        is_near && needed.abs_diff(before) <= JUMP_FRAMES
    }

    /// Counts a packet whose time has passed, and decides whether playing follows it: yes if nothing
    /// but late packets has come for a while, so that the way has become longer; sooner if they are
    /// still as late as the first, which the packets of a jam that comes loose are not.
    fn follow(
        &mut self,
        period: &Period,
        header: &FrameHeader,
        needed: i64,
        scratch: &mut Scratch,
    ) -> bool {
        let first = *self.late.get_or_insert(Late { since: header.arrival, needed });
        let age_ns = header.arrival.as_ns().saturating_sub(first.since.as_ns());
        let as_late = first.needed - STEADY_FRAMES <= needed;
        let long = FOLLOW_AFTER_NS <= age_ns || as_late && FOLLOW_STEADY_AFTER_NS <= age_ns;
        if long && self.packets.first().is_none() {
            self.shared.resynchronizations.add(1);
            if self.most().is_some_and(|most| most < needed) {
                // Further than any delay goes: what was known is of another time.
                self.forget();
                self.begin(period, None, (header.media_time, needed), scratch);
            } else {
                self.next = header.media_time;
                self.keep_clear(period, header.arrival, needed, scratch);
            }
            return true;
        }
        self.shared.late.add(1);
        self.hold_if_often_late(period, needed);
        false
    }

    /// Has the silent start follow a packet that is late by any part of it at once, where only invented
    /// audio stands in its place: nobody hears it. Gives whether it did.
    fn start_later(&mut self, media_time: MediaTime) -> bool {
        let invented = to_i64(self.continuation.made());
        if self.packets.first().is_some() || invented < self.next.frames_since(media_time) {
            return false;
        }
        self.timeline.drop_last(self.timeline.waiting().min(self.continuation.made()));
        self.whole_frames = 0;
        self.next = media_time;
        true
    }

    /// Where packets are late in one callback after the other, asks for the lag they need at once: the
    /// estimator takes longer. The packets of a jam that comes loose are late in one or two.
    fn hold_if_often_late(&mut self, period: &Period, needed: i64) {
        let latest = &mut self.late_at;
        if latest[0].0 != period.start {
            latest.rotate_right(1);
            latest[0] = (period.start, needed);
        }
        latest[0].1 = latest[0].1.min(needed);
        if period.start - latest[LATE_CALLBACKS - 1].0 < LATE_WITHIN_FRAMES {
            // What all of them needed: a single one that is late by much is no reason.
            let lag = latest.iter().map(|(_, needed)| *needed).min().unwrap_or(needed);
            // Where what is held was not enough, the way grows longer: each time goes twice as far.
            let before = self.held.filter(|held| period.start < held.until);
            let (held, clear) = before.map_or((i64::MIN, LATE_CLEAR_MIN), |held| {
                let grows = held.lag < lag;
                let wider = (2 * held.clear).clamp(LATE_CLEAR_MIN, LATE_CLEAR_MAX);
                (held.lag, if grows { wider } else { held.clear })
            });
            self.hold(period, held.max(lag + clear), clear);
        }
    }

    /// The largest lag there can be, going by the quickest packet.
    fn most(&self) -> Option<i64> {
        self.arrivals.found().map(|found| found.quickest + PLAYOUT_DELAY_FRAMES_MAX)
    }

    /// Keeps a lag for a while, within the limit that the estimators keep to; `clear` is how much of it
    /// nothing has needed yet.
    fn hold(&mut self, period: &Period, lag: i64, clear: i64) {
        let lag = self.most().map_or(lag, |most| lag.min(most));
        self.held = Some(Held { lag, until: period.start + HOLD_LAG_FRAMES, clear });
    }

    /// Puts off the packet that playing follows, if it had to follow another one a moment ago: where the
    /// way grows longer and longer, each time goes twice as far as the one before.
    fn keep_clear(&mut self, period: &Period, now: Instant, needed: i64, scratch: &mut Scratch) {
        let again = |at: Instant| now.as_ns().saturating_sub(at.as_ns()) < FOLLOW_AGAIN_NS;
        let before = self.followed.filter(|followed| again(followed.at));
        let more = before
            .map_or(0, |followed| (2 * followed.more).clamp(CLEAR_FRAMES_MIN, CLEAR_FRAMES_MAX));
        self.followed = Some(Followed { at: now, more });
        self.hold(period, needed + to_i64(more), to_i64(more));
        let more = more.min(self.timeline.room());
        self.continuation.extend(&mut self.timeline, more, &mut scratch.predictions_left);
        self.note_invented(more);
        self.shared.concealed.add(to_u64(more));
    }

    /// Packets of another duration need another lag, and longer ones need it from the first on:
    /// what is concealed until it comes makes the lag longer, instead of making the packet late.
    fn packet_time_changes(&mut self, period: &Period, first: MediaTime, frames: usize) {
        let before = core::mem::replace(&mut self.arriving_frames, frames);
        if before == 0 {
            return;
        }
        self.seen_since = period.start;
        let fill = |packet| to_i64(fill_frames_max(packet, period.frames));
        let more = fill(frames) - fill(before);
        self.delay.shift(more);
        self.plain.shift(more);
        self.arrivals.shift(more);
        if self.state == State::Playing
            && before < frames
            && self.packets.first().is_none()
            && let Some(wanted) = self.target()
        {
            let playhead = MediaTime::from_frames(period.start - wanted);
            let next = playhead.plus_frames(to_i64(self.timeline.waiting()));
            if next.frames_since(self.next) < 0 {
                self.next = if next.frames_since(first) < 0 { next } else { first };
            }
        }
    }

    /// Puts a packet into the jitter buffer; gives whether there was none like it.
    fn store(&mut self, header: &FrameHeader, frames: usize, bytes: &[u8]) -> bool {
        let (codec, redundant) = (header.codec, header.redundant);
        match self.packets.store(codec, header.media_time, frames, redundant, bytes) {
            Stored::Evicted(count) => self.shared.overrun.add(to_u64(count)),
            Stored::KnownBefore => return false,
            Stored::Waits => {}
        }
        true
    }
}

/// How long the oldest frame of a packet may have waited for the packet to be sent: packets and
/// periods fall into step only as far as they have a common divisor. The publisher's period is not
/// known; this device's will do.
fn fill_frames_max(packet: usize, period: usize) -> usize {
    packet + period - divisor(packet, period)
}

/// Frames between arrival and callback, in fractions.
fn age_frames(now: Instant, arrival: Instant) -> f64 {
    now.saturating_since(arrival).as_secs_f64() * 48_000.0
}

#[expect(clippy::cast_possible_truncation, reason = "a playout delay")]
fn floor(frames: f64) -> i64 {
    frames.floor() as i64
}

/// A packet that came less than 0.05 ms before a callback that is on time; how late one is is known to a
/// frame.
const NEAR_MISS_FRAMES: f64 = 2.4;

/// How long it takes to make the playout delay a period of 64 longer, with what it takes to notice: 0.5 s.
/// More than half a millisecond of slide in that time is no clock's.
const NEAR_MISS_AHEAD_FRAMES: f64 = 24_000.0;
const NEAR_MISS_AHEAD_MAX: f64 = 24.0;

/// A lag this far from the one before is another time: 1 s.
const JUMP_FRAMES: u64 = 48_000;

/// Packets from another time in a row before they are believed.
const STRANGERS_MAX: usize = 3;

/// Silence after which nothing that was learnt is believed: 5 s.
const FORGET_FRAMES: i64 = 240_000;

/// How long only late packets come before playing follows them: longer than any one jam of
/// packets lasts once it has come loose, far shorter than a musician's patience.
const FOLLOW_AFTER_NS: u64 = 25_000_000;

/// The same where they are as late as the first, to what grants and aggregation may make of it.
const FOLLOW_STEADY_AFTER_NS: u64 = 4_000_000;
const STEADY_FRAMES: i64 = 128;

/// In how many callbacks packets must be late, within what time (40 ms), for the lag they need to be
/// taken at once; how much more is taken (0.7 ms, and up to 8 ms where that is not enough again and
/// again); and for how long it is kept: 0.5 s.
pub(super) const LATE_CALLBACKS: usize = 3;
const LATE_WITHIN_FRAMES: i64 = 1920;
const LATE_CLEAR_MIN: i64 = 32;
const LATE_CLEAR_MAX: i64 = 384;
const HOLD_LAG_FRAMES: i64 = 24_000;

pub(super) const NEVER_LATE: [(i64, i64); LATE_CALLBACKS] = [(i64::MIN / 2, 0); LATE_CALLBACKS];

/// How soon after another one following is again, and how much further it goes then: 1.3 to 20 ms.
const FOLLOW_AGAIN_NS: u64 = 500_000_000;
const CLEAR_FRAMES_MIN: usize = 64;
const CLEAR_FRAMES_MAX: usize = 960;

const PLAYOUT_DELAY_WEIGHT: f32 = 1.0 / 128.0;
