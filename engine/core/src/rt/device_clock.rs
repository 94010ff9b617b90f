//! The output device's time in frames, gaps included.
//!
//! A device that was restarted, or that dropped a period because this machine was busy, has played
//! fewer frames than time has passed. Delays are counted in device frames, so without the missing
//! ones every packet would seem to come early from then on, and the playout delay would stay too
//! long for as long as the past is remembered. What surprises: a callback that is merely late is
//! no gap; only if none of the following makes up for it, time was lost.

use protocol::time::Instant;
use protocol::units::SampleRate;

/// Counts frames.
#[derive(Debug)]
pub(super) struct DeviceClock {
    /// Device time of the current callback.
    frames: i64,
    /// Frames that the current callback plays.
    period: i64,
    /// The instant of the callback before.
    before: Option<Instant>,
    /// How far wall time was ahead of device time at the least late callback of a past window.
    baseline: Option<i64>,
    /// The same for the open window, and its end.
    least: i64,
    window_end: i64,
    /// By how much the current callback is later than the least late one.
    late: i64,
}

impl DeviceClock {
    pub(super) const fn new() -> Self {
        Self {
            frames: 0,
            period: 0,
            before: None,
            baseline: None,
            least: i64::MAX,
            window_end: 0,
            late: 0,
        }
    }

    /// Device time of the current callback.
    pub(super) const fn frames(&self) -> i64 {
        self.frames
    }

    /// How late the current callback is, in frames, beside the least late of the last 0.2 to 0.4 s.
    pub(super) const fn late(&self) -> i64 {
        self.late
    }

    /// Begins a callback at `now` that plays so many frames.
    pub(super) fn start(&mut self, now: Instant, frames: usize) {
        self.frames += self.period;
        let expected = self.period;
        self.period = i64::try_from(frames).unwrap_or(0);
        let passed = self.before.map(|before| to_frames(now) - to_frames(before));
        self.before = Some(now);
        if let Some(missing) = passed.map(|passed| passed - expected)
            && GAP_FRAMES < missing
        {
            self.frames += missing;
            self.forget();
            return;
        }
        let ahead = to_frames(now) - self.frames;
        self.least = self.least.min(ahead);
        self.late = ahead - self.least.min(self.baseline.unwrap_or(i64::MAX));
        if self.frames < self.window_end {
            return;
        }
        if let Some(baseline) = self.baseline
            && SLIP_FRAMES < self.least - baseline
        {
            self.frames += self.least - baseline;
            self.forget();
            return;
        }
        // The two clocks' drift is far below SLIP_FRAMES a window.
        self.baseline = Some(self.least);
        self.least = i64::MAX;
        self.window_end = self.frames + WINDOW_FRAMES;
    }

    /// Counts frames that were due but never asked for.
    pub(super) fn skip(&mut self, frames: usize) {
        self.period += i64::try_from(frames).unwrap_or(0);
    }

    fn forget(&mut self) {
        self.late = 0;
        self.baseline = None;
        self.least = i64::MAX;
        self.window_end = self.frames + WINDOW_FRAMES;
    }
}

fn to_frames(instant: Instant) -> i64 {
    let since_epoch = instant.saturating_since(Instant::ZERO);
    i64::try_from(SampleRate::WIRE.frames_floor(since_epoch)).unwrap_or(i64::MAX)
}

/// A callback so much late (100 ms) was none: the device stood still.
const GAP_FRAMES: i64 = 4800;

/// Time lost within a window that counts as lost: half a millisecond. Clocks 200 ppm apart differ
/// by two frames a window.
const SLIP_FRAMES: i64 = 24;

/// 200 ms: long enough that one callback in it was on time.
const WINDOW_FRAMES: i64 = 9600;

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs callbacks of 64 at instants given in frames; gives the device time after each.
    fn run(instants: impl Iterator<Item = f64>) -> Vec<i64> {
        let mut clock = DeviceClock::new();
        instants
            .map(|at| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ns")]
                let now = Instant::from_ns((at * 1e9 / 48_000.0).round() as u64 + 1_000_000);
                clock.start(now, 64);
                clock.frames()
            })
            .collect()
    }

    #[test]
    fn steady_callbacks_count_their_frames_whatever_the_drift() {
        for ppm in [-300.0, 0.0, 300.0] {
            let times = run((0..20_000).map(|n| f64::from(n) * 64.0 * (1.0 + ppm * 1e-6)));
            assert_eq!(times.last(), Some(&(19_999 * 64)), "{ppm}");
        }
    }

    #[test]
    fn a_callback_that_is_late_and_made_up_for_loses_nothing() {
        let late = |n: i32| if n % 500 == 0 { 900.0 } else { f64::from(n % 7) };
        let times = run((0..5000).map(|n| f64::from(n) * 64.0 + late(n)));
        assert_eq!(times.last(), Some(&(4999 * 64)));
    }

    #[test]
    fn a_late_callback_is_late_and_the_others_are_not() {
        let mut clock = DeviceClock::new();
        for callback in 0..1000_u64 {
            let late = if callback % 100 == 50 { 48 } else { 0 };
            clock.start(Instant::from_ns((callback * 64 + late + 480) * 1_000_000 / 48), 64);
            // Nanoseconds round to the frame before.
            let expected = i64::try_from(late).expect("small");
            assert!((expected - 1..=expected + 1).contains(&clock.late()), "{callback}");
        }
    }

    #[test]
    fn lost_periods_are_counted_after_a_while() {
        let lost = |n: i32| if n < 1000 { 0.0 } else { 640.0 };
        let times = run((0..2000).map(|n| f64::from(n) * 64.0 + lost(n)));
        assert_eq!(times[999], 999 * 64);
        assert_eq!(times[1000 + 320], (1000 + 320) * 64 + 640);
    }

    #[test]
    fn a_gap_that_is_known_is_counted_once() {
        let mut clock = DeviceClock::new();
        let mut at = 0;
        for callback in 0..1000 {
            if callback == 500 {
                at += 10_000;
                clock.skip(10_000);
            }
            clock.start(Instant::from_ns(at * 1_000_000 / 48), 64);
            assert_eq!(clock.frames(), i64::try_from(at).expect("small"));
            at += 64;
        }
    }

    #[test]
    fn a_device_that_stood_still_is_seen_at_once() {
        let stood = |n: i32| if n < 100 { 0.0 } else { 48_000.0 };
        let times = run((0..200).map(|n| f64::from(n) * 64.0 + stood(n)));
        // Nanoseconds round to the frame before.
        assert!((6400 + 47_999..=6400 + 48_000).contains(&times[100]));
        assert_eq!(times[199] - times[100], 99 * 64);
    }
}
