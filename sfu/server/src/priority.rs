//! Before whom the system lets a worker run: before everybody while it has time to spare, and before
//! those that nobody hears at any time, where the system allows either.
//!
//! What surprises: real-time priority is given back under load. A worker that has too much to do
//! would stop everything else on its core with it, signalling first.

/// The rank of the calling thread, which must be a worker's from beginning to end.
#[derive(Debug)]
pub(crate) struct Priority(Rank);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    RealTime,
    Ordinary,
    /// The system does not allow real-time priority.
    Refused,
}

impl Priority {
    /// Has the system run the calling thread before others and wake it when it said.
    pub(crate) fn new() -> Self {
        hasten();
        Self(if run_in_real_time(true) { Rank::RealTime } else { Rank::Refused })
    }

    /// Chooses the rank for how much of the time the worker is on the processor, in thousandths.
    pub(crate) fn adapt(&mut self, ran_permille: u16) {
        let wanted = match self.0 {
            Rank::RealTime if BUSY_PERMILLE <= ran_permille => Rank::Ordinary,
            Rank::Ordinary if ran_permille < CALM_PERMILLE => Rank::RealTime,
            Rank::RealTime | Rank::Ordinary | Rank::Refused => return,
        };
        if run_in_real_time(wanted == Rank::RealTime) {
            self.0 = wanted;
        }
    }
}

#[cfg(target_os = "linux")]
fn hasten() {
    const NICE: i32 = -11;
    let _allowed = rustix::process::setpriority_process(None, NICE);
    // From 50 µs, a fifth of the shorter window.
    let _allowed = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1_000));
}

#[cfg(not(target_os = "linux"))]
const fn hasten() {}

/// Gives the calling thread the least of real-time priorities, or takes it away; whether the system
/// allowed it.
#[cfg(target_os = "linux")]
fn run_in_real_time(wanted: bool) -> bool {
    let (policy, sched_priority) =
        if wanted { (libc::SCHED_FIFO, 1) } else { (libc::SCHED_OTHER, 0) };
    let parameters = libc::sched_param { sched_priority };
    // SAFETY: 0 means the calling thread; `parameters` lives across the call, which only reads it.
    unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) == 0 }
}

#[cfg(not(target_os = "linux"))]
const fn run_in_real_time(_wanted: bool) -> bool {
    false
}

/// More than half load, at which the priority counts; less than would stop others on the core.
const BUSY_PERMILLE: u16 = 750;

/// Far enough below that the rank does not change with every pause of the music.
const CALM_PERMILLE: u16 = 600;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn is_real_time() -> bool {
        // SAFETY: 0 means the calling thread; no pointers are involved.
        unsafe { libc::sched_getscheduler(0) == libc::SCHED_FIFO }
    }

    /// Whether it is allowed depends on the machine; that what is told is true does not.
    #[test]
    fn real_time_priority_is_given_back_under_load_and_taken_again() {
        let ranks = std::thread::spawn(|| {
            let mut priority = Priority::new();
            let allowed = is_real_time();
            assert_eq!(allowed, priority.0 == Rank::RealTime);
            let ranks =
                [CALM_PERMILLE, BUSY_PERMILLE, CALM_PERMILLE, CALM_PERMILLE - 1].map(|busy| {
                    priority.adapt(busy);
                    is_real_time()
                });
            (allowed, ranks)
        });
        let (allowed, ranks) = ranks.join().expect("the thread does not panic");
        assert_eq!(ranks, [allowed, false, false, allowed]);
    }
}
