//! Randomness that a seed repeats, on every machine and with every version of every crate.

/// SplitMix64: small, fast, and good enough for weather and fuzzing. Never for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers for ever.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent generator, so that drawing more in one place changes nothing in another.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next_u64() ^ 0x5851_f42d_4c95_7f2d)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, 1 left out.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        // Drawn even where the answer is clear, so that the numbers after it do not depend on it.
        self.unit() < probability
    }

    /// Below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next_u64()) * end as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A normal deviate of mean 0 and deviation 1, with its tails (Box and Muller's).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (core::f64::consts::TAU * self.unit()).cos()
    }

    /// The time until something that happens once in a second on average, in seconds.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// A normal deviate of mean 0 and deviation 1 (the sum of twelve, so cut off at 6).
    pub fn gaussian(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_spread_evenly_and_repeat() {
        let draw = |seed| {
            let mut random = Random::from_seed(seed);
            (0..10_000).map(|_| random.unit()).collect::<Vec<_>>()
        };
        let numbers = draw(7);
        let mean = numbers.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert_eq!(numbers, draw(7));
        assert_ne!(numbers, draw(8));
    }

    #[test]
    fn normal_deviates_have_deviation_one() {
        for draw in [Random::gaussian, Random::normal] {
            let mut random = Random::from_seed(1);
            let squares: f64 = (0..10_000).map(|_| draw(&mut random).powi(2)).sum();
            assert!((squares / 10_000.0 - 1.0).abs() < 0.05);
        }
    }

    #[test]
    fn waiting_takes_one_on_average() {
        let mut random = Random::from_seed(1);
        let mean = (0..10_000).map(|_| random.exponential()).sum::<f64>() / 10_000.0;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
    }
}
