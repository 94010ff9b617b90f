//! The SFU's core: takes datagrams and commands, gives datagrams and events, and decides nothing
//! that signalling did not tell it. It forwards and never decodes.
//!
//! One [`Router`] owns its links, rooms and streams and is driven by one thread; a server with more
//! cores has more routers. On the forwarding path nothing allocates and nothing is locked: a packet
//! is opened in the caller's buffer, kept once, and written, numbered and sealed for each subscriber
//! straight into the buffer that will be sent.
//!
//! No socket, clock, thread or randomness here, and no cryptography either: links come in through
//! [`transport::Link`]. What surprises: output is pulled. [`Router::handle_datagram`] only takes a
//! packet in; the copies are made when [`Router::poll_transmit`] asks for them.

mod commands;
mod feedback;
pub mod limits;
mod member;
mod pending;
#[cfg(any(test, feature = "plain-link"))]
pub mod plain;
mod publisher;
mod rate;
mod reception;
mod rewrite;
mod router;
mod slab;
mod stats;
mod subscriber;
pub mod transport;

pub use router::{Outgoing, Router, Wake};
pub use stats::Counters;

/// Tests run under an allocator that knows where nothing may be allocated.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
