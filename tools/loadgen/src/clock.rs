//! The two clocks of a load: one that only rises, for pacing, and the wall clock, in which the kernel
//! stamps what arrives.

use std::time::Duration;

use protocol::time::Instant;
use rustix::time::{ClockId, clock_gettime};

/// What only rises.
pub(crate) fn now() -> Instant {
    Instant::from_ns(read_ns(ClockId::Monotonic))
}

/// The wall clock.
pub(crate) fn wall_ns() -> u64 {
    read_ns(ClockId::Realtime)
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    Duration::from_nanos(read_ns(ClockId::ThreadCPUTime))
}

/// Processor time of this process.
pub(crate) fn process_cpu() -> Duration {
    Duration::from_nanos(read_ns(ClockId::ProcessCPUTime))
}

fn read_ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
