//! The process's monotonic clock as the cores' [`Instant`].
//!
//! One origin for the whole process: an instant taken in an audio callback can be compared with
//! one taken on the receiver thread. Reading it is a vDSO call on Linux, so callbacks may.

use std::sync::LazyLock;
use std::time::Duration;

use protocol::time::{Instant, RoomTime};

/// Nanoseconds since the first reading in this process; never goes back.
#[must_use]
pub fn now() -> Instant {
    let elapsed = ORIGIN.elapsed();
    Instant::from_ns(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
}

/// What this computer shows as the time of day: somebody may set it.
#[must_use]
pub fn wall() -> RoomTime {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ns = since_1970.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    RoomTime::from_ns(ns)
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

/// A clock of the kernel's that runs while a thread works, and stands while it waits for a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadClock(i32);

impl ThreadClock {
    /// No thread's.
    pub const NONE: Self = Self(-1);

    /// The calling thread's. No system call.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn of_this_thread() -> Self {
        let mut clock = 0;
        // SAFETY: `pthread_self` is always valid for the calling thread, and `clock` is a valid place for
        // one number.
        let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) };
        if failed == 0 { Self(clock) } else { Self::NONE }
    }

    /// There is none.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn of_this_thread() -> Self {
        Self::NONE
    }

    /// How long the thread has worked since it was started; `None` where it has ended. A system call of
    /// some 0.2 µs.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn read(self) -> Option<Duration> {
        if self == Self::NONE {
            return None;
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is a valid place for the kernel to write one `timespec`.
        if unsafe { libc::clock_gettime(self.0, &raw mut time) } != 0 {
            return None;
        }
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }

    /// Nobody knows.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn read(self) -> Option<Duration> {
        None
    }

    /// For an atomic variable.
    pub(crate) const fn number(self) -> i32 {
        self.0
    }

    pub(crate) const fn from_number(number: i32) -> Self {
        Self(number)
    }
}

/// How long this thread has worked since it was started: time in which it waited for a processor is not
/// in it. A system call on Linux, of some 0.2 µs; elsewhere the time that went by.
#[must_use]
pub fn thread_time() -> Duration {
    ThreadClock::of_this_thread().read().unwrap_or_else(|| ORIGIN.elapsed())
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
