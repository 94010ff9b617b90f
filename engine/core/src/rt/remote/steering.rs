//! Moving the playhead towards the lag that is wanted, and keeping it there while clocks drift.
//!
//! The playhead goes as fast as the publisher's clock runs, as far as that is known, and a little
//! slower or faster until the playout delay is what it should be: by at most half a percent (9
//! cents), which takes 0.2 s for a millisecond. What that would take too long for is done by a splice:
//! a stretch of audio is repeated or left out where two ends of a cross-fade resemble each other.
//! What surprises: a delay that is too short by up to a packet or so is still mended by resampling,
//! because a splice that is heard costs more than a packet or two that are concealed.

use crate::playout_mode::PlayoutMode;
use crate::rt::remote::{Period, Remote, State, to_f32, to_f64, to_i64};
use crate::rt::resample::LOOKAHEAD_FRAMES;
use crate::rt::scratch::Scratch;
use crate::rt::splice::{self, Preference};

/// Which way the playout delay is being changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moving {
    Longer,
    Shorter,
}

impl Remote {
    /// Moves the playhead towards the lag that is wanted. Where no splice is left it only sets the pace.
    pub(super) fn steer(&mut self, period: &Period, scratch: &mut Scratch) {
        let Some(wanted) = self.wanted_lag() else { return };
        let excess = self.lag(period) - wanted;
        self.set_pace(excess);
        // A clock that no resampling follows is followed by splices as soon as they are of use.
        let grow_frames = if SLIDE_MAX < self.drift.slide() { 0.0 } else { GROW_FRAMES };
        if (-grow_frames..=SHRINK_FRAMES).contains(&excess) {
            self.wanted_since = None;
            return;
        }
        let Some(splices_left) = scratch.splices_left.checked_sub(1) else { return };
        let whole = whole(excess);
        if EXCESS_FRAMES_MAX < whole {
            self.jump(period, whole, scratch);
            scratch.splices_left = splices_left;
            return;
        }
        let since = *self.wanted_since.get_or_insert(period.start);
        let waited = period.start - since;
        let spliced = period.start - self.spliced_at;
        let frames = usize::try_from(whole.abs()).unwrap_or(0);
        let took_time = if whole < 0 {
            GROW_PAUSE <= spliced && self.grow(period, scratch, frames, waited)
        } else {
            SHRINK_PAUSE <= spliced && self.shrink(period, scratch, frames, waited)
        };
        if took_time {
            scratch.splices_left = splices_left;
        }
    }

    /// The lag at which the playhead should be: what packets need, and what interpolation looks ahead
    /// where clocks drift.
    pub(super) fn wanted_lag(&self) -> Option<f64> {
        Some(to_f64(self.target()? + self.ahead()))
    }

    /// The lag that packets need, or that the listener asks for, whichever is more.
    pub(super) fn target(&self) -> Option<i64> {
        let floor = self.floor.map_or(i64::MIN, |(lag, since)| {
            let drift = self.drift.drift().unwrap_or(0.0);
            whole(lag - drift * to_f64(self.period_start - since))
        });
        Some(self.need()?.max(floor))
    }

    /// The lag that packets need, or that a fixed playout delay is.
    pub(super) fn need(&self) -> Option<i64> {
        match self.playout {
            PlayoutMode::Fixed(frames) => Some(self.arrivals.found()?.quickest + i64::from(frames)),
            PlayoutMode::Automatic | PlayoutMode::Lower | PlayoutMode::Safer => {
                let worst = |unseen| Some(self.arrivals.target()? + unseen);
                self.delay
                    .target()
                    .max(self.unseen_frames.and_then(worst))
                    .max(self.held.map(|held| held.lag))
            }
        }
    }

    /// How many of so many invented frames take no media time, because the playout delay is to become
    /// longer: nothing makes it so with less harm than what is invented anyway.
    pub(super) fn owed(&self, frames: usize) -> usize {
        if self.state != State::Playing {
            return 0;
        }
        let missing =
            self.wanted_lag().map_or(0.0, |wanted| wanted - self.lag_at(self.period_start));
        usize::try_from(whole(missing)).unwrap_or(0).min(frames)
    }

    /// Frames that interpolation looks ahead all the time.
    pub(super) fn ahead(&self) -> i64 {
        if self.pace() == 0.0 { 0 } else { to_i64(LOOKAHEAD_FRAMES) }
    }

    /// How much faster than this device the publisher's clock runs, where it is enough to care: below
    /// that, whole frames are kept until their lag is wrong by some.
    fn pace(&self) -> f64 {
        self.drift.drift().filter(|drift| DRIFT_MIN <= drift.abs()).unwrap_or(0.0)
    }

    /// Chooses how fast the playhead goes.
    fn set_pace(&mut self, excess: f64) {
        let pace = self.pace();
        let slack = if pace == 0.0 { SLACK_AT_REST } else { SLACK };
        self.moving = match self.moving {
            _ if excess < 0.0 => Some(Moving::Longer),
            Some(Moving::Longer) if excess < MARGIN => Some(Moving::Longer),
            Some(Moving::Shorter) if slack < excess => Some(Moving::Shorter),
            _ if slack + HYSTERESIS < excess => Some(Moving::Shorter),
            _ => None,
        };
        let slew = match self.moving {
            None => 0.0,
            Some(Moving::Longer) => {
                -((2.0 * MARGIN - excess) * SLEW_PER_FRAME).min(SLEW_LONGER_MAX)
            }
            Some(Moving::Shorter) => {
                ((excess - slack + MARGIN) * SLEW_SHORTER_PER_FRAME).min(SLEW_SHORTER_MAX)
            }
        };
        self.playhead.glide_to(pace + slew);
    }

    /// Leaves out everything that is too much at once: after the callback was away for a while,
    /// or a stream came in a heap; but for what is read faster than it comes until resampling ends.
    fn jump(&mut self, period: &Period, excess: i64, scratch: &mut Scratch) {
        let too_fast = whole((to_f64(to_i64(period.frames)) * SLEW_SHORTER_MAX).ceil());
        let excess = excess - to_i64(LOOKAHEAD_FRAMES) - too_fast;
        let waiting = self.timeline.waiting();
        let playhead = self.next.plus_frames(-to_i64(waiting));
        self.timeline.drop_last(waiting);
        self.whole_frames = self.whole_frames.saturating_sub(waiting);
        let left = &mut scratch.predictions_left;
        self.tail.fade_from(&mut self.continuation, &self.timeline, left);
        self.next = playhead.plus_frames(excess);
        self.wanted_since = None;
        self.shared.splices.add(1);
    }

    /// Repeats some audio, at least `least` frames if that is possible at once. What was invented is not
    /// repeated, nor gone on from: it makes the delay longer by itself ([`Self::owed`]).
    fn grow(&mut self, period: &Period, scratch: &mut Scratch, least: usize, waited: i64) -> bool {
        let ready = self.timeline.waiting() + self.packets.frames_without_hole(self.next);
        let whole = self.whole_frames.saturating_sub(self.timeline.waiting());
        let shortest = least.clamp(LAG_FRAMES_MIN, LAG_FRAMES_MAX - LAG_CHOICE_FRAMES).min(whole);
        if 0 < self.continuation.made() || ready < FADE_FRAMES || shortest < LAG_FRAMES_MIN {
            return false;
        }
        self.ensure(FADE_FRAMES, scratch);
        let fade = self.timeline.waiting().min(FADE_FRAMES_MAX);
        let longest = (shortest + LAG_CHOICE_FRAMES).min(whole);
        let mut template = [0.0; FADE_FRAMES_MAX];
        let mut region = [0.0; FADE_FRAMES_MAX + LAG_CHOICE_FRAMES];
        let (template, region) = (&mut template[..fade], &mut region[..fade + longest - shortest]);
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
    fn shrink(&mut self, period: &Period, scratch: &mut Scratch, most: usize, waited: i64) -> bool {
        let ready = self.timeline.waiting() + self.packets.frames_without_hole(self.next);
        let keep = FADE_FRAMES.max(period.frames.min(FADE_FRAMES_MAX));
        let Some(room) = ready.checked_sub(keep) else { return false };
        let longest = most.min(room).min(LAG_FRAMES_MAX);
        let shortest = LAG_FRAMES_MIN;
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
        // What resampling does in a few seconds is not worth a splice that is heard.
        let least = if most < URGENT_FRAMES { LIKENESS_MIN } else { -1.0 };
        if likeness_wanted(waited, SHRINK_PATIENCE_FRAMES).max(least) <= found.likeness
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
}

/// How alike two stretches must be: much at first, anything once patience is over.
fn likeness_wanted(waited: i64, patience: i64) -> f32 {
    let left = to_f32(patience - waited) / to_f32(patience);
    if left <= 0.0 { -1.0 } else { LIKENESS_MAX * left.min(1.0) }
}

fn to_isize(frames: usize) -> isize {
    isize::try_from(frames).unwrap_or(isize::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a lag")]
fn whole(frames: f64) -> i64 {
    frames.round() as i64
}

/// Fastest changes of pitch: 9 cents while sound would be lost otherwise, 5 while there is time.
const SLEW_LONGER_MAX: f64 = 5e-3;
const SLEW_SHORTER_MAX: f64 = 3e-3;

/// What is missing is halved in 70 ms, once it is less than half a millisecond; what is too much in
/// 0.35 s, once it is less than 1.5 ms.
const SLEW_PER_FRAME: f64 = 1.0 / 4800.0;
const SLEW_SHORTER_PER_FRAME: f64 = 1.0 / 24_000.0;

/// A drift below 3 ppm is left to itself: it takes 10 s for a frame and a half.
const DRIFT_MIN: f64 = 3e-6;

/// How far beyond what is wanted a longer delay goes, how much too long a delay may stay, and how much
/// more makes it move. At rest it keeps what interpolation looks ahead: the next move needs it.
const MARGIN: f64 = 2.0;
const SLACK: f64 = 2.0;
const SLACK_AT_REST: f64 = 6.0;
const HYSTERESIS: f64 = 6.0;

/// What is too little by more than 1.3 ms (0.27 s of resampling) is repeated, what is too much by more
/// than 5 ms left out, and by more than 100 ms at once.
const GROW_FRAMES: f64 = 96.0;
const SLIDE_MAX: f64 = 5e-3;
const SHRINK_FRAMES: f64 = 240.0;
const EXCESS_FRAMES_MAX: i64 = 4800;

/// Between two splices, so that they do not add up to a flutter.
const SHRINK_PAUSE: i64 = 960;
const GROW_PAUSE: i64 = 480;

/// How long a splice waits for a well matched point: 0.1 s when audio is missing, 0.75 s when there is
/// merely too much of it.
const GROW_PATIENCE_FRAMES: i64 = 4800;
const SHRINK_PATIENCE_FRAMES: i64 = 36_000;

const LIKENESS_MAX: f32 = 0.95;

/// How alike the ends of a splice must be that leaves out less than 20 ms.
const LIKENESS_MIN: f32 = 0.6;
const URGENT_FRAMES: usize = 960;

/// Shortest and longest stretch that a splice repeats or leaves out, and how much longer than
/// necessary a repetition may be for a better match: 10 ms covers a period of 100 Hz.
const LAG_FRAMES_MIN: usize = 24;
const LAG_FRAMES_MAX: usize = 960;
const LAG_CHOICE_FRAMES: usize = 480;

/// Frames over which a splice fades: at least one period of 64, at most 5 ms.
const FADE_FRAMES: usize = 64;
const FADE_FRAMES_MAX: usize = 240;
