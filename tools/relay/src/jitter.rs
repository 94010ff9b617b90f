//! Delays that waver: random, of some distribution, and alike for as long as they are correlated.
//!
//! All come from Ornstein-Uhlenbeck processes, which are normal and forget themselves with the
//! correlation time: half the sum of two squares of independent ones is exponential, and from that
//! follow the other distributions without a table. What surprises: the normal distribution has a
//! process and a generator of its own, so that other shapes change no number of it.

use core::time::Duration;

use protocol::time::Instant;

use crate::random::Random;
use crate::weather::{JitterShape, Weather};

/// The jitter of one path.
#[derive(Debug)]
pub(crate) struct Jitter {
    normal: f64,
    normal_at: Instant,
    /// For the other shapes; drawn only for them.
    others: [f64; 4],
    others_at: Option<Instant>,
    random: Random,
}

impl Jitter {
    /// `random` is drawn from for all but normal jitter.
    pub(crate) const fn new(random: Random) -> Self {
        Self { normal: 0.0, normal_at: Instant::ZERO, others: [0.0; 4], others_at: None, random }
    }

    /// The jitter of a datagram in seconds, below zero for one that is quicker.
    pub(crate) fn next(&mut self, now: Instant, weather: &Weather, random: &mut Random) -> f64 {
        let correlation = weather.jitter_correlation;
        let kept = kept(now.saturating_since(self.normal_at), correlation);
        self.normal = kept * self.normal + (1.0 - kept * kept).sqrt() * random.gaussian();
        self.normal_at = now;
        let unit = match weather.jitter_shape {
            JitterShape::Normal => self.normal,
            JitterShape::Uniform => 2.0 * (-self.next_exponential(now, correlation)).exp() - 1.0,
            JitterShape::Gamma => {
                self.move_others(now, correlation);
                self.others.iter().map(|z| z * z).sum::<f64>() / 4.0
            }
            JitterShape::Pareto => {
                let exponential = self.next_exponential(now, correlation);
                let pareto = (PARETO - 1.0) * ((exponential / PARETO).exp() - 1.0);
                pareto.min(PARETO_MAX)
            }
        };
        unit * weather.jitter.as_secs_f64()
    }

    /// Exponential of mean 1.
    fn next_exponential(&mut self, now: Instant, correlation: Duration) -> f64 {
        self.move_others(now, correlation);
        let [a, b, ..] = self.others;
        (a * a + b * b) / 2.0
    }

    fn move_others(&mut self, now: Instant, correlation: Duration) {
        let kept = self.others_at.map_or(0.0, |at| kept(now.saturating_since(at), correlation));
        for z in &mut self.others {
            *z = kept * *z + (1.0 - kept * kept).sqrt() * self.random.normal();
        }
        self.others_at = Some(now);
    }
}

/// How much of itself a process keeps over a while.
fn kept(since: Duration, correlation: Duration) -> f64 {
    let (since, correlation) = (since.as_secs_f64(), correlation.as_secs_f64());
    if correlation == 0.0 { 0.0 } else { (-since / correlation).exp() }
}

/// The exponent: the mean exists, the variance just so.
const PARETO: f64 = 2.5;

/// In means. One delay in 2,000 would be longer.
const PARETO_MAX: f64 = 30.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Jitters in units of itself, in rising order, and how alike one is to the one before.
    fn draw(jitter_shape: JitterShape, correlation: Duration) -> (Vec<f64>, f64) {
        let jitter = Duration::from_secs(1);
        let weather =
            Weather { jitter, jitter_shape, jitter_correlation: correlation, ..Weather::default() };
        let mut source = Random::from_seed(3);
        let mut jitter = Jitter::new(source.fork());
        let at = |i: u64| Instant::from_ns(i * 1_000_000);
        let mut values: Vec<f64> =
            (0..100_000).map(|i| jitter.next(at(i), &weather, &mut source)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let moment = |lag: usize| -> f64 {
            values.iter().zip(&values[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum()
        };
        let alike = moment(1) / moment(0);
        values.sort_by(f64::total_cmp);
        (values, alike)
    }

    /// Checks the mean, and the values that a tenth, a half and 99 % stay below.
    fn check(shape: JitterShape, mean: f64, quantiles: [f64; 3]) {
        let (values, alike) = draw(shape, Duration::ZERO);
        let found = values.iter().sum::<f64>() / values.len() as f64;
        assert!((found - mean).abs() < 0.03, "{shape:?}: a mean of {found}");
        for (part, expected) in [0.1, 0.5, 0.99].into_iter().zip(quantiles) {
            let at = (part * values.len() as f64).floor();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let found = values[at as usize];
            let tolerance = 0.02 + 0.04 * expected.abs();
            assert!((found - expected).abs() < tolerance, "{shape:?}: {found} at {part}");
        }
        assert!(alike.abs() < 0.02, "{shape:?} remembers: {alike}");
    }

    #[test]
    fn shapes_have_their_quantiles() {
        check(JitterShape::Normal, 0.0, [-1.2816, 0.0, 2.3263]);
        check(JitterShape::Uniform, 0.0, [-0.8, 0.0, 0.98]);
        // Of gamma with shape 2 and mean 1; of 1.5 ((1 - part)^(-1/2.5) - 1).
        check(JitterShape::Gamma, 1.0, [0.2659, 0.8392, 3.3192]);
        check(JitterShape::Pareto, 1.0, [0.0646, 0.4793, 7.9644]);
    }

    #[test]
    fn a_heavy_tail_is_cut() {
        let (values, _) = draw(JitterShape::Pareto, Duration::ZERO);
        assert!(values.last().is_some_and(|last| (15.0..=PARETO_MAX).contains(last)));
        assert!(values.first().is_some_and(|first| 0.0 <= *first));
    }

    #[test]
    fn a_jitter_lasts_as_long_as_asked() {
        // After a fifth of the time e^(-1/5), and for sums of squares the square of that.
        let correlation = Duration::from_millis(5);
        let expected = [(JitterShape::Normal, 0.819), (JitterShape::Gamma, 0.670)];
        for (shape, expected) in expected {
            let (_, alike) = draw(shape, correlation);
            assert!((alike - expected).abs() < 0.02, "{shape:?}: {alike}");
        }
        for shape in [JitterShape::Uniform, JitterShape::Pareto] {
            let (_, alike) = draw(shape, correlation);
            assert!((0.5..0.8).contains(&alike), "{shape:?}: {alike}");
        }
    }
}
