//! A curve that is as stiff as quartz through points that are not to be trusted.
//!
//! The curve is straight between knots at equal distances. It minimises the squares of what points are off, each by
//! its own weight, and of how much the slope changes from knot to knot: what is most likely where slopes wander at
//! random and errors are normal (a cubic smoothing spline, on a grid). Errors that are not normal are taken care of
//! by weighing again and again: first by absolute values on a curve that is nearly a line, where what is off for
//! minutes loses against what is right for longer; then without what is far off at all, on a curve that may bend as
//! quartz does.

/// A point, in seconds and nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) at_s: f64,
    pub(super) value_ns: f64,
    /// How far off it is likely to be.
    pub(super) sigma_ns: f64,
}

/// The fitted curve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) first_s: f64,
    pub(super) step_s: f64,
    /// At least two.
    pub(super) knots_ns: Vec<f64>,
}

/// What is known of the slope beforehand, in ns a second, which is 1000 ppm.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlopePrior {
    pub(super) slope: f64,
    pub(super) sigma: f64,
}

impl Curve {
    /// Fits a curve to points in the order of their time, of which there is at least one.
    pub(super) fn fit(points: &[Point], prior: SlopePrior) -> Self {
        let first_s = points.first().map_or(0.0, |point| point.at_s);
        let last_s = points.last().map_or(0.0, |point| point.at_s);
        let span_s = (last_s - first_s).max(1.0);
        // No more knots than points: memory is bounded by what the stem says.
        let most = points.len().clamp(1, KNOT_INTERVALS_MAX);
        let mut intervals = 1;
        while intervals < most && KNOT_STEP_S * count(intervals) < span_s {
            intervals += 1;
        }
        let step_s = span_s / count(intervals);
        let mut values: Vec<f64> = points.iter().map(|point| point.value_ns).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.get(values.len() / 2).copied().unwrap_or(0.0);
        let mut curve = Self { first_s, step_s, knots_ns: vec![middle; intervals + 1] };
        curve.refine(points, prior, WANDER * STIFFEST, Weighing::Squares, 1);
        curve.refine(points, prior, WANDER * STIFFEST, Weighing::AbsoluteValues, 12);
        for stiffness in [STIFFEST, 0.1, 0.3, 1.0] {
            curve.refine(points, prior, WANDER * stiffness, Weighing::WithoutOutliers, 6);
        }
        curve
    }

    /// What the curve is at a time; beyond its ends it goes on as it ends.
    pub(super) fn at(&self, at_s: f64) -> f64 {
        let (interval, part) = self.locate(at_s);
        let (left, right) = (self.knots_ns[interval], self.knots_ns[interval + 1]);
        left + (right - left) * part
    }

    /// How far the points are off, of which half are less so, over what they were likely to be.
    pub(super) fn spread(&self, points: &[Point]) -> f64 {
        let mut off: Vec<f64> = points.iter().map(|point| self.off(point).abs()).collect();
        off.sort_by(f64::total_cmp);
        // 1.4826: of normal errors, half are within 1 / 1.4826 of their standard deviation.
        1.4826 * off.get(off.len() / 2).copied().unwrap_or(0.0)
    }

    fn off(&self, point: &Point) -> f64 {
        (point.value_ns - self.at(point.at_s)) / point.sigma_ns
    }

    fn locate(&self, at_s: f64) -> (usize, f64) {
        let place = (at_s - self.first_s) / self.step_s;
        let last = self.knots_ns.len() - 2;
        let interval = usize::try_from(super::grid::floor(place)).map_or(last, |at| at.min(last));
        (interval, place - count(interval))
    }

    /// Solves for what brings the curve nearer to the points, a number of times. Solving for the correction instead
    /// of the curve keeps the digits.
    fn refine(
        &mut self,
        points: &[Point],
        prior: SlopePrior,
        wander: f64,
        weighing: Weighing,
        times: u32,
    ) {
        let bend = 1.0 / (wander * wander * self.step_s.powi(3));
        for _ in 0..times {
            let spread = self.spread(points).max(SPREAD_MIN);
            let mut system = System::new(self.knots_ns.len());
            for point in points {
                let off = self.off(point);
                let weight = weighing.of(off, spread) / (point.sigma_ns * point.sigma_ns);
                let (interval, part) = self.locate(point.at_s);
                let error = off * point.sigma_ns;
                system.add(interval, &[1.0 - part, part], error, weight);
            }
            for (at, knots) in self.knots_ns.windows(3).enumerate() {
                let bent = knots[0] - 2.0 * knots[1] + knots[2];
                system.add(at, &[1.0, -2.0, 1.0], -bent, bend);
            }
            let slope = (self.knots_ns[1] - self.knots_ns[0]) / self.step_s;
            let by = 1.0 / self.step_s;
            let certainty = 1.0 / (prior.sigma * prior.sigma);
            system.add(0, &[-by, by], prior.slope - slope, certainty);
            for (knot, correction) in self.knots_ns.iter_mut().zip(system.solve()) {
                *knot += correction;
            }
        }
    }
}

/// How much an error counts.
#[derive(Debug, Clone, Copy)]
enum Weighing {
    Squares,
    AbsoluteValues,
    /// Tukey's biweight.
    WithoutOutliers,
}

impl Weighing {
    /// The weight of a point that is off by so many of its sigmas, where `spread` is usual.
    fn of(self, off: f64, spread: f64) -> f64 {
        let off = off.abs();
        match self {
            Self::Squares => 1.0,
            Self::AbsoluteValues => 1.0 / off.max(0.05 * spread),
            // 4.685: where errors are normal, this is 95 % as good as squares are.
            Self::WithoutOutliers => {
                let part = off / (4.685 * spread);
                // Not quite nothing, so that the system is never singular.
                if part < 1.0 { (1.0 - part * part).powi(2).max(1e-9) } else { 1e-9 }
            }
        }
    }
}

/// Least squares in which each equation touches up to three neighbours: five diagonals, symmetric.
struct System {
    /// For each unknown its own diagonal and the two to the right of it.
    rows: Vec<[f64; 3]>,
    right: Vec<f64>,
}

impl System {
    fn new(unknowns: usize) -> Self {
        Self { rows: vec![[0.0; 3]; unknowns], right: vec![0.0; unknowns] }
    }

    /// Wants the sum of `factors` times the unknowns from `first` on to be `value`.
    fn add(&mut self, first: usize, factors: &[f64], value: f64, weight: f64) {
        for (i, factor) in factors.iter().enumerate() {
            self.right[first + i] += weight * factor * value;
            for (j, other) in factors.iter().enumerate().skip(i) {
                self.rows[first + i][j - i] += weight * factor * other;
            }
        }
    }

    /// Gaussian elimination without pivoting, as the matrix is positive definite.
    fn solve(mut self) -> Vec<f64> {
        let unknowns = self.rows.len();
        for at in 0..unknowns {
            let [diagonal, one, two] = self.rows[at];
            let diagonal = diagonal.max(f64::MIN_POSITIVE);
            self.rows[at][0] = diagonal;
            let value = self.right[at];
            if at + 1 < unknowns {
                let factor = one / diagonal;
                self.rows[at + 1][0] -= factor * one;
                self.rows[at + 1][1] -= factor * two;
                self.right[at + 1] -= factor * value;
            }
            if at + 2 < unknowns {
                let factor = two / diagonal;
                self.rows[at + 2][0] -= factor * two;
                self.right[at + 2] -= factor * value;
            }
        }
        let mut solution = self.right;
        for at in (0..unknowns).rev() {
            let [diagonal, one, two] = self.rows[at];
            let next = solution.get(at + 1).map_or(0.0, |value| one * value);
            let after = solution.get(at + 2).map_or(0.0, |value| two * value);
            solution[at] = (solution[at] - next - after) / diagonal;
        }
        solution
    }
}

fn count(count: usize) -> f64 {
    super::grid::to_f64(u64::try_from(count).expect("usize has at most 64 bits"))
}

/// Between knots: a tenth of the time over which the curve is averaged.
const KNOT_STEP_S: f64 = 4.0;
/// A day of knots.
const KNOT_INTERVALS_MAX: usize = 21_600;
/// By how much the rate of a quartz wanders in a second, in ns a second: 0.08 ppm, so that 3 ppm within some minutes are
/// followed, as laptops do while they warm. With readings that are off by 0.1 ms, the curve is an average over some
/// 35 s.
const WANDER: f64 = 80.0;
/// What the first curves may wander of that: an average over five minutes.
const STIFFEST: f64 = 0.015;
/// Readings are not believed to be better than this part of what they claim.
const SPREAD_MIN: f64 = 0.2;

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: SlopePrior = SlopePrior { slope: 0.0, sigma: 100_000.0 };

    fn points(value_ns: impl Fn(f64) -> f64) -> Vec<Point> {
        (0..600)
            .map(|second| {
                let at_s = f64::from(second);
                let jitter = f64::from(second * 7919 % 201 - 100) * 1000.0;
                Point { at_s, value_ns: value_ns(at_s) + jitter, sigma_ns: 50_000.0 }
            })
            .collect()
    }

    fn check(points: &[Point], truth: impl Fn(f64) -> f64, within_us: f64) {
        let curve = Curve::fit(points, PRIOR);
        for tenth in 0..6000 {
            let at_s = f64::from(tenth) / 10.0;
            let off_us = (curve.at(at_s) - truth(at_s)) / 1000.0;
            assert!(off_us.abs() < within_us, "{off_us} us at {at_s} s");
        }
    }

    #[test]
    fn a_line_is_found_through_jitter() {
        check(&points(|at_s| at_s * 500_000.0), |at_s| at_s * 500_000.0, 25.0);
    }

    #[test]
    fn quartz_that_warms_is_followed() {
        // From 30 to 27 ppm within five minutes.
        let warm =
            |at_s: f64| 30_000.0 * at_s - 3000.0 * (at_s - 90.0 * (1.0 - (-at_s / 90.0).exp()));
        check(&points(warm), warm, 40.0);
    }

    #[test]
    fn a_clock_that_is_wrong_for_a_while_is_not_believed() {
        let line = |at_s: f64| at_s * -150_000.0;
        let settling = |at_s: f64| if at_s < 90.0 { 5e6 } else { 0.0 };
        check(&points(|at_s| line(at_s) + settling(at_s)), line, 30.0);
        let set = |at_s: f64| if (300.0..400.0).contains(&at_s) { -3e6 } else { 0.0 };
        check(&points(|at_s| line(at_s) + set(at_s)), line, 30.0);
        let slewed = |at_s: f64| (4e6 - at_s * 1e5).max(0.0);
        check(&points(|at_s| line(at_s) + slewed(at_s)), line, 30.0);
    }

    #[test]
    fn few_readings_do_not_make_a_rate() {
        let at = |at_s, value_ns| Point { at_s, value_ns, sigma_ns: 100_000.0 };
        let known = SlopePrior { slope: 20_000.0, sigma: 2_000.0 };
        let curve = Curve::fit(&[at(0.0, 0.0), at(1.0, 150_000.0)], known);
        let off_us = (curve.at(600.0) - 600.0 * 20_000.0) / 1000.0;
        assert!(off_us.abs() < 200.0, "{off_us}");
        let curve = Curve::fit(&[at(5.0, 7_000.0)], known);
        assert!((curve.at(15.0) - 207_000.0).abs() < 1.0, "{}", curve.at(15.0));
    }
}
