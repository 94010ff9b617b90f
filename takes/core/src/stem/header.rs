//! The first record: whose stem this is, and how it sounds.

use thiserror::Error;

use super::FORMAT_VERSION;
use super::record::{Fields, put_text};
use crate::limits::{CHANNELS_MAX, PARTICIPANT_NAME_CHARS_MAX, TRACK_LABEL_CHARS_MAX};
use crate::{SAMPLE_BITS, SAMPLE_RATE, StemId, TakeId};

/// Whose stem a file is. All stems are 48 kHz and 24 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The take that it belongs to.
    pub take: TakeId,
    /// The stem itself; the same after a rejoin.
    pub stem: StemId,
    /// What the participant is called, in at most [`PARTICIPANT_NAME_CHARS_MAX`] characters of any kind.
    pub participant: String,
    /// What the track is called, in at most [`TRACK_LABEL_CHARS_MAX`] characters of any kind.
    pub label: String,
    /// One, or two for left and right.
    pub channels: u8,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeaderRefused {
    /// Cut short.
    #[error("the stem's header ends too soon")]
    Short,
    /// From another version of this program.
    #[error(
        "the stem is of format version {0}, and this program knows version {FORMAT_VERSION}: use a newer one"
    )]
    Version(u16),
    /// Not what is recorded.
    #[error("the stem is {rate} Hz with {bits} bits, and not {SAMPLE_RATE} Hz with {SAMPLE_BITS}")]
    Format {
        /// Frames per second.
        rate: u32,
        /// Bits of a sample.
        bits: u8,
    },
    /// No channel, or too many.
    #[error("the stem has {0} channels, and may have one or two")]
    Channels(u8),
    /// The name or the label.
    #[error("the stem's name or label is too long, or no text")]
    Text,
}

impl Header {
    /// Checks what the caller put in.
    pub(super) fn check(&self) -> Result<(), HeaderRefused> {
        if !(1..=CHANNELS_MAX).contains(&self.channels) {
            return Err(HeaderRefused::Channels(self.channels));
        }
        let too_long = |text: &str, max| max < text.chars().count();
        if too_long(&self.participant, PARTICIPANT_NAME_CHARS_MAX)
            || too_long(&self.label, TRACK_LABEL_CHARS_MAX)
        {
            return Err(HeaderRefused::Text);
        }
        Ok(())
    }

    /// Appends the record's payload.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.extend(FORMAT_VERSION.to_le_bytes());
        out.extend([self.channels, SAMPLE_BITS]);
        out.extend(SAMPLE_RATE.to_le_bytes());
        out.extend(self.take.to_bytes());
        out.extend(self.stem.to_bytes());
        put_text(&self.participant, out);
        put_text(&self.label, out);
    }

    /// Reads the record's payload. What a later version appends is passed over.
    pub(super) fn read(payload: &[u8]) -> Result<Self, HeaderRefused> {
        let mut fields = Fields(payload);
        let version = fields.u16().ok_or(HeaderRefused::Short)?;
        if version != FORMAT_VERSION {
            return Err(HeaderRefused::Version(version));
        }
        let [channels, bits] = fields.take().ok_or(HeaderRefused::Short)?;
        let rate = fields.u32().ok_or(HeaderRefused::Short)?;
        if rate != SAMPLE_RATE || bits != SAMPLE_BITS {
            return Err(HeaderRefused::Format { rate, bits });
        }
        let header = Self {
            take: TakeId::from_bytes(fields.take().ok_or(HeaderRefused::Short)?),
            stem: StemId::from_bytes(fields.take().ok_or(HeaderRefused::Short)?),
            participant: fields.text().ok_or(HeaderRefused::Text)?,
            label: fields.text().ok_or(HeaderRefused::Text)?,
            channels,
        };
        header.check()?;
        Ok(header)
    }
}
