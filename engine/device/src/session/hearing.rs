//! How one hears the others, for the room: the delay from their mouths to one's ears, what was lost and what
//! was invented, once a second; and what one's own device and network are like, for the server, which tells
//! causes apart.
//!
//! What surprises: in a large room it is told more seldom, since everybody's word goes to everybody: in a room of
//! 32 once in four seconds, so that nobody takes more than eight messages a second, as in a room of 8.

use core::time::Duration;
use std::collections::BTreeMap;

use engine::{RemoteStats, RoomClockStats};
use protocol::rtp::Ssrc;
use protocol::signal::{ClientMessage, DeviceReport, NetworkReport, Stream, TrackHearing};
use protocol::time::Instant;
use protocol::units::SampleRate;

/// What one's own end of the music is like; what is not known is left out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct OwnEnd {
    /// How long a period of the device is.
    pub period: Option<Duration>,
    /// From the microphone to the engine, as the driver says it.
    pub input_latency: Option<Duration>,
    /// From the engine to the loudspeaker, as the driver says it.
    pub output_latency: Option<Duration>,
    /// How often the device ran out of audio or of room, since the start.
    pub missed: u64,
    /// How long the callbacks worked, since the start.
    pub worked: Duration,
    /// How many others are not heard because this machine is too slow.
    pub left_out: u32,
    /// What is known of the way to the server.
    pub network: Option<RoomClockStats>,
}

/// What was counted when it was told last.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    counts: BTreeMap<Ssrc, Counts>,
    told: Option<(Instant, OwnEnd)>,
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
    /// What to tell, if it is time to.
    pub(super) fn report(
        &mut self,
        now: Instant,
        remotes: &[RemoteStats],
        streams: &BTreeMap<Ssrc, Stream>,
        participants: usize,
        own: &OwnEnd,
    ) -> Option<ClientMessage> {
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
            let to_ear = own.output_latency.unwrap_or_default();
            let why = stats.why;
            let asked_for =
                [why.network_frames, why.callback_frames, why.drift_frames, why.redundancy_frames];
            let asked_for = asked_for.into_iter().fold(0, u32::saturating_add);
            let spare = stats.playout_delay_target_frames.saturating_sub(asked_for);
            tracks.push(TrackHearing {
                track: stream.track,
                delay_us: stats.mouth_to_device.map(|delay| us(delay + to_ear)),
                padding_us: stats.mouth_to_device.and_then(|_| padding_us(stats)),
                lost_permille: permille(lost, lost + received),
                concealed_permille: permille(
                    concealed,
                    counts.played.saturating_sub(before.played),
                ),
                network_us: Some(frames_us(why.network_frames)),
                // What a playing mode waits for is nobody's mistake.
                spare_us: Some(frames_us(spare).saturating_sub(us(stats.padding)))
                    .filter(|us| 0 < *us),
            });
        }
        let before = self.told.replace((now, *own));
        let (passed, before) = before
            .map_or((Duration::ZERO, *own), |(at, before)| (now.saturating_since(at), before));
        Some(ClientMessage::Hearing {
            tracks,
            device: Some(own.device(passed, &before)),
            network: own.network.map(|stats| NetworkReport {
                round_trip_us: us(stats.round_trip),
                jitter_us: us(stats.jitter),
            }),
        })
    }
}

/// What is waited for beyond need, where it is worth a word.
fn padding_us(stats: &RemoteStats) -> Option<u32> {
    let us = u32::try_from(stats.padding.as_micros()).unwrap_or(u32::MAX);
    (PADDING_US_MIN <= us).then_some(us)
}

impl OwnEnd {
    fn device(&self, passed: Duration, before: &Self) -> DeviceReport {
        let missed = self.missed.saturating_sub(before.missed);
        let worked = self.worked.saturating_sub(before.worked);
        let load = worked.as_nanos().saturating_mul(1000).checked_div(passed.as_nanos());
        DeviceReport {
            period_us: self.period.map(us),
            input_latency_us: self.input_latency.map(us),
            output_latency_us: self.output_latency.map(us),
            missed: u32::try_from(missed).unwrap_or(u32::MAX),
            load_permille: load.map(|permille| u16::try_from(permille.min(1000)).unwrap_or(1000)),
            left_out: self.left_out,
        }
    }
}

fn frames_us(frames: u32) -> u32 {
    us(SampleRate::WIRE.duration_floor(frames.into()))
}

fn us(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
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
                let own = OwnEnd::default();
                let report = hearing.report(now, &[], &BTreeMap::new(), participants, &own);
                report.is_some()
            });
            assert_eq!(told.count(), 10_usize.div_ceil(seconds), "{participants}");
        }
    }

    #[test]
    fn of_ones_own_end_is_told_what_changed_and_what_is() {
        let ms = Duration::from_millis;
        let own = OwnEnd {
            period: Some(Duration::from_micros(21_333)),
            output_latency: Some(ms(190)),
            missed: 40,
            worked: ms(7_000),
            ..OwnEnd::default()
        };
        let mut hearing = Hearing::default();
        let mut device = |at_ms: u64, own: &OwnEnd| {
            let now = Instant::from_ns(at_ms * 1_000_000);
            match hearing.report(now, &[], &BTreeMap::new(), 2, own) {
                Some(ClientMessage::Hearing { device, .. }) => device.expect("it is always told"),
                other => panic!("{other:?}"),
            }
        };
        let at_first = DeviceReport {
            period_us: Some(21_333),
            output_latency_us: Some(190_000),
            ..DeviceReport::default()
        };
        assert_eq!(device(1_000, &own), at_first, "what was before is nobody's");
        let later = OwnEnd { missed: 43, worked: ms(7_400), left_out: 1, ..own };
        let expected =
            DeviceReport { missed: 3, load_permille: Some(200), left_out: 1, ..at_first };
        assert_eq!(device(3_000, &later), expected);
    }
}
