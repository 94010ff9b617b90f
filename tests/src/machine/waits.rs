//! How long the threads that music passes through waited for a core, as the kernel counts it.
//!
//! A thread that is to run and has no core yet waits, and for each thread Linux adds that up to the
//! nanosecond (`/proc/PID/task/TID/schedstat`, second number). What surprises: only such waiting
//! counts. A thread that sleeps too long, holds a lock or works too much did so itself.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{FELT, Stall};

/// Threads by how their names begin: who carries sound and packets.
const ON_THE_WAY: [&str; 4] = ["vjam-audio", "vjam-sender", "vjam-receiver", "sfu-"];

/// How often new threads are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

static PROCESSES: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// A process that a test has started is part of what is watched, until it has ended.
pub(crate) fn watch_process(pid: u32) {
    PROCESSES.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
}

/// A process that was waited for.
pub(crate) fn forget_process(pid: u32) {
    PROCESSES.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != pid);
}

/// All threads on the way, and what they had waited when they were looked at last.
pub(super) struct Waits {
    threads: Vec<Thread>,
    looked_at: Instant,
    look_due: Instant,
}

struct Thread {
    task: PathBuf,
    name: &'static str,
    schedstat: File,
    waited: Duration,
}

impl Waits {
    pub(super) fn new(now: Instant) -> Self {
        Self { threads: Vec::new(), looked_at: now, look_due: now }
    }

    /// Gives those who waited for long since they were looked at last.
    pub(super) fn look(&mut self, now: Instant) -> Vec<Stall> {
        if self.look_due <= now {
            self.look_due = now + LOOK_EVERY;
            self.find_threads();
        }
        let since = core::mem::replace(&mut self.looked_at, now);
        let mut stalls = Vec::new();
        self.threads.retain_mut(|thread| {
            let Some(waited) = thread.read() else { return false };
            let newly = waited.saturating_sub(thread.waited);
            thread.waited = waited;
            if FELT <= newly {
                // A wait is added up when it is over, so it may have begun before the last look.
                let from = since.checked_sub(newly).unwrap_or(since);
                stalls.push(Stall { who: thread.name, from, until: now });
            }
            true
        });
        stalls
    }

    fn find_threads(&mut self) {
        let processes = PROCESSES.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for pid in processes {
            let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { continue };
            for task in tasks.flatten().map(|entry| entry.path()) {
                if self.threads.iter().all(|thread| thread.task != task) {
                    self.threads.extend(Thread::open(task));
                }
            }
        }
    }
}

impl Thread {
    /// `None` for a thread that is not on the way.
    fn open(task: PathBuf) -> Option<Self> {
        let comm = std::fs::read_to_string(task.join("comm")).ok()?;
        let name = ON_THE_WAY.into_iter().find(|name| comm.starts_with(name))?;
        let schedstat = File::open(task.join("schedstat")).ok()?;
        let mut thread = Self { task, name, schedstat, waited: Duration::ZERO };
        thread.waited = thread.read()?;
        Some(thread)
    }

    /// How long it has waited in its life; `None` when that is over.
    fn read(&self) -> Option<Duration> {
        let mut buffer = [0; 96];
        let len = self.schedstat.read_at(&mut buffer, 0).ok()?;
        let text = core::str::from_utf8(&buffer[..len]).ok()?;
        let waited_ns = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(waited_ns))
    }
}
