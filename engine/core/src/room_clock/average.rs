//! The room's clock as the mean of what exchanges say: for paths whose fastest messages say little.
//!
//! The middle of an exchange is off by half of what its two messages differ by, as often one way as the other
//! where both directions are alike. Where delays are spread around a mean rather than above a least one,
//! no message is special, and the mean of all of them is the best that can be had: a Kalman filter of
//! two states, offset and rate, with a rate that wanders as that of crystals does. What surprises: how
//! uneven the path is need not be known; it is read from how far exchanges lie from what was expected.

use super::estimate::Exchange;

/// Follows the mean.
#[derive(Debug, Default)]
pub(super) struct Average {
    state: Option<State>,
    /// The mean distance of exchanges from what was expected.
    scatter: f64,
    exchanges: u32,
}

#[derive(Debug, Clone, Copy)]
struct State {
    at: f64,
    offset: f64,
    rate: f64,
    /// Covariances of the two, in ns², ns and 1.
    variance: f64,
    mixed: f64,
    rate_variance: f64,
}

impl Average {
    /// Forgets the offset, since one of the clocks was set; what is known of the rate stays.
    pub(super) fn forget_offset(&mut self) {
        if let Some(state) = &mut self.state {
            (state.variance, state.mixed) = (f64::INFINITY, 0.0);
        }
        self.exchanges = 0;
    }

    /// Takes in an exchange, the latest so far.
    pub(super) fn push(&mut self, exchange: Exchange) {
        let at = f64::midpoint(exchange.sent, exchange.arrived);
        let measured = f64::midpoint(exchange.lower, exchange.upper);
        let half = (exchange.upper - exchange.lower).max(0.0) / 2.0;
        let known = self.state.filter(|state| state.variance.is_finite());
        let Some(state) = known else {
            let (rate, rate_variance) = self
                .state
                .map_or((0.0, RATE_USUAL * RATE_USUAL), |state| (state.rate, state.rate_variance));
            let variance = half * half + READING_NS * READING_NS;
            let mixed = 0.0;
            self.state = Some(State { at, offset: measured, rate, variance, mixed, rate_variance });
            self.scatter = half;
            self.exchanges = 1;
            return;
        };
        let before = state.passed(at);
        let innovation = measured - before.offset;
        // At first as quickly as a mean, then over some hundred exchanges.
        self.exchanges = self.exchanges.saturating_add(1);
        let share = (1.0 / f64::from(self.exchanges)).max(SCATTER_SHARE);
        let noise = NORMAL * self.scatter + READING_NS;
        // One that lies far out says that it does, and no more.
        let clipped = innovation.clamp(-FAR * noise, FAR * noise);
        self.scatter += share * (clipped.abs() - self.scatter);
        self.state = Some(before.corrected(clipped, noise * noise));
    }

    /// The rate, and how far off it may be: one standard deviation.
    pub(super) fn rate(&self) -> (f64, f64) {
        self.state.map_or((0.0, RATE_USUAL), |state| (state.rate, state.rate_variance.sqrt()))
    }

    /// Offset and rate at a moment, and how far off the offset may be: two standard deviations.
    pub(super) fn at(&self, at: f64) -> Option<(f64, f64, f64)> {
        let state = self.state.filter(|state| state.variance.is_finite())?.passed(at);
        Some((state.offset, state.rate, 2.0 * state.variance.sqrt()))
    }
}

impl State {
    fn passed(self, at: f64) -> Self {
        let passed = at - self.at;
        let mixed = self.mixed + passed * self.rate_variance;
        Self {
            at,
            offset: self.offset + passed * self.rate,
            rate: self.rate,
            variance: (self.variance + passed * (self.mixed + mixed)).max(0.0),
            mixed,
            rate_variance: self.rate_variance + passed.abs() * WANDER_VARIANCE_PER_NS,
        }
    }

    fn corrected(self, innovation: f64, noise_variance: f64) -> Self {
        let sum = self.variance + noise_variance;
        let (gain, rate_gain) = (self.variance / sum, self.mixed / sum);
        Self {
            at: self.at,
            offset: self.offset + gain * innovation,
            rate: self.rate + rate_gain * innovation,
            variance: (1.0 - gain) * self.variance,
            mixed: (1.0 - gain) * self.mixed,
            rate_variance: self.rate_variance - rate_gain * self.mixed,
        }
    }
}

/// How much two clocks usually differ, one standard deviation: 80 ppm.
const RATE_USUAL: f64 = 80e-6;

/// How a rate wanders: by 0.1 ppm in a second, by 0.8 in a minute.
const WANDER_VARIANCE_PER_NS: f64 = 1e-14 * 1e-9;

/// How finely clocks are read: 20 µs.
const READING_NS: f64 = 20_000.0;

/// The standard deviation of a normal distribution for its mean distance from the middle.
const NORMAL: f64 = 1.25;

/// So many standard deviations are far out.
const FAR: f64 = 3.0;

/// Weight of one exchange in how uneven the path is.
const SCATTER_SHARE: f64 = 0.01;
