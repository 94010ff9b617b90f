//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// libjack reports as errors what it meets when a server or client goes away; our own errors say
/// more.
const DEFAULT: &str = "info,jack=off,jack_sys=off";

/// Starts to print log lines; `RUST_LOG` chooses which.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    // Another command of this process may have started it, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
