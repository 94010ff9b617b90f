//! Instants in nanoseconds and media time in frames.
//!
//! An [`Instant`] has no epoch of its own: the shell that drives a core picks one (usually the
//! start of the process) and passes every instant in. Virtual time is then just another shell.

use core::time::Duration;

/// A moment on the clock of whoever drives a core, in nanoseconds since an epoch of its choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// The instant `ns` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// Time since `earlier`; zero when `earlier` is in fact later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl core::ops::Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ns))
    }
}

/// A moment on the clock that everybody in a room shares, in nanoseconds since 1970 as the SFU counts
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RoomTime(i64);

impl RoomTime {
    /// The moment `ns` nanoseconds after 1970 began.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since 1970 began.
    #[must_use]
    pub const fn as_ns(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is in fact later.
    #[must_use]
    pub const fn ns_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `ns` nanoseconds later.
    #[must_use]
    pub const fn plus_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

/// A [`RoomTime`] in 24 bits, six of them seconds and the rest fractions, in the format that
/// `abs-send-time` has for its own clock (<http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time>):
/// to 3.8 µs, wrapping after 64 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShortTime(u32);

impl ShortTime {
    /// How long it takes to wrap, in nanoseconds.
    pub const WRAP_NS: i64 = 64_000_000_000;

    /// The nearest to a moment.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "24 bits are what is asked for")]
    pub const fn of(time: RoomTime) -> Self {
        let ns = time.as_ns().rem_euclid(Self::WRAP_NS).cast_unsigned();
        Self((((ns << 18) + 500_000_000) / 1_000_000_000) as u32 & 0xff_ffff)
    }

    /// Its three bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// From three bytes.
    #[must_use]
    pub const fn from_bytes([a, b, c]: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, a, b, c]))
    }

    /// Nanoseconds since it last wrapped.
    #[must_use]
    pub const fn as_ns(self) -> i64 {
        (((self.0 as u64) * 1_000_000_000) >> 18).cast_signed()
    }

    /// The moment meant, which is less than 32 s from `reference`.
    #[must_use]
    pub const fn near(self, reference: RoomTime) -> RoomTime {
        let ahead =
            (self.as_ns() - reference.as_ns().rem_euclid(Self::WRAP_NS)).rem_euclid(Self::WRAP_NS);
        let behind = if Self::WRAP_NS / 2 <= ahead { Self::WRAP_NS } else { 0 };
        reference.plus_ns(ahead - behind)
    }
}

/// A position on a publisher's media clock in frames: the RTP timestamp, extended to 64 bits.
///
/// The clock rate of every vjam track is 48 kHz (RFC 7587 §4.1 fixes it for Opus).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(i64);

impl MediaTime {
    /// The media time `frames` after the track's origin.
    #[must_use]
    pub const fn from_frames(frames: i64) -> Self {
        Self(frames)
    }

    /// Frames since the track's origin.
    #[must_use]
    pub const fn as_frames(self) -> i64 {
        self.0
    }

    /// Frames from `earlier` to `self`; negative when `earlier` is in fact later.
    #[must_use]
    pub const fn frames_since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }

    /// The media time `frames` later.
    #[must_use]
    pub const fn plus_frames(self, frames: i64) -> Self {
        Self(self.0.wrapping_add(frames))
    }

    /// Extends a 32-bit RTP timestamp to the media time nearest to `self`.
    ///
    /// Right as long as the packet lies within 2^31 frames (12 hours) of `self`.
    #[must_use]
    pub const fn extend(self, rtp_timestamp: u32) -> Self {
        let step = rtp_timestamp.wrapping_sub(self.rtp_timestamp());
        Self(self.0.wrapping_add(step.cast_signed() as i64))
    }

    /// The 32 bits of this media time that RTP carries.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "RTP carries the low 32 bits")]
    pub const fn rtp_timestamp(self) -> u32 {
        self.0.cast_unsigned() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_time_extends_across_the_wrap_in_both_directions() {
        let before = MediaTime::from_frames(0xffff_ff00);
        assert_eq!(before.extend(0x10).as_frames(), 0x1_0000_0010);
        let after = MediaTime::from_frames(0x1_0000_0010);
        assert_eq!(after.extend(0xffff_ff00).as_frames(), 0xffff_ff00);
    }

    #[test]
    fn a_short_time_is_known_again_near_where_it_was() {
        for ns in [0, 1_790_000_000_123_456_789, 1_790_000_063_999_999_999, -5_000_000_001] {
            let time = RoomTime::from_ns(ns);
            let short = ShortTime::from_bytes(ShortTime::of(time).to_bytes());
            for away_s in [-31, -1, 0, 1, 31] {
                let reference = time.plus_ns(away_s * 1_000_000_000);
                let off = short.near(reference).ns_since(time);
                assert!(off.abs() <= 1_908, "{ns} from {away_s} s away: {off} ns");
            }
        }
    }

    #[test]
    fn an_earlier_instant_is_no_time_ago() {
        assert_eq!(Instant::ZERO.saturating_since(Instant::from_ns(5)), Duration::ZERO);
    }
}
