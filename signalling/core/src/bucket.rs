//! Counts how often something happened against a [`Rate`].

use protocol::time::Instant;

use crate::limits::Rate;

/// A token bucket, full at first.
///
/// It stores when it will be full again instead of how full it is: one number, nothing to refill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    rate: Rate,
    full_at: Instant,
}

/// The [`Rate`] was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Bucket {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, full_at: Instant::ZERO }
    }

    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Exhausted> {
        let full_at = self.full_at.max(now) + self.rate.one_each;
        if self.rate.one_each * self.rate.burst < full_at.saturating_since(now) {
            return Err(Exhausted);
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_one_each() {
        let mut bucket = Bucket::new(Rate { burst: 3, one_each: Duration::from_secs(1) });
        let at = |s: u64| Instant::from_ns(s * 1_000_000_000);
        let taken = |bucket: &mut Bucket, s| (0..5).filter(|_| bucket.take(at(s)).is_ok()).count();
        assert_eq!(taken(&mut bucket, 10), 3);
        assert_eq!(taken(&mut bucket, 11), 1);
        assert_eq!(taken(&mut bucket, 11), 0);
        assert_eq!(taken(&mut bucket, 13), 2);
        assert_eq!(taken(&mut bucket, 100), 3);
    }
}
