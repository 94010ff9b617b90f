//! The SFU as a thread: one UDP socket, the router of `sfu`, encrypted links of `transport`, and
//! system calls that take and send many datagrams at once.
//!
//! Nothing is decided here, and nothing waits but the loop itself, in one `poll`. Commands come in
//! over a bounded queue with a wake-up; events go out through a callback that runs on the media
//! thread and must not block.
//!
//! What surprises: the media thread never reads the wall clock and never logs per packet; what it
//! counts is copied out ten times a second, for whoever asks.

mod addresses;
mod config;
mod handle;
pub mod limits;
mod link;
mod run_loop;
mod socket;
mod telemetry;
mod wake;

pub use config::{SfuConfig, StartError};
pub use handle::{Commands, CommandsRefused, Sfu, SfuHandle};
pub use link::EncryptedLink;
pub use telemetry::{Snapshot, SocketCounters};
