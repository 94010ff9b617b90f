//! RFC 2198 payloads: several codec frames in one packet, each saying what it is.
//!
//! vjam sends `opus-64` and `pcm` always inside RED, because neither has a payload type that a
//! browser would negotiate: the block header names the codec, whatever payload type carries it.
//! A payload without redundancy costs one byte more than the codec frame alone.

use thiserror::Error;

use crate::rtp::PayloadType;

/// One codec frame of a RED payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// What the frame is; compare with [`crate::codec::Codec::from_payload_type`].
    pub payload_type: PayloadType,
    /// How many frames of media time the block lies before the packet's own timestamp (0..16384).
    pub age_frames: u16,
    /// The codec frame.
    pub bytes: &'a [u8],
}

/// Why a RED payload could not be read; always the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedRed {
    /// The payload ends inside a block header or a block.
    #[error("the RED payload ends inside a block")]
    Truncated,
    /// More blocks than [`BLOCKS_MAX`].
    #[error("the RED payload has more than {BLOCKS_MAX} blocks")]
    TooManyBlocks,
}

/// Blocks that one payload may have; redundancy deeper than three comes too late to be played.
pub const BLOCKS_MAX: usize = 4;

/// Bytes that [`write_primary`] puts before the codec frame.
pub const PRIMARY_HEADER_BYTES: usize = 1;

/// Writes a payload with a single block; gives its length, or `None` where `out` is too short.
#[must_use]
pub fn write_primary(payload_type: PayloadType, frame: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = PRIMARY_HEADER_BYTES + frame.len();
    let out = out.get_mut(..len)?;
    out[0] = payload_type.0 & 0x7f;
    out[PRIMARY_HEADER_BYTES..].copy_from_slice(frame);
    Some(len)
}

/// Bytes that [`write()`] puts before the codec frames for each block but the last.
pub const REDUNDANT_HEADER_BYTES: usize = 4;

/// Writes a payload of several blocks, oldest first, the primary last (its age is not written).
///
/// Gives the length, or `None` where `out` is too short, where there is no block or more than
/// [`BLOCKS_MAX`], or where a redundant block is older (2^14 frames) or longer (2^10 bytes) than
/// its header can say.
#[must_use]
pub fn write(blocks: &[Block<'_>], out: &mut [u8]) -> Option<usize> {
    let (primary, redundant) = blocks.split_last()?;
    if BLOCKS_MAX < blocks.len() {
        return None;
    }
    let mut at = 0;
    for block in redundant {
        let len = u16::try_from(block.bytes.len()).ok().filter(|len| *len < 1 << 10)?;
        if 1 << 14 <= block.age_frames {
            return None;
        }
        let bits = u32::from(block.age_frames) << 10 | u32::from(len);
        let header = out.get_mut(at..at + REDUNDANT_HEADER_BYTES)?;
        header.copy_from_slice(&bits.to_be_bytes());
        header[0] = 0x80 | (block.payload_type.0 & 0x7f);
        at += REDUNDANT_HEADER_BYTES;
    }
    *out.get_mut(at)? = primary.payload_type.0 & 0x7f;
    at += PRIMARY_HEADER_BYTES;
    for block in blocks {
        out.get_mut(at..at + block.bytes.len())?.copy_from_slice(block.bytes);
        at += block.bytes.len();
    }
    Some(at)
}

/// A payload with no more than the `redundant` youngest of its redundant blocks, in two parts that
/// follow each other: headers, and codec frames. What is malformed comes back whole.
#[must_use]
pub fn keep(payload: &[u8], redundant: usize) -> (&[u8], &[u8]) {
    // A single block, as on a clean network, is its own answer.
    let whole = (payload, &[][..]);
    let mut blocks = 0;
    while payload.get(blocks * REDUNDANT_HEADER_BYTES).is_some_and(|first| first & 0x80 != 0) {
        blocks += 1;
    }
    let Some(dropped) = blocks.checked_sub(redundant).filter(|dropped| 0 < *dropped) else {
        return whole;
    };
    let headers_end = blocks * REDUNDANT_HEADER_BYTES + PRIMARY_HEADER_BYTES;
    let (Some(headers), Some(body)) = (payload.get(..headers_end), payload.get(headers_end..))
    else {
        return whole;
    };
    let (gone, kept) = headers.split_at(dropped * REDUNDANT_HEADER_BYTES);
    let len = |header: &[u8]| usize::from(header[2] & 3) << 8 | usize::from(header[3]);
    let gone_bytes: usize = gone.chunks_exact(REDUNDANT_HEADER_BYTES).map(len).sum();
    body.get(gone_bytes..).map_or(whole, |body| (kept, body))
}

/// The blocks of a payload, oldest first, the primary last.
pub fn parse(payload: &[u8]) -> Result<Blocks<'_>, MalformedRed> {
    let mut headers = [(PayloadType(0), 0_u16, 0_usize); BLOCKS_MAX];
    let mut count = 0;
    let mut at = 0;
    loop {
        let first = *payload.get(at).ok_or(MalformedRed::Truncated)?;
        let header = headers.get_mut(count).ok_or(MalformedRed::TooManyBlocks)?;
        count += 1;
        if first & 0x80 == 0 {
            *header = (PayloadType(first), 0, 0);
            at += 1;
            break;
        }
        let rest = payload.get(at + 1..at + 4).ok_or(MalformedRed::Truncated)?;
        let age_frames = u16::from(rest[0]) << 6 | u16::from(rest[1]) >> 2;
        let len = usize::from(rest[1] & 3) << 8 | usize::from(rest[2]);
        *header = (PayloadType(first & 0x7f), age_frames, len);
        at += 4;
    }
    let redundant: usize = headers[..count].iter().map(|header| header.2).sum();
    let body = payload.get(at..).unwrap_or_default();
    let primary = body.len().checked_sub(redundant).ok_or(MalformedRed::Truncated)?;
    headers[count - 1].2 = primary;
    Ok(Blocks { headers, count, next: 0, body })
}

/// Iterator over the blocks of one payload.
#[derive(Debug, Clone)]
pub struct Blocks<'a> {
    headers: [(PayloadType, u16, usize); BLOCKS_MAX],
    count: usize,
    next: usize,
    body: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        if self.next == self.count {
            return None;
        }
        let (payload_type, age_frames, len) = self.headers[self.next];
        self.next += 1;
        let (bytes, rest) = self.body.split_at_checked(len)?;
        self.body = rest;
        Some(Block { payload_type, age_frames, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_block_comes_back() {
        let mut out = [0; 8];
        let len = write_primary(PayloadType::OPUS_64, &[1, 2, 3], &mut out).expect("fits");
        let blocks: Vec<_> = parse(&out[..len]).expect("well formed").collect();
        let expected =
            Block { payload_type: PayloadType::OPUS_64, age_frames: 0, bytes: &[1, 2, 3] };
        assert_eq!(blocks, [expected]);
    }

    #[test]
    fn a_redundant_block_lies_before_the_primary() {
        // F=1 PT=112, offset 64, length 2; then F=0 PT=112.
        let payload = [0x80 | 112, 64 >> 6, (64 & 0x3f) << 2, 2, 112, 9, 9, 7];
        let blocks: Vec<_> = parse(&payload).expect("well formed").collect();
        assert_eq!(blocks[0].age_frames, 64);
        assert_eq!(blocks[0].bytes, [9, 9]);
        assert_eq!(blocks[1].bytes, [7]);
    }

    #[test]
    fn several_blocks_come_back() {
        let block = |age_frames, bytes| Block { payload_type: PayloadType::PCM, age_frames, bytes };
        let blocks = [block(16_383, &[1; 1023][..]), block(64, &[]), block(0, &[2, 3])];
        let mut out = [0; 2048];
        let len = write(&blocks, &mut out).expect("fits");
        assert!(parse(&out[..len]).expect("well formed").eq(blocks));
        assert_eq!(write(&[block(16_384, &[]), block(0, &[])], &mut out), None);
        assert_eq!(write(&blocks, &mut out[..len - 1]), None);
    }

    #[test]
    fn the_youngest_blocks_are_kept() {
        let block = |age_frames, bytes| Block { payload_type: PayloadType::PCM, age_frames, bytes };
        let blocks = [block(128, &[1; 300][..]), block(64, &[2, 2]), block(0, &[3, 3, 3])];
        let mut out = [0; 2048];
        let len = write(&blocks, &mut out).expect("fits");
        for redundant in 0..=3 {
            let (headers, frames) = keep(&out[..len], redundant);
            let kept = [headers, frames].concat();
            let from = 2_usize.saturating_sub(redundant);
            assert!(parse(&kept).expect("well formed").eq(blocks[from..].iter().copied()));
        }
        // Ends inside a header, or inside a block that is to go.
        for broken in [&[0x80 | 112, 0, 3][..], &[0x80 | 112, 0, 3, 0xff, 112, 1], &[0x80; 64]] {
            assert_eq!(keep(broken, 0), (broken, &[][..]));
        }
    }

    #[test]
    fn a_payload_that_promises_too_much_is_truncated() {
        assert_eq!(parse(&[]).err(), Some(MalformedRed::Truncated));
        assert_eq!(parse(&[0x80 | 112, 0, 3, 0xff, 112, 1]).err(), Some(MalformedRed::Truncated));
        assert_eq!(parse(&[0xff; 64]).err(), Some(MalformedRed::TooManyBlocks));
    }
}
