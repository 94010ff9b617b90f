//! What the benchmarks share: participants with real encryption, in memory.
//!
//! `cargo xtask bench` runs the criterion benchmarks, `cargo xtask bench instructions` the program in
//! `src/bin`; `docs/benchmarks.md` tells of all of them.

pub mod participant;
pub mod room;
