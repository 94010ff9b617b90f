//! A network that does harm on purpose, from one seed.
//!
//! [`path`] says what becomes of a datagram, purely: the simulator plays it in virtual time. [`udp`]
//! does the same on real sockets, for tests with real processes and for `cargo xtask relay`.
//! [`weather`] is what may happen, [`spec`] and [`preset`] how it is written down.

mod jitter;
pub mod path;
pub mod preset;
mod priority;
pub mod quantity;
pub mod random;
pub mod spec;
pub mod trace;
pub mod udp;
pub mod weather;
