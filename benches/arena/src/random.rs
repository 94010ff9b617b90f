//! Seeded randomness: the same seed plays the same trace everywhere.

/// SplitMix64, which is enough to shuffle packets.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Different streams of one seed have nothing to do with each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Evenly from 0 to 1, both excluded.
    pub(crate) fn part(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(crate) fn chance(&mut self, part: f64) -> bool {
        self.part() < part
    }

    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.part()
    }

    /// Between the two, each doubling as likely as any other.
    pub(crate) fn between_log(&mut self, from: f64, to: f64) -> f64 {
        from * (to / from).powf(self.part())
    }

    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.part().ln()
    }
}
