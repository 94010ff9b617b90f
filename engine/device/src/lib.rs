//! The musician's machine around the engine: sound card, socket, threads, signalling.
//!
//! Decides as little as possible: what is heard is the engine's, who hears whom is signalling's.
//! There is no async runtime here; every thread blocks on the one thing it waits for.

pub mod audio;
pub mod calibration;
pub mod clock;
pub mod durations;
mod http;
mod network;
pub mod priority;
pub mod probe;
mod random;
pub mod session;
pub mod stats;
pub mod takes;

pub use network::NetworkCounts;

/// Aborts where a test says that nothing is allocated, and something is.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
