//! Asks the kernel to run a thread before everybody else's, and to keep memory from being paged.
//!
//! The sender and the receiver thread lie on the way from mouth to ear: if one waits behind a
//! compiler for a time slice, somebody hears it. Being refused is normal on a fresh machine and
//! never fatal; [`Refused`] says how to allow it.

use std::io;

use thiserror::Error;

/// What a thread is for; decides how far in front it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Produces or consumes audio in time with a clock: the WAV backend's thread, and those of cpal,
    /// which have ordinary priority on Linux. JACK gives its own.
    Audio,
    /// Carries packets: short bursts of microseconds.
    Network,
}

/// The kernel said no.
#[derive(Debug, Error)]
#[error(
    "no real-time priority ({0}): threads may have to wait for other programs, which is heard as \
     dropouts. To allow it: add `@audio - rtprio 95` and `@audio - memlock unlimited` to \
     /etc/security/limits.d/audio.conf, put yourself into the group audio, and log in again"
)]
pub struct Refused(#[from] io::Error);

/// Gives the calling thread `SCHED_FIFO` priority for its role.
#[cfg(target_os = "linux")]
pub fn raise(role: Role) -> Result<(), Refused> {
    // Below what JACK and PipeWire give to audio callbacks when they are told to (70 to 88), above
    // everything ordinary; a packet thread works for some 10 µs at a time.
    let priority = match role {
        Role::Audio => 40,
        Role::Network => 35,
    };
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: `pthread_self` is always valid for the calling thread, and `parameters` lives
    // across the call, which only reads it.
    let refused = unsafe {
        libc::pthread_setschedparam(libc::pthread_self(), libc::SCHED_FIFO, &raw const parameters)
    };
    if refused == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(refused).into()) }
}

/// Gives the calling thread priority for its role.
#[cfg(not(target_os = "linux"))]
pub fn raise(_role: Role) -> Result<(), Refused> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

/// Whether the calling thread runs before everything ordinary; true where that cannot be asked.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_real_time() -> bool {
    // SAFETY: 0 means the calling thread; no pointers are involved.
    let policy = unsafe { libc::sched_getscheduler(0) };
    // A server may ask that what the thread starts is ordinary again.
    matches!(policy & !libc::SCHED_RESET_ON_FORK, libc::SCHED_FIFO | libc::SCHED_RR)
}

/// Whether the calling thread runs before everything ordinary; true where that cannot be asked.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_real_time() -> bool {
    true
}

/// Keeps every page of the process in memory once it was touched, where nothing limits that.
///
/// With a limit it does nothing: locking future pages under a small limit would make later
/// allocations fail, which is worse than a page fault.
#[cfg(target_os = "linux")]
pub fn lock_memory() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid place for the kernel to write one `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if limit.rlim_cur != libc::RLIM_INFINITY {
        return Err(io::Error::other("the memlock limit is not `unlimited`"));
    }
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: takes no pointers; it changes how pages are kept, not what is in them.
    if unsafe { libc::mlockall(flags) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Keeps every page of the process in memory.
#[cfg(not(target_os = "linux"))]
pub fn lock_memory() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_how_to_allow_it() {
        let refused = Refused::from(io::Error::from_raw_os_error(1));
        assert!(refused.to_string().contains("rtprio 95"), "{refused}");
    }

    /// Whether it works depends on the machine; that it never does anything but work or refuse
    /// does not.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_raised_thread_is_first_in_first_out() {
        let policy = std::thread::spawn(|| {
            raise(Role::Network).map(|()| {
                assert!(is_real_time());
                // SAFETY: 0 means the calling thread; no pointers are involved.
                unsafe { libc::sched_getscheduler(0) }
            })
        })
        .join()
        .expect("the thread does not panic");
        assert!(policy.is_err() || policy.is_ok_and(|policy| policy == libc::SCHED_FIFO));
        assert!(!is_real_time(), "a test's own thread is an ordinary one");
    }
}
