//! A token bucket: so many per second, so many at once (twice as many after a pause, because tokens
//! are only counted when they run out).

use protocol::time::Instant;

/// Counts what is admitted. Starts full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    per_second: u32,
    burst: u32,
    tokens: u32,
    /// Up to when tokens were given.
    filled: Instant,
}

impl Bucket {
    pub(crate) const fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second, burst, tokens: burst, filled: now }
    }

    /// Takes a token if there is one.
    pub(crate) fn admit(&mut self, now: Instant) -> bool {
        if self.tokens == 0 {
            self.fill(now);
        }
        let admitted = 0 < self.tokens;
        self.tokens = self.tokens.saturating_sub(1);
        admitted
    }

    /// Lazily, so that the common packet costs one decrement.
    fn fill(&mut self, now: Instant) {
        let token_ns = 1_000_000_000 / u64::from(self.per_second);
        let elapsed_ns = now.as_ns().saturating_sub(self.filled.as_ns());
        let earned = elapsed_ns / token_ns;
        if u64::from(self.burst) <= earned {
            self.tokens = self.burst;
            self.filled = now;
        } else {
            self.tokens = u32::try_from(earned).unwrap_or(self.burst);
            self.filled = Instant::from_ns(self.filled.as_ns() + earned * token_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(10, 3, at_ms(0));
        let admitted = |bucket: &mut Bucket, ms| (0..5).filter(|_| bucket.admit(at_ms(ms))).count();
        // Three at once, and whatever the time since the start has earned.
        assert_eq!(admitted(&mut bucket, 0), 3);
        assert_eq!(admitted(&mut bucket, 99), 0);
        assert_eq!(admitted(&mut bucket, 100), 1);
        assert_eq!(admitted(&mut bucket, 250), 1);
        assert_eq!(admitted(&mut bucket, 10_000), 3, "never more than the burst");
    }
}
