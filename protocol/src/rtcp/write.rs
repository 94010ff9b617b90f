//! Writing compound packets.

use super::{
    APPLICATION, BYE, CNAME, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SOURCE_DESCRIPTION,
    SenderInfo,
};
use crate::rtp::Ssrc;

/// Writes one compound packet, packet after packet.
///
/// A packet that does not fit leaves what was written before as it was.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Writes to the start of `out`.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes a sender report; `None` where it does not fit or has too many blocks.
    #[must_use]
    pub fn sender_report(
        &mut self,
        ssrc: Ssrc,
        info: &SenderInfo,
        blocks: impl IntoIterator<Item = ReportBlock>,
    ) -> Option<()> {
        self.packet(SENDER_REPORT, |body| {
            body.word(ssrc.0)?;
            body.put(&info.ntp.0.to_be_bytes())?;
            body.word(info.rtp_timestamp)?;
            body.word(info.packets)?;
            body.word(info.octets)?;
            body.blocks(blocks)
        })
    }

    /// Writes a receiver report; `None` where it does not fit or has too many blocks.
    #[must_use]
    pub fn receiver_report(
        &mut self,
        ssrc: Ssrc,
        blocks: impl IntoIterator<Item = ReportBlock>,
    ) -> Option<()> {
        self.packet(RECEIVER_REPORT, |body| {
            body.word(ssrc.0)?;
            body.blocks(blocks)
        })
    }

    /// Writes the canonical name of each source; `None` where it does not fit, or where there are
    /// too many sources or bytes of name.
    #[must_use]
    pub fn canonical_names(
        &mut self,
        sources: impl IntoIterator<Item = Ssrc>,
        name: &str,
    ) -> Option<()> {
        let name_bytes = u8::try_from(name.len()).ok()?;
        self.packet(SOURCE_DESCRIPTION, |body| {
            let mut count = 0;
            for ssrc in sources {
                body.word(ssrc.0)?;
                body.put(&[CNAME, name_bytes])?;
                body.put(name.as_bytes())?;
                // One zero ends the list of items, more fill the word (RFC 3550 §6.5).
                body.put(&[0; 4][..4 - body.len % 4])?;
                count += 1;
            }
            Some(count)
        })
    }

    /// Writes that streams have ended; `None` where it does not fit or where there are more than
    /// [`super::BYE_SOURCES_MAX`].
    #[must_use]
    pub fn bye(&mut self, sources: impl IntoIterator<Item = Ssrc>) -> Option<()> {
        self.packet(BYE, |body| {
            let mut count = 0;
            for ssrc in sources {
                body.word(ssrc.0)?;
                count += 1;
            }
            Some(count)
        })
    }

    /// Writes what an application adds (RFC 3550 §6.7); `None` where it does not fit, is not in whole words,
    /// or has a subtype beyond 31.
    #[must_use]
    pub fn application(
        &mut self,
        subtype: u8,
        ssrc: Ssrc,
        name: [u8; 4],
        data: &[u8],
    ) -> Option<()> {
        self.packet(APPLICATION, |body| {
            body.word(ssrc.0)?;
            body.put(&name)?;
            body.put(data)?;
            data.len().is_multiple_of(4).then_some(usize::from(subtype))
        })
    }

    /// Writes a packet whose body is written by `write`, which gives its count.
    fn packet(
        &mut self,
        packet_type: u8,
        write: impl FnOnce(&mut Writer<'_>) -> Option<usize>,
    ) -> Option<()> {
        let (header, body) = self.out.get_mut(self.len..)?.split_first_chunk_mut::<4>()?;
        let mut body = Writer::new(body);
        let count = u8::try_from(write(&mut body)?).ok().filter(|count| *count < 32)?;
        let words = u16::try_from(body.len / 4).ok()?.to_be_bytes();
        *header = [0x80 | count, packet_type, words[0], words[1]];
        self.len += 4 + body.len;
        Some(())
    }

    fn blocks(&mut self, blocks: impl IntoIterator<Item = ReportBlock>) -> Option<usize> {
        let mut count = 0;
        for block in blocks {
            self.word(block.ssrc.0)?;
            let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned();
            self.word(u32::from(block.fraction_lost) << 24 | lost & 0xff_ffff)?;
            self.word(block.highest_sequence)?;
            self.word(block.jitter)?;
            self.word(block.last_sender_report)?;
            self.word(block.since_sender_report)?;
            count += 1;
        }
        Some(count)
    }

    fn word(&mut self, word: u32) -> Option<()> {
        self.put(&word.to_be_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len + bytes.len();
        self.out.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }
}
