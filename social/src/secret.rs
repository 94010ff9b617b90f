//! Secrets: random tokens that programs carry, short codes that people type, and the key of this
//! server that makes both useless to whoever only reads the database.
//!
//! What surprises: a code is never kept, not even as a hash. It is computed from the id of its row
//! under the server's key, so that the mail that carries it can be written again after a crash, and
//! a job that sends it has to hold nothing but the id.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// 32 bytes that a database keeps in place of a secret.
pub type Hash = [u8; 32];

/// The key of this server: whoever has it and the database can compute codes, so it lies elsewhere.
#[derive(Clone)]
pub struct ServerKey([u8; 32]);

impl ServerKey {
    /// The key that these random bytes are.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What stands for `data` in a database: nobody without the key can tell which `data` it was.
    /// `purpose` keeps what is computed for one thing from being used for another.
    #[must_use]
    pub fn keyed_hash(&self, purpose: Purpose, data: &[u8]) -> Hash {
        self.mac(purpose, data).finalize().into_bytes().into()
    }

    /// Whether `hash` is that of `data`, in a time that tells nothing.
    #[must_use]
    pub fn is_hash(&self, purpose: Purpose, data: &[u8], hash: &[u8]) -> bool {
        self.mac(purpose, data).verify_slice(hash).is_ok()
    }

    fn mac(&self, purpose: Purpose, data: &[u8]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        let mut mac = mac.expect("HMAC takes a key of any length");
        let label = purpose.label().as_bytes();
        // The label ends at a byte that no label has, so that no other label and data are the same.
        mac.update(label);
        mac.update(&[0]);
        mac.update(data);
        mac
    }

    /// The digits that were mailed for the code of this id.
    #[must_use]
    pub fn code_digits(&self, id: &[u8; 16]) -> String {
        let hash = self.keyed_hash(Purpose::Code, id);
        let number =
            hash.iter().take(8).fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        let width = CODE_DIGITS as usize;
        format!("{:0width$}", number % 10u64.pow(CODE_DIGITS))
    }

    /// Whether somebody typed the code of this id. Spaces and hyphens do not count.
    #[must_use]
    pub fn is_code(&self, id: &[u8; 16], typed: &str) -> bool {
        let typed: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        equal(self.code_digits(id).as_bytes(), typed.as_bytes())
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(..)")
    }
}

/// What a keyed hash is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A device that a browser or an app says it is.
    Device,
    /// The answer to the question for the birth date.
    Age,
    /// A code that is mailed.
    Code,
    /// Whom a rate is counted for.
    Rate,
    /// An id that a log names.
    Log,
    /// The key itself, by which a database knows it again.
    Key,
    /// Whoever is counted.
    Usage,
    /// A link to a file.
    Link,
    /// An account that was erased.
    Erasure,
    /// A backup, which is encrypted with what comes of it.
    Backup,
    /// A text that only this server reads, which is encrypted with what comes of it.
    Sealed,
    /// A pass for a room.
    Pass,
    /// The address of a browser at a push service, and what a push replaces there.
    Push,
    /// An account that comes from another server.
    Arrival,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Age => "age",
            Self::Code => "code",
            Self::Rate => "rate",
            Self::Log => "log",
            Self::Key => "key",
            Self::Usage => "usage",
            Self::Link => "link",
            Self::Erasure => "erasure",
            Self::Backup => "backup",
            Self::Sealed => "sealed",
            Self::Pass => "pass",
            Self::Push => "push",
            Self::Arrival => "arrival",
        }
    }
}

/// A random secret of 256 bits that a program carries: of a session, or of a device.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        Self(random())
    }

    /// As it travels.
    #[must_use]
    pub fn text(&self) -> String {
        hex(&self.0)
    }

    /// One that travelled; none where the text is no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = unhex(text)?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// What a database keeps: from 256 random bits, SHA-256 cannot be guessed back.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Sha256::digest(self.0).into()
    }

    /// The bits themselves.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// 32 bytes from the operating system.
///
/// # Panics
/// Where the system gives no randomness: nothing here could go on without.
#[must_use]
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}

/// In lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |four: u8| DIGITS[usize::from(four & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// From lower case.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let four = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some((four(*high)? << 4) | four(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

/// Compares in a time that depends on the lengths only.
#[must_use]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    let differences = left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right));
    left.len() == right.len() && std::hint::black_box(differences) == 0
}

/// Digits of a code: of 100 million, five guesses find one in 20 million times.
pub const CODE_DIGITS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_travels_as_text_and_only_whole() {
        let token = Token::fresh();
        assert_ne!(token, Token::fresh());
        assert_eq!(Token::parse(&token.text()), Some(token.clone()));
        let text = token.text();
        for wrong in ["", &text[1..], &text[2..], &text.to_uppercase(), &format!("{text}00"), "ü"]
        {
            assert_eq!(Token::parse(wrong), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(&text[..8]));
    }

    #[test]
    fn a_code_is_the_same_each_time_and_another_under_another_key() {
        let key = ServerKey::new([1; 32]);
        let code = key.code_digits(&[7; 16]);
        assert_eq!(code.len(), 8);
        assert!(code.bytes().all(|byte| byte.is_ascii_digit()));
        let (left, right) = code.split_at(4);
        for typed in [code.clone(), format!("{left} {right}"), format!(" {left}-{right} ")] {
            assert!(key.is_code(&[7; 16], &typed), "{typed}");
        }
        assert!(!key.is_code(&[8; 16], &code));
        assert!(!key.is_code(&[7; 16], left));
        assert!(!key.is_code(&[7; 16], ""));
        assert!(!ServerKey::new([2; 32]).is_code(&[7; 16], &code));
    }

    #[test]
    fn a_keyed_hash_holds_for_its_purpose_only() {
        let key = ServerKey::new([1; 32]);
        let hash = key.keyed_hash(Purpose::Device, b"x");
        assert!(key.is_hash(Purpose::Device, b"x", &hash));
        assert!(!key.is_hash(Purpose::Age, b"x", &hash));
        assert!(!key.is_hash(Purpose::Device, b"y", &hash));
        assert!(!key.is_hash(Purpose::Device, b"x", &hash[..31]));
    }
}
