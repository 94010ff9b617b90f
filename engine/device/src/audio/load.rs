//! How long callbacks have worked, without a system call within them.
//!
//! Only the time that goes by can be read there for nothing, and that is not what a callback costs: a
//! thread that has to wait for a processor is not helped by less work. So a callback says which clock
//! the kernel keeps of its thread, whoever watches over the device reads it some times a second, and
//! what went by is multiplied by the share that was work lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::ThreadClock;

/// How long the callbacks have worked, on its way to the engine. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Load(Arc<Worked>);

#[derive(Debug, Default)]
struct Worked {
    /// Since it was last taken, in ns, and since the start.
    untaken_ns: AtomicU64,
    total_ns: AtomicU64,
}

impl Load {
    /// Since the last call; for the rendering half.
    #[must_use]
    pub fn take(&self) -> Duration {
        // Relaxed here and below: numbers that stand for themselves.
        Duration::from_nanos(self.0.untaken_ns.swap(0, Ordering::Relaxed))
    }

    /// Since the start; for anybody.
    #[must_use]
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.total_ns.load(Ordering::Relaxed))
    }

    fn add(&self, ns: u64) {
        self.0.untaken_ns.fetch_add(ns, Ordering::Relaxed);
        self.0.total_ns.fetch_add(ns, Ordering::Relaxed);
    }
}

/// One thread that calls back.
#[derive(Debug)]
pub(super) struct Worker {
    /// [`ThreadClock`] as a number, of the thread that called back last.
    clock: AtomicI32,
    /// What went by within its callbacks.
    elapsed_ns: AtomicU64,
    /// The part of it that was work lately, in thousandths.
    share_permille: AtomicU32,
}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            clock: AtomicI32::new(ThreadClock::NONE.number()),
            elapsed_ns: AtomicU64::new(0),
            share_permille: AtomicU32::new(WHOLE_PERMILLE),
        }
    }

    /// Counts a callback that took so long; on the thread that called back.
    pub(super) fn count(&self, elapsed: Duration, load: &Load) {
        let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.clock.store(ThreadClock::of_this_thread().number(), Ordering::Relaxed);
        self.elapsed_ns.fetch_add(ns, Ordering::Relaxed);
        let share = u64::from(self.share_permille.load(Ordering::Relaxed));
        load.add(ns.saturating_mul(share) / u64::from(WHOLE_PERMILLE));
    }
}

/// What was seen of a [`Worker`] when it was looked at last; for whoever watches over the device.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Option<(i32, Duration, u64)>,
}

impl Watch {
    /// Finds out what share of its callbacks' time the thread works. Off the audio thread: it asks the
    /// kernel.
    pub(super) fn look(&mut self, worker: &Worker) {
        let clock = worker.clock.load(Ordering::Relaxed);
        let elapsed_ns = worker.elapsed_ns.load(Ordering::Relaxed);
        // After what went by was read: what the thread does between the two is work too much, and more
        // than everything is not believed.
        let Some(worked) = ThreadClock::from_number(clock).read() else {
            self.seen = None;
            worker.share_permille.store(WHOLE_PERMILLE, Ordering::Relaxed);
            return;
        };
        let before = self.seen.replace((clock, worked, elapsed_ns));
        let Some((_, worked_before, elapsed_before_ns)) = before.filter(|seen| seen.0 == clock)
        else {
            return;
        };
        let passed_ns = u128::from(elapsed_ns.saturating_sub(elapsed_before_ns));
        let worked_ns = worked.saturating_sub(worked_before).as_nanos();
        if let Some(permille) = (worked_ns * u128::from(WHOLE_PERMILLE)).checked_div(passed_ns) {
            let share = u32::try_from(permille).map_or(WHOLE_PERMILLE, |n| n.min(WHOLE_PERMILLE));
            worker.share_permille.store(share, Ordering::Relaxed);
        }
    }
}

/// All of the time.
const WHOLE_PERMILLE: u32 = 1000;
