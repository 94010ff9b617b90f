//! What is known of a take and of each of its stems, as it rests on the disk beside them.
//!
//! Fields are only ever added, each with a default: a newer server reads what an older one wrote.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// `take.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TakeRecord {
    /// SHA-256 of the key, in hex.
    pub(crate) key_sha256: String,
    /// For people.
    pub(crate) title: String,
    /// The room it was played in.
    pub(crate) room: String,
    /// When the server heard of it, in milliseconds since 1970 by its own clock. Keeping and
    /// deleting go by this one, since the room's clock need not be right.
    pub(crate) begun_unix_ms: u64,
    /// When it starts on the room's clock, in nanoseconds since 1970.
    pub(crate) start_room_ns: i64,
    /// When it ends; none while it runs, or where the server stopped before.
    #[serde(default)]
    pub(crate) stop_room_ns: Option<i64>,
    /// When the server heard of its end, in milliseconds since 1970 by its own clock.
    #[serde(default)]
    pub(crate) stopped_unix_ms: Option<u64>,
    /// Whether the server stopped while it ran, so that nobody told of its end.
    #[serde(default)]
    pub(crate) interrupted: bool,
    /// Moments that somebody marked, in the order of their coming.
    #[serde(default)]
    pub(crate) markers: Vec<Marker>,
    /// The tempo map; empty without a click.
    #[serde(default)]
    pub(crate) click: Vec<ClickSegment>,
    /// Who was in the room, by the number that signalling gave them.
    #[serde(default)]
    pub(crate) present: BTreeMap<u64, Present>,
    /// What there was no room for, in words.
    #[serde(default)]
    pub(crate) left_out: Vec<String>,
}

/// A moment that somebody marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// On the room's clock, in nanoseconds since 1970.
    pub(crate) at_room_ns: i64,
    /// For people.
    pub(crate) text: String,
}

/// From when on the click goes how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClickSegment {
    /// The first beat of a bar, on the room's clock, in nanoseconds since 1970.
    pub(crate) at_room_ns: i64,
    /// Thousandths of beats per minute.
    pub(crate) milli_bpm: u32,
    /// Beats in a bar.
    pub(crate) beats_per_bar: u8,
    /// The number of the first bar.
    pub(crate) first_bar: u32,
    /// Which beats of a bar are accented, and which do not sound: the lowest bit is the first one's.
    #[serde(default = "first_beat")]
    pub(crate) accents: u64,
    #[serde(default)]
    pub(crate) silent: u64,
    /// From when on it does not sound any more, on the room's clock.
    #[serde(default)]
    pub(crate) end_room_ns: Option<i64>,
}

/// What was accented before a record told it.
const fn first_beat() -> u64 {
    1
}

/// Somebody who was in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Present {
    /// As the others saw it.
    pub(crate) name: String,
}

/// The `.json` beside a stem. Its bytes are counted from the stem itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StemRecord {
    /// Which of the take's stems it is, from 1 in the order of their coming: what others are shown
    /// in place of its secret name.
    pub(crate) number: u32,
    /// What the app said the whole is, once it said so.
    #[serde(default)]
    pub(crate) claim: Option<Claim>,
    /// Whether the bytes were found to be what was claimed.
    #[serde(default)]
    pub(crate) verified: bool,
    /// Frames of sound in it, once it was read to its end.
    #[serde(default)]
    pub(crate) frames: Option<u64>,
    /// What is wrong with it, where it was read to its end and something is.
    #[serde(default)]
    pub(crate) damage: Option<String>,
}

/// What an app says that its stem is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Bytes of the whole.
    pub length: u64,
    /// Of the whole, 64 hex digits.
    pub sha256: String,
}

/// Milliseconds since 1970 by the server's clock.
pub(crate) fn unix_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// So many characters of a text at most, without control characters.
pub(crate) fn clean(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect::<String>().trim().to_owned()
}
