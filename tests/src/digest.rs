//! A fast hash that is the same on every machine: for telling payloads apart and runs alike. Nobody
//! chooses what is hashed here, so collisions need no defense.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// Takes bytes in, gives a number out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(SPREAD)
    }
}

impl Digest {
    /// Takes in more; how the bytes are cut into calls counts.
    pub fn add(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        // The length in the last word keeps trailing zeros apart from none.
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.mix(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    /// All that was taken in, as one number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn mix(&mut self, word: u64) {
        // Both halves of the product: the low one alone hardly depends on the high bits of a word.
        let product = u128::from(self.0.rotate_left(23) ^ word) * u128::from(SPREAD);
        #[expect(clippy::cast_possible_truncation, reason = "one half, then the other")]
        let (low, high) = (product as u64, (product >> 64) as u64);
        self.0 = low ^ high;
    }
}

/// The golden ratio in 64 bits, as in Fibonacci hashing.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The digest of some bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    let mut digest = Digest::default();
    digest.add(bytes);
    digest.value()
}

/// A map by digests, which need no second hash.
pub type DigestMap<V> = HashMap<u64, V, BuildHasherDefault<Taken>>;

/// Takes a digest as the hash that it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Taken(u64);

impl Hasher for Taken {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = digest(bytes);
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn short_inputs_are_told_apart() {
        let mut seen = BTreeSet::new();
        for len in 0..20 {
            let mut bytes = vec![0; len];
            assert!(seen.insert(digest(&bytes)), "{len} zeros");
            for bit in 0..8 * len {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(seen.insert(digest(&bytes)), "{bytes:?}");
                bytes[bit / 8] = 0;
            }
        }
    }
}
