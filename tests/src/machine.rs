//! Whether the machine let real-time tests be real time.
//!
//! Tests with real processes share a machine with compilers and other people's work. A thread of
//! the highest priority that we may have sleeps a millisecond at a time and notes by how much it
//! wakes too late: what stalls it stalls every audio thread. A scenario that fails beside a stall is
//! played again; one that fails on a machine that kept time has failed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine_device::priority::{Role, raise};

/// A stall of a codec frame can be heard. The watch sees one core: what it saw, another had worse.
const HEARD: Duration = Duration::from_millis(1);
const ATTEMPTS: usize = 3;

/// What may be asked of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// It keeps time: every gap is ours.
    KeepsTime,
    /// It stalled in every attempt before: the right sound must come, gaps are forgiven.
    Stalls,
}

/// Plays a scenario, alone among those of this process, and again where the machine stalled.
pub fn in_real_time(scenario: impl Fn(Machine)) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A scenario that failed has ended all the same.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for attempt in 1..=ATTEMPTS {
        let machine = if attempt == ATTEMPTS { Machine::Stalls } else { Machine::KeepsTime };
        let watch = Watch::start();
        let outcome = catch_unwind(AssertUnwindSafe(|| scenario(machine)));
        let stall = watch.longest_stall();
        let Err(panic) = outcome else { return };
        eprintln!("attempt {attempt}: failed while the machine stalled for {stall:?} at most");
        if stall < HEARD || attempt == ATTEMPTS {
            resume_unwind(panic);
        }
    }
}

/// A thread that watches the machine until it is asked.
#[derive(Debug)]
pub struct Watch {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Watch {
    /// Starts watching.
    #[must_use]
    pub fn start() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let thread = {
            let ended = Arc::clone(&ended);
            std::thread::spawn(move || {
                // Without the right to it, everything else here has ordinary priority, too.
                drop(raise(Role::Audio));
                watch(&ended)
            })
        };
        Self { ended, thread }
    }

    /// Ends the watch; gives the longest time by which it woke too late.
    #[must_use]
    pub fn longest_stall(self) -> Duration {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch does not panic")
    }
}

fn watch(ended: &AtomicBool) -> Duration {
    const NAP: Duration = Duration::from_millis(1);
    let mut longest = Duration::ZERO;
    while !ended.load(Ordering::Relaxed) {
        let asleep = Instant::now();
        std::thread::sleep(NAP);
        longest = longest.max(asleep.elapsed().saturating_sub(NAP));
    }
    longest
}
