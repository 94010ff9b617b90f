//! Log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::log_filter;

/// libjack reports as errors what it meets when a server or client goes away; our own errors say
/// more.
const DEFAULT: &str = "info,jack=off,jack_sys=off";

/// Starts to print log lines; `RUST_LOG` chooses which, within [`log_filter`].
pub(crate) fn start() {
    // Another command of this process may have started it, which is as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(log_filter::chosen(DEFAULT))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .finish()
        .with(log_filter::discreet())
        .try_init();
}
