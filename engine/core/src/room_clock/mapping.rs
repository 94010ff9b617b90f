//! The room's clock as a line over the local one: what everybody who needs the time is given.

use protocol::time::{Instant, RoomTime};

/// What the room's clock shows at local instants: two numbers and a rate, so that it can be copied to
/// any thread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoomMapping {
    local: Instant,
    room: RoomTime,
    /// Room nanoseconds more for each local one.
    rate: f64,
}

impl RoomMapping {
    /// The line through one pair, so much steeper than one to one.
    #[must_use]
    pub const fn new(local: Instant, room: RoomTime, rate: f64) -> Self {
        Self { local, room, rate }
    }

    /// What the room's clock shows at a local instant.
    #[must_use]
    pub fn room(&self, at: Instant) -> RoomTime {
        let passed = ns_between(self.local, at);
        self.room.plus_ns(passed + round(to_f64(passed) * self.rate))
    }

    /// The local instant at which the room's clock shows something.
    #[must_use]
    pub fn local(&self, room: RoomTime) -> Instant {
        let passed = room.ns_since(self.room);
        let off = round(to_f64(passed) * self.rate / (1.0 + self.rate));
        shifted(self.local, passed.saturating_sub(off))
    }

    /// By how much the room's clock is faster than the local one; 1e-6 is one ppm.
    #[must_use]
    pub const fn rate(&self) -> f64 {
        self.rate
    }
}

/// From one instant to another; negative where that is earlier.
pub(crate) fn ns_between(from: Instant, to: Instant) -> i64 {
    to.as_ns().wrapping_sub(from.as_ns()).cast_signed()
}

/// The instant so much later; the epoch where that would be before it.
pub(crate) fn shifted(instant: Instant, ns: i64) -> Instant {
    Instant::from_ns(instant.as_ns().saturating_add_signed(ns))
}

#[expect(clippy::cast_precision_loss, reason = "exact up to a hundred days")]
pub(crate) const fn to_f64(ns: i64) -> f64 {
    ns as f64
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and is a fraction of a second")]
pub(crate) fn round(ns: f64) -> i64 {
    ns.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_room_and_back_ends_where_it_began() {
        let room = RoomTime::from_ns(1_790_000_000_000_000_000);
        for rate in [-400e-6, 0.0, 37e-6] {
            let mapping = RoomMapping::new(Instant::from_ns(5_000_000_000), room, rate);
            for at in [0, 5_000_000_000, 3_600_000_000_000] {
                let at = Instant::from_ns(at);
                let back = mapping.local(mapping.room(at));
                assert!(ns_between(at, back).abs() <= 1, "{at:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_faster_room_is_ahead_after_a_while() {
        let mapping = RoomMapping::new(Instant::ZERO, RoomTime::from_ns(7), 100e-6);
        let after = mapping.room(Instant::from_ns(10_000_000_000));
        assert_eq!(after.as_ns(), 7 + 10_000_000_000 + 1_000_000);
    }
}
