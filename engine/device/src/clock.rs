//! The process's monotonic clock as the cores' [`Instant`].
//!
//! One origin for the whole process: an instant taken in an audio callback can be compared with
//! one taken on the receiver thread. Reading it is a vDSO call on Linux, so callbacks may.

use std::sync::LazyLock;
use std::time::Duration;

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
    *ORIGIN + Duration::from_nanos(instant.as_ns())
}

/// A standard instant on our clock; the origin for anything before it.
#[must_use]
pub fn from_std(instant: std::time::Instant) -> Instant {
    let elapsed = instant.saturating_duration_since(*ORIGIN);
    Instant::from_ns(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

/// How long this thread has worked since it was started: time in which it waited for a processor is not
/// in it. A system call on Linux, of some 0.2 µs; elsewhere the time that went by.
#[cfg(target_os = "linux")]
#[must_use]
pub fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the kernel to write one `timespec`.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if failed != 0 {
        return Duration::ZERO;
    }
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0))
}

/// How much time went by.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn thread_time() -> Duration {
    ORIGIN.elapsed()
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_sleeps_does_not_work() {
        let (slept, worked) = (ORIGIN.elapsed(), thread_time());
        std::thread::sleep(Duration::from_millis(50));
        let (slept, worked) = (ORIGIN.elapsed() - slept, thread_time() - worked);
        assert!(2 * worked < slept, "{worked:?} of {slept:?}");
        let before = thread_time();
        while thread_time() == before {}
    }
}
