//! SRTP and SRTCP (RFC 3711, RFC 7714) for one link: [`SrtpSealer`] for what leaves,
//! [`SrtpOpener`] for what arrives, each independent and `Send`, so that a native client can seal
//! on one thread and open on another.
//!
//! Packets are sealed and opened in place in the caller's buffer; nothing allocates per packet.
//! No retransmission, no key change within a DTLS session, no MKI.
//!
//! What surprises: the sealer keeps a replay window too. Forwarded packets may be sealed out of
//! order, and the window is what guarantees that no index of an SSRC is ever sealed twice, whatever
//! the callers do. Neither half ever forgets an SSRC.

mod cipher;
mod opener;
mod replay;
mod sealer;
#[cfg(test)]
mod vectors;

use protocol::rtp::Ssrc;
use thiserror::Error;

use cipher::MasterKey;
pub use opener::SrtpOpener;
pub use sealer::SrtpSealer;

/// Bytes that sealing adds at most: a 16-byte tag, and for SRTCP the 4-byte index.
pub const OVERHEAD_BYTES_MAX: usize = 20;

/// How packets are protected, as the DTLS handshake negotiated it (RFC 5764 §4.1.2, RFC 7714).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// `AEAD_AES_256_GCM`: preferred.
    AeadAes256Gcm,
    /// `AEAD_AES_128_GCM`.
    AeadAes128Gcm,
    /// `AES_CM_128_HMAC_SHA1_80`: five times the cost, for ends that have nothing else.
    AesCm128HmacSha1,
}

impl Profile {
    const fn key_bytes(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            Self::AeadAes128Gcm | Self::AesCm128HmacSha1 => 16,
        }
    }

    const fn salt_bytes(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 12,
            Self::AesCm128HmacSha1 => 14,
        }
    }

    /// Bytes that sealing adds to an RTP packet.
    #[must_use]
    pub const fn rtp_overhead_bytes(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 16,
            Self::AesCm128HmacSha1 => 10,
        }
    }

    /// Bytes that sealing adds to an RTCP packet.
    #[must_use]
    pub const fn rtcp_overhead_bytes(self) -> usize {
        self.rtp_overhead_bytes() + 4
    }
}

/// The master keys of both ends that a DTLS handshake yielded.
#[derive(Clone)]
pub struct SessionKeys {
    profile: Profile,
    client: MasterKey,
    server: MasterKey,
}

impl SessionKeys {
    /// Takes apart what the handshake exported (RFC 5764 §4.2: client key, server key, client
    /// salt, server salt); `None` where the length does not fit the profile.
    #[must_use]
    pub fn from_dtls(profile: Profile, material: &[u8]) -> Option<Self> {
        let (keys, salts) = material.split_at_checked(2 * profile.key_bytes())?;
        if salts.len() != 2 * profile.salt_bytes() {
            return None;
        }
        let (client_key, server_key) = keys.split_at(profile.key_bytes());
        let (client_salt, server_salt) = salts.split_at(profile.salt_bytes());
        Some(Self {
            profile,
            client: MasterKey::new(client_key, client_salt)?,
            server: MasterKey::new(server_key, server_salt)?,
        })
    }

    /// The profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Both halves for the DTLS server.
    #[must_use]
    pub fn server_halves(&self) -> Option<(SrtpSealer, SrtpOpener)> {
        Some((
            SrtpSealer::new(self.profile, &self.server)?,
            SrtpOpener::new(self.profile, &self.client)?,
        ))
    }

    /// Both halves for the DTLS client.
    #[must_use]
    pub fn client_halves(&self) -> Option<(SrtpSealer, SrtpOpener)> {
        Some((
            SrtpSealer::new(self.profile, &self.client)?,
            SrtpOpener::new(self.profile, &self.server)?,
        ))
    }
}

impl core::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SessionKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Why a packet was not sealed; always our own side's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// Not an RTP or RTCP packet.
    #[error("not a packet that could be sealed")]
    MisuseMalformed,
    /// The buffer has no room for the tag.
    #[error("the buffer has no room for the tag")]
    MisuseNoRoom,
    /// The index of this SSRC was sealed before, or lies too far behind to know.
    #[error("sequence number {index} of {ssrc:?} was sealed before")]
    MisuseIndexReused {
        /// The stream.
        ssrc: Ssrc,
        /// The 48-bit index (31-bit for SRTCP).
        index: u64,
    },
    /// More SSRCs than [`crate::limits::SSRCS_MAX`], or all indices of one used up.
    #[error("the link has sealed all the streams or packets that it may")]
    Exhausted,
}

/// Why a packet was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not an SRTP or SRTCP packet.
    #[error("not an SRTP packet")]
    Malformed,
    /// Opened before, or too old to know.
    #[error("opened before")]
    Replayed,
    /// Not made by the other end, or changed on the way.
    #[error("the tag does not fit")]
    Forged,
    /// More SSRCs than [`crate::limits::SSRCS_MAX`].
    #[error("more streams than a link may have")]
    Exhausted,
}
