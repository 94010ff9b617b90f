//! Other programs' jitter buffers, written anew from what is published about them.
//!
//! Each is the buffer alone: what a program adds before and behind it (a server's second buffer, the
//! look-ahead of a codec, a device's latency) is not counted for anybody.

pub(crate) mod jacktrip;
pub(crate) mod jamulus;
pub(crate) mod neteq;
#[cfg(test)]
mod rehearsal;
pub(crate) mod sonobus;
