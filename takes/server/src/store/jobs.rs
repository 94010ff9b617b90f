//! What the working thread has to do, each thing once: checksums first, then exports.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use takes::{StemId, TakeId};

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Job {
    /// Compares a stem with what its app says that it is.
    Check(TakeId, StemId),
    /// Makes the file that is downloaded.
    Export(TakeId),
}

/// All of them. Bounded, since there is one for each stem and each take at most.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeSet<Job>,
    running: Option<Job>,
    closed: bool,
}

impl State {
    fn has(&self, job: &Job) -> bool {
        self.waiting.contains(job) || self.running.as_ref() == Some(job)
    }
}

impl Jobs {
    pub(crate) fn push(&self, job: Job) {
        self.lock().waiting.insert(job);
        self.changed.notify_all();
    }

    /// The next job, once there is one; none in the end, or when nothing came for so long.
    pub(crate) fn take(&self, patience: Duration) -> Option<Job> {
        let nothing = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        state.running = state.waiting.pop_first();
        state.running
    }

    /// The job that was taken is done.
    pub(crate) fn finish(&self) {
        self.lock().running = None;
        self.changed.notify_all();
    }

    /// Waits until a job is done, so long at most.
    pub(crate) fn wait_for(&self, job: &Job, patience: Duration) {
        let unfinished = |state: &mut State| state.has(job) && !state.closed;
        drop(self.changed.wait_timeout_while(self.lock(), patience, unfinished));
    }

    /// No more jobs are given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
