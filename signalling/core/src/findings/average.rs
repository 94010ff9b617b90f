//! What was counted lately: sums that forget a quarter at each new number.
//!
//! Four seconds' worth, so that a moment of bad weather stands for as long as it takes to be told
//! ([`crate::limits::FINDING_STANDS`]) where it was bad, and is forgotten soon where it was not.

/// A part of a whole, of late.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    part: u64,
    whole: u64,
}

impl Share {
    /// Nothing counted yet.
    pub(super) const NONE: Self = Self { part: 0, whole: 0 };

    /// Counts so much more of each; both are kept in thousandths, so that small counts do not vanish.
    pub(super) fn add(&mut self, part: u32, whole: u32) {
        self.part = forget(self.part) + u64::from(part) * SCALE;
        self.whole = forget(self.whole) + u64::from(whole) * SCALE;
    }

    /// In a thousand; at most 1000.
    pub(super) fn permille(self) -> u32 {
        let permille = (self.part * 1000).checked_div(self.whole).unwrap_or(0);
        u32::try_from(permille.min(1000)).unwrap_or(1000)
    }

    /// How many parts there were, of late.
    pub(super) fn parts(self) -> u32 {
        u32::try_from(self.part / SCALE).unwrap_or(u32::MAX)
    }
}

/// At most four times the greatest number that is ever added, which is far from the end of 64 bits.
const fn forget(sum: u64) -> u64 {
    sum - sum.div_ceil(4)
}

const SCALE: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_follows_what_was_counted_lately() {
        let mut share = Share::default();
        assert_eq!((share.permille(), share.parts()), (0, 0));
        for _ in 0..20 {
            share.add(15, 750);
        }
        assert!((19..=20).contains(&share.permille()), "{share:?}");
        // Four seconds of 15: the rest has been forgotten.
        assert!((59..=60).contains(&share.parts()), "{share:?}");
        for _ in 0..12 {
            share.add(0, 750);
        }
        assert_eq!(share.permille(), 0);
    }

    #[test]
    fn absurd_counts_do_no_harm() {
        let mut share = Share::default();
        for _ in 0..1000 {
            share.add(u32::MAX, 0);
            share.add(u32::MAX, u32::MAX);
        }
        assert_eq!(share.permille(), 1000);
    }
}
