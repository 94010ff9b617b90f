//! One encrypted link between a participant and the SFU, without sockets: bytes and instants come
//! in, datagrams and events go out. Both ends are here: the SFU's (ICE-lite, DTLS server) and a
//! native participant's (ICE controlling, DTLS client).
//!
//! ICE, DTLS and SCTP are `str0m`'s, behind `stack.rs`, the only file that knows it. SRTP is ours
//! ([`srtp`]): sealing and opening in place, without an allocation, on whatever thread the caller
//! likes. `str0m` is never told of media and never sees the SRTP keys (the DTLS provider hands them
//! to us and a dummy to it), so it cannot seal a packet with them: that no (key, SSRC, index) is
//! sealed twice depends on [`srtp::SrtpSealer`] alone.
//!
//! What surprises: the address that a link sends to is chosen here, not by `str0m`. It follows the
//! newest authenticated STUN request at once, where `str0m` would stay with an old address of equal
//! priority for 15 seconds. So a participant whose NAT changed its port is heard again with its
//! next connectivity check.

mod certificate;
mod config;
mod hello;
pub mod limits;
mod link;
pub mod srtp;
mod stack;
pub mod stun;
mod transactions;

pub use certificate::{Certificate, CertificateError};
pub use config::{
    CHANNEL_LABEL, IceCredentials, LinkConfig, LinkError, LinkEvent, LinkState, Role, SendError,
    Transmit,
};
pub use link::Link;

/// Tests run under an allocator that knows where nothing may be allocated.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;
