//! Continuity of one outgoing stream: sequence numbers and timestamps go on across changes of what
//! is behind it.
//!
//! Within one source and epoch the distance between incoming and outgoing numbers is fixed, so loss
//! and reordering stay visible to the subscriber. When either changes, the next packet is *joined
//! on*: it gets the number after the highest, and a timestamp that lies as much later as time has
//! passed. What surprises: packets that were under way before the packet that was joined on have no
//! number left, and are dropped.

use protocol::rtp::SequenceNumber;
use protocol::time::{Instant, MediaTime};
use protocol::units::SampleRate;

use crate::limits::UNSENT_GAP_PACKETS_MAX;
use crate::publisher::{Position, Source};
use crate::slab::Key;

/// A packet's numbers towards the subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) number: SequenceNumber,
    pub(crate) media_time: MediaTime,
    /// Whether this packet was joined on: the first after silence (RFC 3551 §4.1).
    pub(crate) joined: bool,
}

#[derive(Debug, Clone, Copy)]
struct Join {
    source: Key<Source>,
    /// Where the source stood...
    from: Position,
    /// ...and what its packet became.
    number: SequenceNumber,
    media_time: MediaTime,
}

/// The numbering of one outgoing stream, for as long as its link lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rewrite {
    join: Option<Join>,
    /// The highest number so far, or the one before the first.
    number: SequenceNumber,
    /// Media time and arrival of the packet with the highest number.
    last: Option<(MediaTime, Instant)>,
}

impl Rewrite {
    /// Numbers begin after `start`, which should lie below 32768 (RFC 3711 §3.3.1).
    pub(crate) const fn new(start: u16) -> Self {
        Self { join: None, number: SequenceNumber(start as u64), last: None }
    }

    /// Numbers a packet; `None` where it was sent before the join.
    pub(crate) fn rewrite(
        &mut self,
        source: Key<Source>,
        position: Position,
        arrived: Instant,
    ) -> Option<Rewritten> {
        let standing = self.join.filter(|join| {
            let ahead = position.number.0.saturating_sub(join.from.number.0);
            let gap = (join.number.0 + ahead).saturating_sub(self.number.0);
            join.source == source
                && join.from.epoch == position.epoch
                && gap < UNSENT_GAP_PACKETS_MAX
        });
        let join = standing.unwrap_or_else(|| self.join_on(source, position, arrived));
        self.join = Some(join);
        let ahead = position.number.0.checked_sub(join.from.number.0)?;
        let number = SequenceNumber(join.number.0 + ahead);
        let frames = position.media_time.frames_since(join.from.media_time);
        let media_time = join.media_time.plus_frames(frames);
        if self.number < number {
            self.number = number;
            self.last = Some((media_time, arrived));
        }
        Some(Rewritten { number, media_time, joined: standing.is_none() })
    }

    /// The highest number so far, or the one before the first.
    pub(crate) const fn highest(&self) -> SequenceNumber {
        self.number
    }

    /// Where the stream's clock stands, going on since its last packet as time does; `None` before
    /// the first.
    pub(crate) fn media_time_at(&self, now: Instant) -> Option<MediaTime> {
        let (media_time, arrived) = self.last?;
        let frames = SampleRate::WIRE.frames_floor(now.saturating_since(arrived));
        Some(media_time.plus_frames(i64::try_from(frames).unwrap_or(i64::MAX)))
    }

    /// Has the next packet joined on, whatever is behind the stream: after a time in which packets
    /// were not sent, so that the gap in the numbers stays far below the 32768 at which the
    /// subscriber would lose count of the rollovers (RFC 3711 §3.3.1).
    pub(crate) const fn rejoin(&mut self) {
        self.join = None;
    }

    fn join_on(&self, source: Key<Source>, from: Position, arrived: Instant) -> Join {
        let media_time = match self.last {
            None => from.media_time,
            Some((media_time, last_arrived)) => {
                let elapsed = arrived.saturating_since(last_arrived);
                let frames = SampleRate::WIRE.frames_floor(elapsed).max(JOIN_STEP_MIN_FRAMES);
                media_time.plus_frames(i64::try_from(frames).unwrap_or(i64::MAX))
            }
        };
        Join { source, from, number: SequenceNumber(self.number.0 + 1), media_time }
    }
}

/// The least step of media time at a join: one packet of the shortest, so that no two packets
/// claim the same moment.
const JOIN_STEP_MIN_FRAMES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slab::Slab;
    use protocol::control::PayloadTypes;
    use protocol::id::{ParticipantId, TrackId};
    use protocol::rtp::Ssrc;

    fn sources() -> [Key<Source>; 2] {
        let mut slab: Slab<Source> = Slab::new();
        let source = || {
            let participant = ParticipantId(1);
            Source::new(participant, Ssrc(1), TrackId(1), PayloadTypes::NATIVE, 400, Instant::ZERO)
        };
        [slab.insert(source()), slab.insert(source())]
    }

    fn at(epoch: u32, number: u64, frames: i64) -> Position {
        let media_time = MediaTime::from_frames(frames);
        Position { epoch, number: SequenceNumber(number), media_time }
    }

    fn ms(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    fn numbers(rewritten: Option<Rewritten>) -> Option<(u64, i64, bool)> {
        rewritten.map(|packet| (packet.number.0, packet.media_time.as_frames(), packet.joined))
    }

    #[test]
    fn loss_and_reordering_stay_visible() {
        let [source, _] = sources();
        let mut rewrite = Rewrite::new(100);
        let mut packet = |number: i64| {
            let position = at(0, number.cast_unsigned(), number * 120);
            numbers(rewrite.rewrite(source, position, ms(0))).map(|packet| (packet.0, packet.1))
        };
        assert_eq!(packet(50), Some((101, 6_000)));
        assert_eq!(packet(53), Some((104, 6_360)));
        assert_eq!(packet(52), Some((103, 6_240)));
        assert_eq!(packet(49), None, "before the join");
    }

    #[test]
    fn another_source_goes_on_where_the_first_stopped_as_much_later_as_it_was() {
        let [first, second] = sources();
        let mut rewrite = Rewrite::new(0);
        rewrite.rewrite(first, at(0, 9, 1_000), ms(0));
        let joined = rewrite.rewrite(second, at(0, 70_000, 55), ms(10));
        assert_eq!(numbers(joined), Some((2, 1_480, true)));
        let next = rewrite.rewrite(second, at(0, 70_001, 175), ms(12));
        assert_eq!(numbers(next), Some((3, 1_600, false)));
    }

    #[test]
    fn a_gap_that_would_cost_the_count_of_rollovers_is_joined_over() {
        let [source, _] = sources();
        let mut rewrite = Rewrite::new(0);
        let mut number = |number| numbers(rewrite.rewrite(source, at(0, number, 0), ms(0)));
        assert_eq!(number(1).map(|packet| packet.0), Some(1));
        // Nothing is wrong with a gap that is only long...
        let seen = UNSENT_GAP_PACKETS_MAX;
        assert_eq!(number(seen).map(|packet| (packet.0, packet.2)), Some((seen, false)));
        // ...but one number more after the highest is too far.
        let unseen = 2 * UNSENT_GAP_PACKETS_MAX;
        assert_eq!(number(unseen).map(|packet| (packet.0, packet.2)), Some((seen + 1, true)));
        assert_eq!(number(unseen + 1).map(|packet| packet.0), Some(seen + 2));
    }

    #[test]
    fn a_new_epoch_joins_on_and_never_at_the_same_moment() {
        let [source, _] = sources();
        let mut rewrite = Rewrite::new(0);
        rewrite.rewrite(source, at(0, 500, 1_000), ms(5));
        let joined = rewrite.rewrite(source, at(1, 3, 0), ms(5));
        assert_eq!(numbers(joined), Some((2, 1_064, true)));
    }
}
