//! What of SCTP (RFC 9260) may reach the library: the one data channel's messages, and what keeps
//! the association alive.
//!
//! `sctp-proto` 0.10 makes a stream for every stream number that a peer names, walks all of them
//! for every chunk, keeps fragments and ordered messages until their neighbors come, and keeps what
//! follows a missing chunk for as long as that is missing. So a participant who means no good could
//! cost the one media thread milliseconds with every datagram. Here such packets are dropped, as
//! the network might have done: whoever is honest sends none, or gets over it.
//!
//! What surprises: the packet is not authenticated here, nor its checksum looked at. It comes out
//! of DTLS, and what passes is parsed again.

use crate::limits::{SCTP_AHEAD_MAX_CHUNKS, SCTP_INITS_MAX};

/// What to do with a packet of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Drop,
}

/// Looks at the SCTP packets of one association, both ways.
#[derive(Debug, Default)]
pub(crate) struct SctpGuard {
    /// Up to where this end has acknowledged everything.
    acknowledged: Option<u32>,
    /// Chunks of data that came before anything was acknowledged.
    early_chunks: u32,
    inits: u32,
}

impl SctpGuard {
    /// Looks at a packet of the other end.
    pub(crate) fn incoming(&mut self, packet: &[u8]) -> Verdict {
        let mut rest = packet.get(COMMON_HEADER_BYTES..).unwrap_or_default();
        while !rest.is_empty() {
            let Some((chunk, after)) = Chunk::split(rest) else { return Verdict::Drop };
            if !self.allows(&chunk) {
                return Verdict::Drop;
            }
            rest = after;
        }
        Verdict::Pass
    }

    /// Looks at a packet of this end, for what it acknowledges.
    pub(crate) fn outgoing(&mut self, packet: &[u8]) {
        let mut rest = packet.get(COMMON_HEADER_BYTES..).unwrap_or_default();
        while let Some((chunk, after)) = Chunk::split(rest) {
            if chunk.kind == SACK {
                self.acknowledged = chunk.u32_at(0).or(self.acknowledged);
            }
            rest = after;
        }
    }

    fn allows(&mut self, chunk: &Chunk<'_>) -> bool {
        match chunk.kind {
            DATA => {
                let on_channel = chunk.u16_at(4) == Some(CHANNEL_STREAM);
                let form = chunk.flags & (UNORDERED | BEGINNING | ENDING);
                on_channel
                    && form == UNORDERED | BEGINNING | ENDING
                    && chunk.u32_at(0).is_some_and(|number| self.is_near(number))
            }
            // Every initiate tag would be another association to the library.
            INIT => {
                self.inits = self.inits.saturating_add(1);
                self.inits <= SCTP_INITS_MAX
            }
            FORWARD_TSN => {
                let streams = chunk.value.get(4..).unwrap_or_default();
                streams.chunks(4).all(|stream| stream.starts_with(&CHANNEL_STREAM.to_be_bytes()))
            }
            // The channel lives as long as its link: its stream is never reset.
            RE_CONFIG => false,
            _ => true,
        }
    }

    /// Whether a chunk of data is not so far ahead that too many would wait for those before it.
    fn is_near(&mut self, number: u32) -> bool {
        let Some(acknowledged) = self.acknowledged else {
            self.early_chunks = self.early_chunks.saturating_add(1);
            return self.early_chunks <= SCTP_AHEAD_MAX_CHUNKS;
        };
        // Serial number arithmetic (RFC 1982): half of all numbers lie behind.
        let ahead = number.wrapping_sub(acknowledged);
        ahead <= SCTP_AHEAD_MAX_CHUNKS || i32::MAX as u32 <= ahead
    }
}

struct Chunk<'a> {
    kind: u8,
    flags: u8,
    value: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The chunk at the start of `bytes` and what follows it and its padding.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let header = bytes.first_chunk::<CHUNK_HEADER_BYTES>()?;
        let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let value = bytes.get(CHUNK_HEADER_BYTES..len)?;
        let after = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((Self { kind: header[0], flags: header[1], value }, after))
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(*self.value.get(at..)?.first_chunk()?))
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(*self.value.get(at..)?.first_chunk()?))
    }
}

/// The stream of the one data channel, negotiated out of band.
pub(crate) const CHANNEL_STREAM: u16 = 0;

const COMMON_HEADER_BYTES: usize = 12;
const CHUNK_HEADER_BYTES: usize = 4;

const DATA: u8 = 0;
const INIT: u8 = 1;
const SACK: u8 = 3;
const RE_CONFIG: u8 = 130;
const FORWARD_TSN: u8 = 192;

const UNORDERED: u8 = 4;
const BEGINNING: u8 = 2;
const ENDING: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(chunks: &[(u8, u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; COMMON_HEADER_BYTES];
        for (kind, flags, value) in chunks {
            bytes.extend([*kind, *flags]);
            bytes.extend(u16::try_from(4 + value.len()).expect("short").to_be_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn data(number: u32, stream: u16) -> Vec<u8> {
        let mut value = number.to_be_bytes().to_vec();
        value.extend(stream.to_be_bytes());
        value.extend(*b"\0\0\0\0\0\x35payload");
        value
    }

    fn check_data(guard: &mut SctpGuard, number: u32, expected: Verdict) {
        let verdict = guard.incoming(&packet(&[(DATA, 7, &data(number, 0))]));
        assert_eq!(verdict, expected, "{number}");
    }

    #[test]
    fn whole_unordered_messages_of_the_channel_pass_and_no_others() {
        let mut guard = SctpGuard::default();
        let (own, foreign) = (data(1, 0), data(1, 1));
        assert_eq!(guard.incoming(&packet(&[(DATA, 7, &own), (DATA, 15, &own)])), Verdict::Pass);
        for flags in [0, 1, 2, 3, 4, 5, 6] {
            assert_eq!(guard.incoming(&packet(&[(DATA, flags, &own)])), Verdict::Drop, "{flags}");
        }
        let second = packet(&[(DATA, 7, &own), (DATA, 7, &foreign)]);
        assert_eq!(guard.incoming(&second), Verdict::Drop);
    }

    #[test]
    fn data_far_ahead_of_what_is_acknowledged_is_dropped() {
        let mut guard = SctpGuard::default();
        for acknowledged in [1000, u32::MAX - 3] {
            guard.outgoing(&packet(&[(9, 0, b""), (SACK, 0, &acknowledged.to_be_bytes())]));
            let ahead = |chunks| acknowledged.wrapping_add(chunks);
            check_data(&mut guard, ahead(SCTP_AHEAD_MAX_CHUNKS), Verdict::Pass);
            check_data(&mut guard, ahead(SCTP_AHEAD_MAX_CHUNKS + 1), Verdict::Drop);
            check_data(&mut guard, ahead(1 << 30), Verdict::Drop);
            check_data(&mut guard, acknowledged.wrapping_sub(5), Verdict::Pass);
        }
    }

    #[test]
    fn so_many_chunks_may_come_before_any_is_acknowledged() {
        let mut guard = SctpGuard::default();
        for number in 0..SCTP_AHEAD_MAX_CHUNKS {
            check_data(&mut guard, number << 8, Verdict::Pass);
        }
        check_data(&mut guard, 0, Verdict::Drop);
    }

    #[test]
    fn so_many_associations_may_begin() {
        let mut guard = SctpGuard::default();
        let init = packet(&[(INIT, 0, &[7; 16])]);
        for _ in 0..SCTP_INITS_MAX {
            assert_eq!(guard.incoming(&init), Verdict::Pass);
        }
        assert_eq!(guard.incoming(&init), Verdict::Drop);
    }

    #[test]
    fn streams_are_skipped_within_the_channel_and_never_reset() {
        let mut guard = SctpGuard::default();
        let forward = |streams: &[u8]| packet(&[(FORWARD_TSN, 0, &[&[0; 4], streams].concat())]);
        assert_eq!(guard.incoming(&forward(&[])), Verdict::Pass);
        assert_eq!(guard.incoming(&forward(&[0, 0, 0, 7])), Verdict::Pass);
        assert_eq!(guard.incoming(&forward(&[0, 0, 0, 7, 0, 1, 0, 7])), Verdict::Drop);
        assert_eq!(guard.incoming(&packet(&[(RE_CONFIG, 0, &[0; 12])])), Verdict::Drop);
    }

    #[test]
    fn packets_that_are_cut_short_are_dropped_or_harmless() {
        let mut guard = SctpGuard::default();
        let whole = packet(&[(DATA, 7, &data(1, 1))]);
        for len in COMMON_HEADER_BYTES + 1..whole.len() - 3 {
            assert_eq!(guard.incoming(&whole[..len]), Verdict::Drop, "cut to {len}");
            guard.outgoing(&whole[..len]);
        }
        assert_eq!(guard.incoming(&packet(&[])), Verdict::Pass);
        assert_eq!(guard.incoming(&[]), Verdict::Pass);
    }
}
