//! Which indices of one SSRC were seen, and the table of all SSRCs of one half of a link.

use protocol::rtp::{SequenceNumber, Ssrc};

use crate::limits::{SSRCS_EXPECTED, SSRCS_MAX};

/// The last [`Window::PACKETS`] indices of one stream (RFC 3711 §3.3.2 wants at least 64).
///
/// 128 packets are 170 ms of the fastest track: what comes later is too late to be played anyway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    highest: u64,
    /// Bit n stands for `highest - n`; zero before the first packet.
    seen: u128,
}

impl Window {
    const PACKETS: u64 = 128;

    pub(super) const EMPTY: Self = Self { highest: 0, seen: 0 };

    /// The index that a 16-bit sequence number most likely stands for (RFC 3711 appendix A).
    pub(super) const fn guess(&self, wire: u16) -> u64 {
        if self.seen == 0 { wire as u64 } else { SequenceNumber(self.highest).extend(wire).0 }
    }

    /// Whether an index is known to be new.
    pub(super) const fn is_fresh(&self, index: u64) -> bool {
        if self.seen == 0 || self.highest < index {
            return true;
        }
        let age = self.highest - index;
        age < Self::PACKETS && self.seen >> age & 1 == 0
    }

    /// Marks an index, which must be fresh.
    pub(super) const fn mark(&mut self, index: u64) {
        if self.seen == 0 || self.highest < index {
            let step = index.wrapping_sub(self.highest);
            let kept = if self.seen == 0 || Self::PACKETS <= step { 0 } else { self.seen << step };
            self.seen = kept | 1;
            self.highest = index;
        } else {
            self.seen |= 1 << (self.highest - index);
        }
    }

    /// The highest index so far.
    pub(super) const fn highest(&self) -> Option<u64> {
        if self.seen == 0 { None } else { Some(self.highest) }
    }
}

/// The windows of all SSRCs, sorted: up to ten comparisons find one among a thousand.
#[derive(Debug)]
pub(super) struct Windows {
    entries: Vec<(Ssrc, Window)>,
}

impl Windows {
    pub(super) fn new() -> Self {
        Self { entries: Vec::with_capacity(SSRCS_EXPECTED) }
    }

    pub(super) fn get(&self, ssrc: Ssrc) -> Option<&Window> {
        let at = self.entries.binary_search_by_key(&ssrc, |entry| entry.0).ok()?;
        Some(&self.entries[at].1)
    }

    /// The window of an SSRC, made where it is missing; `None` at the limit.
    pub(super) fn get_or_insert(&mut self, ssrc: Ssrc) -> Option<&mut Window> {
        let at = match self.entries.binary_search_by_key(&ssrc, |entry| entry.0) {
            Ok(at) => at,
            Err(_) if SSRCS_MAX <= self.entries.len() => return None,
            Err(at) => {
                self.entries.insert(at, (ssrc, Window::EMPTY));
                at
            }
        };
        Some(&mut self.entries[at].1)
    }

    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < SSRCS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_fresh_once() {
        let mut window = Window::EMPTY;
        for index in [5, 3, 4, 200, 199] {
            assert!(window.is_fresh(index), "{index}");
            window.mark(index);
            assert!(!window.is_fresh(index), "{index}");
        }
        assert!(!window.is_fresh(72), "too old to know");
        assert!(window.is_fresh(73));
        assert_eq!(window.highest(), Some(200));
    }

    #[test]
    fn a_jump_over_the_whole_window_forgets_nothing_it_must_know() {
        let mut window = Window::EMPTY;
        window.mark(0);
        window.mark(127);
        assert!(!window.is_fresh(0));
        window.mark(128);
        assert!(!window.is_fresh(0));
        window.mark(1_000_000);
        assert!(!window.is_fresh(128));
        assert!(window.is_fresh(999_999));
    }

    #[test]
    fn the_rollover_counter_is_guessed_from_the_highest() {
        let mut window = Window::EMPTY;
        assert_eq!(window.guess(65_000), 65_000);
        window.mark(65_535);
        assert_eq!(window.guess(0), 65_536);
        window.mark(65_536);
        assert_eq!(window.guess(65_534), 65_534);
    }

    #[test]
    fn the_table_stops_at_its_limit() {
        let mut windows = Windows::new();
        for ssrc in 0..u32::try_from(SSRCS_MAX).expect("small") {
            assert!(windows.get_or_insert(Ssrc(ssrc ^ 0x55)).is_some());
        }
        assert!(windows.get_or_insert(Ssrc(u32::MAX)).is_none());
        assert!(windows.get_or_insert(Ssrc(7)).is_some(), "known ones still work");
    }
}
