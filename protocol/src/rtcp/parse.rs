//! Reading compound packets.

use thiserror::Error;

use super::{
    APPLICATION, BLOCK_BYTES, BYE, NtpTime, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SenderInfo,
};
use crate::rtp::Ssrc;

/// Why a compound packet could not be read; always the sender's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MalformedRtcp {
    /// Ends inside a packet, or a packet inside what its count promises.
    #[error("the RTCP packet ends inside what it promises")]
    Truncated,
    /// Not version 2.
    #[error("the RTCP version is {0}, not 2")]
    Version(u8),
    /// More padding than there is packet, none where the flag promised some, or not in the last.
    #[error("the RTCP padding does not fit")]
    Padding,
}

/// One packet of a compound packet.
#[derive(Debug, Clone)]
pub enum Packet<'a> {
    /// What somebody sends, and how it receives others.
    SenderReport {
        /// The stream that is reported.
        ssrc: Ssrc,
        /// What was sent.
        info: SenderInfo,
        /// How others are received.
        blocks: ReportBlocks<'a>,
    },
    /// How somebody who sends nothing receives others.
    ReceiverReport {
        /// Who reports.
        ssrc: Ssrc,
        /// How others are received.
        blocks: ReportBlocks<'a>,
    },
    /// Streams that have ended.
    Bye(Sources<'a>),
    /// What an application adds (RFC 3550 §6.7).
    Application {
        /// Five bits that say what of it.
        subtype: u8,
        /// Who says it.
        ssrc: Ssrc,
        /// Whose it is, in ASCII.
        name: [u8; 4],
        /// What is said, in whole words.
        data: &'a [u8],
    },
    /// Anything else, skipped.
    Other {
        /// Its packet type.
        packet_type: u8,
    },
}

/// Reads a compound packet, of which every part is checked here.
pub fn parse(bytes: &[u8]) -> Result<Packets<'_>, MalformedRtcp> {
    let mut packets = Packets { rest: bytes };
    while packets.advance()?.is_some() {}
    if bytes.is_empty() { Err(MalformedRtcp::Truncated) } else { Ok(Packets { rest: bytes }) }
}

/// Iterator over the packets of one compound packet.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    rest: &'a [u8],
}

impl<'a> Packets<'a> {
    fn advance(&mut self) -> Result<Option<Packet<'a>>, MalformedRtcp> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let header = self.rest.first_chunk::<4>().ok_or(MalformedRtcp::Truncated)?;
        let version = header[0] >> 6;
        if version != 2 {
            return Err(MalformedRtcp::Version(version));
        }
        let count = usize::from(header[0] & 0x1f);
        let len = 4 * (usize::from(u16::from_be_bytes([header[2], header[3]])) + 1);
        let (packet, rest) = self.rest.split_at_checked(len).ok_or(MalformedRtcp::Truncated)?;
        let mut body = &packet[4..];
        if header[0] & 0x20 != 0 {
            let padding = usize::from(*body.last().ok_or(MalformedRtcp::Padding)?);
            let kept = body.len().checked_sub(padding).ok_or(MalformedRtcp::Padding)?;
            // Padding is only ever at the end of the whole (RFC 3550 §6.4.1).
            if padding == 0 || !padding.is_multiple_of(4) || !rest.is_empty() {
                return Err(MalformedRtcp::Padding);
            }
            body = &body[..kept];
        }
        self.rest = rest;
        read_packet(header[1], count, body).map(Some)
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        // Checked by `parse`, so there is no error to swallow.
        self.advance().ok().flatten()
    }
}

fn read_packet(packet_type: u8, count: usize, body: &[u8]) -> Result<Packet<'_>, MalformedRtcp> {
    let cut = MalformedRtcp::Truncated;
    match packet_type {
        SENDER_REPORT => {
            let (words, rest) = body.split_first_chunk::<24>().ok_or(cut)?;
            let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| words[at + byte]));
            let info = SenderInfo {
                ntp: NtpTime(u64::from(word(4)) << 32 | u64::from(word(8))),
                rtp_timestamp: word(12),
                packets: word(16),
                octets: word(20),
            };
            let blocks = ReportBlocks::new(rest, count)?;
            Ok(Packet::SenderReport { ssrc: Ssrc(word(0)), info, blocks })
        }
        RECEIVER_REPORT => {
            let (ssrc, rest) = body.split_first_chunk::<4>().ok_or(cut)?;
            let blocks = ReportBlocks::new(rest, count)?;
            Ok(Packet::ReceiverReport { ssrc: Ssrc(u32::from_be_bytes(*ssrc)), blocks })
        }
        BYE => {
            let sources = body.get(..4 * count).ok_or(cut)?;
            Ok(Packet::Bye(Sources { bytes: sources }))
        }
        APPLICATION => {
            let (header, data) = body.split_first_chunk::<8>().ok_or(cut)?;
            let [a, b, c, d, name @ ..] = *header;
            let ssrc = Ssrc(u32::from_be_bytes([a, b, c, d]));
            Ok(Packet::Application { subtype: u8::try_from(count).unwrap_or(0), ssrc, name, data })
        }
        _ => Ok(Packet::Other { packet_type }),
    }
}

/// Iterator over the blocks of one report.
#[derive(Debug, Clone)]
pub struct ReportBlocks<'a> {
    bytes: &'a [u8],
}

impl<'a> ReportBlocks<'a> {
    /// What follows the blocks is an extension of some profile, and skipped.
    fn new(bytes: &'a [u8], count: usize) -> Result<Self, MalformedRtcp> {
        let bytes = bytes.get(..count * BLOCK_BYTES).ok_or(MalformedRtcp::Truncated)?;
        Ok(Self { bytes })
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let (block, rest) = self.bytes.split_first_chunk::<BLOCK_BYTES>()?;
        self.bytes = rest;
        let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| block[at + byte]));
        Some(ReportBlock {
            ssrc: Ssrc(word(0)),
            fraction_lost: block[4],
            // The sign is the uppermost of 24 bits.
            cumulative_lost: (word(4) << 8).cast_signed() >> 8,
            highest_sequence: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            since_sender_report: word(20),
        })
    }
}

/// Iterator over the sources that a BYE names.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    bytes: &'a [u8],
}

impl Iterator for Sources<'_> {
    type Item = Ssrc;

    fn next(&mut self) -> Option<Ssrc> {
        let (ssrc, rest) = self.bytes.split_first_chunk::<4>()?;
        self.bytes = rest;
        Some(Ssrc(u32::from_be_bytes(*ssrc)))
    }
}
