//! What sending a datagram takes lately, and so how many may leave together.
//!
//! What surprises: a datagram costs the less the more of them leave at once, so that this is found out
//! step by step, a batch being as large as those before allow. A batch counts by its datagrams, or
//! the small ones between would have the large ones seem slow.

use core::time::Duration;

/// Batches that were sent, the older ones counting less and less.
#[derive(Debug)]
pub(crate) struct Pace {
    datagrams: f64,
    seconds: f64,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self { datagrams: FIRST_DATAGRAMS, seconds: FIRST_DATAGRAMS * FIRST_SECONDS }
    }

    /// Counts a batch that was sent, and how long that took.
    pub(crate) fn sent(&mut self, datagrams: usize, took: Duration) {
        if datagrams == 0 {
            return;
        }
        // More is a moment in which the system ran something else.
        let took = took.min(self.estimate(datagrams) * STEP_MAX);
        self.datagrams = self.datagrams * REMEMBERED + datagrams as f64;
        self.seconds = self.seconds * REMEMBERED + took.as_secs_f64();
    }

    /// How long so many will take.
    pub(crate) fn estimate(&self, datagrams: usize) -> Duration {
        // At least one datagram is remembered, since none is not counted.
        let seconds = self.seconds / self.datagrams * datagrams as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
    }
}

/// What is believed at first: each by itself, on a machine that is not fast.
const FIRST_DATAGRAMS: f64 = 100.0;
const FIRST_SECONDS: f64 = 5e-6;

/// What a batch counts when the next one is sent.
const REMEMBERED: f64 = 0.875;

/// A batch is believed to be so many times as slow as those before.
const STEP_MAX: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_takes_what_those_before_took() {
        let mut pace = Pace::new();
        for _ in 0..100 {
            pace.sent(50, Duration::from_micros(100));
        }
        let estimate = pace.estimate(1000);
        assert!(estimate.abs_diff(Duration::from_millis(2)) < Duration::from_micros(50));
        pace.sent(0, Duration::from_secs(1));
        assert_eq!(pace.estimate(1000), estimate, "nothing was sent");
    }

    #[test]
    fn a_stall_is_not_believed_to_last() {
        let mut pace = Pace::new();
        let before = pace.estimate(100);
        pace.sent(1, Duration::from_secs(1));
        assert!(before < pace.estimate(100) && pace.estimate(100) < 2 * before);
        // Nor does a small batch make large ones slow.
        for _ in 0..50 {
            pace.sent(1000, Duration::from_millis(1));
            pace.sent(2, Duration::from_micros(10));
        }
        assert!(pace.estimate(1000) < Duration::from_micros(1020));
        // A machine that has become slow is.
        for _ in 0..200 {
            pace.sent(10, Duration::from_millis(10));
        }
        assert!(Duration::from_millis(90) < pace.estimate(100));
    }
}
