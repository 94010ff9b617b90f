//! When the next period of a paced backend is due; pure, so that every clock can drive it.
//!
//! The schedule is absolute: period `n` belongs to `start + n` periods, so rounding never adds
//! up. After a stall it catches up at twice the pace instead of all at once, because a burst of
//! packets at the other end would look like a network that is worse than it is. A stall longer
//! than [`LATE_MAX`] is given up: the schedule moves, as a sound card's would.

use core::time::Duration;

use protocol::time::Instant;
use protocol::units::SampleRate;

/// A schedule of periods at 48 kHz.
#[derive(Debug)]
pub(super) struct Pacer {
    period_frames: u64,
    start: Instant,
    periods: u64,
    earliest: Instant,
    stalls: u64,
}

impl Pacer {
    /// The first period is due one period after `now`, when its input would have been captured.
    pub(super) fn new(now: Instant, period_frames: u64) -> Self {
        Self { period_frames, start: now, periods: 0, earliest: now, stalls: 0 }
    }

    /// When the next period is to be run; in the past when it is overdue.
    pub(super) fn due(&self) -> Instant {
        self.scheduled().max(self.earliest)
    }

    /// Notes that a period starts to run at `now`.
    pub(super) fn run(&mut self, now: Instant) {
        let late = now.saturating_since(self.scheduled());
        if LATE_MAX < late {
            self.start = self.start + late;
            self.stalls += 1;
        }
        self.earliest = now + self.span(1) / 2;
        self.periods += 1;
    }

    /// Times that the schedule had to move.
    pub(super) fn stalls(&self) -> u64 {
        self.stalls
    }

    fn scheduled(&self) -> Instant {
        self.start + self.span(self.periods + 1)
    }

    fn span(&self, periods: u64) -> Duration {
        SampleRate::WIRE.duration_floor(periods * self.period_frames)
    }
}

/// A machine that stalls for longer has lost those frames: nobody would want to hear them a
/// second late.
const LATE_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    /// The instants at which `count` periods of 10 ms run when the machine stalls once.
    fn runs(stall: core::ops::Range<u64>, count: usize) -> (Vec<u64>, u64) {
        let mut pacer = Pacer::new(ms(0), 480);
        let mut now = ms(0);
        let mut ran = Vec::new();
        while ran.len() < count {
            now = now.max(pacer.due());
            if (ms(stall.start)..ms(stall.end)).contains(&now) {
                now = ms(stall.end);
            }
            pacer.run(now);
            ran.push(now.as_ns() / 1_000_000);
        }
        (ran, pacer.stalls())
    }

    #[test]
    fn periods_run_when_their_input_is_complete() {
        assert_eq!(runs(0..0, 4), (vec![10, 20, 30, 40], 0));
    }

    #[test]
    fn a_stall_is_caught_up_at_twice_the_pace_then_the_schedule_holds() {
        assert_eq!(runs(15..42, 9), (vec![10, 42, 47, 52, 57, 62, 70, 80, 90], 0));
    }

    #[test]
    fn a_very_long_stall_moves_the_schedule() {
        assert_eq!(runs(15..5020, 4), (vec![10, 5020, 5030, 5040], 1));
    }

    #[test]
    fn the_schedule_does_not_drift_by_rounding() {
        let mut pacer = Pacer::new(ms(0), 7);
        for _ in 0..48_000 {
            pacer.run(pacer.due());
        }
        let after_seven_seconds = Pacer::new(ms(7000), 7).due();
        let apart = pacer.due().saturating_since(after_seven_seconds)
            + after_seven_seconds.saturating_since(pacer.due());
        assert!(apart < Duration::from_nanos(2), "{apart:?}");
    }
}
