//! Asks the kernel to run the relay's thread before others, where it may.
//!
//! A network does not wait for those who use it: the thread stands before the audio and packet
//! threads whose packets it carries, and works for some microseconds at a time.

/// Gives the calling thread real-time priority and exact sleeps, or what there is of them.
#[cfg(target_os = "linux")]
pub(crate) fn raise() {
    let parameters = libc::sched_param { sched_priority: PRIORITY };
    // SAFETY: `pthread_self` is always valid for the calling thread, and `parameters` lives across
    // the call, which only reads it.
    let _refused = unsafe {
        libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &raw const parameters)
    };
    // From 50 µs, for a thread that was refused.
    let _allowed = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1_000));
}

/// Gives the calling thread what there is of priority.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn raise() {}

/// Before the engine's threads (35 and 40), behind what JACK gives to audio callbacks.
#[cfg(target_os = "linux")]
const PRIORITY: i32 = 50;
