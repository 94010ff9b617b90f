//! The worker's memory under whatever it is told and sent: bounded while it runs, and none is left.
//!
//! A binary of its own, because its allocator counts for every thread.

use std::alloc::System;

use cap::Cap;
use tests::fuzz_targets::{worker, worker_programs};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The longest that an input gets, so that all that could pile up does.
const INSTRUCTIONS: usize = 1000;

/// Seven links at both ends, packets and events that wait, and what the test keeps of them to repeat
/// it: 2.2 MB were measured.
const RUNNING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What libraries keep for each thread and for ever.
const LEFT_BYTES_MAX: usize = 64 * 1024;

#[test]
fn memory_is_bounded_and_returns_to_its_level() {
    let programs = worker_programs(6, INSTRUCTIONS);
    for program in &programs[..2] {
        worker(program);
    }
    let level = ALLOCATOR.allocated();
    for program in &programs[2..] {
        worker(program);
        let left = ALLOCATOR.allocated().saturating_sub(level);
        assert!(left < LEFT_BYTES_MAX, "{left} bytes are left");
    }
    let most = ALLOCATOR.max_allocated() - level;
    assert!(most < RUNNING_BYTES_MAX, "{most} bytes at most");
}
