//! The whole system in virtual time: one file for each scenario, each ending in what is heard.
//!
//! Read `join.rs` first. `cargo xtask sim --seed N` plays all of them in another weather.

mod away_and_back;
mod codec_mix;
mod crowd;
mod drift_100ppm;
mod eight_musicians;
mod ensemble;
mod everybody_leaves;
mod findings;
mod jitter;
mod join;
mod late_joiner;
mod leave;
mod loss_bursts;
mod mute;
mod narrow_uplink;
mod outage_200ms;
mod owned_rooms;
mod pace;
mod redundancy;
mod reordering_and_duplicates;
mod roaming;
mod room_clock;
mod same_seed;
mod server_restart;
mod system_clock;
mod two_rooms;

/// Aborts when an audio callback allocates or frees.
#[global_allocator]
static ALLOCATION_GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
