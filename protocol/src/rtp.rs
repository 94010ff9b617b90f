//! RTP packets (RFC 3550 §5.1): reading and writing the header, extending sequence numbers.
//!
//! What surprises: [`Packet::parse`] checks the whole packet including padding, so that the
//! payload it hands out is what the sender meant; an empty payload is well formed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::time::ShortTime;

/// Identifies one RTP packet stream.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Ssrc(pub u32);

/// The 7-bit number that says how a payload is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PayloadType(pub u8);

impl PayloadType {
    /// Ordinary Opus, on the native transport and inside RED.
    pub const OPUS: Self = Self(111);
    /// RED on the native transport.
    pub const RED: Self = Self(63);
    /// Opus custom mode with 64-sample frames, only ever inside RED.
    pub const OPUS_64: Self = Self(112);
    /// 16-bit PCM in 64-frame packets, only ever inside RED.
    pub const PCM: Self = Self(113);
}

/// Bytes of the header that vjam writes, without CSRC and extension.
pub const HEADER_BYTES: usize = 12;

/// Bytes of the header extension that says when a packet was captured: the header of RFC 8285 §4.2, and one
/// element with three bytes. The 64-bit format of `abs-capture-time` would take 16: 96 kbit/s more for a stream of
/// `opus-64` instead of 48.
pub const CAPTURE_TIME_BYTES: usize = 8;

/// The local identifier of the capture time on links of our engines, which agree on nothing.
pub const CAPTURE_TIME_ID: u8 = 1;

/// Why a packet could not be read; always the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedPacket {
    /// Shorter than its own header claims.
    #[error("the RTP packet ends inside its header")]
    Truncated,
    /// Not version 2.
    #[error("the RTP version is {0}, not 2")]
    Version(u8),
    /// More padding than payload, or none where the flag promised some.
    #[error("the RTP padding is longer than the payload")]
    Padding,
}

/// One RTP packet, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// First packet after silence (RFC 3551 §4.1).
    pub marker: bool,
    /// When the first frame of the payload was captured, on the room's clock, in a header extension.
    pub capture_time: Option<ShortTime>,
    /// How the payload is coded.
    pub payload_type: PayloadType,
    /// Sequence number as on the wire; extend with [`SequenceNumber::extend`].
    pub sequence_number: u16,
    /// Timestamp as on the wire; extend with [`crate::time::MediaTime::extend`].
    pub timestamp: u32,
    /// The packet stream.
    pub ssrc: Ssrc,
    /// What the packet carries, padding removed.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a packet; CSRCs and other header extensions are skipped.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MalformedPacket> {
        let payload_start = header_bytes(bytes)?;
        let mut payload = bytes.get(payload_start..).ok_or(MalformedPacket::Truncated)?;
        if bytes[0] & 0x20 != 0 {
            let padding = usize::from(*payload.last().ok_or(MalformedPacket::Padding)?);
            let kept = payload.len().checked_sub(padding).ok_or(MalformedPacket::Padding)?;
            if padding == 0 {
                return Err(MalformedPacket::Padding);
            }
            payload = &payload[..kept];
        }
        Ok(Self {
            marker: bytes[1] & 0x80 != 0,
            capture_time: capture_time(bytes),
            payload_type: PayloadType(bytes[1] & 0x7f),
            sequence_number: u16::from_be_bytes([bytes[2], bytes[3]]),
            timestamp: u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            ssrc: Ssrc(u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]])),
            payload,
        })
    }

    /// Writes the header into the start of `out`, of [`HEADER_BYTES`] and where there is a capture time
    /// [`CAPTURE_TIME_BYTES`] more; gives its length, `None` where `out` is too short.
    ///
    /// The payload is the caller's to copy behind it: on the forwarding path it often lies there
    /// already.
    #[must_use]
    pub fn write_header(&self, out: &mut [u8]) -> Option<usize> {
        let (out, rest) = out.split_first_chunk_mut::<HEADER_BYTES>()?;
        out[0] = 0x80 | u8::from(self.capture_time.is_some()) << 4;
        out[1] = u8::from(self.marker) << 7 | (self.payload_type.0 & 0x7f);
        out[2..4].copy_from_slice(&self.sequence_number.to_be_bytes());
        out[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        out[8..12].copy_from_slice(&self.ssrc.0.to_be_bytes());
        let Some(time) = self.capture_time else { return Some(HEADER_BYTES) };
        let rest = rest.first_chunk_mut::<CAPTURE_TIME_BYTES>()?;
        let [a, b, c] = time.to_bytes();
        // One word; the length of the element is one less than it is.
        *rest = [0xbe, 0xde, 0, 1, CAPTURE_TIME_ID << 4 | 2, a, b, c];
        Some(HEADER_BYTES + CAPTURE_TIME_BYTES)
    }

    /// Writes header and payload; gives the length, or `None` where `out` is too short.
    #[must_use]
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let start = self.write_header(out)?;
        let len = start + self.payload.len();
        out.get_mut(start..len)?.copy_from_slice(self.payload);
        Some(len)
    }
}

/// The capture time in the header extension of a packet whose header is complete. Elements of other
/// identifiers and lengths are skipped, and so is an extension of another form.
fn capture_time(bytes: &[u8]) -> Option<ShortTime> {
    if bytes.first()? & 0x10 == 0 {
        return None;
    }
    let start = HEADER_BYTES + 4 * usize::from(bytes[0] & 0x0f);
    let (header, rest) = bytes.get(start..)?.split_first_chunk::<4>()?;
    let [0xbe, 0xde, words @ ..] = *header else { return None };
    let mut elements = rest.get(..4 * usize::from(u16::from_be_bytes(words)))?;
    while let [first, after @ ..] = elements {
        let (id, len) = (first >> 4, usize::from(first & 0x0f) + 1);
        elements = match id {
            // Padding has no length, and nothing follows 15.
            0 => after,
            15 => return None,
            _ => {
                let (element, rest) = after.split_at_checked(len)?;
                if id == CAPTURE_TIME_ID
                    && let Ok(time) = <[u8; 3]>::try_from(element)
                {
                    return Some(ShortTime::from_bytes(time));
                }
                rest
            }
        };
    }
    None
}

/// Where the payload of a packet starts: header, CSRCs and extension counted.
///
/// SRTP needs it before the payload can be decrypted (RFC 3711 §3.1).
pub fn header_bytes(bytes: &[u8]) -> Result<usize, MalformedPacket> {
    if bytes.len() < HEADER_BYTES {
        return Err(MalformedPacket::Truncated);
    }
    let version = bytes[0] >> 6;
    if version != 2 {
        return Err(MalformedPacket::Version(version));
    }
    let mut len = HEADER_BYTES + 4 * usize::from(bytes[0] & 0x0f);
    if bytes[0] & 0x10 != 0 {
        let extension = bytes.get(len..len + 4).ok_or(MalformedPacket::Truncated)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    if len <= bytes.len() { Ok(len) } else { Err(MalformedPacket::Truncated) }
}

/// A sequence number extended to 64 bits, so that it never wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SequenceNumber(pub u64);

impl SequenceNumber {
    /// Extends a wire sequence number to the value nearest to `self`, the highest seen so far.
    ///
    /// Never below zero: near the start a number from "before" maps upwards (RFC 3711 appendix A
    /// guesses the rollover counter the same way).
    #[must_use]
    pub const fn extend(self, wire: u16) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "RTP carries the low 16 bits")]
        let step = wire.wrapping_sub(self.0 as u16).cast_signed();
        match self.0.checked_add_signed(step as i64) {
            Some(number) => Self(number),
            None => Self(wire as u64),
        }
    }

    /// The 16 bits that RTP carries.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "RTP carries the low 16 bits")]
    pub const fn wire(self) -> u16 {
        self.0 as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Packet<'_> {
        Packet {
            marker: true,
            capture_time: None,
            payload_type: PayloadType::OPUS,
            sequence_number: 0xfffe,
            timestamp: 0xdead_beef,
            ssrc: Ssrc(0x0102_0304),
            payload,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = [0; 64];
        let len = packet(b"hello").write(&mut out).expect("fits");
        assert_eq!(Packet::parse(&out[..len]), Ok(packet(b"hello")));
    }

    #[test]
    fn a_capture_time_is_read_back_and_its_length_is_always_the_same() {
        for time in [[0; 3], [0xff; 3], [0x12, 0x34, 0x56]] {
            let capture_time = Some(ShortTime::from_bytes(time));
            let packet = Packet { capture_time, ..packet(b"hello") };
            let mut out = [0xff; 64];
            let len = packet.write(&mut out).expect("fits");
            assert_eq!(len, HEADER_BYTES + CAPTURE_TIME_BYTES + 5);
            assert_eq!(header_bytes(&out), Ok(HEADER_BYTES + CAPTURE_TIME_BYTES));
            assert_eq!(Packet::parse(&out[..len]), Ok(packet));
            assert_eq!(packet.write(&mut out[..len - 1]), None);
            assert_eq!(packet.write_header(&mut out[..19]), None);
        }
    }

    #[test]
    fn other_extensions_are_no_capture_time() {
        let with = |extension: &[u8]| {
            let mut bytes = vec![0x90, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
            bytes.extend(extension);
            bytes.extend([42]);
            Packet::parse(&bytes).expect("well formed").capture_time
        };
        let one_byte = |elements: &[u8]| {
            let words = u8::try_from(elements.len() / 4).expect("short");
            [&[0xbe, 0xde, 0, words], elements].concat()
        };
        let expected = Some(ShortTime::from_bytes([1, 2, 3]));
        assert_eq!(with(&one_byte(&[0x12, 1, 2, 3])), expected);
        // Behind padding and another element.
        assert_eq!(with(&one_byte(&[0, 0x20, 9, 0x12, 1, 2, 3, 0])), expected);
        // Another identifier, too short, too long, the end before it, cut off, the other form.
        assert_eq!(with(&one_byte(&[0x22, 1, 2, 3])), None);
        assert_eq!(with(&one_byte(&[0x11, 1, 2, 0])), None);
        assert_eq!(with(&one_byte(&[0x13, 1, 2, 3, 4, 0, 0, 0])), None);
        assert_eq!(with(&one_byte(&[0xf0, 0x12, 1, 2])), None);
        assert_eq!(with(&one_byte(&[0x15, 1, 2, 3])), None);
        assert_eq!(with(&[0x10, 0, 0, 0]), None);
    }

    #[test]
    fn extension_csrc_and_padding_are_not_payload() {
        let mut bytes = vec![0x80 | 0x20 | 0x10 | 1, 111, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([0, 0, 0, 9]);
        bytes.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
        bytes.extend([42, 43, 0, 2]);
        assert_eq!(Packet::parse(&bytes).map(|packet| packet.payload), Ok(&[42, 43][..]));
    }

    #[test]
    fn broken_packets_are_named() {
        assert_eq!(Packet::parse(&[0x80; 11]), Err(MalformedPacket::Truncated));
        assert_eq!(Packet::parse(&[0x40; 12]), Err(MalformedPacket::Version(1)));
        let mut padded = [0_u8; 13];
        padded[0] = 0xa0;
        assert_eq!(Packet::parse(&padded), Err(MalformedPacket::Padding));
        padded[12] = 2;
        assert_eq!(Packet::parse(&padded), Err(MalformedPacket::Padding));
    }

    #[test]
    fn sequence_numbers_extend_to_the_nearest() {
        assert_eq!(SequenceNumber(0xffff).extend(1), SequenceNumber(0x1_0001));
        assert_eq!(SequenceNumber(0x1_0001).extend(0xffff), SequenceNumber(0xffff));
        assert_eq!(SequenceNumber(0).extend(0xffff), SequenceNumber(0xffff));
    }
}
