//! The formats a jam track can have on the wire.

use serde::{Deserialize, Serialize};

use crate::rtp::PayloadType;

/// How the audio of one encoding is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Codec {
    /// Ordinary Opus (RFC 6716), which every WebRTC client plays. Ours is restricted low-delay in
    /// codec frames of 120 (2.5 ms); an ordinary client's is 480 or 960.
    #[serde(rename = "opus")]
    Opus,
    /// Opus custom mode in codec frames of 64 (1.33 ms): only our engines decode it.
    #[serde(rename = "opus-64")]
    Opus64,
    /// 16-bit linear PCM, big endian (L16 of RFC 3551), 64 frames to a packet.
    #[serde(rename = "pcm")]
    Pcm,
}

impl Codec {
    /// Every codec, best delay for its bitrate first among those that compress.
    pub const ALL: [Self; 3] = [Self::Opus64, Self::Opus, Self::Pcm];

    /// Frames in one codec frame as our engines send it.
    #[must_use]
    pub const fn codec_frame_frames(self) -> usize {
        match self {
            Self::Opus => 120,
            Self::Opus64 | Self::Pcm => 64,
        }
    }

    /// Packets in one second as our engines send it: one for each codec frame.
    #[must_use]
    pub const fn packets_per_second(self) -> u32 {
        match self {
            Self::Opus => 400,
            Self::Opus64 | Self::Pcm => 750,
        }
    }

    /// The payload type that names this codec inside a RED payload, and on the native transport.
    #[must_use]
    pub const fn payload_type(self) -> PayloadType {
        match self {
            Self::Opus => PayloadType::OPUS,
            Self::Opus64 => PayloadType::OPUS_64,
            Self::Pcm => PayloadType::PCM,
        }
    }

    /// The codec that a payload type inside a RED payload stands for.
    #[must_use]
    pub const fn from_payload_type(payload_type: PayloadType) -> Option<Self> {
        match payload_type {
            PayloadType::OPUS => Some(Self::Opus),
            PayloadType::OPUS_64 => Some(Self::Opus64),
            PayloadType::PCM => Some(Self::Pcm),
            PayloadType(_) => None,
        }
    }

    /// The name in messages, on the command line and on screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Opus64 => "opus-64",
            Self::Pcm => "pcm",
        }
    }
}

impl core::fmt::Display for Codec {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
