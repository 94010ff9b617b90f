//! What an object is called.

use std::fmt;
use std::str::FromStr;

use crate::clock::UnixMs;
use crate::id::ObjectId;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A part of a file on its way.
    Part,
    /// A file.
    File,
    /// A small picture of a file.
    Thumbnail,
    /// What the start of a server writes to see whether it can.
    Probe,
    /// What an attempt to write any of them left on a disk.
    Unfinished,
}

impl ObjectKind {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Part, Self::File, Self::Thumbnail, Self::Probe, Self::Unfinished];

    /// What its name begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Part => "parts",
            Self::File => "files",
            Self::Thumbnail => "thumbnails",
            Self::Probe => "probes",
            Self::Unfinished => "unfinished",
        }
    }
}

/// The name of an object: `files/91/0190163d-8694-739b-aea5-966c26f8ad91`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    kind: ObjectKind,
    id: ObjectId,
}

impl ObjectKey {
    /// Of an object.
    #[must_use]
    pub const fn new(kind: ObjectKind, id: ObjectId) -> Self {
        Self { kind, id }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(self) -> ObjectKind {
        self.kind
    }

    /// What rows know it by.
    #[must_use]
    pub const fn id(self) -> ObjectId {
        self.id
    }

    /// When it was begun: the first 48 bits of its id.
    #[must_use]
    pub fn begun_at(self) -> UnixMs {
        let bytes = self.id.uuid().into_bytes();
        UnixMs(bytes[..6].iter().fold(0, |all, byte| (all << 8) | i64::from(*byte)))
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By the last byte, which is random: no folder becomes very large.
        let folder = self.id.uuid().into_bytes()[15];
        write!(f, "{}/{folder:02x}/{}", self.kind.prefix(), self.id)
    }
}

/// The text is no name of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no name of an object")]
pub struct NotAKey;

impl FromStr for ObjectKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (prefix, rest) = text.split_once('/').ok_or(NotAKey)?;
        let kind = ObjectKind::ALL.into_iter().find(|kind| kind.prefix() == prefix);
        let (_, id) = rest.split_once('/').ok_or(NotAKey)?;
        let key = Self { kind: kind.ok_or(NotAKey)?, id: id.parse().map_err(|_| NotAKey)? };
        if key.to_string() == text { Ok(key) } else { Err(NotAKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_is_and_since_when_and_has_one_way_of_being_written() {
        for kind in ObjectKind::ALL {
            let key = ObjectKey::new(kind, ObjectId::fresh(UnixMs(1_795_867_200_123)));
            assert_eq!(key.begun_at(), UnixMs(1_795_867_200_123));
            let text = key.to_string();
            assert_eq!(text.parse(), Ok(key));
            for wrong in [text.replacen('/', "/0", 1), format!("../{text}"), text.to_uppercase()] {
                assert_eq!(wrong.parse::<ObjectKey>(), Err(NotAKey), "{wrong}");
            }
        }
    }
}
