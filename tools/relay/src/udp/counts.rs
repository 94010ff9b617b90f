//! What a relay has done, and how exactly.

use core::time::Duration;

use super::Direction;

/// What happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// From clients to the target, and back.
    pub ways: [WayCounts; 2],
    /// Clients that were taken.
    pub clients: u64,
    /// Datagrams of clients that were not, because there are too many.
    pub refused: u64,
    /// How much later than they were due datagrams left.
    pub lateness: Lateness,
}

/// What happened in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WayCounts {
    /// Datagrams that came.
    pub arrived: u64,
    /// Those of them that the weather took.
    pub lost: u64,
    /// Datagrams that were sent on, second copies included.
    pub delivered: u64,
    /// Datagrams that found no room in memory, or that the system did not take: the relay's own
    /// doing, which no weather explains.
    pub failed: u64,
}

/// A histogram of how late datagrams left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lateness {
    counts: [u64; BOUNDS_US.len() + 1],
    /// The worst.
    pub max: Duration,
}

/// The upper bounds of the histogram's steps.
const BOUNDS_US: [u64; 12] = [10, 20, 35, 50, 75, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

impl Lateness {
    pub(super) fn note(&mut self, late: Duration) {
        let us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let step = BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
        self.max = self.max.max(late);
    }

    /// What so great a part of all stayed below, from above: a bound of the histogram, or the worst.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Duration {
        let all: u64 = self.counts.iter().sum();
        let mut left = part * all as f64;
        for (count, bound) in self.counts.iter().zip(BOUNDS_US) {
            left -= *count as f64;
            if left <= 0.0 {
                return Duration::from_micros(bound).min(self.max);
            }
        }
        self.max
    }
}

impl Counts {
    pub(super) const fn way(&mut self, direction: Direction) -> &mut WayCounts {
        let [up, down] = &mut self.ways;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_bounds_from_above() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.quantile(0.5), Duration::ZERO);
        for us in 1..=100 {
            lateness.note(Duration::from_micros(us));
        }
        lateness.note(Duration::from_millis(77));
        let us = |part| lateness.quantile(part).as_micros();
        assert_eq!([us(0.05), us(0.5), us(0.98), us(1.0)], [10, 75, 100, 77_000]);
        assert_eq!(lateness.max, Duration::from_millis(77));
    }
}
