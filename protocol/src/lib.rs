//! The words every part of vjam shares: time, units, ids, RTP, and the messages between an app and
//! signalling and between signalling and the SFU.
//!
//! No input or output and no policy happens here. Parsing borrows from the caller's bytes and
//! never panics, whatever a peer sends. What surprises: audio formats that no WebRTC standard
//! names travel as RFC 2198 RED payloads (see [`red`]), so that a packet says for itself what is
//! in it, on every path.

pub mod codec;
pub mod control;
pub mod datagram;
mod hearing;
pub mod id;
pub mod limits;
pub mod red;
pub mod replay;
pub mod role;
pub mod room_clock;
pub mod room_state;
pub mod rtcp;
pub mod rtp;
pub mod signal;
pub mod time;
#[cfg(feature = "typescript")]
pub mod typescript;
pub mod units;
