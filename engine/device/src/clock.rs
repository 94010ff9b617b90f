//! The process's monotonic clock as the cores' [`Instant`].
//!
//! One origin for the whole process: an instant taken in an audio callback can be compared with
//! one taken on the receiver thread. Reading it is a vDSO call on Linux, so callbacks may.

use std::sync::LazyLock;

use protocol::time::Instant;

/// Nanoseconds since the first reading in this process; never goes back.
#[must_use]
pub fn now() -> Instant {
    let elapsed = ORIGIN.elapsed();
    Instant::from_ns(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

/// Takes the origin. Call once before any audio callback runs, so that none initialises it.
pub fn start() {
    LazyLock::force(&ORIGIN);
}

/// The same instant on the standard library's clock.
#[must_use]
pub fn to_std(instant: Instant) -> std::time::Instant {
    *ORIGIN + core::time::Duration::from_nanos(instant.as_ns())
}

/// A standard instant on our clock; the origin for anything before it.
#[must_use]
pub fn from_std(instant: std::time::Instant) -> Instant {
    let elapsed = instant.saturating_duration_since(*ORIGIN);
    Instant::from_ns(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_to_the_standard_clock_and_back() {
        let instant = now();
        assert_eq!(from_std(to_std(instant)), instant);
        assert!(instant <= now());
    }
}
