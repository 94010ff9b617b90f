//! Samples to FLAC frames.

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Fill, FrameBuf};

use crate::{SAMPLE_BITS, SAMPLE_RATE};

/// Encodes frames of up to 65,535 sample frames, each by itself.
pub(crate) struct Encoder {
    channels: usize,
    config: Verified<config::Encoder>,
    stream: StreamInfo,
    buffer: FrameBuf,
    sink: ByteSink,
}

impl Encoder {
    /// For one channel or two.
    pub(crate) fn new(channels: u8) -> Self {
        let mut config = config::Encoder::default();
        // On a harmonic tone an order of 8 comes within 1 % of the bits of order 10 in three quarters of the time.
        config.subframe_coding.qlpc.lpc_order = 8;
        let channels = usize::from(channels);
        Self {
            channels,
            config: config.into_verified().expect("the order is between 1 and 24"),
            stream: StreamInfo::new(rate(), channels, usize::from(SAMPLE_BITS))
                .expect("one or two channels of 24 bits at 48 kHz"),
            buffer: buffer(channels, FRAMES_MIN),
            sink: ByteSink::new(),
        }
    }

    /// Appends one FLAC frame with the given number. The samples have at most 24 bits and are interleaved.
    pub(crate) fn encode(&mut self, interleaved: &[i32], number: u32, out: &mut Vec<u8>) {
        let frames = (interleaved.len() / self.channels).max(FRAMES_MIN);
        if self.buffer.size() != frames {
            self.buffer = buffer(self.channels, frames);
        }
        self.buffer.fill_interleaved(interleaved).expect("the buffer has room for every frame");
        // The frame's number is at most 31 bits long, and wraps where nobody reads it.
        let number = usize::try_from(number & 0x7fff_ffff).expect("31 bits");
        let frame =
            flacenc::encode_fixed_size_frame(&self.config, &self.buffer, number, &self.stream)
                .expect("samples of 24 bits");
        self.sink.clear();
        frame.write(&mut self.sink).expect("memory takes every bit");
        out.extend_from_slice(self.sink.as_slice());
    }
}

fn rate() -> usize {
    usize::try_from(SAMPLE_RATE).expect("17 bits")
}

fn buffer(channels: usize, frames: usize) -> FrameBuf {
    FrameBuf::with_size(channels, frames).expect("one or two channels of 32 to 65,535 frames")
}

/// The least that a buffer of `flacenc` is large; it may be filled in part.
const FRAMES_MIN: usize = 32;
