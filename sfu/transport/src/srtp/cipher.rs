//! The transforms: key derivation (RFC 3711 §4.3), AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1
//! (RFC 3711 §4.1, §4.2), in place.
//!
//! Indices are the caller's to guard; nothing here remembers a packet.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{constant_time, hmac};
use protocol::rtp::Ssrc;

use super::Profile;

/// A master key with its salt.
#[derive(Clone)]
pub(super) struct MasterKey {
    key: [u8; 32],
    key_bytes: usize,
    /// Shorter salts are padded with zeros at the end (RFC 7714 §11).
    salt: [u8; 14],
}

impl MasterKey {
    pub(super) fn new(key: &[u8], salt: &[u8]) -> Option<Self> {
        let mut master = Self { key: [0; 32], key_bytes: key.len(), salt: [0; 14] };
        master.key.get_mut(..key.len())?.copy_from_slice(key);
        master.salt.get_mut(..salt.len())?.copy_from_slice(salt);
        Some(master)
    }

    /// Fills `out` with the key that `label` names: AES in counter mode over zeros, from the salt
    /// with the label in its eighth byte.
    pub(super) fn derive(&self, label: u8, out: &mut [u8]) -> Option<()> {
        let algorithm = if self.key_bytes == 32 { &AES_256 } else { &AES_128 };
        let key = UnboundCipherKey::new(algorithm, self.key.get(..self.key_bytes)?).ok()?;
        let key = EncryptingKey::ctr(key).ok()?;
        let mut counter = [0; 16];
        counter[..14].copy_from_slice(&self.salt);
        counter[7] ^= label;
        out.fill(0);
        let context = EncryptionContext::Iv128(FixedLength::from(&counter));
        key.less_safe_encrypt(out, context).ok()?;
        Some(())
    }
}

/// Which of the two packet formats a key is for; gives the derivation labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Rtp,
    Rtcp,
}

impl Format {
    /// Labels of encryption key, authentication key and salt (RFC 3711 §4.3.2).
    const fn labels(self) -> [u8; 3] {
        match self {
            Self::Rtp => [0, 1, 2],
            Self::Rtcp => [3, 4, 5],
        }
    }
}

/// The session key of one direction and one packet format.
pub(super) enum Cipher {
    Gcm { key: Box<LessSafeKey>, salt: [u8; 12] },
    CmSha1 { key: Box<EncryptingKey>, salt: [u8; 14], auth: Box<hmac::Key> },
}

/// The packet was not made with this key.
pub(super) struct Forged;

const GCM_TAG_BYTES: usize = 16;
const SHA1_TAG_BYTES: usize = 10;
/// "Encrypted" flag in front of the SRTCP index.
const SRTCP_ENCRYPTED: u32 = 0x8000_0000;
/// Bytes of an SRTCP packet that stay readable.
pub(super) const RTCP_HEADER_BYTES: usize = 8;

impl Cipher {
    pub(super) fn new(profile: Profile, master: &MasterKey, format: Format) -> Option<Self> {
        let [encryption, authentication, salting] = format.labels();
        let mut key = [0; 32];
        let key = &mut key[..profile.key_bytes()];
        master.derive(encryption, key)?;
        match profile {
            Profile::AeadAes256Gcm | Profile::AeadAes128Gcm => {
                let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
                let mut salt = [0; 12];
                master.derive(salting, &mut salt)?;
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
                Some(Self::Gcm { key: Box::new(key), salt })
            }
            Profile::AesCm128HmacSha1 => {
                let mut salt = [0; 14];
                master.derive(salting, &mut salt)?;
                let mut auth = [0; 20];
                master.derive(authentication, &mut auth)?;
                let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, key).ok()?).ok()?;
                let auth = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &auth);
                Some(Self::CmSha1 { key: Box::new(key), salt, auth: Box::new(auth) })
            }
        }
    }

    /// An AES-GCM cipher with a session key instead of a derived one, for published vectors.
    #[cfg(test)]
    pub(super) fn with_session_key(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        let algorithm = match profile {
            Profile::AeadAes256Gcm => &AES_256_GCM,
            Profile::AeadAes128Gcm => &AES_128_GCM,
            Profile::AesCm128HmacSha1 => return None,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        Some(Self::Gcm { key: Box::new(key), salt: salt.try_into().ok()? })
    }

    /// Seals the RTP packet in `buffer[..len]`, whose payload starts at `header`; gives the new
    /// length, or `None` where the buffer is too short.
    pub(super) fn seal_rtp(
        &self,
        buffer: &mut [u8],
        header: usize,
        len: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Option<usize> {
        match self {
            Self::Gcm { key, salt } => {
                let packet = buffer.get_mut(..len + GCM_TAG_BYTES)?;
                let (aad, body) = packet.split_at_mut(header);
                let (body, room) = body.split_at_mut(len - header);
                let nonce = gcm_rtp_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*aad), body).ok()?;
                room.copy_from_slice(tag.as_ref());
                Some(len + GCM_TAG_BYTES)
            }
            Self::CmSha1 { key, salt, auth } => {
                let packet = buffer.get_mut(..len + SHA1_TAG_BYTES)?;
                cm_apply(key, salt, ssrc, index, &mut packet[header..len])?;
                let tag = sha1_rtp_tag(auth, packet, len, index);
                packet[len..].copy_from_slice(&tag.as_ref()[..SHA1_TAG_BYTES]);
                Some(len + SHA1_TAG_BYTES)
            }
        }
    }

    /// Opens an SRTP packet whose payload starts at `header`; gives the length without the tag.
    pub(super) fn open_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        ssrc: Ssrc,
        index: u64,
    ) -> Result<usize, Forged> {
        match self {
            Self::Gcm { key, salt } => {
                let (aad, body) = packet.split_at_mut_checked(header).ok_or(Forged)?;
                let nonce = gcm_rtp_nonce(salt, ssrc, index);
                let plain = key.open_in_place(nonce, Aad::from(&*aad), body);
                plain.map(|plain| header + plain.len()).map_err(|_| Forged)
            }
            Self::CmSha1 { key, salt, auth } => {
                let len = packet.len().checked_sub(SHA1_TAG_BYTES).ok_or(Forged)?;
                if len < header {
                    return Err(Forged);
                }
                let mut claimed = [0; SHA1_TAG_BYTES];
                claimed.copy_from_slice(&packet[len..]);
                let tag = sha1_rtp_tag(auth, packet, len, index);
                verify(&tag, &claimed)?;
                cm_apply(key, salt, ssrc, index, &mut packet[header..len]).ok_or(Forged)?;
                Ok(len)
            }
        }
    }

    /// Seals the RTCP packet in `buffer[..len]`.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        len: usize,
        ssrc: Ssrc,
        index: u32,
    ) -> Option<usize> {
        let word = (SRTCP_ENCRYPTED | index).to_be_bytes();
        match self {
            Self::Gcm { key, salt } => {
                let total = len + GCM_TAG_BYTES + word.len();
                let packet = buffer.get_mut(..total)?;
                let (header, body) = packet.split_at_mut(RTCP_HEADER_BYTES);
                let (body, room) = body.split_at_mut(len - RTCP_HEADER_BYTES);
                let aad = gcm_rtcp_aad(header, word);
                let nonce = gcm_rtcp_nonce(salt, ssrc, index);
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok()?;
                room[..GCM_TAG_BYTES].copy_from_slice(tag.as_ref());
                room[GCM_TAG_BYTES..].copy_from_slice(&word);
                Some(total)
            }
            Self::CmSha1 { key, salt, auth } => {
                let total = len + word.len() + SHA1_TAG_BYTES;
                let packet = buffer.get_mut(..total)?;
                let body = &mut packet[RTCP_HEADER_BYTES..len];
                cm_apply(key, salt, ssrc, u64::from(index), body)?;
                packet[len..len + 4].copy_from_slice(&word);
                let tag = hmac::sign(auth, &packet[..len + 4]);
                packet[len + 4..].copy_from_slice(&tag.as_ref()[..SHA1_TAG_BYTES]);
                Some(total)
            }
        }
    }

    /// Opens an SRTCP packet; gives the length of the RTCP packet.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: Ssrc) -> Result<usize, Forged> {
        let word = self.rtcp_word(packet).ok_or(Forged)?;
        let index = u32::from_be_bytes(word) & !SRTCP_ENCRYPTED;
        if u32::from_be_bytes(word) & SRTCP_ENCRYPTED == 0 {
            // Authenticated but readable SRTCP: no WebRTC end sends it.
            return Err(Forged);
        }
        match self {
            Self::Gcm { key, salt } => {
                let sealed = packet.len() - word.len();
                let (header, body) = packet[..sealed].split_at_mut(RTCP_HEADER_BYTES);
                let aad = gcm_rtcp_aad(header, word);
                let nonce = gcm_rtcp_nonce(salt, ssrc, index);
                let plain = key.open_in_place(nonce, Aad::from(aad), body);
                plain.map(|plain| RTCP_HEADER_BYTES + plain.len()).map_err(|_| Forged)
            }
            Self::CmSha1 { key, salt, auth } => {
                let tag_at = packet.len() - SHA1_TAG_BYTES;
                let tag = hmac::sign(auth, &packet[..tag_at]);
                verify(&tag, &packet[tag_at..])?;
                let len = tag_at - word.len();
                let body = &mut packet[RTCP_HEADER_BYTES..len];
                cm_apply(key, salt, ssrc, u64::from(index), body).ok_or(Forged)?;
                Ok(len)
            }
        }
    }

    /// The index that an SRTCP packet claims; `None` where it is too short to have one.
    pub(super) fn rtcp_index(&self, packet: &[u8]) -> Option<u32> {
        self.rtcp_word(packet).map(|word| u32::from_be_bytes(word) & !SRTCP_ENCRYPTED)
    }

    fn rtcp_word(&self, packet: &[u8]) -> Option<[u8; 4]> {
        let (after, tag) = match self {
            Self::Gcm { .. } => (0, GCM_TAG_BYTES),
            Self::CmSha1 { .. } => (SHA1_TAG_BYTES, SHA1_TAG_BYTES),
        };
        if packet.len() < RTCP_HEADER_BYTES + tag + 4 {
            return None;
        }
        packet[..packet.len() - after].last_chunk().copied()
    }
}

fn gcm_rtp_nonce(salt: &[u8; 12], ssrc: Ssrc, index: u64) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], ssrc.0.to_be_bytes());
    let [_, _, index @ ..] = index.to_be_bytes();
    xor(&mut nonce[6..12], index);
    Nonce::assume_unique_for_key(nonce)
}

fn gcm_rtcp_nonce(salt: &[u8; 12], ssrc: Ssrc, index: u32) -> Nonce {
    let mut nonce = *salt;
    xor(&mut nonce[2..6], ssrc.0.to_be_bytes());
    xor(&mut nonce[8..12], index.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn gcm_rtcp_aad(header: &[u8], word: [u8; 4]) -> [u8; RTCP_HEADER_BYTES + 4] {
    let mut aad = [0; RTCP_HEADER_BYTES + 4];
    aad[..RTCP_HEADER_BYTES].copy_from_slice(header);
    aad[RTCP_HEADER_BYTES..].copy_from_slice(&word);
    aad
}

fn cm_apply(
    key: &EncryptingKey,
    salt: &[u8; 14],
    ssrc: Ssrc,
    index: u64,
    body: &mut [u8],
) -> Option<()> {
    let mut counter = [0; 16];
    counter[..14].copy_from_slice(salt);
    xor(&mut counter[4..8], ssrc.0.to_be_bytes());
    let [_, _, index @ ..] = index.to_be_bytes();
    xor(&mut counter[8..14], index);
    let context = EncryptionContext::Iv128(FixedLength::from(&counter));
    key.less_safe_encrypt(body, context).ok().map(drop)
}

/// The tag over a packet and its rollover counter, which is put behind the packet for the moment
/// (where the tag belongs) so that one pass covers both.
fn sha1_rtp_tag(auth: &hmac::Key, packet: &mut [u8], len: usize, index: u64) -> hmac::Tag {
    let [_, _, rollover @ .., _, _] = index.to_be_bytes();
    packet[len..len + 4].copy_from_slice(&rollover);
    hmac::sign(auth, &packet[..len + 4])
}

fn verify(tag: &hmac::Tag, claimed: &[u8]) -> Result<(), Forged> {
    let made = &tag.as_ref()[..SHA1_TAG_BYTES];
    constant_time::verify_slices_are_equal(made, claimed).map_err(|_| Forged)
}

fn xor<const N: usize>(target: &mut [u8], bytes: [u8; N]) {
    for (target, byte) in target.iter_mut().zip(bytes) {
        *target ^= byte;
    }
}
