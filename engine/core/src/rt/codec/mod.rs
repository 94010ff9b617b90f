//! The codecs behind one face; none of them allocates or waits while coding.
//!
//! Encoders and decoders are made on the thread of [`crate::Control`] and used in the callbacks.
//! Audio is interleaved `f32` here, as libopus wants it. What a codec frame means is written on the
//! wire format (`protocol::codec`); how a missing one is replaced is [`super::concealment`]'s.

#[cfg(feature = "codec")]
mod bridge;
#[cfg(feature = "codec")]
mod opus;
#[cfg(feature = "codec")]
mod opus_custom;
mod pcm;

use protocol::codec::Codec;
use protocol::units::Bitrate;

use crate::encoding::Channels;
#[cfg(feature = "codec")]
use crate::limits::FRAME_BYTES_MAX;
use crate::limits::PACKET_FRAMES_MAX;

/// One running encoder.
#[derive(Debug)]
pub(crate) enum Encoder {
    #[cfg(feature = "codec")]
    Opus(opus::OpusEncoder),
    #[cfg(feature = "codec")]
    Opus64(opus_custom::CustomEncoder),
    Pcm,
}

impl Encoder {
    /// Makes an encoder; `None` where this build has none, or the library refuses.
    pub(crate) fn new(
        codec: Codec,
        channels: Channels,
        bitrate: Bitrate,
        complexity: u8,
    ) -> Option<Self> {
        match codec {
            Codec::Pcm => Some(Self::Pcm),
            #[cfg(feature = "codec")]
            Codec::Opus => opus::OpusEncoder::new(channels, bitrate, complexity).map(Self::Opus),
            #[cfg(feature = "codec")]
            Codec::Opus64 => {
                opus_custom::CustomEncoder::new(channels, bitrate, complexity).map(Self::Opus64)
            }
            #[cfg(not(feature = "codec"))]
            Codec::Opus | Codec::Opus64 => {
                let _ = (channels, bitrate, complexity);
                None
            }
        }
    }

    /// Encodes one codec frame; gives its bytes' count, or `None` if the library failed.
    pub(crate) fn encode(&mut self, interleaved: &[f32], out: &mut [u8]) -> Option<usize> {
        match self {
            #[cfg(feature = "codec")]
            Self::Opus(encoder) => encoder.encode(interleaved, out),
            #[cfg(feature = "codec")]
            Self::Opus64(encoder) => encoder.encode(interleaved, out),
            Self::Pcm => pcm::encode(interleaved, out),
        }
    }

    /// How much work is spent on a packet, 0 to 10; from the next one on.
    pub(crate) fn set_complexity(&mut self, complexity: u8) {
        match self {
            #[cfg(feature = "codec")]
            Self::Opus(encoder) => encoder.set_complexity(complexity),
            #[cfg(feature = "codec")]
            Self::Opus64(encoder) => encoder.set_complexity(complexity),
            Self::Pcm => {
                let _ = complexity;
            }
        }
    }

    /// Forgets everything it has heard, so that a decoder which heard none of it can follow.
    pub(crate) fn reset(&mut self) {
        match self {
            #[cfg(feature = "codec")]
            Self::Opus(encoder) => encoder.reset(),
            #[cfg(feature = "codec")]
            Self::Opus64(encoder) => encoder.reset(),
            Self::Pcm => {}
        }
    }
}

/// A decoder for each codec: a publisher may change codecs at any packet.
#[derive(Debug)]
pub(crate) struct Decoders {
    channels: Channels,
    #[cfg(feature = "codec")]
    opus: opus::OpusDecoder,
    #[cfg(feature = "codec")]
    opus_64: opus_custom::CustomDecoder,
    #[cfg(feature = "codec")]
    bridge: bridge::Bridge,
}

impl Decoders {
    /// Makes them all; `None` where the library refuses.
    pub(crate) fn new(channels: Channels) -> Option<Self> {
        Some(Self {
            channels,
            #[cfg(feature = "codec")]
            opus: opus::OpusDecoder::new(channels)?,
            #[cfg(feature = "codec")]
            opus_64: opus_custom::CustomDecoder::new(channels)?,
            #[cfg(feature = "codec")]
            bridge: bridge::Bridge::new(channels)?,
        })
    }

    pub(crate) const fn channels(&self) -> Channels {
        self.channels
    }

    /// Decodes one codec frame into the start of `out`; gives its frames, or `None` for bytes that
    /// are none of this codec's.
    pub(crate) fn decode(&mut self, codec: Codec, bytes: &[u8], out: &mut [f32]) -> Option<usize> {
        match codec {
            #[cfg(feature = "codec")]
            Codec::Opus => self.opus.decode(bytes, out),
            #[cfg(feature = "codec")]
            Codec::Opus64 => self.opus_64.decode(bytes, out),
            #[cfg(not(feature = "codec"))]
            Codec::Opus | Codec::Opus64 => None,
            Codec::Pcm => pcm::decode(self.channels, bytes, out),
        }
    }

    /// Tells the decoder of a missing packet, so that it stays in step. What it makes of it goes
    /// into `scratch`, for nobody.
    ///
    /// `ahead` is what is played instead: `frames` for the missing packet and as many after it;
    /// `begins` says that the packet before was not missing.
    pub(crate) fn miss(
        &mut self,
        codec: Codec,
        frames: usize,
        begins: bool,
        ahead: &mut [f32],
        scratch: &mut [f32],
    ) {
        #[cfg(feature = "codec")]
        match codec {
            Codec::Opus => {
                // In steps of 120; a hole of any other length is not worth telling.
                if let Some(scratch) = scratch.get_mut(..frames * self.channels.count()) {
                    self.opus.conceal(scratch);
                }
            }
            Codec::Opus64 => {
                if let Some(packet) = self.bridge.packet(begins, ahead) {
                    self.opus_64.decode(packet, scratch);
                }
            }
            Codec::Pcm => {}
        }
        #[cfg(not(feature = "codec"))]
        let _ = (codec, frames, begins, ahead, scratch);
    }

    /// Tells the decoder that many packets were missing: the next one must not be trusted to be as
    /// loud as it says, for it says so relative to frames that nobody saw.
    pub(crate) fn miss_many(&mut self, codec: Codec, scratch: &mut [f32]) {
        #[cfg(feature = "codec")]
        if let Some(scratch) = scratch.get_mut(..codec.codec_frame_frames() * self.channels.count())
        {
            match codec {
                Codec::Opus => _ = self.opus.conceal(scratch),
                Codec::Opus64 => _ = self.opus_64.conceal(scratch),
                Codec::Pcm => {}
            }
        }
        #[cfg(not(feature = "codec"))]
        let _ = (codec, scratch);
    }

    /// Forgets what was decoded: the next frame belongs to another time.
    pub(crate) fn reset(&mut self, codec: Codec) {
        match codec {
            #[cfg(feature = "codec")]
            Codec::Opus => self.opus.reset(),
            #[cfg(feature = "codec")]
            Codec::Opus64 => self.opus_64.reset(),
            #[cfg(not(feature = "codec"))]
            Codec::Opus | Codec::Opus64 => {}
            Codec::Pcm => {}
        }
    }
}

/// How many frames a packet's payload decodes to, read from its bytes; `None` for bytes that are
/// none of this codec's, or longer than anybody decodes ([`PACKET_FRAMES_MAX`]).
pub(crate) fn packet_frames(codec: Codec, bytes: &[u8]) -> Option<usize> {
    let frames = match codec {
        Codec::Opus => opus_packet_frames(bytes)?,
        Codec::Opus64 => codec.codec_frame_frames(),
        Codec::Pcm => pcm::packet_frames(bytes)?,
    };
    (0 < frames && frames <= PACKET_FRAMES_MAX).then_some(frames)
}

/// Frames by which a codec's output lags behind its input, beside filling a codec frame.
pub(crate) const fn lookahead_frames(codec: Codec) -> usize {
    match codec {
        Codec::Opus => 120,
        Codec::Opus64 => 64,
        Codec::Pcm => 0,
    }
}

/// Bytes of one codec frame at a constant bitrate, rounded to the nearest.
#[cfg(feature = "codec")]
fn frame_bytes(bitrate: Bitrate, frames: usize) -> usize {
    let bits_times_rate = u64::from(bitrate.0) * u64::try_from(frames).unwrap_or(0);
    let bytes = (bits_times_rate + 4 * RATE) / (8 * RATE);
    usize::try_from(bytes).unwrap_or(FRAME_BYTES_MAX).clamp(FRAME_BYTES_MIN, FRAME_BYTES_MAX)
}

/// RFC 6716 §3.1: the first byte says mode, duration of a codec frame, and how many there are.
fn opus_packet_frames(bytes: &[u8]) -> Option<usize> {
    let first = usize::from(*bytes.first()?);
    let config = first >> 3;
    let codec_frame = match config {
        0..=11 => [480, 960, 1920, 2880][config & 3],
        12..=15 => [480, 960][config & 1],
        _ => [120, 240, 480, 960][config & 3],
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => usize::from(*bytes.get(1)? & 0x3f),
    };
    Some(codec_frame * count)
}

#[cfg(feature = "codec")]
const RATE: u64 = 48_000;

/// Fewer bytes say nothing but that there is a packet.
#[cfg(feature = "codec")]
const FRAME_BYTES_MIN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_opus_packet_stands_in_its_first_bytes() {
        let check = |bytes: &[u8], expected| assert_eq!(opus_packet_frames(bytes), expected);
        check(&[0xe0], Some(120));
        check(&[0xe1, 0], Some(240));
        check(&[0x78], Some(960));
        check(&[0x18], Some(2880));
        check(&[0xfb, 3], Some(2880));
        check(&[0xfb], None);
        check(&[], None);
        assert_eq!(packet_frames(Codec::Opus, &[0xfb, 4]), None);
        assert_eq!(packet_frames(Codec::Opus, &[0xfb, 0]), None);
    }

    /// Encodes a sine; gives the frames' lengths in bytes and the decoded signal.
    #[cfg(feature = "codec")]
    fn coded(codec: Codec, channels: Channels, bitrate: u32) -> (Vec<usize>, Vec<f32>) {
        let mut encoder = Encoder::new(codec, channels, Bitrate(bitrate), 4).expect("available");
        let mut decoders = Decoders::new(channels).expect("available");
        let (frames, count) = (codec.codec_frame_frames(), channels.count());
        let (mut lengths, mut heard) = (Vec::new(), Vec::new());
        for block in 0..200 {
            let input: Vec<f32> =
                (0..frames * count).map(|index| sine(block * frames + index / count)).collect();
            let mut bytes = [0; 256];
            let len = encoder.encode(&input, &mut bytes).expect("encodes");
            assert_eq!(packet_frames(codec, &bytes[..len]), Some(frames));
            let mut out = [0.0; 2 * 120];
            assert_eq!(decoders.decode(codec, &bytes[..len], &mut out), Some(frames));
            lengths.push(len);
            heard.extend_from_slice(&out[..frames * count]);
        }
        (lengths, heard)
    }

    #[cfg(feature = "codec")]
    fn sine(frame: usize) -> f32 {
        let frame = f32::from(u16::try_from(frame).expect("a short test"));
        0.5 * (frame * 440.0 * core::f32::consts::TAU / 48_000.0).sin()
    }

    #[cfg(feature = "codec")]
    #[test]
    fn every_codec_gives_the_sound_back_after_its_lookahead_in_frames_of_one_size() {
        for (codec, channels, bitrate, bytes) in [
            (Codec::Opus, Channels::Mono, 96_000, 30),
            (Codec::Opus, Channels::Stereo, 128_000, 40),
            (Codec::Opus64, Channels::Mono, 96_000, 16),
            (Codec::Opus64, Channels::Stereo, 192_000, 32),
            (Codec::Pcm, Channels::Mono, 96_000, 128),
            (Codec::Pcm, Channels::Stereo, 96_000, 256),
        ] {
            let (lengths, heard) = coded(codec, channels, bitrate);
            assert!(lengths.iter().all(|len| *len == bytes), "{codec} {lengths:?}");
            let (mut signal, mut noise) = (0.0, 0.0);
            for (frame, sample) in heard.iter().step_by(channels.count()).enumerate().skip(2400) {
                let expected = sine(frame - lookahead_frames(codec));
                signal += expected * expected;
                noise += (sample - expected) * (sample - expected);
            }
            assert!(noise < signal / 30.0, "{codec} {channels:?}: {}", signal / noise);
        }
    }

    #[cfg(feature = "codec")]
    #[test]
    fn a_stereo_decoder_hears_mono_on_both_sides_and_a_mono_decoder_hears_stereo() {
        for codec in [Codec::Opus, Codec::Opus64] {
            for (from, to) in
                [(Channels::Mono, Channels::Stereo), (Channels::Stereo, Channels::Mono)]
            {
                let mut encoder = Encoder::new(codec, from, Bitrate(256_000), 4).expect("there");
                let mut decoders = Decoders::new(to).expect("there");
                let frames = codec.codec_frame_frames();
                let (mut bytes, mut out) = ([0; 256], [0.0; 240]);
                let mut peak = 0.0_f32;
                for block in 0..50 {
                    let input: Vec<f32> = (0..frames * from.count())
                        .map(|index| sine(block * frames + index / from.count()))
                        .collect();
                    let len = encoder.encode(&input, &mut bytes).expect("encodes");
                    let decoded = decoders.decode(codec, &bytes[..len], &mut out);
                    assert_eq!(decoded, Some(frames));
                    let settled = if block < 20 { 0.0 } else { peak };
                    peak = out[..frames * to.count()].iter().fold(settled, |p, s| p.max(s.abs()));
                }
                assert!((0.4..0.6).contains(&peak), "{codec} {from:?} {peak}");
            }
        }
    }

    #[cfg(feature = "codec")]
    #[test]
    fn garbage_is_refused_or_noise_but_never_a_panic() {
        let mut random = 1_u64;
        let mut next = move || {
            random = crate::outgoing::mix(random);
            random
        };
        for channels in [Channels::Mono, Channels::Stereo] {
            let mut decoders = Decoders::new(channels).expect("available");
            let mut out = vec![0.0; PACKET_FRAMES_MAX * 2];
            for round in 0..20_000_u64 {
                let len = usize::try_from(next() % 80).expect("small");
                let bytes: Vec<u8> = (0..len).map(|_| next().to_le_bytes()[0]).collect();
                let codec = Codec::ALL[usize::try_from(round % 3).expect("small")];
                let frames = packet_frames(codec, &bytes);
                if frames.is_none() {
                    continue;
                }
                if let Some(decoded) = decoders.decode(codec, &bytes, &mut out) {
                    assert_eq!(frames, Some(decoded), "{codec} {bytes:?}");
                }
            }
        }
    }
}
