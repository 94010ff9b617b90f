//! One encrypted link between a participant and the SFU, without sockets: bytes and instants come
//! in, datagrams and events go out. Both ends are here: the SFU's (ICE-lite, DTLS server) and a
//! native participant's (ICE controlling, DTLS client).
//!
//! ICE, DTLS and SCTP are `str0m`'s, behind `stack/`, the only module that knows it. SRTP is ours
//! ([`srtp`]): sealing and opening in place, without an allocation, on whatever thread the caller
//! likes. `str0m` is never told of media and never sees the SRTP keys (the DTLS provider hands them
//! to us and a dummy to it), so it cannot seal a packet with them: that no (key, SSRC, index) is
//! sealed twice depends on [`srtp::SrtpSealer`] alone.
//!
//! What surprises: the address that a link sends to is chosen here, not by `str0m`. It follows an
//! authenticated STUN request that nominates its path at once, where `str0m` would stay with an old
//! address of equal priority for 15 seconds. A native participant whose NAT changed its port is
//! heard again with its next check. Browsers do not learn of the change: Chromium nominates with
//! every check, Firefox never again, so a request that does not nominate takes over as well, once
//! the nominated path has been silent for longer than [`limits::PATH_SILENCE_MAX`].

mod certificate;
mod config;
mod hello;
pub mod limits;
mod link;
mod sctp_guard;
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
