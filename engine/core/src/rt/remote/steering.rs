//! Moving the playhead: splices that lengthen or shorten the playout delay.
//!
//! A delay that is too short is mended at once, by repeating a stretch of audio; one that is too
//! long patiently, by leaving one out. Both wait a little for a point where the two ends of the
//! cross-fade resemble each other. What surprises: a delay that was just made longer stays a little
//! too long for a while, because a repetition overshoots by part of a period of the sound, and
//! because clocks that drift apart soon eat that up.

use crate::rt::remote::{Period, Remote, to_f32, to_i64};
use crate::rt::splice::{self, Preference};

impl Remote {
    /// Moves the playhead towards the lag that is wanted; gives whether it took the time that a
    /// splice takes.
    pub(super) fn steer(&mut self, period: &Period, scratch: &mut [f32]) -> bool {
        let Some(wanted) = self.delay.target() else { return false };
        let excess = self.lag(period) - wanted;
        if (0..SHRINK_FRAMES_MIN).contains(&excess) {
            self.wanted_since = None;
            return false;
        }
        if EXCESS_FRAMES_MAX < excess {
            self.jump(excess);
            return true;
        }
        let since = *self.wanted_since.get_or_insert(period.start);
        let waited = period.start - since;
        let spliced = period.start - self.spliced_at;
        if excess < 0 {
            let least = usize::try_from(-excess).unwrap_or(0);
            GROW_PAUSE <= spliced && self.grow(period, scratch, least, waited)
        } else {
            let pause = if FAST_FRAMES <= excess { SHRINK_PAUSE_FAST } else { SHRINK_PAUSE };
            let slow = self.drift.drift().is_some_and(|drift| drift < SLOW_DRIFT);
            let small_pause = if slow { SMALL_PAUSE_SLOW } else { SMALL_PAUSE };
            let settled = SMALL_FRAMES <= excess || small_pause <= period.start - self.grown_at;
            let most = usize::try_from(excess).unwrap_or(0);
            pause <= spliced && settled && self.shrink(period, scratch, most, waited)
        }
    }

    /// Leaves out everything that is too much at once: after the callback was away for a while,
    /// or a stream came in a heap.
    fn jump(&mut self, excess: i64) {
        let waiting = self.timeline.waiting();
        let playhead = self.next.plus_frames(-to_i64(waiting));
        self.timeline.drop_last(waiting);
        let channels = self.decoders.channels().count();
        self.tail.fade_from(&mut self.continuation, &mut self.timeline, channels);
        self.next = playhead.plus_frames(excess);
        self.wanted_since = None;
        self.shared.splices.add(1);
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
            self.grown_at = period.start;
        }
        true
    }

    /// Leaves out some audio, at most `most` frames.
    fn shrink(&mut self, period: &Period, scratch: &mut [f32], most: usize, waited: i64) -> bool {
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
}

/// How alike two stretches must be: much at first, anything once patience is over.
fn likeness_wanted(waited: i64, patience: i64) -> f32 {
    let left = to_f32(patience - waited) / to_f32(patience);
    if left <= 0.0 { -1.0 } else { LIKENESS_MAX * left.min(1.0) }
}

fn to_isize(frames: usize) -> isize {
    isize::try_from(frames).unwrap_or(isize::MAX)
}

/// An excess below 0.7 ms is left alone for good, one below 2 ms for 3 s after a repetition, which
/// goes too far as a rule; and for 20 s while the publisher's clock is slow by more than 20 ppm,
/// because that uses it up.
const SHRINK_FRAMES_MIN: i64 = 32;
const SMALL_FRAMES: i64 = 96;
const SMALL_PAUSE: i64 = 144_000;
const SMALL_PAUSE_SLOW: i64 = 960_000;
const SLOW_DRIFT: f64 = -20e-6;

/// An excess that is to go fast (10 ms), and one that goes at once (100 ms).
const FAST_FRAMES: i64 = 480;
const EXCESS_FRAMES_MAX: i64 = 4800;

/// Between two splices, so that they do not add up to a flutter.
const SHRINK_PAUSE: i64 = 4800;
const SHRINK_PAUSE_FAST: i64 = 960;
const GROW_PAUSE: i64 = 480;

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
