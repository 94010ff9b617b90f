//! How fast a stem may be sent beside music.
//!
//! What surprises: nobody is asked how much there is. It is tried, a little more each second, and halved as soon as
//! music suffers; a packet of 1,200 bytes holds up the next one of music for 10 ms on a line of 1 Mbit/s, so at
//! no rate is more than one of them handed over at once.

use core::time::Duration;

/// The rate at which bytes are sent.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: u64,
    /// Troubles seen so far, and for how long there were none.
    troubles: u64,
    calm: Duration,
}

impl Pace {
    /// A careful beginning, with so many troubles seen before.
    pub(super) const fn new(troubles: u64) -> Self {
        Self { bytes_per_second: START, troubles, calm: Duration::ZERO }
    }

    /// How long so many bytes take. `plays` says whether there is music to be careful of.
    pub(super) fn time_of(&self, bytes: usize, plays: bool) -> Duration {
        if !plays {
            return Duration::ZERO;
        }
        let ns = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000_000);
        Duration::from_nanos(ns / self.bytes_per_second)
    }

    /// So long was sent at this rate, with so many troubles in all by then.
    pub(super) fn passed(&mut self, time: Duration, troubles: u64) {
        if troubles != self.troubles {
            self.troubles = troubles;
            self.calm = Duration::ZERO;
            self.bytes_per_second = (self.bytes_per_second / 2).max(LEAST);
            return;
        }
        self.calm += time;
        while STEP <= self.calm {
            self.calm -= STEP;
            self.bytes_per_second = (self.bytes_per_second * 5 / 4).min(MOST);
        }
    }

    /// Bytes of one request: about half a second's worth.
    pub(super) fn request_bytes(&self, plays: bool) -> u64 {
        if plays {
            (self.bytes_per_second / 2).clamp(PIECE_BYTES as u64, 64 * 1024)
        } else {
            256 * 1024
        }
    }
}

/// Bytes handed over at once: one packet.
pub(super) const PIECE_BYTES: usize = 1_200;

/// 256 kbit/s at first, 64 at least, 8 Mbit/s at most.
const START: u64 = 32_000;
const LEAST: u64 = 8_000;
const MOST: u64 = 1_000_000;

/// A quarter more after each second in which music did not suffer: from first to most in 16 s.
const STEP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn per_second(pace: &Pace) -> f64 {
        1200.0 / pace.time_of(1200, true).as_secs_f64()
    }

    #[test]
    fn calm_makes_it_faster_and_trouble_slower_at_once() {
        let mut pace = Pace::new(7);
        assert!((per_second(&pace) - 32_000.0).abs() < 1.0);
        for _ in 0..10 {
            pace.passed(Duration::from_millis(500), 7);
        }
        assert!((97_000.0..98_000.0).contains(&per_second(&pace)), "{}", per_second(&pace));
        pace.passed(Duration::from_millis(500), 9);
        assert!((48_000.0..49_000.0).contains(&per_second(&pace)));
        for troubles in 10..30 {
            pace.passed(Duration::from_millis(500), troubles);
        }
        assert!((per_second(&pace) - 8_000.0).abs() < 1.0);
        pace.passed(Duration::from_secs(60), 29);
        assert!((per_second(&pace) - 1_000_000.0).abs() < 1000.0);
        assert_eq!(pace.request_bytes(true), 65_536);
        assert_eq!(pace.time_of(1_000_000, false), Duration::ZERO, "nobody plays");
    }
}
