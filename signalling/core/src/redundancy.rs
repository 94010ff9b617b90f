//! How many earlier codec frames a packet repeats, by the loss that is told of.
//!
//! Pure arithmetic on one path: a subscriber's way from its publisher, or a publisher's way to the
//! server. What surprises: nothing here looks at what arrives unharmed. Loss asks for repetition,
//! and a time without such loss ends it.

use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::rtp::Ssrc;
use protocol::signal::{ErrorCode, StreamReception};
use protocol::time::Instant;

use crate::limits::{
    REDUNDANCY_CALM, REDUNDANCY_DEEP_PERMILLE, REDUNDANCY_PERMILLE, REDUNDANCY_RUN_TENTHS,
};
use crate::refusal::Refusal;
use crate::requests::Asker;
use crate::signalling::Signalling;
use crate::timers::Wake;

impl Signalling {
    /// An app tells how its streams arrived.
    pub(crate) fn reception(
        &mut self,
        now: Instant,
        asker: Asker,
        streams: &[StreamReception],
    ) -> Result<(), Refusal> {
        if SUBSCRIBER_STREAMS_MAX < streams.len() {
            let text = format!("an app receives at most {SUBSCRIBER_STREAMS_MAX} streams");
            return Err(Refusal::new(ErrorCode::TooMany, text));
        }
        for stream in streams {
            let StreamReception { ssrc, expected_packets, lost_packets, gaps } = *stream;
            let loss = Loss { expected_packets, lost_packets, gaps: Some(gaps) };
            self.hear_stream_loss(now, asker.participant, ssrc, loss);
        }
        Ok(())
    }

    /// Loss on the way to a subscriber. Of streams that are not its own nothing is known.
    pub(crate) fn hear_stream_loss(
        &mut self,
        now: Instant,
        subscriber: ParticipantId,
        ssrc: Ssrc,
        loss: Loss,
    ) {
        let link = self.members.get(&subscriber).and_then(|member| member.link.as_ref());
        if let Some(track) = link.and_then(|link| link.track_of(ssrc)) {
            self.hear_loss(now, subscriber, track, loss);
        }
    }

    /// Loss on the way of a track to its listener, or from its publisher.
    pub(crate) fn hear_loss(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        track: TrackId,
        loss: Loss,
    ) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        let mut redundancy = member.redundancy.get(&track).copied().unwrap_or_default();
        let before = redundancy.frames;
        redundancy.hear(now, loss);
        if redundancy.frames == 0 {
            return;
        }
        member.redundancy.insert(track, redundancy);
        let room = member.room.clone();
        self.set_calm_timer(now, participant);
        if redundancy.frames != before {
            self.settle(&room);
        }
    }

    /// Some path of a participant may have been without loss for long enough.
    pub(crate) fn calm(&mut self, now: Instant, participant: ParticipantId) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        member.redundancy.retain(|_, redundancy| {
            redundancy.calm(now);
            0 < redundancy.frames
        });
        let room = member.room.clone();
        self.set_calm_timer(now, participant);
        self.settle(&room);
    }

    fn set_calm_timer(&mut self, now: Instant, participant: ParticipantId) {
        let paths = self.members.get(&participant).map(|member| member.redundancy.values());
        let next = paths.and_then(|paths| paths.filter_map(|path| path.next_change(now)).min());
        if let Some(at) = next {
            self.timers.set(Wake::Calm(participant), at);
        }
    }

    /// How many frames a listener needs repeated of a track in a codec, or, with the publisher in
    /// its place, everybody.
    pub(crate) fn repeated(&self, participant: ParticipantId, track: TrackId, codec: Codec) -> u8 {
        // A packet of bare opus holds one frame.
        let path = self.members.get(&participant).and_then(|m| m.redundancy.get(&track));
        path.filter(|_| codec != Codec::Opus).map_or(0, |path| path.frames)
    }
}

/// What one path needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Redundancy {
    /// When one frame was last asked for, and when two were.
    asked: [Option<Instant>; 2],
    /// How many frames are repeated.
    frames: u8,
}

/// What was told of one second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loss {
    pub(crate) expected_packets: u32,
    pub(crate) lost_packets: u32,
    /// How often some were missing, where that is known.
    pub(crate) gaps: Option<u32>,
}

impl Redundancy {
    /// Takes in a second's loss.
    fn hear(&mut self, now: Instant, loss: Loss) {
        for asked in self.asked.iter_mut().take(loss.asks_for()) {
            *asked = Some(now);
        }
        self.calm(now);
    }

    /// Forgets what was asked for too long ago.
    fn calm(&mut self, now: Instant) {
        let is_standing =
            |asked: &&Option<Instant>| asked.is_some_and(|asked| now < asked + REDUNDANCY_CALM);
        self.frames = self.asked.iter().take_while(is_standing).map(|_| 1).sum();
    }

    /// When [`Self::frames`] changes, if nothing more is asked for.
    fn next_change(&self, now: Instant) -> Option<Instant> {
        let ends = self.asked.iter().flatten().map(|asked| *asked + REDUNDANCY_CALM);
        ends.filter(|end| now < *end).min()
    }
}

impl Loss {
    fn asks_for(self) -> usize {
        let (expected, lost) = (u64::from(self.expected_packets), u64::from(self.lost_packets));
        let permille = lost * 1000 / expected.max(1);
        let runs = self.gaps.map_or(lost, u64::from).max(1);
        if permille < REDUNDANCY_PERMILLE {
            0
        } else if permille < REDUNDANCY_DEEP_PERMILLE && lost * 10 < runs * REDUNDANCY_RUN_TENTHS {
            1
        } else {
            2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_s(s: u64) -> Instant {
        Instant::from_ns(s * 1_000_000_000)
    }

    fn asked_for(expected_packets: u32, lost_packets: u32, gaps: Option<u32>) -> usize {
        Loss { expected_packets, lost_packets, gaps }.asks_for()
    }

    #[test]
    fn what_is_asked_for_follows_rate_and_runs_of_loss() {
        assert_eq!(asked_for(750, 0, Some(0)), 0);
        assert_eq!(asked_for(750, 2, Some(2)), 0, "an accident");
        assert_eq!(asked_for(750, 8, Some(8)), 1);
        assert_eq!(asked_for(750, 8, None), 1);
        assert_eq!(asked_for(750, 8, Some(4)), 2, "two in a row");
        assert_eq!(asked_for(750, 38, Some(36)), 2);
        assert_eq!(asked_for(0, 0, None), 0);
        assert_eq!(asked_for(0, u32::MAX, Some(0)), 2, "absurd, and harmless");
    }

    #[test]
    fn up_at_once_and_down_after_a_calm() {
        let frames = |redundancy: &mut Redundancy, now| {
            redundancy.calm(now);
            redundancy.frames
        };
        let mut redundancy = Redundancy::default();
        let lossy = |lost_packets| Loss { expected_packets: 750, lost_packets, gaps: None };
        assert_eq!((redundancy.frames, redundancy.next_change(at_s(1))), (0, None));
        redundancy.hear(at_s(1), lossy(60));
        assert_eq!(frames(&mut redundancy, at_s(1)), 2);
        redundancy.hear(at_s(5), lossy(8));
        let calm = REDUNDANCY_CALM.as_secs();
        assert_eq!(redundancy.next_change(at_s(5)), Some(at_s(1 + calm)));
        assert_eq!(frames(&mut redundancy, at_s(calm)), 2);
        assert_eq!(frames(&mut redundancy, at_s(1 + calm)), 1);
        assert_eq!(redundancy.next_change(at_s(1 + calm)), Some(at_s(5 + calm)));
        assert_eq!(frames(&mut redundancy, at_s(5 + calm)), 0);
        assert_eq!(redundancy.next_change(at_s(5 + calm)), None);
    }
}
