//! What a link is made from, and what it says.

use std::net::SocketAddr;

use protocol::signal::LinkParameters;
use thiserror::Error;

use crate::certificate::Certificate;

/// The label of the data channel, negotiated out of band as SCTP stream 0.
pub const CHANNEL_LABEL: &str = "jam";

/// Which end of a link this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The SFU: ICE-lite and controlled, DTLS passive. Sends nothing until it is asked.
    Server,
    /// A native participant: ICE controlling, DTLS active.
    Client,
}

/// ICE username fragment and password of one end (RFC 8445 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// 4 to 256 characters.
    pub ufrag: String,
    /// 22 to 256 characters, unguessable.
    pub pwd: String,
}

impl IceCredentials {
    pub(crate) fn check(&self) -> Result<(), LinkError> {
        let fits = (4..=256).contains(&self.ufrag.len()) && (22..=256).contains(&self.pwd.len());
        if fits { Ok(()) } else { Err(LinkError::MalformedCredentials) }
    }
}

impl core::fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("IceCredentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

impl From<&LinkParameters> for IceCredentials {
    fn from(parameters: &LinkParameters) -> Self {
        Self { ufrag: parameters.ice_ufrag.clone(), pwd: parameters.ice_pwd.clone() }
    }
}

/// What a link is made from.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// Which end this is.
    pub role: Role,
    /// This end's certificate; its fingerprint must have been signalled.
    pub certificate: Certificate,
    /// This end's ICE credentials, from the caller's randomness.
    pub local: IceCredentials,
    /// The other end.
    pub remote: LinkParameters,
    /// Where a client finds the server, most wanted first; a server has no use for it.
    pub remote_candidates: Vec<SocketAddr>,
    /// Whether there is a data channel beside RTP; both ends must agree.
    pub data_channel: bool,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkError {
    /// ICE username fragment or password of a forbidden length.
    #[error("an ICE username fragment has 4 to 256 characters, a password 22 to 256")]
    MalformedCredentials,
    /// Not the SHA-256 of a certificate.
    #[error("a fingerprint is 32 bytes in hex with colons between")]
    MalformedFingerprint,
    /// The handshake failed or the other end closed.
    #[error("the link is over; a new one is needed")]
    Closed,
    /// The library refused, or its randomness failed.
    #[error("the DTLS endpoint could not be made")]
    Stack,
}

/// Why a data channel message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The channel is not open, its queue is full (later would be too late anyway), or the message
    /// is longer than [`protocol::limits::CHANNEL_MESSAGE_BYTES_MAX`].
    #[error("the data channel does not take a message now")]
    Exhausted,
}

/// A datagram to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// Bytes of it in the caller's buffer.
    pub len: usize,
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// Keys are there and the other end is heard; comes again after [`Self::Down`].
    Up,
    /// The other end was not heard for a while; it may come back by itself or with an ICE restart.
    Down,
    /// The handshake failed or the other end closed: a new link is needed.
    Closed,
    /// Data channel messages can be sent.
    ChannelOpen,
    /// A data channel message.
    ChannelMessage(Vec<u8>),
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// No keys yet.
    Connecting,
    /// Keys are there and the other end is heard.
    Up,
    /// Keys are there, the other end is silent.
    Down,
    /// Over.
    Closed,
}
