//! How much faster the publisher's sample clock runs than this device's.
//!
//! Of each second only the packet that came quickest counts: what delays packets never makes them
//! early, so the quickest ones lie on the line that the clocks draw. A straight line through up to
//! a minute of them, with the outliers dropped once, is the drift. What surprises: the line may
//! have steps. Where a network starts or stops to shake, or a route changes, the quickest packets
//! come later or earlier from one second to the next, and a line without steps would take that for
//! clocks that drift: by 130 ppm for a minute after 2 ms of jitter ended.

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
                    self.drift = self.fit().or(self.drift);
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

    /// How fast the quickest packets come to need more lag, in frames per frame, by the latest few
    /// seconds: at once, and not to be relied on where the network shakes. 0 in the first second.
    pub(crate) fn slide(&self) -> f64 {
        let (Some(open), true) = (self.open, 0 < self.count) else { return 0.0 };
        let age = SLIDE_SECONDS.min(self.count);
        let Point { at, lag } = self.quickest[(self.next + SECONDS - age) % SECONDS];
        (open.lag - lag) / (open.at - at).max(SECOND_FRAMES / 2.0)
    }

    fn fit(&self) -> Option<f64> {
        if self.count < SECONDS_MIN {
            return None;
        }
        let mut points = [Point { at: 0.0, lag: 0.0 }; SECONDS];
        let points = points.get_mut(..self.count)?;
        // Oldest first, and counted from there, so that sums of squares stay exact.
        let first = (self.next + SECONDS - self.count) % SECONDS;
        let origin = self.quickest[first];
        for (index, point) in points.iter_mut().enumerate() {
            let Point { at, lag } = self.quickest[(first + index) % SECONDS];
            *point = Point { at: at - origin.at, lag: lag - origin.lag };
        }
        let totals = Totals::of(points);
        let stretches = Stretches::of(&totals);
        let all = stretches.lines(&totals)?;
        let deviation = (all.misses / to_f64(self.count)).sqrt();
        // Fewer seconds will do where hardly anything but the clocks moves packets.
        if self.count < SECONDS_NOISY && QUIET_FRAMES < deviation {
            return None;
        }
        let without_outliers = stretches.trimmed(points, &all, 2.0 * deviation + EXACT_FRAMES)?;
        // A lag that shrinks means a publisher whose media time runs ahead.
        Some(-without_outliers.slope).filter(|drift| drift.abs() < DRIFT_MAX)
    }
}
/// Points cut into stretches within which the network did not change.
#[derive(Clone, Copy)]
struct Stretches {
    /// Where each stretch begins, and behind them where the last one ends.
    cuts: [usize; STRETCHES_MAX + 1],
    count: usize,
}

/// Lines of one slope, one for each stretch: lag = offset + slope × at.
struct Lines {
    slope: f64,
    offsets: [f64; STRETCHES_MAX],
    /// Sum of the squares by which the points miss their line.
    misses: f64,
}

/// Sums over some points, from which lines are drawn.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    at: f64,
    lag: f64,
    at_at: f64,
    at_lag: f64,
    lag_lag: f64,
}

/// Sums over the first so many points: trying a cut costs the same however many there are.
struct Totals {
    before: [Sums; SECONDS + 1],
    count: usize,
}

impl Stretches {
    /// Cuts where that explains most of what one line would miss.
    fn of(totals: &Totals) -> Self {
        let mut stretches = Self { cuts: [0; STRETCHES_MAX + 1], count: 1 };
        stretches.cuts[1] = totals.count;
        let Some(uncut) = stretches.lines(totals) else { return stretches };
        if uncut.misses <= QUIET_FRAMES * QUIET_FRAMES * to_f64(totals.count) {
            return stretches;
        }
        let (mut best, mut misses_max) = (stretches, uncut.misses);
        for _ in 1..STRETCHES_MAX {
            // A network that shook for a while takes two cuts, of which the first explains little:
            // so going on is decided only at the end.
            let cuts = (STRETCH_SECONDS_MIN..totals.count).filter_map(|at| {
                let cut = stretches.with(at)?;
                Some((cut.lines(totals)?.misses, cut))
            });
            let Some((misses, cut)) = cuts.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
            misses_max *= MISSES_LEFT_MAX;
            stretches = cut;
            if misses < misses_max {
                (best, misses_max) = (stretches, misses);
            }
        }
        best
    }

    /// The same with one more cut; `None` where a stretch would be too short.
    fn with(&self, cut: usize) -> Option<Self> {
        let index = self.cuts[1..=self.count].partition_point(|end| *end < cut);
        let (begin, end) = (self.cuts[index], self.cuts[index + 1]);
        if cut < begin + STRETCH_SECONDS_MIN || end < cut + STRETCH_SECONDS_MIN {
            return None;
        }
        let mut cuts = self.cuts;
        cuts.copy_within(index + 1..=self.count, index + 2);
        cuts[index + 1] = cut;
        Some(Self { cuts, count: self.count + 1 })
    }

    fn bounds(&self) -> impl Iterator<Item = (usize, usize)> {
        self.cuts[..=self.count].windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// The lines that miss least.
    fn lines(&self, totals: &Totals) -> Option<Lines> {
        Lines::through(self.bounds().map(|(begin, end)| totals.between(begin, end)))
    }

    /// The lines that miss least once the points that `lines` miss by more are left out.
    fn trimmed(&self, points: &[Point], lines: &Lines, miss_max: f64) -> Option<Lines> {
        Lines::through(self.bounds().zip(lines.offsets).map(|((begin, end), offset)| {
            let misses = |point: &Point| point.lag - offset - lines.slope * point.at;
            let stretch = points.get(begin..end).unwrap_or_default().iter();
            stretch
                .filter(|point| misses(point).abs() <= miss_max)
                .fold(Sums::default(), |sums, point| sums.plus(point))
        }))
    }
}

impl Totals {
    fn of(points: &[Point]) -> Self {
        let mut totals = Self { before: [Sums::default(); SECONDS + 1], count: points.len() };
        for (index, point) in points.iter().enumerate() {
            totals.before[index + 1] = totals.before[index].plus(point);
        }
        totals
    }

    fn between(&self, begin: usize, end: usize) -> Sums {
        let (begin, end) = (self.before[begin], self.before[end]);
        Sums {
            count: end.count - begin.count,
            at: end.at - begin.at,
            lag: end.lag - begin.lag,
            at_at: end.at_at - begin.at_at,
            at_lag: end.at_lag - begin.at_lag,
            lag_lag: end.lag_lag - begin.lag_lag,
        }
    }
}

impl Lines {
    fn through(stretches: impl Iterator<Item = Sums>) -> Option<Self> {
        let mut all = [Sums::default(); STRETCHES_MAX];
        let mut count = 0;
        for (place, sums) in all.iter_mut().zip(stretches) {
            *place = sums;
            count += 1;
        }
        let all = all.get(..count)?;
        let sum = |of: fn(&Sums) -> f64| all.iter().map(of).sum::<f64>();
        let (at_at, at_lag) = (sum(Sums::about_at), sum(Sums::about_at_lag));
        if at_at <= 0.0 {
            return None;
        }
        let slope = at_lag / at_at;
        let mut offsets = [0.0; STRETCHES_MAX];
        for (offset, sums) in offsets.iter_mut().zip(all) {
            *offset = (sums.lag - slope * sums.at) / sums.count.max(1.0);
        }
        let misses = (sum(Sums::about_lag) - slope * at_lag).max(0.0);
        Some(Self { slope, offsets, misses })
    }
}

impl Sums {
    fn plus(&self, point: &Point) -> Self {
        Self {
            count: self.count + 1.0,
            at: self.at + point.at,
            lag: self.lag + point.lag,
            at_at: self.at_at + point.at * point.at,
            at_lag: self.at_lag + point.at * point.lag,
            lag_lag: self.lag_lag + point.lag * point.lag,
        }
    }

    /// Squares about the means.
    fn about_at(&self) -> f64 {
        self.at_at - self.at * self.at / self.count.max(1.0)
    }

    fn about_at_lag(&self) -> f64 {
        self.at_lag - self.at * self.lag / self.count.max(1.0)
    }

    fn about_lag(&self) -> f64 {
        self.lag_lag - self.lag * self.lag / self.count.max(1.0)
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

/// Seconds back that a slide is measured over.
const SLIDE_SECONDS: usize = 3;

/// What rounding may make of points that lie on a line.
const EXACT_FRAMES: f64 = 1e-3;

/// How often the network may have changed within that minute, and the least between two changes.
const STRETCHES_MAX: usize = 4;
const STRETCH_SECONDS_MIN: usize = 3;

/// Every cut must leave less than this of the squares that are missed: a step of five deviations in
/// the middle of a minute does, and noise around a straight line never.
const MISSES_LEFT_MAX: f64 = 0.4;

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
    fn a_slide_is_seen_within_two_seconds() {
        for ppm in [-500.0, 0.0, 80.0] {
            let mut estimator = DriftEstimator::new();
            for packet in 0..200 {
                let sent = f64::from(packet) * 480.0;
                estimator.observe(sent, sent - sent * (1.0 + ppm * 1e-6));
            }
            let slide_ppm = estimator.slide() * 1e6;
            assert!((slide_ppm + ppm).abs() < 1.0, "{slide_ppm} {ppm}");
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
    fn a_network_that_starts_and_stops_to_shake_is_not_taken_for_a_clock() {
        for ppm in [-50.0, 0.0, 50.0] {
            // 2 ms of jitter from the 5th to the 17th second, whose quickest come 6 ms earlier.
            let shaken = |packet, random: f64| {
                if (500..1700).contains(&packet) { 200.0 + 600.0 * random } else { 480.0 }
            };
            for seconds in [27, 30, 40, 60] {
                let found = found(seconds, ppm, shaken).expect("long enough");
                assert!((found - ppm).abs() < 10.0, "{found} of {ppm} after {seconds} s");
            }
        }
    }

    #[test]
    fn a_route_that_changes_is_not_taken_for_a_clock() {
        for ppm in [-50.0, 0.0, 50.0] {
            for seconds in [12, 20, 40, 60] {
                let found = found(seconds, ppm, |packet, random: f64| {
                    100.0 * random + if packet < 700 { 480.0 } else { 1200.0 }
                });
                // Until it is clear nothing may be said, but nothing wrong.
                assert!(
                    found.is_none_or(|found| (found - ppm).abs() < 10.0),
                    "{found:?} of {ppm} after {seconds} s"
                );
            }
        }
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
