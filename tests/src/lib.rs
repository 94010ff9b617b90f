//! What the tests of the whole system share: sound and ears, a simulated world, real processes.
//!
//! Helpers only; the tests themselves lie in `tests/sim`, `tests/fuzz`,
//! `tests/cli` and `tests/e2e`.

mod check;
pub mod clock;
pub mod digest;
pub mod ensemble;
pub mod fuzz_targets;
mod knocking;
pub mod listen;
pub mod listener;
pub mod machine;
mod media;
pub mod musician;
mod player;
pub mod process;
pub mod room;
pub mod sound;
pub mod tcp_relay;
