//! Seals what leaves on a link.

use protocol::datagram::Kind;
use protocol::rtp::{self, Ssrc};

use super::cipher::{Cipher, Format, MasterKey, RTCP_HEADER_BYTES};
use super::replay::Windows;
use super::{Profile, SealError};

/// Seals RTP and RTCP packets of one end of a link, any number of streams.
///
/// `Send`, and needed on one thread only. It outlives ICE restarts: dropping it and deriving another
/// from the same handshake is what would break the encryption, so a link gives it out only once.
pub struct SrtpSealer {
    rtp: Cipher,
    rtcp: Cipher,
    profile: Profile,
    streams: Windows,
    /// One counter for the RTCP of every SSRC: simpler than one each, and as unique.
    rtcp_next: u32,
}

impl SrtpSealer {
    pub(super) fn new(profile: Profile, master: &MasterKey) -> Option<Self> {
        Some(Self {
            rtp: Cipher::new(profile, master, Format::Rtp)?,
            rtcp: Cipher::new(profile, master, Format::Rtcp)?,
            profile,
            streams: Windows::new(),
            rtcp_next: 0,
        })
    }

    /// Makes room for a stream ahead of its first packet, so that the packet does not allocate.
    pub fn declare(&mut self, ssrc: Ssrc) -> Result<(), SealError> {
        self.streams.get_or_insert(ssrc).map(drop).ok_or(SealError::Exhausted)
    }

    /// Seals the RTP packet in `buffer[..len]` in place; gives its new length.
    ///
    /// The buffer must have [`Profile::rtp_overhead_bytes`] of room behind the packet. Sequence
    /// numbers may come out of order, by less than 128; a stream's first should lie below 32768,
    /// so that a receiver that misses a few still counts the same rollovers (RFC 3711 §3.3.1).
    pub fn seal(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SealError> {
        let packet = buffer.get(..len).ok_or(SealError::MisuseMalformed)?;
        let header = rtp::header_bytes(packet).map_err(|_| SealError::MisuseMalformed)?;
        let ssrc = Ssrc(u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]));
        let wire = u16::from_be_bytes([packet[2], packet[3]]);
        if buffer.len() < len + self.profile.rtp_overhead_bytes() {
            return Err(SealError::MisuseNoRoom);
        }
        let window = self.streams.get_or_insert(ssrc).ok_or(SealError::Exhausted)?;
        let number = window.extend(wire);
        let index = number.0;
        if !window.is_fresh(number) {
            return Err(SealError::MisuseIndexReused { ssrc, index });
        }
        if INDEX_MAX < index {
            return Err(SealError::Exhausted);
        }
        // Marked before the cipher runs: should that fail, the index is spent all the same.
        window.mark(number);
        self.rtp.seal_rtp(buffer, header, len, ssrc, index).ok_or(SealError::MisuseNoRoom)
    }

    /// Seals the (compound) RTCP packet in `buffer[..len]` in place; gives its new length.
    ///
    /// The buffer must have [`Profile::rtcp_overhead_bytes`] of room behind the packet.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, SealError> {
        let packet = buffer.get(..len).ok_or(SealError::MisuseMalformed)?;
        if Kind::of(packet) != Kind::Rtcp || len < RTCP_HEADER_BYTES {
            return Err(SealError::MisuseMalformed);
        }
        let ssrc = Ssrc(u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]));
        if buffer.len() < len + self.profile.rtcp_overhead_bytes() {
            return Err(SealError::MisuseNoRoom);
        }
        let index = self.rtcp_next;
        if RTCP_INDEX_MAX < index {
            return Err(SealError::Exhausted);
        }
        self.rtcp_next += 1;
        self.rtcp.seal_rtcp(buffer, len, ssrc, index).ok_or(SealError::MisuseNoRoom)
    }

    /// How packets are protected.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }
}

impl core::fmt::Debug for SrtpSealer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SrtpSealer").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// 48 bits: 32 of rollover counter, 16 of sequence number. 12,000 years at 750 packets/s.
const INDEX_MAX: u64 = (1 << 48) - 1;

/// 31 bits (RFC 3711 §3.4): 68 years at one report a second.
const RTCP_INDEX_MAX: u32 = (1 << 31) - 1;
