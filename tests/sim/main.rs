//! The whole system in virtual time: one file for each scenario, each ending in what is heard.
//!
//! Read `join.rs` first. `cargo xtask sim --seed N` plays all of them in another weather.

mod join;

/// Aborts when an audio callback allocates or frees.
#[global_allocator]
static ALLOCATION_GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
