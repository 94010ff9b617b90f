//! How long to wait before the server is tried again.

use core::time::Duration;

/// Waits that grow with every failure: at once, a quarter of a second, double that, ... 5 s.
///
/// The first try is immediate because most drops are the network changing under a laptop, and a
/// rejoin has to be through within a second.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after one more failure.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and nobody iterates over it")]
    pub fn next(&mut self) -> Duration {
        let wait = match self.failures {
            0 => Duration::ZERO,
            n => (FIRST * 2_u32.saturating_pow(n - 1)).min(LONGEST),
        };
        self.failures = self.failures.saturating_add(1).min(FAILURES_COUNTED);
        wait
    }

    /// Starts over, after something worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Far beyond where the wait stops growing.
const FAILURES_COUNTED: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_seconds_and_start_over() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next().as_millis()).collect();
        assert_eq!(waits, [0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
        assert_eq!((0..100).map(|_| backoff.next()).max(), Some(LONGEST));
        backoff.reset();
        assert_eq!(backoff.next(), Duration::ZERO);
    }
}
