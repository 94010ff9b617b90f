//! How one hears the others, for the room: the delay from their mouths to one's ears, what was lost and what
//! was invented, once a second.
//!
//! What surprises: in a large room it is told more seldom, since everybody's word goes to everybody: in a room of
//! 32 once in four seconds, so that nobody takes more than eight messages a second, as in a room of 8.

use core::time::Duration;
use std::collections::BTreeMap;

use engine::RemoteStats;
use protocol::rtp::Ssrc;
use protocol::signal::{Stream, TrackHearing};
use protocol::time::Instant;

/// What was counted when it was told last.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    counts: BTreeMap<Ssrc, Counts>,
    due: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    received: u64,
    lost: u64,
    played: u64,
    concealed: u64,
}

impl Hearing {
    /// What to tell, if it is time to. `to_ear` is what the device takes from the engine to the loudspeaker.
    pub(super) fn report(
        &mut self,
        now: Instant,
        remotes: &[RemoteStats],
        streams: &BTreeMap<Ssrc, Stream>,
        participants: usize,
        to_ear: Duration,
    ) -> Option<Vec<TrackHearing>> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        let seconds = participants.div_ceil(PARTICIPANTS_PER_SECOND).max(1);
        self.due = Some(now + INTERVAL * u32::try_from(seconds).unwrap_or(1));
        let before = core::mem::take(&mut self.counts);
        let mut tracks = Vec::new();
        for stats in remotes {
            let counts = Counts {
                received: stats.received_packets,
                lost: stats.lost_packets,
                played: stats.played_frames,
                concealed: stats.concealed_frames,
            };
            self.counts.insert(stats.ssrc, counts);
            let Some(stream) = streams.get(&stats.ssrc) else { continue };
            let before = before.get(&stats.ssrc).copied().unwrap_or(counts);
            let lost = counts.lost.saturating_sub(before.lost);
            let received = counts.received.saturating_sub(before.received);
            let concealed = counts.concealed.saturating_sub(before.concealed);
            let delay = stats.mouth_to_device.map(|delay| (delay + to_ear).as_micros());
            tracks.push(TrackHearing {
                track: stream.track,
                delay_us: delay.map(|delay| u32::try_from(delay).unwrap_or(u32::MAX)),
                padding_us: delay.and_then(|_| padding_us(stats)),
                lost_permille: permille(lost, lost + received),
                concealed_permille: permille(
                    concealed,
                    counts.played.saturating_sub(before.played),
                ),
            });
        }
        Some(tracks)
    }
}

/// What is waited for beyond need, where it is worth a word.
fn padding_us(stats: &RemoteStats) -> Option<u32> {
    let us = u32::try_from(stats.padding.as_micros()).unwrap_or(u32::MAX);
    (PADDING_US_MIN <= us).then_some(us)
}

fn permille(part: u64, whole: u64) -> u16 {
    let share = part.saturating_mul(1000).div_ceil(whole.max(1));
    u16::try_from(share.min(1000)).unwrap_or(1000)
}

/// The playhead is never quite where it is needed; less than half a millisecond is no padding.
const PADDING_US_MIN: u32 = 500;

const INTERVAL: Duration = Duration::from_secs(1);
const PARTICIPANTS_PER_SECOND: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_read_as_none_where_there_was_some() {
        assert_eq!((permille(0, 0), permille(0, 750)), (0, 0));
        assert_eq!((permille(1, 100_000), permille(3, 750), permille(9, 5)), (1, 4, 1000));
    }

    #[test]
    fn a_large_room_is_told_more_seldom() {
        for (participants, seconds) in [(1, 1), (8, 1), (9, 2), (32, 4)] {
            let mut hearing = Hearing::default();
            let told = (0..40_u64).filter(|quarter| {
                let now = Instant::from_ns(quarter * 250_000_000);
                let report = hearing.report(now, &[], &BTreeMap::new(), participants, INTERVAL);
                report.is_some()
            });
            assert_eq!(told.count(), 10_usize.div_ceil(seconds), "{participants}");
        }
    }
}
