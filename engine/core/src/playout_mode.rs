//! How long a listener wants a remote's audio to wait: left to the engine, leaned one way, or set.
//!
//! A choice of the listener alone: nobody else hears of it. What it does to the delay is decided in
//! the render callback.

use core::fmt;
use core::str::FromStr;

use protocol::units::SampleRate;
use thiserror::Error;

use crate::limits::PLAYOUT_DELAY_FRAMES_MAX;

/// What a remote's playout delay is steered by.
///
/// Its text is `automatic`, `lower`, `safer`, or milliseconds such as `12ms` or `2.5ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlayoutMode {
    /// As long as what was seen asks for.
    #[default]
    Automatic,
    /// Less delay at more risk: more is concealed.
    Lower,
    /// More delay at less risk.
    Safer,
    /// This playout delay in frames, whatever the network does; at most
    /// [`PLAYOUT_DELAY_FRAMES_MAX`].
    Fixed(u32),
}

/// Why a text or a delay is no [`PlayoutMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PlayoutModeError {
    /// Some other word, or a number without its unit.
    #[error("not `automatic`, `lower`, `safer` or milliseconds such as `12ms`")]
    Malformed,
    /// A fixed delay beyond [`PLAYOUT_DELAY_FRAMES_MAX`].
    #[error("a fixed playout delay is at most {} ms", PLAYOUT_DELAY_FRAMES_MAX / FRAMES_PER_MS)]
    RefusedDelay,
}

impl PlayoutMode {
    /// A fixed playout delay; [`PLAYOUT_DELAY_FRAMES_MAX`] is the longest.
    pub fn fixed(frames: u32) -> Result<Self, PlayoutModeError> {
        Self::Fixed(frames).check()
    }

    /// Itself, unless it is a delay that cannot be.
    pub(crate) fn check(self) -> Result<Self, PlayoutModeError> {
        match self {
            Self::Fixed(frames) if PLAYOUT_DELAY_FRAMES_MAX < i64::from(frames) => {
                Err(PlayoutModeError::RefusedDelay)
            }
            Self::Automatic | Self::Lower | Self::Safer | Self::Fixed(_) => Ok(self),
        }
    }
}

impl FromStr for PlayoutMode {
    type Err = PlayoutModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "automatic" => return Ok(Self::Automatic),
            "lower" => return Ok(Self::Lower),
            "safer" => return Ok(Self::Safer),
            _ => {}
        }
        let number = text.strip_suffix("ms").ok_or(PlayoutModeError::Malformed)?;
        let milliseconds: f64 = number.trim().parse().map_err(|_| PlayoutModeError::Malformed)?;
        if !(0.0..).contains(&milliseconds) {
            return Err(PlayoutModeError::Malformed);
        }
        let frames = (milliseconds * f64::from(SampleRate::WIRE.as_hz()) / 1000.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let frames = frames as u32;
        Self::fixed(frames)
    }
}

impl fmt::Display for PlayoutMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Automatic => out.write_str("automatic"),
            Self::Lower => out.write_str("lower"),
            Self::Safer => out.write_str("safer"),
            Self::Fixed(frames) => {
                // To a hundredth, which is finer than a frame (0.02 ms), and no zeros behind.
                let hundredths = u64::from(*frames) * 100_000;
                let hundredths = (hundredths + 24_000) / u64::from(SampleRate::WIRE.as_hz());
                match (hundredths / 100, hundredths % 100) {
                    (whole, 0) => write!(out, "{whole}ms"),
                    (whole, part) if part % 10 == 0 => write!(out, "{whole}.{}ms", part / 10),
                    (whole, part) => write!(out, "{whole}.{part:02}ms"),
                }
            }
        }
    }
}

const FRAMES_PER_MS: i64 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<PlayoutMode, PlayoutModeError>) {
        assert_eq!(text.parse(), expected, "{text}");
    }

    #[test]
    fn a_mode_is_a_word_or_milliseconds() {
        check("automatic", Ok(PlayoutMode::Automatic));
        check("lower", Ok(PlayoutMode::Lower));
        check("safer", Ok(PlayoutMode::Safer));
        check("12ms", Ok(PlayoutMode::Fixed(576)));
        check("2.5 ms", Ok(PlayoutMode::Fixed(120)));
        check("0ms", Ok(PlayoutMode::Fixed(0)));
        for text in ["", "Lower", "12", "ms", "-1ms", "NaNms", "12 s", "1e", "12msms"] {
            check(text, Err(PlayoutModeError::Malformed));
        }
    }

    #[test]
    fn a_fixed_delay_has_a_bound_that_its_error_names() {
        check("500ms", Ok(PlayoutMode::Fixed(24_000)));
        for text in ["500.02ms", "600ms", "1e300ms", "infms"] {
            check(text, Err(PlayoutModeError::RefusedDelay));
        }
        assert_eq!(PlayoutMode::fixed(24_000), Ok(PlayoutMode::Fixed(24_000)));
        let error = PlayoutMode::fixed(24_001).expect_err("half a second is the most");
        assert!(error.to_string().contains("at most 500 ms"), "{error}");
    }

    #[test]
    fn what_a_mode_is_written_as_is_read_as_the_same() {
        let words = [PlayoutMode::Automatic, PlayoutMode::Lower, PlayoutMode::Safer];
        for mode in words.into_iter().chain((0..24_001).map(PlayoutMode::Fixed)) {
            check(&mode.to_string(), Ok(mode));
        }
        assert_eq!(PlayoutMode::Fixed(576).to_string(), "12ms");
        assert_eq!(PlayoutMode::Fixed(120).to_string(), "2.5ms");
        assert_eq!(PlayoutMode::Fixed(64).to_string(), "1.33ms");
        assert_eq!(PlayoutMode::Fixed(1).to_string(), "0.02ms");
    }
}
