//! The frames of an export: 48,000 a second of room time.

use protocol::time::RoomTime;

use crate::SAMPLE_RATE;

/// Frames that are evenly spaced in room time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// When frame 0 sounds.
    pub start: RoomTime,
    /// How many frames there are.
    pub frames: u64,
}

impl Grid {
    /// From one moment to another; none where they are the wrong way round.
    #[must_use]
    pub fn between(start: RoomTime, stop: RoomTime) -> Self {
        let ns = u64::try_from(stop.ns_since(start)).unwrap_or(0);
        let frames = u128::from(ns) * u128::from(SAMPLE_RATE) / 1_000_000_000;
        Self { start, frames: u64::try_from(frames).expect("48,000 a second of at most 2^63 ns") }
    }

    /// How long it is, in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        to_f64(self.frames) / f64::from(SAMPLE_RATE)
    }

    /// Where on the grid a moment is, in frames; negative before it.
    #[must_use]
    pub fn position(&self, at: RoomTime) -> f64 {
        signed_to_f64(at.ns_since(self.start)) / FRAME_NS
    }
}

/// 1 / 48 kHz.
pub(crate) const FRAME_NS: f64 = 1e9 / 48_000.0;

#[expect(clippy::cast_precision_loss, reason = "frames of a day have 33 bits")]
pub(crate) fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "2^53 ns are a hundred days")]
pub(crate) fn signed_to_f64(ns: i64) -> f64 {
    ns as f64
}

/// The frame at or after a position; 0 for what is before, or no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast itself keeps within the bounds of u64"
)]
pub(crate) fn ceil(position: f64) -> u64 {
    position.ceil() as u64
}

/// The frame at or before a position; 0 for what is before, or no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast itself keeps within the bounds of u64"
)]
pub(crate) fn floor(position: f64) -> u64 {
    position as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_48_frames_each_millisecond() {
        let start = RoomTime::from_ns(1_790_000_000_000_000_001);
        let grid = Grid::between(start, start.plus_ns(600_000_000_000));
        assert_eq!(grid.frames, 600 * 48_000);
        assert_eq!(grid.seconds(), 600.0);
        assert_eq!(grid.position(start.plus_ns(-1_000_000)), -48.0);
        assert_eq!(Grid::between(start, start.plus_ns(-5)).frames, 0);
    }

    #[test]
    fn what_is_before_a_grid_is_its_first_frame() {
        assert_eq!([-7.5, f64::NAN, 0.2, 7.0].map(ceil), [0, 0, 1, 7]);
    }
}
