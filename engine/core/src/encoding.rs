//! What is asked of the encoders: channels, codec, bitrate, redundancy.

use protocol::codec::Codec;
use protocol::control::PayloadTypes;
use protocol::rtp::Ssrc;
use protocol::units::Bitrate;
use thiserror::Error;

use crate::limits::{BITRATE_RANGE, ENCODINGS_MAX, REDUNDANT_FRAMES_MAX, SOURCES_MAX};

/// How many channels a track has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channels {
    /// One.
    Mono,
    /// Two, left first.
    Stereo,
}

impl Channels {
    /// 1 or 2.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }

    /// The channels of a track as signalling counts them.
    #[must_use]
    pub const fn from_count(count: usize) -> Option<Self> {
        match count {
            1 => Some(Self::Mono),
            2 => Some(Self::Stereo),
            _ => None,
        }
    }
}

/// One encoding of the published track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    /// How it is coded.
    pub codec: Codec,
    /// The stream it is sent as. An SSRC that was used before goes on where its sequence numbers
    /// ended.
    pub ssrc: Ssrc,
    /// Bits per second of encoded audio; `pcm` ignores it. Every codec frame has the same size.
    pub bitrate: Bitrate,
    /// How many earlier codec frames each packet repeats, against loss. Only for codecs that travel
    /// as RED: `opus` ignores it.
    pub redundant_frames: usize,
    /// The payload types of the link.
    pub payload_types: PayloadTypes,
}

impl Encoding {
    /// An encoding with the session's bitrate still to be chosen (96 kbit/s), no redundancy, and
    /// the payload types of a native link.
    #[must_use]
    pub const fn new(codec: Codec, ssrc: Ssrc) -> Self {
        Self {
            codec,
            ssrc,
            bitrate: Bitrate(96_000),
            redundant_frames: 0,
            payload_types: PayloadTypes::NATIVE,
        }
    }
}

/// Why encodings were not taken. What was sent before goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// More encodings than [`ENCODINGS_MAX`].
    #[error("{0} encodings asked for, at most {ENCODINGS_MAX} are possible")]
    ExhaustedEncodings(usize),
    /// More SSRCs over the session's life than [`SOURCES_MAX`].
    #[error("{ssrc:?} would be the {}th SSRC of this session", SOURCES_MAX + 1)]
    ExhaustedSources {
        /// The one too many.
        ssrc: Ssrc,
    },
    /// Two encodings on one SSRC.
    #[error("{0:?} has two encodings")]
    MisuseSameSsrc(Ssrc),
    /// A bitrate outside [`BITRATE_RANGE`].
    #[error("{0:?} is outside {BITRATE_RANGE:?} bit/s")]
    MisuseBitrate(Bitrate),
    /// More redundancy than [`REDUNDANT_FRAMES_MAX`].
    #[error("{0} redundant frames asked for, at most {REDUNDANT_FRAMES_MAX} are possible")]
    MisuseRedundancy(usize),
    /// A codec that travels as RED on a link that did not negotiate RED.
    #[error("{0} travels as RED, which this link does not take")]
    MisuseNoRed(Codec),
    /// The codec is not part of this build, or its library could not make an encoder.
    #[error("no encoder for {0}")]
    RefusedCodec(Codec),
    /// Too many commands wait for the capture callback.
    #[error("the capture callback does not take commands")]
    ExhaustedCommands,
}

impl Encoding {
    pub(crate) fn check_all(encodings: &[Self]) -> Result<(), EncodingError> {
        if ENCODINGS_MAX < encodings.len() {
            return Err(EncodingError::ExhaustedEncodings(encodings.len()));
        }
        for (index, encoding) in encodings.iter().enumerate() {
            if !BITRATE_RANGE.contains(&encoding.bitrate.0) {
                return Err(EncodingError::MisuseBitrate(encoding.bitrate));
            }
            if REDUNDANT_FRAMES_MAX < encoding.redundant_frames {
                return Err(EncodingError::MisuseRedundancy(encoding.redundant_frames));
            }
            if encoding.codec != Codec::Opus && encoding.payload_types.red.is_none() {
                return Err(EncodingError::MisuseNoRed(encoding.codec));
            }
            if encodings[..index].iter().any(|other| other.ssrc == encoding.ssrc) {
                return Err(EncodingError::MisuseSameSsrc(encoding.ssrc));
            }
        }
        Ok(())
    }
}
