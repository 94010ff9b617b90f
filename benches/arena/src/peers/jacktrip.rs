//! JackTrip 2.7: the Regulator, buffer strategy 3, `-q auto` with variable headroom.
//!
//! Source: the program's `Regulator.cpp` (Chafe, 2021 to 2024; v2.7.2, 2d409d4a). There is no level to
//! steer: a packet is played as long as it is no older than a tolerance, and whatever is older is
//! skipped. The tolerance follows the mean deviation and the mean of the largest gaps between arrivals,
//! plus a headroom that grows while there are glitches and never shrinks.
//!
//! Taken for granted: callbacks come exactly in time, so that the second half of the rule, which looks
//! at their gaps, asks for one packet. Read in its favor: by "the latest largest latency", which sets
//! how far the headroom jumps, the largest gap of the last second is meant; and a skip of one packet
//! that is there is put off, because it would conceal without making anything shorter.

use crate::play::{Buffer, Played};
use crate::trace::PERIOD;

pub(crate) struct JackTrip {
    arrivals: Vec<Option<f64>>,
    latest: Option<usize>,
    played: Option<usize>,
    /// Played next, after a skip was covered up.
    stashed: Option<usize>,
    tolerance: f64,
    headroom: f64,
    /// Whether the second before had few glitches, or was answered.
    calm: bool,
    glitches: usize,
    gaps: Gaps,
}

impl JackTrip {
    pub(crate) fn new() -> Self {
        Self {
            arrivals: Vec::new(),
            latest: None,
            played: None,
            stashed: None,
            // An odd rule of the program: half as many milliseconds as there are frames in a packet.
            tolerance: 32.0,
            headroom: 0.0,
            calm: true,
            glitches: 0,
            gaps: Gaps::default(),
        }
    }

    fn arrival(&self, packet: usize) -> Option<f64> {
        self.arrivals.get(packet).copied().flatten()
    }

    /// Counts the gap before a packet, from when it would have come had it come like the one played.
    fn observe(&mut self, packet: usize, now: f64) {
        let Some((played, arrival)) = self.played.zip(self.arrival(packet)) else { return };
        let Some(before) = self.arrival(played) else { return };
        let expected = before + (packet - 1 - played) as f64 * PERIOD;
        if expected < arrival && self.gaps.add(arrival - expected) {
            self.decide(now);
        }
    }

    /// Once a second.
    fn decide(&mut self, now: f64) {
        let glitches = core::mem::take(&mut self.glitches);
        if now < AUTO_AFTER {
            return;
        }
        if GLITCHES_MAX < glitches && GLITCHES_AFTER <= now {
            if self.calm {
                self.calm = false;
            } else {
                self.calm = true;
                let most = (3.0 * self.gaps.largest).max(self.gaps.second + 10.0);
                let more = (self.gaps.second - self.tolerance).max(1.0);
                self.headroom = (self.headroom + more).min(most.max(self.headroom));
            }
        } else {
            self.calm = true;
        }
        let wanted = self.gaps.deviation + self.gaps.largest.min(TOLERANCE_MAX) + self.headroom;
        self.tolerance = wanted.clamp(PERIOD, TOLERANCE_MAX);
    }

    fn play(&mut self, packet: usize) -> Played {
        self.played = Some(packet);
        Played::packet(packet)
    }
}

impl Buffer for JackTrip {
    fn put(&mut self, now: f64, packet: usize) {
        // What is older than the latest is ignored where datagrams are read.
        if self.latest.is_some_and(|latest| packet < latest) {
            return;
        }
        self.latest = Some(packet);
        self.arrivals.resize(packet, None);
        self.arrivals.push(Some(now));
    }

    fn get(&mut self, now: f64) -> Played {
        let Some(latest) = self.latest else { return Played::Silence };
        if let Some(packet) = self.stashed.take() {
            return self.play(packet);
        }
        let Some(played) = self.played else { return self.play(latest) };
        if played == latest {
            self.glitches += 1;
            return Played::Concealed;
        }
        let mut chosen = latest;
        for packet in played + 1..=latest {
            let Some(arrival) = self.arrival(packet) else { continue };
            self.observe(packet, now);
            if now <= arrival + self.tolerance {
                chosen = packet;
                break;
            }
        }
        if chosen == played + 2 && self.arrival(played + 1).is_some() {
            chosen = played + 1;
        }
        if chosen == played + 1 {
            return self.play(chosen);
        }
        self.glitches += 1;
        self.stashed = Some(chosen);
        Played::Concealed
    }
}

/// The gaps between arrivals, in windows of an eighth of a second.
#[derive(Debug, Default)]
struct Gaps {
    window: Vec<f64>,
    windows: usize,
    deviation_sum: f64,
    largest_sum: f64,
    /// Long-term means of the windows' standard deviations and largest gaps.
    deviation: f64,
    largest: f64,
    /// The largest gap of the second that goes on.
    running: f64,
    /// The largest gap of the last full second.
    second: f64,
}

impl Gaps {
    /// Gives whether a second is full.
    fn add(&mut self, gap: f64) -> bool {
        // An outage says nothing about jitter.
        if SILENCE < gap {
            return false;
        }
        self.running = self.running.max(gap);
        self.window.push(gap);
        if self.window.len() < WINDOW {
            return false;
        }
        let mean = self.window.iter().sum::<f64>() / WINDOW as f64;
        let squares: f64 = self.window.iter().map(|gap| (gap - mean).powi(2)).sum();
        let deviation = (squares / WINDOW as f64).sqrt();
        let largest = self.window.iter().copied().fold(0.0, f64::max);
        self.window.clear();
        if self.windows < UNRELIABLE {
            (self.deviation, self.largest) = (deviation, largest);
        } else {
            self.deviation_sum += deviation;
            self.largest_sum += largest;
            let counted = (self.windows + 1 - UNRELIABLE) as f64;
            if self.windows <= LONG_TERM {
                self.deviation = self.deviation_sum / counted;
                self.largest = self.largest_sum / counted;
            } else {
                self.deviation += (deviation - self.deviation) / LONG_TERM as f64;
                self.largest += (largest - self.largest) / LONG_TERM as f64;
            }
        }
        self.windows += 1;
        let full = self.windows.is_multiple_of(WINDOWS_PER_SECOND);
        if full {
            self.second = core::mem::take(&mut self.running);
        }
        full
    }
}

/// `WindowDivisor`, and with it the packets of a window: 750 a second.
const WINDOWS_PER_SECOND: usize = 8;
const WINDOW: usize = 750 / WINDOWS_PER_SECOND;

/// Windows at the start that are not averaged.
const UNRELIABLE: usize = 4;

/// `AutoHistoryWindow`: 60 s of plain means, then exponentially weighted ones of the same length.
const LONG_TERM: usize = 60 * WINDOWS_PER_SECOND;

/// `AutoMax`, in ms.
const TOLERANCE_MAX: f64 = 250.0;

/// `gUdpWaitTimeout`, in ms.
const SILENCE: f64 = 512.0;

/// When the tolerance is set by itself, and when glitches are answered, in ms from the start.
const AUTO_AFTER: f64 = 2000.0;
const GLITCHES_AFTER: f64 = 4000.0;

/// `AutoHeadroomGlitchTolerance`: 0.6 % of the packets of a second.
const GLITCHES_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::rehearsal::play;

    /// Deterministic jitter of up to `most` ms.
    fn jitter(most: f64) -> impl Fn(usize) -> Option<f64> {
        move |packet| Some(most * ((packet * 7919) % 1000) as f64 / 1000.0)
    }

    #[test]
    fn a_steady_line_is_tolerated_little_and_played_whole() {
        let mut buffer = JackTrip::new();
        let concealed = play(&mut buffer, 0..30_000, jitter(0.05));
        assert_eq!(concealed, 0);
        assert!((PERIOD..1.5 * PERIOD).contains(&buffer.tolerance), "{}", buffer.tolerance);
        assert_eq!(buffer.headroom, 0.0);
    }

    #[test]
    fn headroom_grows_with_glitches_and_is_never_lowered() {
        let mut buffer = JackTrip::new();
        play(&mut buffer, 0..15_000, jitter(0.05));
        // One packet out of fifty is 12 ms late and holds up the rest.
        let stalls = |packet: usize| Some((12.0 - (packet % 50) as f64 * PERIOD).max(0.0));
        play(&mut buffer, 15_000..45_000, stalls);
        let grown = buffer.headroom;
        assert!(1.0 <= grown, "{grown}");
        play(&mut buffer, 45_000..200_000, jitter(0.05));
        assert!(grown <= buffer.headroom, "{} after {grown}", buffer.headroom);
    }

    #[test]
    fn what_is_older_than_the_tolerance_is_skipped_two_at_a_time() {
        let mut buffer = JackTrip::new();
        buffer.put(0.0, 0);
        assert_eq!(buffer.get(0.1), Played::packet(0));
        buffer.tolerance = 2.0;
        (1..5).for_each(|packet| buffer.put(f64::from(u8::try_from(packet).unwrap_or(0)), packet));
        // Number 1 is too old: it is played all the same, because only one would be skipped.
        assert_eq!(buffer.get(3.5), Played::packet(1));
        // 2 and 3 are: one is covered up, and the next is 4.
        assert_eq!(buffer.get(5.5), Played::Concealed);
        assert_eq!(buffer.get(6.8), Played::packet(4));
    }

    #[test]
    fn a_late_packet_makes_the_delay_longer() {
        let mut buffer = JackTrip::new();
        buffer.put(0.0, 0);
        assert_eq!(buffer.get(0.1), Played::packet(0));
        assert_eq!(buffer.get(1.4), Played::Concealed);
        buffer.put(1.5, 1);
        buffer.put(2.6, 2);
        assert_eq!(buffer.get(2.7), Played::packet(1));
        assert_eq!(buffer.get(4.0), Played::packet(2));
    }
}
