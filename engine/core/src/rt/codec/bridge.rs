//! Leads the `opus-64` decoder across a missing codec frame.
//!
//! libopus conceals a missing frame itself, but pays for it afterwards: with the shortest frames
//! it takes every band 9 dB down, to be safe, and needs some ten frames to recover. Here the decoder
//! is instead given a frame that codes what concealment plays: at a high bitrate, and independent of
//! other frames. Its overlap with the next frame and its band energies are then about right. They
//! are made 3 dB too soft, because the publisher's own frames code energies coarsely, and too loud
//! is worse than too soft.
//!
//! Measured with 1 % loss: the noise that losses add to eight pieces of music fell from -13 dB with
//! libopus's concealment to -16 dB, and a steady tone was audibly disturbed by 23 of 131 losses
//! instead of 90. For ordinary Opus (120 frames) music gained 2 dB but a tone lost, so that decoder
//! conceals by itself.

use protocol::units::Bitrate;

use super::opus_custom::CustomEncoder;
use crate::encoding::Channels;
use crate::limits::FRAME_BYTES_MAX;

/// An encoder whose packets never leave this machine.
#[derive(Debug)]
pub(super) struct Bridge {
    encoder: CustomEncoder,
    bytes: [u8; FRAME_BYTES_MAX],
}

impl Bridge {
    pub(super) fn new(channels: Channels) -> Option<Self> {
        let bitrate = match channels {
            Channels::Mono => BITRATE_MONO,
            Channels::Stereo => BITRATE_STEREO,
        };
        let mut encoder = CustomEncoder::new(channels, bitrate, COMPLEXITY)?;
        encoder.code_independently()?;
        Some(Self { encoder, bytes: [0; FRAME_BYTES_MAX] })
    }

    /// Codes one codec frame in place of the missing one.
    ///
    /// `ahead` is what concealment plays, interleaved: the missing codec frame and the one after
    /// it. A decoder's output lags by a frame, so the packet that completes the first of the two
    /// begins the second.
    pub(super) fn packet(&mut self, begins: bool, ahead: &mut [f32]) -> Option<&[u8]> {
        ahead.iter_mut().for_each(|sample| *sample *= SAFE_GAIN);
        let (now, next) = ahead.split_at_checked(ahead.len() / 2)?;
        if begins {
            self.encoder.reset();
            self.encoder.encode(now, &mut self.bytes)?;
        }
        let len = self.encoder.encode(next, &mut self.bytes)?;
        self.bytes.get(..len)
    }
}

const BITRATE_MONO: Bitrate = Bitrate(320_000);
const BITRATE_STEREO: Bitrate = Bitrate(510_000);

/// 3 dB down.
const SAFE_GAIN: f32 = 0.7;

/// The cheapest: there are bits enough.
const COMPLEXITY: u8 = 0;
