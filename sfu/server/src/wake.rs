//! Waking the media thread out of its `poll`.

use std::io;

/// Wakes a waiting media thread; cheap to call, from any thread.
#[cfg(target_os = "linux")]
#[derive(Debug)]
pub(crate) struct Wake(rustix::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    pub(crate) fn wake(&self) {
        // Fails only when the counter is full, and then the thread has a wake-up waiting already.
        let _full = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Takes all wake-ups that were given.
    pub(crate) fn clear(&self) {
        let _none = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

#[cfg(target_os = "linux")]
impl std::os::fd::AsFd for Wake {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Where there is no event descriptor, the loop looks every few milliseconds by itself.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(crate) struct Wake;

#[cfg(not(target_os = "linux"))]
impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn wake(&self) {}

    pub(crate) fn clear(&self) {}
}
