//! Virtual time for `neteq`, which asks this crate what time it is.
//!
//! It has the name of the crate it stands in for and as much of its interface as `neteq` uses, plus
//! [`set_now`]. What surprises: every thread has a clock of its own, so that traces can be played
//! side by side.

use std::cell::Cell;
use std::ops::{Add, Sub};

pub use std::time::Duration;

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Puts the clock of this thread to a moment after its epoch.
pub fn set_now(now: Duration) {
    NOW.set(now);
}

/// A moment of this thread's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Duration);

impl Instant {
    /// Where the clock was put last.
    #[must_use]
    pub fn now() -> Self {
        Self(NOW.get())
    }

    /// Time since `earlier`; zero when that is in fact later.
    #[must_use]
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Time from this moment until now.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// The moment `duration` later, if there is one.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}
