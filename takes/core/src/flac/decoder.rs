//! FLAC frames to samples.

use claxon::frame::FrameReader;
use claxon::input::BufferedReader;
use thiserror::Error;

use crate::limits::RECORD_FRAMES_MAX;

/// The bytes are not a FLAC frame as ours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a FLAC frame of this stem's channels and at most 4096 frames")]
pub(crate) struct MalformedFrame;

/// Decodes frames, each by itself.
pub(crate) struct Decoder {
    channels: u8,
    spare: Vec<i32>,
}

/// What one FLAC frame holds, channel by channel.
pub(crate) struct Decoded<'a> {
    frames: usize,
    samples: &'a [i32],
}

impl Decoder {
    /// For frames of so many channels.
    pub(crate) fn new(channels: u8) -> Self {
        Self { channels, spare: Vec::new() }
    }

    /// The one frame that `bytes` begin with.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Result<Decoded<'_>, MalformedFrame> {
        let mut reader = FrameReader::new(BufferedReader::new(bytes));
        let block = reader
            .read_next_or_eof(std::mem::take(&mut self.spare))
            .map_err(|_| MalformedFrame)?
            .ok_or(MalformedFrame)?;
        let frames = usize::try_from(block.duration()).map_err(|_| MalformedFrame)?;
        let alike = block.channels() == u32::from(self.channels);
        self.spare = block.into_buffer();
        if !alike || usize::from(RECORD_FRAMES_MAX) < frames {
            return Err(MalformedFrame);
        }
        Ok(Decoded { frames, samples: &self.spare })
    }
}

impl Decoded<'_> {
    /// How many sample frames.
    pub(crate) fn len(&self) -> usize {
        self.frames
    }

    /// The samples of one channel.
    pub(crate) fn channel(&self, channel: usize) -> &[i32] {
        self.samples.get(channel * self.frames..(channel + 1) * self.frames).unwrap_or_default()
    }
}
