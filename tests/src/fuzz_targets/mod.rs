//! What fuzzing throws bytes at: a function for each parser and for each core that takes bytes
//! from strangers.
//!
//! A target returns if all is well and panics if an invariant is broken. The same functions serve
//! `cargo xtask fuzz` (libFuzzer, for nights) and `tests/fuzz/replay.rs` (the committed corpus and
//! some thousand seeded mutations of it, for every test run).

mod mutation;
mod parsers;
mod signalling;

pub use mutation::Mutator;
pub use parsers::{red, rtp};
pub use signalling::{is_usable_offer, sdp, signalling, ticket};

/// A target: any bytes, no result.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus folder.
pub const TARGETS: [(&str, Target); 5] =
    [("red", red), ("rtp", rtp), ("sdp", sdp), ("signalling", signalling), ("ticket", ticket)];
