//! Quantities whose units must not be mixed up.

use core::time::Duration;

/// Frames (one sample for each channel) in one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleRate(u32);

impl SampleRate {
    /// The rate at which every track travels.
    pub const WIRE: Self = Self(48_000);

    /// A rate in hertz, if a sound card could have it (8 kHz to 384 kHz).
    #[must_use]
    pub const fn from_hz(hz: u32) -> Option<Self> {
        if 8_000 <= hz && hz <= 384_000 { Some(Self(hz)) } else { None }
    }

    /// Frames per second.
    #[must_use]
    pub const fn as_hz(self) -> u32 {
        self.0
    }

    /// Whole frames that fit into `duration`.
    #[must_use]
    pub fn frames_floor(self, duration: Duration) -> u64 {
        let frames = duration.as_nanos() * u128::from(self.0) / 1_000_000_000;
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// How long `frames` last, rounded down to a nanosecond.
    #[must_use]
    pub fn duration_floor(self, frames: u64) -> Duration {
        let ns = u128::from(frames) * 1_000_000_000 / u128::from(self.0);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// A gain or a level in decibels (relative to full scale for a level).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Decibels(pub f32);

impl Decibels {
    /// No change.
    pub const UNITY: Self = Self(0.0);

    /// The factor that a sample is multiplied by; -100 dB and below is silence.
    #[must_use]
    pub fn to_factor(self) -> f32 {
        if self.0 <= -100.0 { 0.0 } else { 10.0_f32.powf(self.0 / 20.0) }
    }

    /// The decibels of a factor; -100 dB for silence.
    #[must_use]
    pub fn from_factor(factor: f32) -> Self {
        if factor <= 1e-5 { Self(-100.0) } else { Self(20.0 * factor.log10()) }
    }
}

/// Bits per second of encoded audio, headers not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bitrate(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_durations_round_down() {
        let ten_hz = SampleRate(10);
        assert_eq!(ten_hz.frames_floor(Duration::from_millis(199)), 1);
        assert_eq!(ten_hz.duration_floor(3), Duration::from_millis(300));
    }

    #[test]
    fn silence_has_a_floor() {
        assert_eq!(Decibels::from_factor(0.0).to_factor(), 0.0);
        assert!((Decibels(-6.0).to_factor() - 0.501).abs() < 0.001);
    }
}
