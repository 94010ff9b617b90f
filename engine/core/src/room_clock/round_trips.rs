//! How long exchanges take of late: the quickest, which is distance, and by how much they differ.
//!
//! What surprises: each is compared with the one before it, not with the quickest, so that a route which grows longer is
//! not taken for one that shakes.

use core::time::Duration;

/// The latest round trips, the time at the server taken off.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    latest_ns: [i64; REMEMBERED],
    /// How much longer or shorter than the one before each was.
    steps_ns: [i64; REMEMBERED],
    noted: usize,
}

impl RoundTrips {
    /// Takes one.
    pub(super) fn note(&mut self, ns: i64) {
        let at = self.noted % REMEMBERED;
        let before = (self.noted + REMEMBERED - 1) % REMEMBERED;
        let before_ns = if self.noted == 0 { ns } else { self.latest_ns[before] };
        self.latest_ns[at] = ns;
        self.steps_ns[at] = (ns - before_ns).abs();
        self.noted += 1;
        if self.noted == 2 * REMEMBERED {
            // The same places, and never so many that they could not be counted.
            self.noted = REMEMBERED;
        }
    }

    /// The quickest of late, and what nine of ten differ from the one before by, at most.
    pub(super) fn summary(&self) -> (Duration, Duration) {
        let count = self.noted.min(REMEMBERED);
        let quickest = self.latest_ns[..count].iter().min().copied().unwrap_or(0);
        let mut steps = self.steps_ns;
        let steps = &mut steps[..count];
        steps.sort_unstable();
        let jitter = steps.get(count * 9 / 10).copied().unwrap_or(0);
        (to_duration(quickest), to_duration(jitter))
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

    fn summary(trips: &RoundTrips) -> (u128, u128) {
        let (quickest, jitter) = trips.summary();
        (quickest.as_nanos(), jitter.as_nanos())
    }

    #[test]
    fn the_quickest_of_late_and_how_much_they_differ() {
        let mut trips = RoundTrips::default();
        assert_eq!(summary(&trips), (0, 0));
        trips.note(50);
        assert_eq!(summary(&trips), (50, 0));
        (0..400).for_each(|at| trips.note(if at % 2 == 0 { 100 } else { 170 }));
        assert_eq!(summary(&trips), (100, 70), "the first is forgotten");
    }

    #[test]
    fn a_longer_route_and_a_rare_spike_are_no_jitter() {
        let mut trips = RoundTrips::default();
        (0..40).for_each(|at| trips.note(100 + at % 3));
        (0..10).for_each(|at| trips.note(500 + at % 3));
        trips.note(9_000);
        trips.note(500);
        assert_eq!(summary(&trips), (100, 2));
        (0..32).for_each(|_| trips.note(500));
        assert_eq!(summary(&trips), (500, 0));
    }
}
