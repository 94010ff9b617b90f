//! Numbers and words that nobody can guess.

use aws_lc_rs::rand;

/// A random number.
#[must_use]
pub(crate) fn u64() -> u64 {
    u64::from_le_bytes(bytes())
}

/// A random number other than zero.
#[must_use]
pub(crate) fn nonzero_u32() -> u32 {
    loop {
        let number = u32::from_le_bytes(bytes());
        if number != 0 {
            return number;
        }
    }
}

/// A word of `LEN` letters and digits, about six bits each: every character is one that ICE allows
/// (RFC 8445 §5.3).
#[must_use]
pub(crate) fn word<const LEN: usize>() -> String {
    bytes::<LEN>().iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect()
}

/// Random bytes.
#[must_use]
pub(crate) fn bytes<const LEN: usize>() -> [u8; LEN] {
    let mut bytes = [0; LEN];
    rand::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_differ() {
        let mut numbers: Vec<_> = (0..100).map(|_| nonzero_u32()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 100);
        assert_ne!(word::<24>(), word::<24>());
        assert_eq!(word::<24>().len(), 24);
        assert_ne!(u64(), u64());
    }
}
