//! Whether the machine let real-time tests be real time, and when it did not.
//!
//! Tests with real processes share a machine with compilers and other people's work. On each core
//! two threads sleep a millisecond at a time and note when they woke too late: one of the highest
//! priority that we may have, which stalls as audio threads do, and an ordinary one, which waits
//! behind other programs as the server does. That shows when a core stood still, not who waited for
//! one: of the threads that carry the music, in processes of their own, the kernel is asked how long
//! each had to wait ([`waits`]). A scenario forgives what it hears near a stall, and nothing else;
//! only a [`TimingFault`] is played again, and only on a machine that stalled. What surprises:
//! whatever else fails in a scenario has failed, however busy the machine is.

#[cfg(target_os = "linux")]
mod waits;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine_device::priority::{Role, raise};

#[cfg(target_os = "linux")]
pub(crate) use waits::{forget_process, watch_process};

/// A shared machine may stall in several in a row; one that keeps time has one only.
const ATTEMPTS: usize = 5;

/// Shorter stalls are part of what a playout that waits for a millisecond or two copes with.
const FELT: Duration = Duration::from_millis(1);

/// The file that takes a line for each scenario that is played again; an absolute path, because
/// tests run in the folders of their packages.
const RETRIES: &str = "VJAM_RETRIES";

/// Something that a machine which does not keep time may be to blame for: a gap, a poor piece, a
/// late start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimingFault(pub String);

/// When the machine did not do what was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// What stood still: [`CORE`], or the thread that waited for one.
    pub who: &'static str,
    /// When it should have run.
    pub from: Instant,
    /// When it did.
    pub until: Instant,
}

/// A core that did not wake a thread.
pub const CORE: &str = "a core";

/// Plays a scenario, alone among those of this process, and again where its timing went wrong on a
/// machine that stalled.
pub fn in_real_time(scenario: impl Fn(&Machine) -> Result<(), TimingFault>) {
    play(scenario, tell_retry);
}

fn play(scenario: impl Fn(&Machine) -> Result<(), TimingFault>, tell: impl Fn(&str)) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A scenario that failed has ended all the same.
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for attempt in 1..=ATTEMPTS {
        let machine = Machine::watch();
        let Err(TimingFault(fault)) = scenario(&machine) else { return };
        let stalls = machine.stalls();
        let account = format!("attempt {attempt} of {ATTEMPTS}: {fault}; {}", sum_up(&stalls));
        assert!(!stalls.is_empty() && attempt < ATTEMPTS, "{account}");
        eprintln!("{account}");
        tell(&account);
    }
}

/// Notes a retry where somebody collects them, since what passes in the end prints nothing.
fn tell_retry(account: &str) {
    let Some(path) = std::env::var_os(RETRIES) else { return };
    let test = test_name();
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| writeln!(file, "{test}: {account}"))
        .unwrap_or_else(|error| panic!("{path:?}, which {RETRIES} names: {error}"));
}

fn test_name() -> String {
    let thread = std::thread::current();
    // Without the usual harness a test runs on the main thread, and its program has its name.
    let name = thread.name().filter(|name| *name != "main").map(str::to_owned);
    name.or_else(|| Some(std::env::current_exe().ok()?.file_stem()?.to_str()?.to_owned()))
        .unwrap_or_else(|| "a test".to_owned())
}

/// How often each stalled, and for how long at most.
fn sum_up(stalls: &[Stall]) -> String {
    let mut by_who: BTreeMap<&str, (usize, Duration)> = BTreeMap::new();
    for stall in stalls {
        let (times, longest) = by_who.entry(stall.who).or_default();
        *times += 1;
        *longest = (*longest).max(stall.until - stall.from);
    }
    let each = |(who, (times, longest)): (&str, (usize, Duration))| {
        format!("{who} stalled {times} times, for {longest:?} at most")
    };
    let each: Vec<String> = by_who.into_iter().map(each).collect();
    if each.is_empty() { "the machine kept time".to_owned() } else { each.join(", ") }
}

/// The machine, watched as long as this value lives.
#[derive(Debug)]
pub struct Machine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    stalls: Mutex<Vec<Stall>>,
}

impl Machine {
    /// Starts watching.
    #[must_use]
    pub fn watch() -> Self {
        let shared = Arc::new(Shared::default());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut threads = Vec::new();
        for core in 0..cores {
            for in_front in [true, false] {
                let shared = Arc::clone(&shared);
                threads.push(std::thread::spawn(move || {
                    stay_on(core);
                    if in_front {
                        // Without the right to it, everything else here has ordinary priority, too.
                        drop(raise(Role::Audio));
                    }
                    shared.watch_core();
                }));
            }
        }
        #[cfg(target_os = "linux")]
        {
            let shared = Arc::clone(&shared);
            threads.push(std::thread::spawn(move || {
                drop(raise(Role::Audio));
                shared.watch_threads();
            }));
        }
        Self { shared, threads }
    }

    /// One that nobody watches, and that stalled then: for tests of those who judge.
    #[must_use]
    pub fn that_stalled(stalls: Vec<Stall>) -> Self {
        let shared = Shared { ended: AtomicBool::new(true), stalls: Mutex::new(stalls) };
        Self { shared: Arc::new(shared), threads: Vec::new() }
    }

    /// The stalls so far, in no order.
    #[must_use]
    pub fn stalls(&self) -> Vec<Stall> {
        self.shared.stalls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A watch that panicked has been seen on standard error.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn watch_core(&self) {
        const NAP: Duration = Duration::from_millis(1);
        while !self.ended.load(Ordering::Relaxed) {
            let from = Instant::now() + NAP;
            std::thread::sleep(NAP);
            let until = Instant::now();
            if FELT <= until.saturating_duration_since(from) {
                self.note(Stall { who: CORE, from, until });
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn watch_threads(&self) {
        const NAP: Duration = Duration::from_millis(5);
        let mut waits = waits::Waits::new(Instant::now());
        while !self.ended.load(Ordering::Relaxed) {
            std::thread::sleep(NAP);
            waits.look(Instant::now()).into_iter().for_each(|stall| self.note(stall));
        }
    }

    fn note(&self, stall: Stall) {
        let mut stalls = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        if stalls.len() < STALLS_MAX {
            stalls.push(stall);
        }
    }
}

/// Keeps the calling thread on a core, so that what stalls that core is seen; where that is not
/// allowed, threads are somewhere, and most stalls are seen.
#[cfg(target_os = "linux")]
fn stay_on(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    let _ = rustix::thread::sched_setaffinity(None, &cores);
}

/// Nobody can be asked who waited.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch_process(_pid: u32) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn forget_process(_pid: u32) {}

#[cfg(not(target_os = "linux"))]
fn stay_on(_core: usize) {}

/// More than a scenario lasts milliseconds; a machine that stalls as often is judged by no test.
const STALLS_MAX: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Pretends that the machine stalled (or not), and plays a scenario that always fails so; gives
    /// how often it was played.
    fn attempts(stalls: bool, outcome: impl Fn() -> Result<(), TimingFault>) -> (usize, bool) {
        let played = Cell::new(0);
        let scenario = |machine: &Machine| {
            played.set(played.get() + 1);
            // What this machine does meanwhile is not asked.
            machine.shared.ended.store(true, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
            let mut recorded = machine.shared.stalls.lock().expect("no watch panics");
            recorded.clear();
            if stalls {
                let now = Instant::now();
                recorded.push(Stall { who: CORE, from: now, until: now + FELT });
            }
            drop(recorded);
            outcome()
        };
        let passed = catch_unwind(AssertUnwindSafe(|| play(scenario, |_| ()))).is_ok();
        (played.get(), passed)
    }

    #[test]
    fn only_a_fault_of_timing_beside_a_stall_is_played_again() {
        let fault = || Err(TimingFault("a gap".to_owned()));
        assert_eq!(attempts(true, fault), (ATTEMPTS, false));
        assert_eq!(attempts(true, || Ok(())), (1, true));
        assert_eq!(attempts(true, || panic!("it hears itself")), (1, false));
    }

    /// Half of the work of one core is another thread's: on a single core two threads that never
    /// rest wait for each other, and the kernel tells of it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_waits_for_a_core_is_seen() {
        let ended = Arc::new(AtomicBool::new(false));
        let busy = ["vjam-sender", "sfu-0"].map(|name| {
            let ended = Arc::clone(&ended);
            let work = move || {
                stay_on(0);
                while !ended.load(Ordering::Relaxed) {
                    core::hint::spin_loop();
                }
            };
            std::thread::Builder::new().name(name.into()).spawn(work).expect("a thread")
        });
        watch_process(std::process::id());
        let machine = Machine::watch();
        let end = Instant::now() + Duration::from_secs(30);
        let is_seen = |name: &str| machine.stalls().iter().any(|stall| stall.who == name);
        while !(is_seen("vjam-sender") && is_seen("sfu-")) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        ended.store(true, Ordering::Relaxed);
        busy.into_iter().for_each(|thread| thread.join().expect("it only works"));
        forget_process(std::process::id());
        assert!(is_seen("vjam-sender") && is_seen("sfu-"), "{}", sum_up(&machine.stalls()));
    }
}
