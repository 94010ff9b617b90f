//! NetEQ as the crate `neteq` has it: a port of WebRTC's jitter buffer, at its own pace of 10 ms.
//!
//! This one is not written anew: the crate itself runs, on a clock that is put to the trace's time
//! (`web-time/`). It counts packets in whole milliseconds, so it is given three of the trace's packets
//! in one of 4 ms, when the last of them comes; it takes bare samples where no decoder is registered.
//! Where it plays is told by how much it says that it holds.
//!
//! What surprises: it aims at 20 ms and more, whatever the network, and can only catch up where the
//! music is soft for a moment. So it is given plucked notes, which are soft before the next.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Context as _;
use neteq::neteq::SpeechType;
use neteq::{AudioPacket, NetEqConfig, RtpHeader};

use crate::play::{Buffer, Played};
use crate::trace::FRAMES;

pub(crate) struct NetEq {
    neteq: neteq::NetEq,
    /// The frame after the latest that it was given.
    given: usize,
    /// Frames made but not yet played: whether each was invented.
    made: VecDeque<bool>,
}

impl NetEq {
    pub(crate) fn new() -> anyhow::Result<Self> {
        set_now(0.0);
        let config = NetEqConfig { sample_rate: 48_000, channels: 1, ..NetEqConfig::default() };
        let neteq = neteq::NetEq::new(config).context("neteq does not start")?;
        Ok(Self { neteq, given: 0, made: VecDeque::new() })
    }
}

impl Buffer for NetEq {
    fn put(&mut self, now: f64, packet: usize) {
        if packet % TOGETHER != TOGETHER - 1 {
            return;
        }
        set_now(now);
        let (first, end) = ((packet + 1 - TOGETHER) * FRAMES, (packet + 1) * FRAMES);
        let payload = (first..end).flat_map(|frame| pluck(frame).to_le_bytes()).collect();
        let header = RtpHeader::new(
            u16::try_from(packet / TOGETHER % 65_536).unwrap_or_default(),
            u32::try_from(first).unwrap_or_default(),
            1,
            96,
            false,
        );
        // It refuses nothing that it is given here; if it did, the packet would be missed.
        let _ = self.neteq.insert_packet(AudioPacket::new(header, payload, 48_000, 1, 4));
        self.given = self.given.max(end);
    }

    fn get(&mut self, now: f64) -> Played {
        set_now(now);
        while self.made.len() < FRAMES {
            let frame = self.neteq.get_audio();
            let invented = frame.is_ok_and(|frame| frame.speech_type == SpeechType::Expand);
            self.made.extend(core::iter::repeat_n(invented, OUTPUT_FRAMES));
        }
        let ahead = self.neteq.current_buffer_size_samples() + self.made.len();
        let invented = self.made.drain(..FRAMES).filter(|invented| *invented).count();
        if self.given == 0 {
            Played::Silence
        } else if FRAMES / 2 <= invented {
            Played::Concealed
        } else {
            Played::Music(self.given as f64 - ahead as f64)
        }
    }
}

/// A note every 200 ms that dies away within a tenth of that.
#[expect(clippy::cast_possible_truncation, reason = "a sample")]
fn pluck(frame: usize) -> f32 {
    let since = (frame % 9600) as f64 / 48_000.0;
    let tone = (since * 440.0 * std::f64::consts::TAU).sin();
    (0.5 * tone * (-since / 0.04).exp()) as f32
}

fn set_now(now: f64) {
    web_time::set_now(Duration::from_secs_f64(now.max(0.0) / 1000.0));
}

/// Packets of the trace in one of its own.
const TOGETHER: usize = 3;

/// 10 ms.
const OUTPUT_FRAMES: usize = 480;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::PERIOD;

    #[test]
    fn a_steady_line_is_played_without_inventing_anything() {
        let mut buffer = NetEq::new().expect("it starts");
        let mut behind = 0.0;
        for packet in 0..15_000 {
            let now = packet as f64 * PERIOD;
            buffer.put(now, packet);
            let played = buffer.get(now);
            if 7500 < packet {
                let Played::Music(frame) = played else { panic!("{played:?} at {packet}") };
                behind = (packet * FRAMES) as f64 - frame;
            }
        }
        let target = buffer.neteq.target_delay_ms();
        assert!((20..=40).contains(&target), "{target}");
        assert!((480.0..3840.0).contains(&behind), "{behind} frames behind");
    }

    #[test]
    fn the_trace_s_time_is_its_time() {
        let mut buffer = NetEq::new().expect("it starts");
        // Gaps of 100 ms between groups, in no time at all by any other clock.
        for group in 0..400_u32 {
            for packet in 0..75 {
                buffer.put(f64::from(group) * 100.0, group as usize * 75 + packet);
            }
        }
        let target = buffer.neteq.target_delay_ms();
        assert!(60 <= target, "{target}");
    }
}
