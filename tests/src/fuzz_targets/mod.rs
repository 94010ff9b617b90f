//! What fuzzing throws bytes at: a function for each parser and for each core that takes bytes
//! from strangers.
//!
//! A target returns if all is well and panics if an invariant is broken. The same functions serve
//! `cargo xtask fuzz` (libFuzzer, for nights) and `tests/fuzz/replay.rs` (the committed corpus and
//! some thousand seeded mutations of it, for every test run).

mod arrivals;
mod client;
mod link;
mod media;
mod mutation;
mod parsers;
mod signalling;
mod worker;

pub use arrivals::arrivals;
pub use client::client_messages;
pub use link::{link, srtp, stun};
pub use media::{engine, router};
pub use mutation::Mutator;
pub use parsers::{red, room_link, rtcp, rtp};
use protocol::codec::Codec;
pub use signalling::{is_usable_offer, sdp, signalling, ticket};
pub use worker::{programs as worker_programs, worker};

/// A target: any bytes, no result.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus folder.
pub const TARGETS: [(&str, Target); 15] = [
    ("arrivals", arrivals),
    ("client_messages", client_messages),
    ("engine", engine),
    ("link", link),
    ("red", red),
    ("room_link", room_link),
    ("router", router),
    ("rtcp", rtcp),
    ("rtp", rtp),
    ("sdp", sdp),
    ("signalling", signalling),
    ("srtp", srtp),
    ("stun", stun),
    ("ticket", ticket),
    ("worker", worker),
];

/// Programs of a target that takes instructions, and how long each is.
const PROGRAMS: u64 = 40;
const INSTRUCTIONS: usize = 60;

/// Inputs that are made by the code as it is, beside the corpus, so that mutations start from what
/// is taken today.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "arrivals" => arrivals::programs(PROGRAMS, INSTRUCTIONS),
        "client_messages" => vec![signalling::client_messages_seed()],
        "engine" => Codec::ALL.map(media::engine_seed).to_vec(),
        "link" => link::link_seeds(),
        "worker" => worker_programs(PROGRAMS, INSTRUCTIONS),
        _ => Vec::new(),
    }
}
