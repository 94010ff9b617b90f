//! How long something takes, again and again: a histogram that an audio callback may write.
//!
//! Buckets are eight to an octave (12 % wide) from 1 µs to 67 ms, which covers every period a
//! sound card has. What surprises: [`Durations::take`] empties it, so that each line of
//! statistics speaks of its own second.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

/// Durations since they were last taken.
#[derive(Debug)]
pub struct Durations {
    counts: [AtomicU32; BUCKETS],
    max_ns: AtomicU64,
}

/// What one would ask about a second of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DurationSummary {
    /// How many there were.
    pub count: u32,
    /// Half of them took no longer (upper edge of the bucket).
    pub p50_us: u32,
    /// 99 % of them took no longer (upper edge of the bucket).
    pub p99_us: u32,
    /// The longest, exactly.
    pub max_us: u32,
}

impl Durations {
    /// An empty histogram.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [const { AtomicU32::new(0) }; BUCKETS], max_ns: AtomicU64::new(0) }
    }

    /// Counts one. For any thread: two atomic additions, nothing else.
    pub fn record(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: counters that nothing else is published by.
        self.counts[bucket(ns)].fetch_add(1, Ordering::Relaxed);
        self.max_ns.fetch_max(ns, Ordering::Relaxed);
    }

    /// Sums up what was recorded since the last call, and forgets it.
    pub fn take(&self) -> DurationSummary {
        let counts = self.counts.each_ref().map(|count| count.swap(0, Ordering::Relaxed));
        let max_us = to_us_ceil(self.max_ns.swap(0, Ordering::Relaxed));
        let count: u32 = counts.iter().sum();
        let percentile = |part: f64| {
            let wanted = f64::from(count) * part;
            let mut below = 0_u32;
            for (index, bucket) in counts.iter().enumerate() {
                below += bucket;
                if 0 < below && wanted <= f64::from(below) {
                    return to_us_ceil(upper_edge_ns(index)).min(max_us);
                }
            }
            0
        };
        DurationSummary { count, p50_us: percentile(0.5), p99_us: percentile(0.99), max_us }
    }
}

impl Default for Durations {
    fn default() -> Self {
        Self::new()
    }
}

fn bucket(ns: u64) -> usize {
    let ns = ns.max(FIRST_NS);
    let octave = ns.ilog2();
    let eighth = (ns >> (octave - 3)) & 7;
    let index = (octave - FIRST_NS.ilog2()) * 8 + u32::try_from(eighth).unwrap_or(7);
    (index as usize).min(BUCKETS - 1)
}

fn upper_edge_ns(index: usize) -> u64 {
    let octave = index / 8 + FIRST_NS.ilog2() as usize;
    let eighth = index as u64 % 8;
    (9 + eighth) << (octave - 3)
}

fn to_us_ceil(ns: u64) -> u32 {
    u32::try_from(ns.div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Everything shorter falls into the first bucket.
const FIRST_NS: u64 = 1 << 10;

/// Sixteen octaves: 1.024 µs to 67 ms.
const BUCKETS: usize = 16 * 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_come_from_the_second_they_speak_of() {
        let times = Durations::new();
        for _ in 0..98 {
            times.record(Duration::from_micros(20));
        }
        times.record(Duration::from_micros(300));
        times.record(Duration::from_millis(3));
        let first = times.take();
        assert_eq!((first.count, first.max_us), (100, 3000));
        assert!((20..=23).contains(&first.p50_us), "{first:?}");
        assert!((300..=340).contains(&first.p99_us), "{first:?}");
        assert_eq!(times.take(), DurationSummary::default());
    }

    #[test]
    fn every_duration_has_a_bucket_whose_edges_enclose_it() {
        for ns in [0, 1, 1023, 1024, 1151, 1152, 5_000, 1_333_333, 67_000_000] {
            let index = bucket(ns);
            assert!(ns < upper_edge_ns(index), "{ns}");
            assert!(index == 0 || upper_edge_ns(index - 1) <= ns, "{ns}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
