//! The SFU as threads: each with one UDP socket, a router of `sfu`, encrypted links of `transport`, and
//! system calls that take and send many datagrams at once.
//!
//! Nothing is decided here, and nothing waits but the loop itself, in one `poll`. Commands come in
//! over a bounded queue with a wake-up; events go out through a callback that runs on the media
//! thread and must not block.
//!
//! What surprises: the media thread never reads the wall clock and never logs per packet; what it
//! counts is copied out ten times a second, for whoever asks.

mod addresses;
mod commands;
mod config;
mod handle;
pub mod limits;
mod link;
mod load;
mod pace;
mod priority;
mod run_loop;
mod socket;
mod telemetry;
mod wake;

pub use commands::{Commands, CommandsRefused};
pub use config::{SfuConfig, StartError};
pub use handle::{Counts, Sfu, SfuHandle, workers_by_cores};
pub use link::EncryptedLink;
pub use sfu::limits::LINKS_MAX;
pub use telemetry::{DelayHistogram, Snapshot, SocketCounters};
