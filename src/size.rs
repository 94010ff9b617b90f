//! Words of the command line and of the settings that several commands have: sizes, on and off.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// So many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim();
        let known = UNITS.iter().chain(&OTHER_UNITS).find(|(name, _)| *name == unit);
        let bytes = known.zip(number.parse::<u64>().ok());
        let bytes = bytes.and_then(|((_, factor), number)| number.checked_mul(*factor));
        bytes.map(Self).ok_or_else(|| format!("{text:?} is not of the form 20GiB"))
    }
}

impl fmt::Display for Size {
    /// Rounded down to a tenth of the largest unit that fits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, factor) =
            UNITS.iter().copied().find(|(_, factor)| *factor <= self.0).unwrap_or(("B", 1));
        let (whole, tenth) = (self.0 / factor, self.0 % factor * 10 / factor);
        match tenth {
            0 => write!(f, "{whole}{name}"),
            _ => write!(f, "{whole}.{tenth}{name}"),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Said {
            Bytes(u64),
            Text(String),
        }
        match Said::deserialize(deserializer)? {
            Said::Bytes(bytes) => Ok(Self(bytes)),
            Said::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// As they are written, the largest first.
const UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// As they are understood, too.
const OTHER_UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_with_and_without_a_unit() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("3 GiB", 3 << 30), ("2G", 2 << 30), ("5MB", 5_000_000)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "GiB", "1.5GiB", "-1", "3 parsecs", "99999999999TiB"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_is_told_short() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (20 << 30, "20GiB"),
            ((20 << 30) - 1, "19.9GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
