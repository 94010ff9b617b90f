//! What a worker counts, copied out now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sfu::Counters;

/// Everything counted since the server started, as it stood at most a tenth of a second ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What the router counted.
    pub router: Counters,
    /// What the socket counted.
    pub socket: SocketCounters,
    /// How long packets took from the socket they came through to the one they left by.
    pub delay: DelayHistogram,
    /// How long RTP packets lay in the socket that they came through, also those that were dropped
    /// then; counted where the system tells.
    pub waiting: DelayHistogram,
    /// Processor time of the worker's thread, in the kernel and out of it.
    pub cpu: Duration,
    /// Links that are open.
    pub links: usize,
    /// How much of the last tenth of a second there was something to do, in thousandths.
    pub busy_permille: u16,
    /// For how long packets are gathered before they are sent; zero while there is time to spare.
    pub window: Duration,
}

impl core::ops::AddAssign for Snapshot {
    /// Adds what is counted; of the rest, the larger.
    fn add_assign(&mut self, other: Self) {
        self.router += other.router;
        self.socket += other.socket;
        self.delay += other.delay;
        self.waiting += other.waiting;
        self.cpu += other.cpu;
        self.links += other.links;
        self.busy_permille = self.busy_permille.max(other.busy_permille);
        self.window = self.window.max(other.window);
    }
}

sfu::counters! {
    /// What the socket counted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct SocketCounters {
        /// Calls that took datagrams.
        pub receive_calls: u64,
        /// Datagrams taken.
        pub received_datagrams: u64,
        /// Calls that sent datagrams.
        pub send_calls: u64,
        /// Messages in them: each carries one datagram, or many of one size to one address.
        pub sent_messages: u64,
        /// Datagrams that the system took over.
        pub sent_datagrams: u64,
        /// Datagrams that the system dropped because the receive buffer was full.
        pub dropped_unread: u64,
        /// Packets that a worker with too much to do left waiting for longer than
        /// [`crate::limits::PACKET_WAIT_MAX`].
        pub dropped_stale: u64,
        /// Copies of packets that would have left a worker with too much to do later than
        /// [`crate::limits::PACKET_AGE_MAX`] after their arrival.
        pub dropped_late: u64,
        /// Datagrams dropped because the send buffer was full.
        pub dropped_full: u64,
        /// Datagrams that the system refused to send: no route, a firewall.
        pub dropped_refused: u64,
    }
}

/// Packets by how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DelayHistogram {
    /// How many took at most so long as [`Self::BOUNDS_US`] says at the same place, and longer than
    /// the bound before; at the end, how many took longer than all of them.
    counts: [u64; Self::BOUNDS_US.len() + 1],
    sum_us: u64,
}

impl DelayHistogram {
    /// The bounds in microseconds, rising.
    pub const BOUNDS_US: [u32; 20] = [
        10, 20, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000,
        5_000, 10_000,
    ];

    /// Counts one.
    pub(crate) fn count(&mut self, took: Duration) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let at = Self::BOUNDS_US.iter().position(|bound| us <= *bound);
        self.counts[at.unwrap_or(Self::BOUNDS_US.len())] += 1;
        self.sum_us += u64::from(us);
    }

    /// Each bound in microseconds with how many took at most as long, and all of them at last,
    /// without a bound.
    pub fn cumulative(&self) -> impl Iterator<Item = (Option<u32>, u64)> + '_ {
        let bounds = Self::BOUNDS_US.iter().copied().map(Some).chain([None]);
        bounds.zip(&self.counts).scan(0, |sum, (bound, count)| {
            *sum += count;
            Some((bound, *sum))
        })
    }

    /// How many were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What they took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_micros(self.sum_us)
    }

    /// The least bound in microseconds under which so many thousandths lie; `None` where none of
    /// the bounds is enough, or nothing was counted.
    #[must_use]
    pub fn quantile_us(&self, permille: u32) -> Option<u32> {
        let total = self.total();
        let enough = |count: u64| u64::from(permille) * total <= 1000 * count;
        self.cumulative().find(|(_, count)| 0 < total && enough(*count))?.0
    }

    /// What was counted since an earlier copy of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = core::array::from_fn(|at| self.counts[at] - earlier.counts[at]);
        Self { counts, sum_us: self.sum_us - earlier.sum_us }
    }
}

impl core::ops::AddAssign for DelayHistogram {
    fn add_assign(&mut self, other: Self) {
        for (count, other) in self.counts.iter_mut().zip(other.counts) {
            *count += other;
        }
        self.sum_us += other.sum_us;
    }
}

/// Where a worker leaves its counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telemetry(Arc<Mutex<Snapshot>>);

impl Telemetry {
    /// Called by the worker: does not wait for a reader, who gets the next one.
    pub(crate) fn offer(&self, snapshot: Snapshot) {
        if let Ok(mut shared) = self.0.try_lock() {
            *shared = snapshot;
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_tells_what_was_counted() {
        let mut delay = DelayHistogram::default();
        assert_eq!(delay.quantile_us(500), None);
        for us in 1..=100 {
            delay.count(Duration::from_micros(us));
        }
        assert_eq!(delay.quantile_us(500), Some(50));
        assert_eq!(delay.quantile_us(990), Some(100));
        assert_eq!((delay.total(), delay.sum()), (100, Duration::from_micros(5050)));
        let earlier = delay;
        delay.count(Duration::from_secs(1));
        assert_eq!(delay.quantile_us(1000), None, "longer than every bound");
        assert_eq!(delay.cumulative().last(), Some((None, 101)));
        assert_eq!(delay.since(&earlier).total(), 1);
    }
}
