//! How long exchanges take of late: the quickest, which is distance, and by how much most are slower.

use core::time::Duration;

/// The latest round trips, the time at the server taken off.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    latest_ns: [i64; REMEMBERED],
    noted: usize,
}

impl RoundTrips {
    /// Takes one.
    pub(super) fn note(&mut self, ns: i64) {
        self.latest_ns[self.noted % REMEMBERED] = ns;
        self.noted = self.noted.wrapping_add(1);
    }

    /// The quickest of late, and how much longer nine of ten take at most.
    pub(super) fn summary(&self) -> (Duration, Duration) {
        let mut sorted = self.latest_ns;
        let sorted = &mut sorted[..self.noted.min(REMEMBERED)];
        sorted.sort_unstable();
        let quickest = sorted.first().copied().unwrap_or(0);
        let slow = sorted.get(sorted.len() * 9 / 10).copied().unwrap_or(quickest);
        (to_duration(quickest), to_duration(slow - quickest))
    }
}

fn to_duration(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

/// Eight seconds of the four that are asked in a second once the clock is known.
const REMEMBERED: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_of_late_and_by_how_much_nine_of_ten_are_slower() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.summary(), (Duration::ZERO, Duration::ZERO));
        trips.note(1);
        // Of 40 the latest 32: 8 to 39.
        (0..40).for_each(|ns| trips.note(100 + ns));
        assert_eq!(trips.summary(), (Duration::from_nanos(108), Duration::from_nanos(28)));
        // One that takes ages is one of ten.
        trips.note(1_000_000);
        assert_eq!(trips.summary(), (Duration::from_nanos(109), Duration::from_nanos(28)));
    }
}
