//! Opens what arrives on a link.

use protocol::datagram::Kind;
use protocol::replay::ReplayWindow;
use protocol::rtp::{self, SequenceNumber, Ssrc};

use super::cipher::{Cipher, Format, MasterKey, RTCP_HEADER_BYTES};
use super::replay::Windows;
use super::{OpenError, Profile};

/// Opens SRTP and SRTCP packets of the other end of a link, any number of streams.
///
/// `Send`, and needed on one thread only. A stream is remembered from its first genuine packet on;
/// forged ones leave no trace. Callers that know their streams should check the SSRC first, which
/// spares the cipher.
pub struct SrtpOpener {
    rtp: Cipher,
    rtcp: Cipher,
    profile: Profile,
    streams: Windows,
    rtcp_streams: Windows,
}

impl SrtpOpener {
    pub(super) fn new(profile: Profile, master: &MasterKey) -> Option<Self> {
        Some(Self {
            rtp: Cipher::new(profile, master, Format::Rtp)?,
            rtcp: Cipher::new(profile, master, Format::Rtcp)?,
            profile,
            streams: Windows::new(),
            rtcp_streams: Windows::new(),
        })
    }

    /// Opens an SRTP packet in place; the RTP packet is then `packet[..length]`.
    pub fn open(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let header = rtp::header_bytes(packet).map_err(|_| OpenError::Malformed)?;
        let ssrc = Ssrc(u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]));
        let wire = u16::from_be_bytes([packet[2], packet[3]]);
        let number = check(&self.streams, ssrc, |window| window.extend(wire))?;
        let len =
            self.rtp.open_rtp(packet, header, ssrc, number.0).map_err(|_| OpenError::Forged)?;
        self.streams.get_or_insert(ssrc).ok_or(OpenError::Exhausted)?.mark(number);
        Ok(len)
    }

    /// Opens an SRTCP packet in place; the RTCP packet is then `packet[..length]`.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        if Kind::of(packet) != Kind::Rtcp || packet.len() < RTCP_HEADER_BYTES {
            return Err(OpenError::Malformed);
        }
        let ssrc = Ssrc(u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]));
        let claimed = self.rtcp.rtcp_index(packet).ok_or(OpenError::Malformed)?;
        let claimed = SequenceNumber(u64::from(claimed));
        let number = check(&self.rtcp_streams, ssrc, |_| claimed)?;
        let len = self.rtcp.open_rtcp(packet, ssrc).map_err(|_| OpenError::Forged)?;
        self.rtcp_streams.get_or_insert(ssrc).ok_or(OpenError::Exhausted)?.mark(number);
        Ok(len)
    }

    /// How packets are protected.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The highest packet index opened so far for a stream: rollovers times 65,536 plus sequence
    /// number.
    #[must_use]
    pub fn highest_index(&self, ssrc: Ssrc) -> Option<u64> {
        Some(self.streams.get(ssrc)?.highest()?.0)
    }
}

impl core::fmt::Debug for SrtpOpener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SrtpOpener").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// The number of a packet, if it could be new; changes nothing, because the packet may be forged.
fn check(
    streams: &Windows,
    ssrc: Ssrc,
    number: impl FnOnce(&ReplayWindow) -> SequenceNumber,
) -> Result<SequenceNumber, OpenError> {
    match streams.get(ssrc) {
        None if !streams.has_room() => Err(OpenError::Exhausted),
        None => Ok(number(&ReplayWindow::EMPTY)),
        Some(window) => {
            let number = number(window);
            if window.is_fresh(number) { Ok(number) } else { Err(OpenError::Replayed) }
        }
    }
}
