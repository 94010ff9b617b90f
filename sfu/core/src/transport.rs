//! What the router needs of a link: the only thing it knows about encryption.
//!
//! The server's links are encrypted; the simulator's are plain and repeat exactly. What surprises:
//! a link also says whom a STUN message is for, because that must be known before there is a link.

use core::net::SocketAddr;

use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;
use protocol::time::Instant;

/// A datagram to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub to: SocketAddr,
    /// Bytes of it in the caller's buffer.
    pub len: usize,
}

/// Bytes that sealing adds to an RTCP packet at most: a tag of 16 and an index of 4.
pub const RTCP_OVERHEAD_BYTES: usize = 20;

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// Keys are there and the participant is heard.
    Up,
    /// The participant is silent; it may come back.
    Down,
    /// The link is over; a new one is needed.
    Closed,
    /// A data channel message: one plain RTP packet, or one of RTCP.
    Message(Vec<u8>),
}

/// Why a link could not be made or changed, for the log and the participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRefused(pub String);

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// Not a packet.
    Malformed,
    /// Opened before.
    Replayed,
    /// Not from the participant.
    Forged,
    /// There are no keys yet.
    NotUp,
}

/// The packet cannot be sealed: its sequence number was sealed before, or there are no keys. A message
/// cannot be sent: there is no open data channel, or its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSealed;

/// The SFU's end of the link with one participant.
pub trait Link: Sized {
    /// What all links of a router share, such as a certificate.
    type Shared;

    /// Makes the link; the participant's first connectivity check brings it to life.
    fn open(
        shared: &Self::Shared,
        local: &LinkParameters,
        remote: &LinkParameters,
        channel: DataChannel,
        now: Instant,
    ) -> Result<Self, LinkRefused>;

    /// The ICE username fragment of the end that a connectivity check is for; nothing is
    /// authenticated by it.
    fn receiver_ufrag(stun: &[u8]) -> Option<&str>;

    /// Takes a STUN or DTLS datagram; gives whether it was accepted, which for STUN means authentic
    /// and new.
    fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool;

    /// Lets time pass.
    fn handle_timeout(&mut self, now: Instant);

    /// Replaces the ICE credentials; everything else goes on.
    fn restart_ice(
        &mut self,
        now: Instant,
        local: &LinkParameters,
        remote: &LinkParameters,
    ) -> Result<(), LinkRefused>;

    /// Says goodbye; the datagrams for it come out of [`Self::poll_transmit`].
    fn close(&mut self);

    /// The next control datagram, written into `buffer`.
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit>;

    /// What happened.
    fn poll_event(&mut self) -> Option<LinkEvent>;

    /// When [`Self::handle_timeout`] wants to be called.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Where media goes.
    fn address(&self) -> Option<SocketAddr>;

    /// Makes room for an outgoing stream, so that its first packet does not allocate.
    fn declare(&mut self, ssrc: Ssrc);

    /// Seals the RTP packet in `buffer[..len]` in place; gives the new length. Does not allocate.
    fn seal(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed>;

    /// Seals the compound RTCP packet in `buffer[..len]` in place; gives the new length. There must be
    /// [`RTCP_OVERHEAD_BYTES`] of room behind it.
    fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed>;

    /// Sends a data channel message; it comes out of [`Self::poll_transmit`].
    fn send_message(&mut self, message: &[u8]) -> Result<(), NotSealed>;

    /// Opens an SRTP packet in place; gives the new length. Does not allocate once its SSRC is
    /// known.
    fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError>;

    /// Opens an SRTCP packet in place; gives the new length.
    fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError>;
}

/// Whether a link has a data channel beside RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataChannel {
    /// SCTP over DTLS, one channel.
    Open,
    /// RTP only.
    None,
}
