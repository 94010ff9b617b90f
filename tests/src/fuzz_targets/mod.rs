//! What fuzzing throws bytes at: a function for each parser and for each core that takes bytes
//! from strangers.
//!
//! A target returns if all is well and panics if an invariant is broken. The same functions serve
//! `cargo xtask fuzz` (libFuzzer, for nights) and `tests/fuzz/replay.rs` (the committed corpus and
//! some thousand seeded mutations of it, for every test run).

mod media;
mod mutation;
mod parsers;
mod signalling;

pub use media::{engine, engine_seed, router};
pub use mutation::Mutator;
pub use parsers::{red, room_link, rtp};
pub use signalling::{is_usable_offer, sdp, signalling, ticket};

/// A target: any bytes, no result.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus folder.
pub const TARGETS: [(&str, Target); 8] = [
    ("engine", engine),
    ("red", red),
    ("room_link", room_link),
    ("router", router),
    ("rtp", rtp),
    ("sdp", sdp),
    ("signalling", signalling),
    ("ticket", ticket),
];
