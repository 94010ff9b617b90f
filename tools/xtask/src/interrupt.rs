//! Ctrl-C, SIGTERM and a closed terminal.
//!
//! Programs run in process groups of their own, which the terminal's Ctrl-C does not reach. So a
//! signal is only noted here; whoever waits for a program hands it on, and then [`obey`]s.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static ASKED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// Notes the signals from here on, instead of ending at once.
pub(crate) fn listen() -> anyhow::Result<()> {
    let asked = ASKED.get_or_init(Arc::default);
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        let value = usize::try_from(signal).context("signals are small numbers")?;
        signal_hook::flag::register_usize(signal, asked.clone(), value)
            .with_context(|| format!("cannot listen to signal {signal}"))?;
    }
    Ok(())
}

/// The signal that asked us to end.
pub(crate) fn asked() -> Option<Signal> {
    // Relaxed: one self-contained word, looked at again and again.
    let raw = ASKED.get().map_or(0, |asked| asked.load(Ordering::Relaxed));
    Signal::from_named_raw(i32::try_from(raw).ok()?)
}

/// Ends this process by the signal that asked for it, if one did, so that our caller sees why.
pub(crate) fn obey() {
    if let Some(signal) = asked() {
        // It comes back only for signals whose default is not to end.
        let _ = signal_hook::low_level::emulate_default_handler(signal.as_raw());
    }
}
