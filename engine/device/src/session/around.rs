//! What one's own sound would take from the microphone through the server to one's own loudspeaker, for whoever looks
//! at the room before joining.
//!
//! Nobody hears themselves, so it is put together from what is known: the device, the codec, twice the way to the
//! server, and the playout delay as it is for the others who are heard. What surprises: where nobody is heard, a packet
//! waits for as long as it is itself, which is what a quiet network asks for.

use core::time::Duration;

use engine::{RemoteStats, RoomClockStats};
use protocol::codec::Codec;
use protocol::signal::ClientMessage;
use protocol::time::Instant;
use protocol::units::SampleRate;

use super::membership::Membership;
use crate::audio::Timing;

/// When it is told again.
#[derive(Debug, Default)]
pub(super) struct Telling {
    due: Option<Instant>,
}

impl Telling {
    /// Whether it is time to tell.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let due = self.due.is_none_or(|due| due <= now);
        if due {
            self.due = Some(now + EVERY);
        }
        due
    }

    /// Another room, or the same anew.
    pub(super) fn start(&mut self) {
        self.due = None;
    }
}

/// The sum; `None` before the way to the server is known.
pub(super) fn around(
    codecs: &[Codec],
    clock: Option<RoomClockStats>,
    remotes: &[RemoteStats],
    timing: &Timing,
) -> Option<Duration> {
    let clock = clock.filter(|clock| clock.settled)?;
    let (packet, look_ahead) = match codecs.first()? {
        Codec::Opus => (120, 120),
        Codec::Opus64 => (64, 64),
        Codec::Pcm => (64, 0),
    };
    let delays = remotes.iter().map(|remote| {
        // What a playing mode has wait in the jitter buffer is not what packets need.
        let padding = SampleRate::WIRE.frames_floor(remote.padding).min(PADDED_FRAMES_MAX);
        u64::from(remote.playout_delay_frames).saturating_sub(padding)
    });
    let heard = u64::try_from(remotes.len()).unwrap_or(u64::MAX);
    let playout = delays.sum::<u64>().checked_div(heard).unwrap_or(packet);
    // The bound is half of the shortest round trip: the way there and back takes it twice.
    let network = 2 * clock.bound;
    let frames = SampleRate::WIRE.duration_floor(packet + look_ahead + playout);
    let device =
        timing.input_latency().unwrap_or_default() + timing.output_latency().unwrap_or_default();
    Some(device + frames + network)
}

impl Membership {
    /// Tells the server what one's own sound would take around, if it is known and time to.
    pub fn handle_around(&mut self, now: Instant, around: Option<Duration>) {
        let Some(around) = around.filter(|_| self.is_joined()) else { return };
        if self.telling.take(now) {
            let delay_us = u32::try_from(around.as_micros()).unwrap_or(u32::MAX);
            self.send(ClientMessage::Around { delay_us });
        }
    }
}

/// A playing mode has no more wait there: 60 ms.
const PADDED_FRAMES_MAX: u64 = 2880;

/// It changes with the network and the device, and nobody waits for it.
const EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn it_is_the_device_the_codec_the_buffer_and_the_way_to_the_server_twice() {
        let clock = |settled| RoomClockStats {
            settled,
            bound: 5 * MS,
            precision: MS,
            rate_ppm: 0.0,
            steps: 0,
            round_trip: 10 * MS,
            jitter: Duration::ZERO,
            exchanges: 100,
        };
        let timing = Timing::default();
        timing.set_input_latency(Some(3 * MS));
        timing.bring(64, Duration::ZERO);
        timing.set_output_latency(Some(4 * MS));
        let of = |codec, settled| around(&[codec], Some(clock(settled)), &[], &timing);
        // 120 frames are 2.5 ms: the packet, the look-ahead, and a packet's wait.
        assert_eq!(of(Codec::Opus, true), Some(Duration::from_micros(24_500)));
        assert_eq!(of(Codec::Opus, false), None);
        assert!(of(Codec::Pcm, true) < of(Codec::Opus64, true));
        assert_eq!(around(&[], Some(clock(true)), &[], &timing), None);
    }

    #[test]
    fn it_is_told_now_and_then() {
        let mut telling = Telling::default();
        let told = |telling: &mut Telling| {
            let ticks = 0..100_u64;
            ticks.filter(|n| telling.take(Instant::from_ns(n * 250_000_000))).count()
        };
        assert_eq!(told(&mut telling), 3);
        telling.start();
        assert!(telling.take(Instant::from_ns(1)));
    }
}
