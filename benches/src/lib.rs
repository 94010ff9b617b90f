//! What the benchmarks share: participants with real encryption, and a band of engines, in memory.
//!
//! `cargo xtask bench` runs the criterion benchmarks, `cargo xtask bench instructions` and `cargo xtask
//! bench callbacks` the programs in `src/bin`; `docs/benchmarks.md` tells of all of them.

pub mod band;
pub mod participant;
pub mod room;
