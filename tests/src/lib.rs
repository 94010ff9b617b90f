//! What the tests of the whole system share: sound and ears, a simulated world, real processes.
//!
//! Helpers only; the tests themselves lie in `tests/sim`, `tests/property` and `tests/e2e`.

mod check;
pub mod clock;
pub mod fuzz_targets;
pub mod listen;
pub mod listener;
pub mod machine;
pub mod musician;
pub mod network;
pub mod plain_link;
pub mod process;
pub mod random;
pub mod relay;
pub mod room;
pub mod sound;
