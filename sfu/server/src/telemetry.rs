//! What the media thread counts, copied out now and then.

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
    /// Processor time of the media thread, in the kernel and out of it.
    pub cpu: Duration,
    /// Links that are open.
    pub links: usize,
}

/// What the socket counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketCounters {
    /// Calls that took datagrams.
    pub receive_calls: u64,
    /// Datagrams taken.
    pub received_datagrams: u64,
    /// Calls that sent datagrams.
    pub send_calls: u64,
    /// Datagrams that the system took over.
    pub sent_datagrams: u64,
    /// Datagrams dropped because the send buffer was full.
    pub dropped_full: u64,
    /// Datagrams that the system refused to send: no route, a firewall.
    pub dropped_refused: u64,
}

/// Where the media thread leaves its counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telemetry(Arc<Mutex<Snapshot>>);

impl Telemetry {
    /// Called by the media thread: does not wait for a reader, who gets the next one.
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
