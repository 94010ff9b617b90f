//! What a network does to datagrams, as numbers.
//!
//! Everything here is a property of one direction and the same for all datagrams of it; what comes
//! of one datagram is [`crate::path`]'s to say. What surprises: probabilities are parts of one, and
//! 0 means that something does not happen, so that the default is a cable.

use core::time::Duration;

/// What happens to datagrams on their way. The default is a cable: nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weather {
    /// One way, the same for all.
    pub delay: Duration,
    /// How far the delay of one datagram lies from that of others, as [`Self::jitter_shape`] means
    /// it; the total is never below zero.
    pub jitter: Duration,
    /// How such delays are distributed.
    pub jitter_shape: JitterShape,
    /// How long a jitter lasts: 0 draws anew for every datagram.
    pub jitter_correlation: Duration,
    /// Stalls in a second, on average; the moments between them are exponential.
    pub spikes_per_second: f64,
    /// How long one is: what comes within it is delivered at its end.
    pub spike: Duration,
    /// Probability that a datagram is lost alone.
    pub loss: f64,
    /// Probability that a burst of losses starts with a datagram: from good to bad, in Gilbert's
    /// and Elliott's words.
    pub burst: f64,
    /// Mean length of a burst, to half a datagram.
    pub burst_packets: f64,
    /// Probability that a datagram within a burst gets through all the same.
    pub burst_spared: f64,
    /// Probability that a datagram is held back by [`Self::reorder_by`], so that others overtake.
    pub reorder: f64,
    /// How long.
    pub reorder_by: Duration,
    /// Probability that a datagram arrives twice.
    pub duplicate: f64,
    /// Bits per second that the path carries, IP and UDP headers included; 0 for as many as come.
    pub bits_per_second: u64,
    /// How long a datagram may wait for its turn on such a path; what would wait longer is lost.
    pub queue: Duration,
    /// How much such a path takes at once, after it was idle, before it counts.
    pub bucket_bytes: u64,
    /// How long everything is lost at the end of each [`Self::outage_every`].
    pub outage: Duration,
    /// How often, from the epoch of the clock on.
    pub outage_every: Duration,
    /// By how much the other route is longer.
    pub detour: Duration,
    /// How long each of the two routes is taken in turn, from the epoch of the clock on.
    pub detour_every: Duration,
}

/// How the delays of a jitter are distributed, and what [`Weather::jitter`] is of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JitterShape {
    /// Normal around the delay: the jitter is the standard deviation.
    #[default]
    Normal,
    /// Flat, from a jitter below the delay to one above it.
    Uniform,
    /// On top of the delay, as queues are (gamma of shape 2): the jitter is the mean.
    Gamma,
    /// On top of the delay, with a heavy tail (Pareto's of exponent 2.5 from zero on, cut at thirty
    /// times the mean): the jitter is the mean.
    Pareto,
}

impl Weather {
    /// Nothing but a delay.
    #[must_use]
    pub fn delay_ms(ms: u64) -> Self {
        Self { delay: Duration::from_millis(ms), ..Self::default() }
    }

    /// A jitter that lasts some 5 ms, as queues make it.
    #[must_use]
    pub fn jitter_us(self, us: u64) -> Self {
        let jitter = Duration::from_micros(us);
        Self { jitter, jitter_correlation: CORRELATION, ..self }
    }

    /// Another distribution of the jitter.
    #[must_use]
    pub fn shaped(self, jitter_shape: JitterShape) -> Self {
        Self { jitter_shape, ..self }
    }

    /// Stalls of this length, so many in a second.
    #[must_use]
    pub fn spikes(self, spikes_per_second: f64, spike: Duration) -> Self {
        Self { spikes_per_second, spike, ..self }
    }

    /// Lone losses.
    #[must_use]
    pub fn loss(self, probability: f64) -> Self {
        Self { loss: probability, ..self }
    }

    /// Losses in a row.
    #[must_use]
    pub fn bursts(self, probability: f64, packets: f64) -> Self {
        Self { burst: probability, burst_packets: packets, ..self }
    }

    /// Datagrams that others overtake.
    #[must_use]
    pub fn reorder(self, probability: f64, by: Duration) -> Self {
        Self { reorder: probability, reorder_by: by, ..self }
    }

    /// Datagrams that arrive twice.
    #[must_use]
    pub fn duplicate(self, probability: f64) -> Self {
        Self { duplicate: probability, ..self }
    }

    /// A path that carries no more than this, with a queue before it.
    #[must_use]
    pub fn narrow(self, bits_per_second: u64, queue: Duration) -> Self {
        Self { bits_per_second, queue, ..self }
    }

    /// Nothing gets through for so long, ever again.
    #[must_use]
    pub fn outages(self, outage: Duration, outage_every: Duration) -> Self {
        Self { outage, outage_every, ..self }
    }

    /// A route that changes, there and back.
    #[must_use]
    pub fn detours(self, detour: Duration, detour_every: Duration) -> Self {
        Self { detour, detour_every, ..self }
    }

    /// Finds what was asked for only by half, or beyond what a path can do.
    ///
    /// # Errors
    ///
    /// Says what is missing or too much.
    pub fn check(&self) -> Result<(), Contradiction> {
        let pairs = [
            (self.spikes_per_second > 0.0, !self.spike.is_zero(), "spikes", "spike"),
            (self.burst > 0.0, self.burst_packets >= 1.0, "burst", "burst-packets (1 or more)"),
            (self.reorder > 0.0, !self.reorder_by.is_zero(), "reorder", "reorder-by"),
            (self.bits_per_second > 0, !self.queue.is_zero(), "rate", "queue"),
            (!self.outage.is_zero(), !self.outage_every.is_zero(), "outage", "outage-every"),
            (!self.detour.is_zero(), !self.detour_every.is_zero(), "detour", "detour-every"),
        ];
        for (one, other, name, needed) in pairs {
            if one && !other {
                return Err(Contradiction::Half { name, needed });
            }
        }
        if !self.outage.is_zero() && self.outage_every <= self.outage {
            return Err(Contradiction::AlwaysOut);
        }
        let waits = [self.delay, self.jitter, self.spike, self.reorder_by, self.queue, self.detour];
        if waits.into_iter().any(|wait| DELAY_MAX < wait) {
            return Err(Contradiction::TooLong);
        }
        let within = |part: f64| (0.0..=1.0).contains(&part);
        let parts = [self.loss, self.burst, self.burst_spared, self.reorder, self.duplicate];
        if !parts.into_iter().all(within) {
            return Err(Contradiction::NotAPart);
        }
        if !(0.0..=SPIKES_PER_SECOND_MAX).contains(&self.spikes_per_second) {
            return Err(Contradiction::TooManySpikes);
        }
        Ok(())
    }
}

/// Why weather cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two that are nothing without each other.
    #[error("`{name}` needs `{needed}`")]
    Half {
        /// What is there.
        name: &'static str,
        /// What is not.
        needed: &'static str,
    },
    /// Outages without a pause.
    #[error("`outage-every` must be longer than `outage`")]
    AlwaysOut,
    /// More than [`DELAY_MAX`].
    #[error("no delay is longer than a minute")]
    TooLong,
    /// A probability that is none.
    #[error("a probability lies between 0 and 100 %")]
    NotAPart,
    /// More than [`SPIKES_PER_SECOND_MAX`].
    #[error("at most 100 `spikes` in a second")]
    TooManySpikes,
}

/// How long a jitter of [`Weather::jitter_us`] lasts.
pub const CORRELATION: Duration = Duration::from_millis(5);

/// Of each part of a delay: bounds what is under way.
pub const DELAY_MAX: Duration = Duration::from_secs(60);

/// Bounds what is drawn for a datagram that comes after a long time without any.
pub const SPIKES_PER_SECOND_MAX: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(weather: Weather, expected: Result<(), Contradiction>) {
        assert_eq!(weather.check(), expected, "{weather:?}");
    }

    #[test]
    fn what_is_asked_for_by_half_is_told() {
        let calm = Weather::default();
        let half = |name, needed| Err(Contradiction::Half { name, needed });
        check(calm, Ok(()));
        check(calm.bursts(0.1, 0.0), half("burst", "burst-packets (1 or more)"));
        check(calm.bursts(0.1, 3.0), Ok(()));
        check(calm.reorder(0.1, Duration::ZERO), half("reorder", "reorder-by"));
        check(calm.narrow(1_000, Duration::ZERO), half("rate", "queue"));
        check(calm.spikes(1.0, Duration::ZERO), half("spikes", "spike"));
        check(calm.detours(CORRELATION, Duration::ZERO), half("detour", "detour-every"));
    }

    #[test]
    fn what_no_path_can_do_is_told() {
        let second = Duration::from_secs(1);
        check(Weather::default().outages(second, second), Err(Contradiction::AlwaysOut));
        check(Weather::default().outages(second, 2 * second), Ok(()));
        check(Weather::delay_ms(60_001), Err(Contradiction::TooLong));
        check(Weather::default().loss(1.1), Err(Contradiction::NotAPart));
        check(Weather::default().loss(f64::NAN), Err(Contradiction::NotAPart));
        check(Weather::default().spikes(101.0, second), Err(Contradiction::TooManySpikes));
    }
}
