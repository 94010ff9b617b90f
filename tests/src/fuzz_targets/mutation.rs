//! Mutations of known inputs, seeded: the poor man's fuzzer, which every machine has.

use relay::random::Random;

/// Makes damaged copies.
#[derive(Debug)]
pub struct Mutator {
    random: Random,
}

/// Values at which lengths and counters break.
const INTERESTING: [u8; 8] = [0, 1, 0x3f, 0x7f, 0x80, 0xbf, 0xfe, 0xff];
/// No input grows beyond this: the longest that any target takes at once.
const LEN_MAX: usize = 64 * 1024;

impl Mutator {
    /// The same seed damages in the same way.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        Self { random: Random::from_seed(seed) }
    }

    /// A damaged copy of one of `corpus`: one to eight changes.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let Some(start) = corpus.get(self.random.below(corpus.len())) else { return self.noise() };
        let mut bytes = start.clone();
        for _ in 0..=self.random.below(8) {
            self.change(&mut bytes, corpus);
        }
        bytes.truncate(LEN_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.random.below(bytes.len() + 1);
        let end = (at + 1 + self.random.below(16)).min(bytes.len());
        match self.random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let noise = self.noise();
                drop(bytes.splice(at..at, noise));
            }
            3 => {
                let repeated = bytes[at..end].repeat(1 + self.random.below(8));
                drop(bytes.splice(at..at, repeated));
            }
            4 => {
                let other = &corpus[self.random.below(corpus.len())];
                let from = self.random.below(other.len() + 1);
                let to = (from + self.random.below(64)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            5 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = INTERESTING[self.random.below(INTERESTING.len())];
                }
            }
            _ => {
                let bit = 1 << self.random.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= bit;
                }
            }
        }
    }

    fn noise(&mut self) -> Vec<u8> {
        let len = self.random.below(24);
        (0..len).map(|_| self.random.next_u64().to_le_bytes()[0]).collect()
    }
}
