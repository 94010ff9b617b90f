//! Relief for a machine that is too slow: what is saved first, what next, and when it is taken back.
//!
//! Audio that comes too late is a glitch for everybody, so it is better to hear fewer musicians well.
//! First goes what nobody hears: encoders spend less, and remotes that are mixed out are not decoded.
//! Then the quietest remotes are left out, a quarter of those that still play at a time, so that even a
//! machine that is too slow by far is relieved within a second or two. One after the other they come back,
//! once there was room for a while; where that proves wrong, the next try waits twice as long.
//!
//! What surprises: one callback that takes ages says nothing. It was kept from the processor, and less work
//! would not have helped it.

use core::time::Duration;

/// Follows how much of the device's time the callbacks need.
#[derive(Debug)]
pub(crate) struct Relief {
    stage: Stage,
    window: Window,
    /// Frames of calm so far, and how many it takes.
    calm: u64,
    patience: u64,
    /// Frames since something was taken back.
    since_return: u64,
}

/// How much is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Nothing,
    /// What nobody hears, and so many remotes.
    Saving(usize),
}

/// What was noted since the last decision.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    notes: u32,
    heavy: u32,
    /// Where a callback took longer than its period, its period.
    busy_ns: u64,
    frames: u64,
}

impl Relief {
    pub(crate) const fn new() -> Self {
        Self {
            stage: Stage::Nothing,
            window: Window { notes: 0, heavy: 0, busy_ns: 0, frames: 0 },
            calm: 0,
            patience: PATIENCE_FRAMES,
            since_return: u64::MAX,
        }
    }

    /// Takes how long callbacks worked for so many frames; `playing` remotes play, those that are left
    /// out not counted. Gives whether something else is to be saved from now on.
    pub(crate) fn note(&mut self, busy: Duration, frames: u64, playing: usize) -> bool {
        let period_ns = frames * 1_000_000 / FRAMES_PER_MS;
        let busy_ns = u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX).min(period_ns);
        let window = &mut self.window;
        window.notes += 1;
        window.heavy += u32::from(period_ns * HEAVY_PERCENT < busy_ns * 100);
        window.busy_ns += busy_ns;
        window.frames += frames;
        if window.frames < WINDOW_FRAMES || window.notes < WINDOW_NOTES_MIN {
            return false;
        }
        let window = core::mem::take(window);
        let before = self.stage;
        self.decide(&window, playing);
        self.stage != before
    }

    fn decide(&mut self, window: &Window, playing: usize) {
        let percent = window.busy_ns * 100 * FRAMES_PER_MS / (window.frames * 1_000_000);
        self.since_return = self.since_return.saturating_add(window.frames);
        if BUSY_PERCENT <= percent || window.notes <= window.heavy * HEAVY_ONE_IN {
            self.calm = 0;
            let more = (playing / LEFT_OUT_ONE_IN).max(1).min(playing.saturating_sub(1));
            self.stage = match self.stage {
                Stage::Nothing => Stage::Saving(0),
                Stage::Saving(left_out) => Stage::Saving(left_out + more),
            };
            // What was taken back was too much.
            if self.since_return < RELAPSE_FRAMES {
                self.patience = (2 * self.patience).min(PATIENCE_FRAMES_MAX);
                self.since_return = u64::MAX;
            }
        } else if percent < CALM_PERCENT && window.heavy == 0 {
            self.calm += window.frames;
            if self.calm < self.patience || self.stage == Stage::Nothing {
                return;
            }
            self.calm = 0;
            self.since_return = 0;
            self.stage = match self.stage {
                Stage::Nothing | Stage::Saving(0) => Stage::Nothing,
                Stage::Saving(left_out) => Stage::Saving(left_out - 1),
            };
            if self.stage == Stage::Nothing {
                self.patience = PATIENCE_FRAMES;
            }
        } else {
            self.calm = 0;
        }
    }

    /// Whether what nobody hears is saved.
    pub(crate) const fn is_saving(&self) -> bool {
        matches!(self.stage, Stage::Saving(_))
    }

    /// How many remotes are to be left out.
    pub(crate) const fn left_out(&self) -> usize {
        match self.stage {
            Stage::Nothing => 0,
            Stage::Saving(left_out) => left_out,
        }
    }
}

const FRAMES_PER_MS: u64 = 48;

/// A decision takes 0.25 s, and callbacks enough for one of them not to count.
const WINDOW_FRAMES: u64 = 12_000;
const WINDOW_NOTES_MIN: u32 = 16;

/// Half the device's time is too much: the other half belongs to what else runs in a period, above all
/// other clients of the same JACK server, and to periods that need more than others.
const BUSY_PERCENT: u64 = 50;

/// So is every twentieth callback that takes more than this of its period.
const HEAVY_PERCENT: u64 = 80;
const HEAVY_ONE_IN: u32 = 20;

/// Below it there is room for another remote, even if it is the second.
const CALM_PERCENT: u64 = 25;

/// How long there must be room: 5 s, and up to 80 s where that proved wrong within 5 s.
const PATIENCE_FRAMES: u64 = 240_000;
const PATIENCE_FRAMES_MAX: u64 = 16 * PATIENCE_FRAMES;
const RELAPSE_FRAMES: u64 = 240_000;

/// Of the remotes that play, so many are left out at a time.
const LEFT_OUT_ONE_IN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 64;
    const PERIOD_NS: u64 = PERIOD * 1_000_000 / FRAMES_PER_MS;

    /// Callbacks for so long, each of which takes what `percent` says of its period.
    fn run(relief: &mut Relief, ms: u64, playing: usize, percent: impl Fn(&Relief, u64) -> u64) {
        for number in 0..ms * FRAMES_PER_MS / PERIOD {
            let busy = Duration::from_nanos(PERIOD_NS * percent(relief, number) / 100);
            relief.note(busy, PERIOD, playing - relief.left_out());
        }
    }

    #[test]
    fn a_machine_with_room_saves_nothing() {
        let mut relief = Relief::new();
        run(&mut relief, 60_000, 15, |_, _| 40);
        assert!(!relief.is_saving());
    }

    #[test]
    fn stalls_are_no_load() {
        let mut relief = Relief::new();
        // One callback in a hundred was kept from the processor for a second.
        run(&mut relief, 60_000, 15, |_, number| if number % 100 == 0 { 75_000 } else { 10 });
        assert!(!relief.is_saving());
    }

    #[test]
    fn first_goes_what_nobody_hears_then_remotes_until_it_fits() {
        let mut relief = Relief::new();
        // 8 % of the time for each of 15 remotes, and 5 % for everything else.
        let load = |relief: &Relief, _| 5 + 8 * (15 - relief.left_out() as u64);
        run(&mut relief, 251, 15, load);
        assert_eq!((relief.is_saving(), relief.left_out()), (true, 0));
        run(&mut relief, 2_000, 15, load);
        let playing = 15 - relief.left_out();
        assert!((3..=5).contains(&playing), "{playing} play");
        // Where it fits it stays: 29 % and more are no room for another one.
        run(&mut relief, 60_000, 15, load);
        assert_eq!(15 - relief.left_out(), playing);
    }

    #[test]
    fn rare_callbacks_that_take_all_their_time_count() {
        let mut relief = Relief::new();
        run(&mut relief, 1_000, 15, |_, number| if number % 15 == 0 { 90 } else { 10 });
        assert!(relief.is_saving());
    }

    #[test]
    fn the_last_remote_is_never_left_out() {
        let mut relief = Relief::new();
        run(&mut relief, 60_000, 4, |_, _| 100);
        assert_eq!(relief.left_out(), 3);
        run(&mut relief, 60_000, 4, |_, _| 10);
        assert_eq!((relief.is_saving(), relief.left_out()), (false, 0));
    }

    #[test]
    fn a_return_that_proves_wrong_is_tried_half_as_often() {
        let mut relief = Relief::new();
        // One remote is too much by far, and nobody else has room either.
        let load = |relief: &Relief, _| if relief.left_out() == 1 { 20 } else { 70 };
        let mut returns = Vec::new();
        for quarter in 0..4 * 120 {
            let before = relief.left_out();
            run(&mut relief, 251, 2, load);
            if relief.left_out() < before {
                returns.push(quarter);
            }
        }
        let waits: Vec<u64> = returns.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(3 <= waits.len(), "{returns:?}");
        assert!(waits.windows(2).all(|pair| pair[0] * 3 / 2 < pair[1]), "{waits:?}");
    }

    #[test]
    fn a_longer_period_decides_by_as_many_callbacks() {
        let mut relief = Relief::new();
        let long = |busy_ms| (Duration::from_millis(busy_ms), 4096);
        for _ in 0..15 {
            let (busy, frames) = long(80);
            assert!(!relief.note(busy, frames, 3));
        }
        let (busy, frames) = long(80);
        assert!(relief.note(busy, frames, 3) && relief.is_saving());
    }
}
