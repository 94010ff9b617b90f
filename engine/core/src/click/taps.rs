//! A tempo from taps.

use core::time::Duration;

use protocol::limits::{TEMPO_MILLIBPM_MAX, TEMPO_MILLIBPM_MIN};
use protocol::time::Instant;

/// The latest taps of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taps {
    /// Oldest first.
    latest: Vec<Instant>,
}

impl Taps {
    /// Taps once; gives the tempo, in thousandths of a beat a minute, from the second tap on. After two seconds without one it
    /// begins anew.
    pub fn tap(&mut self, now: Instant) -> Option<u32> {
        if self.latest.last().is_some_and(|last| PAUSE < now.saturating_since(*last)) {
            self.latest.clear();
        }
        self.latest.push(now);
        let beyond = self.latest.len().saturating_sub(TAPS_MAX);
        self.latest.drain(..beyond);
        let mut gaps: Vec<u128> = self
            .latest
            .windows(2)
            .map(|pair| pair[1].saturating_since(pair[0]).as_nanos())
            .collect();
        gaps.sort_unstable();
        // Of a middle pair both count: fingers are early and late in turn.
        let middle = [gaps.len().checked_sub(1)? / 2, gaps.len() / 2].map(|at| gaps[at]);
        let gap = (middle[0] + middle[1]).max(2);
        // To half a beat a minute: nobody taps better.
        let halves = (2 * 2 * 60_000_000_000 + gap / 2) / gap;
        let tempo = u32::try_from(halves.saturating_mul(500)).unwrap_or(u32::MAX);
        Some(tempo.clamp(TEMPO_MILLIBPM_MIN, TEMPO_MILLIBPM_MAX))
    }
}

/// Nine taps are eight gaps: two bars of four.
const TAPS_MAX: usize = 9;

const PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn tempo(taps_ms: &[u64]) -> Option<u32> {
        let mut taps = Taps::default();
        taps_ms.iter().map(|ms| taps.tap(Instant::from_ns(ms * 1_000_000))).last().flatten()
    }

    #[test]
    fn the_middle_gap_counts_and_a_pause_begins_anew() {
        assert_eq!(tempo(&[0]), None);
        assert_eq!(tempo(&[0, 500]), Some(120_000));
        assert_eq!(tempo(&[0, 490, 1000, 1490, 2010]), Some(120_000));
        // One that was missed does no harm.
        assert_eq!(tempo(&[0, 500, 1000, 2000, 2500]), Some(120_000));
        assert_eq!(tempo(&[0, 500, 1000, 3100]), None);
        assert_eq!(tempo(&[0, 500, 1000, 3100, 3700]), Some(100_000));
        // The latest nine.
        let slower: Vec<u64> =
            (0..10).map(|tap| tap * 500).chain((1..9).map(|tap| 4500 + tap * 800)).collect();
        assert_eq!(tempo(&slower), Some(75_000));
        assert_eq!([tempo(&[0, 0]), tempo(&[0, 2000])], [Some(400_000), Some(30_000)]);
    }
}
