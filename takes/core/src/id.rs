//! What takes and stems are called: 128 random bits, given from outside, written as hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Identifies one take of one room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakeId([u8; 16]);

/// Identifies one stem: one track of one participant in one take, across rejoins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StemId([u8; 16]);

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a take or a stem is 32 hexadecimal digits, and nothing else")]
pub struct MalformedId;

macro_rules! id {
    ($name:ident) => {
        impl $name {
            /// From 128 random bits.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Its 128 bits.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0
            }
        }

        /// 32 small hexadecimal digits, which are safe in the name of a file.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                parse(text).map(Self)
            }
        }
    };
}

id!(TakeId);
id!(StemId);

fn parse(text: &str) -> Result<[u8; 16], MalformedId> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(MalformedId);
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return Err(MalformedId) };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Ok(bytes)
}

fn digit(letter: u8) -> Result<u8, MalformedId> {
    match letter {
        b'0'..=b'9' => Ok(letter - b'0'),
        b'a'..=b'f' => Ok(letter - b'a' + 10),
        _ => Err(MalformedId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_text_alone() {
        let id = StemId::from_bytes(std::array::from_fn(|at| u8::try_from(at * 17).expect("fits")));
        assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "../../../../../../etc/passwd00000",
            "00112233445566778899aabbccddeef",
            "00112233445566778899AABBCCDDEEFF",
        ] {
            assert_eq!(wrong.parse::<StemId>(), Err(MalformedId), "{wrong}");
        }
    }
}
