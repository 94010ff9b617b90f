//! Our own engine: two real sessions, through their public interface alone.
//!
//! One captures the time code and makes the packets, the other hears them when the trace says so.

use anyhow::Context as _;
use engine::{Channels, Encoding, Session, SessionConfig, session};
use protocol::codec::Codec;
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use crate::play::SoundBuffer;
use crate::timecode;
use crate::trace::FRAMES;

pub(crate) struct Ours {
    sender: Session,
    receiver: Session,
    /// The latest packets, by number.
    packets: Vec<Vec<u8>>,
    made: usize,
    calls: usize,
    concealed: u64,
}

impl Ours {
    pub(crate) fn new(seed: u64) -> anyhow::Result<Self> {
        let channels = Channels::Stereo;
        let config = SessionConfig { channels, seed, ..SessionConfig::default() };
        let mut sender = session(&config)?;
        let mut receiver = session(&SessionConfig { seed: !seed, ..config })?;
        sender.control.set_encodings(&[Encoding::new(Codec::Pcm, SSRC)])?;
        receiver.control.add_remote(SSRC, channels)?;
        let packets = vec![Vec::new(); KEPT];
        let mut ours = Self { sender, receiver, packets, made: 0, calls: 0, concealed: 0 };
        ours.make().context("our sender makes no packet")?;
        Ok(ours)
    }

    /// Makes the next packet.
    fn make(&mut self) -> Option<()> {
        let (mut left, mut right) = ([0.0; FRAMES], [0.0; FRAMES]);
        let sides = left.iter_mut().zip(&mut right);
        for ((left, right), frame) in sides.zip(timecode::packet(self.made)) {
            [*left, *right] = frame;
        }
        self.sender.capture.capture(&[&left, &right]);
        let mut bytes = [0; 1400];
        let length = self.sender.outgoing.poll_packet(&mut bytes)?;
        let place = self.packets.get_mut(self.made % KEPT)?;
        place.clear();
        place.extend_from_slice(bytes.get(..length)?);
        self.made += 1;
        Some(())
    }
}

impl SoundBuffer for Ours {
    fn put(&mut self, now: f64, packet: usize) {
        while self.made <= packet {
            if self.make().is_none() {
                return;
            }
        }
        if let Some(bytes) = self.packets.get(packet % KEPT).filter(|_| self.made < packet + KEPT) {
            // A packet that it refuses is missed, which will be heard.
            let _ = self.receiver.incoming.handle_packet(instant(now), bytes);
        }
    }

    fn get(&mut self, now: f64, left: &mut [f32], right: &mut [f32]) -> usize {
        self.receiver.render.render(instant(now), &mut [left, right]);
        self.calls += 1;
        if self.calls.is_multiple_of(75) {
            self.receiver.control.poll();
            self.sender.control.poll();
        }
        let stats = self.receiver.control.remotes().next();
        let concealed = stats.map_or(0, |stats| stats.concealed_frames);
        let more = concealed.saturating_sub(self.concealed);
        self.concealed = concealed;
        usize::try_from(more).unwrap_or(0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes")]
fn instant(now: f64) -> Instant {
    Instant::from_ns((now * 1e6).round() as u64)
}

const SSRC: Ssrc = Ssrc(1);

/// Packets that are kept until they arrive: 5 s.
const KEPT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::FAMILIES;
    use crate::play::{Piece, concealed_by_timing, sound};
    use crate::trace::{PERIOD, Plan, Trace};

    fn play(name: &str, drift_ppm: f64) -> (Trace, Vec<Piece>) {
        let family = FAMILIES.iter().find(|family| family.name == name);
        let plan = Plan { measured: 20_000.0, settle: 10_000.0, seed: 1, drift_ppm };
        let trace = Trace::new(family.expect("it is there"), &plan);
        let pieces = sound(&trace, &mut Ours::new(1).expect("it starts"));
        let pieces = pieces.into_iter().filter(|piece| trace.from <= piece.at).collect();
        (trace, pieces)
    }

    #[test]
    fn on_a_clean_line_it_is_heard_within_a_few_periods() {
        let (_, pieces) = play("loopback", 0.0);
        for piece in pieces {
            let delay = piece.delay.expect("it is music");
            assert!((0.0..4.0 * PERIOD).contains(&delay), "{piece:?}");
        }
    }

    #[test]
    fn what_it_says_it_invented_fits_when_packets_came() {
        let (trace, pieces) = play("wifi-bad", 60.0);
        let said: f64 = pieces.iter().map(|piece| piece.concealed).sum();
        let expected = concealed_by_timing(&trace, &pieces);
        assert!(20.0 < expected, "{expected}");
        assert!((0.5..2.0).contains(&(said / expected)), "{said} of {expected}");
    }
}
