//! The key of a take.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// What lets its holder list, upload and download a take: 128 random bits as 32 small hex digits. Only
/// its hash is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TakeKey([u8; 32]);

/// The text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the key of a take is 32 of the characters 0-9 and a-f")]
pub struct MalformedKey;

impl FromStr for TakeKey {
    type Err = MalformedKey;

    fn from_str(text: &str) -> Result<Self, MalformedKey> {
        let digits: [u8; 32] = text.as_bytes().try_into().map_err(|_| MalformedKey)?;
        let is_hex = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex { Ok(Self(digits)) } else { Err(MalformedKey) }
    }
}

impl TakeKey {
    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0))
    }
}

/// Without the key itself: it would end up in a log.
impl fmt::Debug for TakeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TakeKey(..)")
    }
}

/// Bytes as small hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_not_shown() {
        let text = "0123456789abcdef0123456789abcdef";
        let key: TakeKey = text.parse().expect("good");
        assert!(!format!("{key:?}").contains("0123"));
        assert!(!key.hash().contains("0123"));
        for bad in ["", &text[1..], "0123456789ABCDEF0123456789abcdef"] {
            assert_eq!(bad.parse::<TakeKey>(), Err(MalformedKey), "{bad}");
        }
    }
}
