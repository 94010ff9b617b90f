//! The media server with real encryption: over loopback sockets, and over a network in memory where
//! addresses can be forged and time jumps.

#![expect(clippy::expect_used, reason = "a failure here fails the test, with the reason")]

mod forwarding;
mod hostile;
mod hostile_load;
mod memory;
mod nonces;
mod paths;
mod support;

/// Tests run under an allocator that knows where nothing may be allocated.
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
