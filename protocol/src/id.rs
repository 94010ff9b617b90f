//! Names of rooms, participants and tracks.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::ROOM_NAME_CHARS_MAX;

/// The name of a room as it stands in its link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(as = "String"))]
pub struct RoomId(String);

/// Why a text cannot name a room.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MalformedRoomId {
    /// Empty or longer than the limit.
    #[error("a room's name has 1 to {ROOM_NAME_CHARS_MAX} characters, this one has {0}")]
    Length(usize),
    /// A character that could not stand in a link as it is.
    #[error("a room's name has only letters a-z, digits, '-' and '_', not {0:?}")]
    Character(char),
}

impl RoomId {
    /// Reads a room's name; capital letters become small ones, since links are read out loud.
    pub fn parse(text: &str) -> Result<Self, MalformedRoomId> {
        let len = text.chars().count();
        if len == 0 || ROOM_NAME_CHARS_MAX < len {
            return Err(MalformedRoomId::Length(len));
        }
        let name = text.to_ascii_lowercase();
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c);
        match name.chars().find(|c| !allowed(c)) {
            Some(c) => Err(MalformedRoomId::Character(c)),
            None => Ok(Self(name)),
        }
    }

    /// The name as it stands in the link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomId {
    type Error = MalformedRoomId;

    fn try_from(text: String) -> Result<Self, MalformedRoomId> {
        Self::parse(&text)
    }
}

impl From<RoomId> for String {
    fn from(room: RoomId) -> Self {
        room.0
    }
}

impl core::fmt::Display for RoomId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the SFU's workers, counted from 0: a thread with a port of its own, on which whole rooms
/// live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WorkerId(pub u16);

impl core::fmt::Display for WorkerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A person in a room; unique on the server for as long as it runs, never given twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ParticipantId(pub u32);

/// One instrument or voice that a participant publishes; unique on the server, never given twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TrackId(pub u32);

impl core::fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "participant {}", self.0)
    }
}

impl core::fmt::Display for TrackId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "track {}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_what_a_link_can_hold() {
        assert_eq!(RoomId::parse("Blue-Note_7").map(String::from), Ok("blue-note_7".into()));
        assert_eq!(RoomId::parse(""), Err(MalformedRoomId::Length(0)));
        assert_eq!(RoomId::parse(&"x".repeat(65)), Err(MalformedRoomId::Length(65)));
        assert_eq!(RoomId::parse("a/b"), Err(MalformedRoomId::Character('/')));
    }
}
