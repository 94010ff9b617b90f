//! Which frame passed a device when: a line through what its callbacks say.
//!
//! Callbacks come late, by a little or by a lot, but the device's clock is steady. Offset and rate are
//! followed by the least squares of a growing memory, which stops growing after a second: a few
//! callbacks are enough for tenths of a millisecond, and a single late one moves it by microseconds.
//! What surprises: where frames and time have parted by more than callbacks are ever late, it starts anew.

use protocol::time::Instant;

use crate::room_clock::{ns_between, round, shifted, to_f64};

/// A line from frames to instants.
#[derive(Debug, Default)]
pub(super) struct ClockLine {
    /// The latest frame that was noted, when it passed by the line, and how long a frame lasts in ns.
    latest: Option<(i64, Instant, f64)>,
    /// What of a nanosecond was left over.
    rest: f64,
    noted: f64,
}

impl ClockLine {
    /// A frame passed at an instant, or a little earlier. Frames rise.
    pub(super) fn note(&mut self, frame: i64, at: Instant) {
        let Some((latest, was, frame_ns)) = self.latest else { return self.start(frame, at) };
        let passed = to_f64(frame.wrapping_sub(latest));
        let expected = self.rest + passed * frame_ns;
        let off = to_f64(ns_between(was, at)) - expected;
        if passed <= 0.0 || OFF_MAX_NS < off.abs() {
            return self.start(frame, at);
        }
        self.noted = (self.noted + 1.0).min((MEMORY_FRAMES / passed).max(NOTED_MIN));
        let n = self.noted;
        // The gains of a line's least squares after n points at equal distances.
        let (gain, rate_gain) = (2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)), 6.0 / (n * (n + 1.0)));
        let frame_ns = (frame_ns + rate_gain * off / passed)
            .clamp(FRAME_NS * (1.0 - RATE_OFF_MAX), FRAME_NS * (1.0 + RATE_OFF_MAX));
        let moved = expected + gain * off;
        let whole = moved.round();
        self.rest = moved - whole;
        self.latest = Some((frame, shifted(was, round(whole)), frame_ns));
    }

    /// When a frame passes, or passed; `None` before any was noted.
    pub(super) fn at(&self, frame: i64) -> Option<Instant> {
        let (latest, was, frame_ns) = self.latest?;
        let passed = to_f64(frame.wrapping_sub(latest));
        Some(shifted(was, round(self.rest + passed * frame_ns)))
    }

    fn start(&mut self, frame: i64, at: Instant) {
        *self = Self { latest: Some((frame, at, FRAME_NS)), rest: 0.0, noted: 1.0 };
    }
}

/// 1 / 48 kHz.
pub(super) const FRAME_NS: f64 = 1e9 / 48_000.0;

/// What a device's clock is off by at most: 0.2 %, which also holds for a young line.
const RATE_OFF_MAX: f64 = 2e-3;

/// How far back it remembers: a second. And at least so many callbacks, however long.
const MEMORY_FRAMES: f64 = 48_000.0;
const NOTED_MIN: f64 = 20.0;

/// 40 ms: a callback that is later was none; frames were lost.
const OFF_MAX_NS: f64 = 40e6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::mix;

    const PERIOD: i64 = 64;

    /// Notes callbacks of a device that is off by `ppm`, each late by up to so many µs; gives how far
    /// off the line is after each, in µs.
    fn off_us(ppm: f64, late_us: f64, callbacks: i64) -> Vec<f64> {
        let mut line = ClockLine::default();
        let truth = |frame: i64| 5e9 + to_f64(frame) * FRAME_NS * (1.0 + ppm * 1e-6);
        (0..callbacks)
            .map(|n| {
                let random = (mix(n.cast_unsigned()) >> 11) as f64 / (1_u64 << 53) as f64;
                let frame = n * PERIOD;
                let at = truth(frame) + late_us * 1e3 * random;
                line.note(frame, shifted(Instant::ZERO, round(at)));
                let said = line.at(frame + 32).expect("noted");
                (to_f64(ns_between(Instant::ZERO, said)) - truth(frame + 32)) / 1e3
            })
            .collect()
    }

    #[test]
    fn a_steady_device_is_known_to_the_nanosecond() {
        let off = off_us(0.0, 0.0, 100_000);
        assert!(off.iter().all(|off| off.abs() < 0.01), "{:?}", off.last());
        let off = off_us(300.0, 0.0, 100_000);
        assert!(off[200..].iter().all(|off| off.abs() < 0.05), "{:?}", off.last());
    }

    #[test]
    fn callbacks_that_come_late_do_not_move_it() {
        for ppm in [-200.0, 150.0] {
            let off = off_us(ppm, 400.0, 20_000);
            // It lies in their middle.
            let spread = off[2000..].iter().map(|off| (off - 200.0).abs()).fold(0.0, f64::max);
            assert!(spread < 30.0, "{spread} µs");
        }
    }

    #[test]
    fn a_device_that_stood_still_is_followed_at_once() {
        let mut line = ClockLine::default();
        let at = |frame: i64| shifted(Instant::ZERO, round(to_f64(frame) * FRAME_NS));
        for n in 0..500 {
            line.note(n * PERIOD, at(n * PERIOD));
        }
        let later = |frame: i64| at(frame + 9_600);
        line.note(500 * PERIOD, later(500 * PERIOD));
        assert_eq!(line.at(500 * PERIOD), Some(later(500 * PERIOD)));
        assert_eq!(ClockLine::default().at(0), None);
    }
}
