//! Which of the last packets of a stream were seen, by their extended sequence numbers.

use crate::rtp::SequenceNumber;

/// The last [`Self::PACKETS`] sequence numbers of one stream (RFC 3711 §3.3.2 wants at least 64).
///
/// 128 packets are 170 ms of the fastest track: what comes later is too late to be played anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayWindow {
    highest: SequenceNumber,
    /// Bit n stands for `highest - n`; zero before the first packet.
    seen: u128,
}

impl ReplayWindow {
    /// How far back a number may lie behind the highest and still be known.
    pub const PACKETS: u64 = 128;

    /// Nothing seen.
    pub const EMPTY: Self = Self { highest: SequenceNumber(0), seen: 0 };

    /// Marks a number, which must be fresh.
    pub const fn mark(&mut self, number: SequenceNumber) {
        if self.seen == 0 || self.highest.0 < number.0 {
            let step = number.0.wrapping_sub(self.highest.0);
            let kept = if self.seen == 0 || Self::PACKETS <= step { 0 } else { self.seen << step };
            self.seen = kept | 1;
            self.highest = number;
        } else {
            debug_assert!(self.is_fresh(number));
            self.seen |= 1 << (self.highest.0 - number.0);
        }
    }

    /// Whether a number is known to be new.
    #[must_use]
    pub const fn is_fresh(&self, number: SequenceNumber) -> bool {
        if self.seen == 0 || self.highest.0 < number.0 {
            return true;
        }
        let age = self.highest.0 - number.0;
        age < Self::PACKETS && self.seen >> age & 1 == 0
    }

    /// What a wire sequence number most likely stands for (RFC 3711 appendix A).
    #[must_use]
    pub const fn extend(&self, wire: u16) -> SequenceNumber {
        if self.seen == 0 { SequenceNumber(wire as u64) } else { self.highest.extend(wire) }
    }

    /// The highest number so far.
    #[must_use]
    pub const fn highest(&self) -> Option<SequenceNumber> {
        if self.seen == 0 { None } else { Some(self.highest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_fresh_once() {
        let mut window = ReplayWindow::EMPTY;
        for number in [5, 3, 4, 200, 199].map(SequenceNumber) {
            assert!(window.is_fresh(number), "{number:?}");
            window.mark(number);
            assert!(!window.is_fresh(number), "{number:?}");
        }
        assert!(!window.is_fresh(SequenceNumber(72)), "too old to know");
        assert!(window.is_fresh(SequenceNumber(73)));
        assert_eq!(window.highest(), Some(SequenceNumber(200)));
    }

    #[test]
    fn a_jump_over_the_whole_window_forgets_nothing_it_must_know() {
        let mut window = ReplayWindow::EMPTY;
        window.mark(SequenceNumber(0));
        window.mark(SequenceNumber(127));
        assert!(!window.is_fresh(SequenceNumber(0)));
        window.mark(SequenceNumber(128));
        assert!(!window.is_fresh(SequenceNumber(0)));
        window.mark(SequenceNumber(1_000_000));
        assert!(!window.is_fresh(SequenceNumber(128)));
        assert!(window.is_fresh(SequenceNumber(999_999)));
    }

    #[test]
    fn the_rollover_counter_is_guessed_from_the_highest() {
        let mut window = ReplayWindow::EMPTY;
        assert_eq!(window.extend(65_000), SequenceNumber(65_000));
        window.mark(SequenceNumber(65_535));
        assert_eq!(window.extend(0), SequenceNumber(65_536));
        window.mark(SequenceNumber(65_536));
        assert_eq!(window.extend(65_534), SequenceNumber(65_534));
    }
}
