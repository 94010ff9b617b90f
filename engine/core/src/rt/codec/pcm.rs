//! 16-bit linear PCM, big endian (L16 of RFC 3551 §4.5.11), 64 frames to a packet.
//!
//! Nothing in a packet says how many channels it has but its length, so only packets of exactly 64
//! frames are understood.

use crate::encoding::Channels;

/// Frames in every packet.
const FRAMES: usize = 64;

const BYTES_PER_SAMPLE: usize = 2;

pub(super) fn encode(interleaved: &[f32], out: &mut [u8]) -> Option<usize> {
    let len = interleaved.len() * BYTES_PER_SAMPLE;
    let out = out.get_mut(..len)?;
    for (sample, bytes) in interleaved.iter().zip(out.chunks_exact_mut(BYTES_PER_SAMPLE)) {
        #[expect(clippy::cast_possible_truncation, reason = "clamped; not a number becomes zero")]
        let value = (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16;
        bytes.copy_from_slice(&value.to_be_bytes());
    }
    Some(len)
}

/// Decodes into as many channels as the listener wants, whatever the packet has.
pub(super) fn decode(channels: Channels, bytes: &[u8], out: &mut [f32]) -> Option<usize> {
    packet_frames(bytes)?;
    let sent = bytes.len() / (FRAMES * BYTES_PER_SAMPLE);
    let out = out.get_mut(..FRAMES * channels.count())?;
    let frames = bytes.chunks_exact(sent * BYTES_PER_SAMPLE);
    for (frame, out) in frames.zip(out.chunks_exact_mut(channels.count())) {
        let left = sample(frame);
        let right =
            frame.get(BYTES_PER_SAMPLE..).filter(|rest| !rest.is_empty()).map_or(left, sample);
        match out {
            [mono] => *mono = 0.5 * (left + right),
            [l, r] => (*l, *r) = (left, right),
            _ => return None,
        }
    }
    Some(FRAMES)
}

pub(super) fn packet_frames(bytes: &[u8]) -> Option<usize> {
    const MONO: usize = FRAMES * BYTES_PER_SAMPLE;
    const STEREO: usize = 2 * MONO;
    matches!(bytes.len(), MONO | STEREO).then_some(FRAMES)
}

fn sample(bytes: &[u8]) -> f32 {
    let bytes = bytes.first_chunk().copied().unwrap_or_default();
    f32::from(i16::from_be_bytes(bytes)) / 32_768.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_come_back_exactly() {
        let samples: Vec<f32> = (0..FRAMES)
            .map(|n| f32::from(i16::try_from(n * 1000).unwrap_or(i16::MAX)) / 32_768.0)
            .collect();
        let mut bytes = [0; 128];
        assert_eq!(encode(&samples, &mut bytes), Some(128));
        let mut out = [0.0; 2 * FRAMES];
        assert_eq!(decode(Channels::Mono, &bytes, &mut out), Some(FRAMES));
        assert_eq!(out[..FRAMES], samples);
        assert_eq!(decode(Channels::Stereo, &bytes, &mut out), Some(FRAMES));
        assert_eq!((out[20], out[21]), (samples[10], samples[10]));
    }

    #[test]
    fn beyond_full_scale_is_full_scale() {
        let mut bytes = [0; 6];
        assert_eq!(encode(&[2.0, -2.0, f32::NAN], &mut bytes), Some(6));
        assert_eq!(bytes, [0x7f, 0xff, 0x80, 0, 0, 0]);
    }

    #[test]
    fn other_lengths_are_not_pcm() {
        assert_eq!(decode(Channels::Mono, &[0; 127], &mut [0.0; 128]), None);
        assert_eq!(decode(Channels::Mono, &[0; 512], &mut [0.0; 128]), None);
    }
}
