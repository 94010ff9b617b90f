//! Ordinary Opus through the `opus` crate: restricted low delay out, anything in.

use opus::{Application, Decoder, Encoder};
use protocol::codec::Codec;
use protocol::units::{Bitrate, SampleRate};

use crate::encoding::Channels;

#[derive(Debug)]
pub(crate) struct OpusEncoder {
    encoder: Encoder,
    /// Bytes of every packet: hard constant bitrate.
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct OpusDecoder {
    decoder: Decoder,
}

impl OpusEncoder {
    pub(crate) fn new(channels: Channels, bitrate: Bitrate, complexity: u8) -> Option<Self> {
        let rate = SampleRate::WIRE.as_hz();
        let mut encoder = Encoder::new(rate, library(channels), Application::LowDelay).ok()?;
        encoder.set_vbr(false).ok()?;
        encoder.set_bitrate(opus::Bitrate::Max).ok()?;
        encoder.set_complexity(i32::from(complexity)).ok()?;
        let bytes = super::frame_bytes(bitrate, Codec::Opus.codec_frame_frames());
        Some(Self { encoder, bytes })
    }

    pub(crate) fn encode(&mut self, interleaved: &[f32], out: &mut [u8]) -> Option<usize> {
        self.encoder.encode_float(interleaved, out.get_mut(..self.bytes)?).ok()
    }

    pub(crate) fn set_complexity(&mut self, complexity: u8) {
        // Fails for no number that a session may be configured with.
        let _ = self.encoder.set_complexity(i32::from(complexity));
    }

    pub(crate) fn reset(&mut self) {
        // Fails for no reason that a valid encoder could have.
        let _ = self.encoder.reset_state();
    }
}

impl OpusDecoder {
    pub(crate) fn new(channels: Channels) -> Option<Self> {
        let decoder = Decoder::new(SampleRate::WIRE.as_hz(), library(channels)).ok()?;
        Some(Self { decoder })
    }

    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut [f32]) -> Option<usize> {
        if bytes.is_empty() {
            return None;
        }
        self.decoder.decode_float(bytes, out, false).ok()
    }

    pub(crate) fn conceal(&mut self, out: &mut [f32]) -> Option<usize> {
        self.decoder.decode_float(&[], out, false).ok()
    }

    pub(crate) fn reset(&mut self) {
        let _ = self.decoder.reset_state();
    }
}

fn library(channels: Channels) -> opus::Channels {
    match channels {
        Channels::Mono => opus::Channels::Mono,
        Channels::Stereo => opus::Channels::Stereo,
    }
}
