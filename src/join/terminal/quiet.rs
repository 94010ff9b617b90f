//! Keeps off the screen what C libraries print on standard error while the view is up.
//!
//! alsa-lib prints what it meets when a device is busy or goes away, wherever the cursor stands.
//! Our own words do not go that way: they are part of the view. What surprises: a panic is told on
//! standard error too, so a hook gives it back first.

use std::fs::File;
use std::io::IsTerminal as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::stdio::dup2_stderr;

/// Standard error comes back when this is dropped.
pub(super) struct Quiet {
    terminal: Arc<OwnedFd>,
}

impl Quiet {
    /// Turns standard error away from the terminal; `None` where it goes somewhere else anyway.
    /// Call before the terminal is taken over, so that a panic gives that back first.
    pub(super) fn start() -> std::io::Result<Option<Self>> {
        let stderr = std::io::stderr();
        if !stderr.is_terminal() {
            return Ok(None);
        }
        let terminal = Arc::new(stderr.as_fd().try_clone_to_owned()?);
        dup2_stderr(File::options().write(true).open("/dev/null")?)?;
        let (tell, hook) = (Arc::clone(&terminal), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            // Without it the panic is told to nobody, which is no reason not to unwind.
            let _ = dup2_stderr(&*tell);
            hook(panic);
        }));
        Ok(Some(Self { terminal }))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // It worked the other way round.
        let _ = dup2_stderr(&*self.terminal);
    }
}
