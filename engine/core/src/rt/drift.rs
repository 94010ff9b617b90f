//! How much faster the publisher's sample clock runs than this device's.
//!
//! Of each second only the packet that came quickest counts: what delays packets never makes them
//! early, so the quickest ones lie on the line that the clocks draw. A straight line through up to
//! a minute of them, with the outliers dropped once, is the drift.

/// Watches one remote's media time against this device's.
#[derive(Debug)]
pub(crate) struct DriftEstimator {
    /// Ring of the quickest packets of past seconds.
    quickest: [Point; SECONDS],
    count: usize,
    next: usize,
    open: Option<Point>,
    open_end: f64,
    /// Subtracted from both axes, so that numbers stay small.
    origin: Option<Point>,
    drift: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    /// Device time of arrival in frames.
    at: f64,
    /// Device time minus media time.
    lag: f64,
}

impl DriftEstimator {
    pub(crate) const fn new() -> Self {
        Self {
            quickest: [Point { at: 0.0, lag: 0.0 }; SECONDS],
            count: 0,
            next: 0,
            open: None,
            open_end: 0.0,
            origin: None,
            drift: None,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Takes a packet's arrival (device time, in fractions of frames) and its lag then.
    pub(crate) fn observe(&mut self, at: f64, lag: f64) {
        let origin = *self.origin.get_or_insert(Point { at, lag });
        let point = Point { at: at - origin.at, lag: lag - origin.lag };
        match &mut self.open {
            Some(open) if point.at < self.open_end => {
                if point.lag < open.lag {
                    *open = point;
                }
            }
            open => {
                if let Some(done) = open.replace(point) {
                    self.quickest[self.next] = done;
                    self.next = (self.next + 1) % SECONDS;
                    self.count = (self.count + 1).min(SECONDS);
                    self.drift = self.fit();
                }
                self.open_end = point.at + SECOND_FRAMES;
            }
        }
    }

    /// The publisher's clock rate relative to this device's, minus one: positive when it runs
    /// fast. `None` until enough seconds were seen, 6 to 25.
    pub(crate) const fn drift(&self) -> Option<f64> {
        self.drift
    }

    fn fit(&self) -> Option<f64> {
        if self.count < SECONDS_MIN {
            return None;
        }
        // Fewer seconds will do where hardly anything but the clocks moves packets.
        let noise_max = if self.count < SECONDS_NOISY { QUIET_FRAMES } else { f64::INFINITY };
        let points = self.quickest.get(..self.count)?;
        let all = Line::through(points.iter())?;
        let mean_square =
            points.iter().map(|point| all.miss(point).powi(2)).sum::<f64>() / to_f64(self.count);
        if noise_max < mean_square.sqrt() {
            return None;
        }
        let limit = 2.0 * mean_square.sqrt() + 1e-9;
        let line = Line::through(points.iter().filter(|point| all.miss(point).abs() <= limit))?;
        // A lag that shrinks means a publisher whose media time runs ahead.
        Some(-line.slope).filter(|drift| drift.abs() < DRIFT_MAX)
    }
}

/// lag = offset + slope × at.
struct Line {
    slope: f64,
    offset: f64,
}

impl Line {
    fn through<'a>(points: impl Iterator<Item = &'a Point> + Clone) -> Option<Self> {
        let count = to_f64(points.clone().count());
        if count < 2.0 {
            return None;
        }
        let mean_at = points.clone().map(|point| point.at).sum::<f64>() / count;
        let mean_lag = points.clone().map(|point| point.lag).sum::<f64>() / count;
        let (mut above, mut below) = (0.0, 0.0);
        for point in points {
            let at = point.at - mean_at;
            above += at * (point.lag - mean_lag);
            below += at * at;
        }
        if below <= 0.0 {
            return None;
        }
        let slope = above / below;
        Some(Self { slope, offset: mean_lag - slope * mean_at })
    }

    fn miss(&self, point: &Point) -> f64 {
        point.lag - self.offset - self.slope * point.at
    }
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

/// Seconds that the line is drawn through: at 0.1 ms of noise, one minute gives about 1 ppm.
const SECONDS: usize = 60;

/// Seconds before anything is said: on a quiet network, and on a noisy one.
const SECONDS_MIN: usize = 6;
const SECONDS_NOISY: usize = 25;

/// Mean deviation of the quickest packets from their line on a quiet network: 0.03 ms.
const QUIET_FRAMES: f64 = 1.5;

const SECOND_FRAMES: f64 = 48_000.0;

/// 0.1 %: no sound card is that far off, so it is something else (a route that changed).
const DRIFT_MAX: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::mix;

    /// Drift in ppm found after so many seconds of packets with random delays.
    fn found(seconds: u32, ppm: f64, delay: impl Fn(u32, f64) -> f64) -> Option<f64> {
        let mut estimator = DriftEstimator::new();
        for packet in 0..seconds * 100 {
            let random = f64::from(u16::try_from(mix(packet.into()) >> 48).expect("16 bits"));
            let sent = f64::from(packet) * 480.0;
            let at = sent + delay(packet, random / 65536.0);
            let media_time = sent * (1.0 + ppm * 1e-6);
            estimator.observe(at, at - media_time);
        }
        estimator.drift().map(|drift| drift * 1e6)
    }

    #[test]
    fn a_clock_is_measured_through_jitter() {
        for ppm in [-200.0, -20.0, 0.0, 100.0] {
            let found = found(62, ppm, |_, random| 480.0 + 300.0 * random).expect("a minute");
            assert!((found - ppm).abs() < 2.0, "{found} {ppm}");
        }
    }

    #[test]
    fn nothing_is_said_too_early() {
        let noisy = |_, random: f64| 1000.0 + 1000.0 * random.ln();
        assert_eq!(found(20, 100.0, noisy), None);
        assert_eq!(found(5, 100.0, |_, _| 0.0), None);
        assert!(found(10, 100.0, |_, _| 0.0).is_some());
    }

    #[test]
    fn a_few_bad_seconds_do_not_bend_the_line() {
        let stall = |packet, random: f64| {
            if (3000..3200).contains(&packet) { 20_000.0 } else { 100.0 * random }
        };
        let found = found(62, 50.0, stall).expect("a minute");
        assert!((found - 50.0).abs() < 5.0, "{found}");
    }
}
