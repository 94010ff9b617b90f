//! What the benchmarks share: participants with real encryption, in memory and on sockets.
//!
//! `cargo bench -p benches` runs the criterion benchmarks; the programs in `src/bin` measure what
//! needs a whole server and print one line of JSON each.

pub mod participant;
pub mod room;
