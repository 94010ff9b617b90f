//! What everybody in a room shares beside the sound: the click, the playing mode, the takes.
//!
//! Moments are microseconds of the room's clock ([`crate::time::RoomTime`]), so that every app can
//! turn them into its own: a number that JavaScript holds exactly. What surprises: signalling keeps
//! these moments and never reads them, for it does not know what the room's clock shows.

use serde::{Deserialize, Serialize};

use crate::id::ParticipantId;
use crate::time::RoomTime;

/// The shared state of a room; whole in every message, the newest is the truth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomState {
    /// Who leads: only they set click and mode. Nobody: everybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub leader: Option<ParticipantId>,
    /// The click, in order of time; empty: there is none.
    pub click: Vec<ClickSegment>,
    /// How everybody hears everybody, unless they choose otherwise for themselves.
    pub mode: PlayingMode,
    /// Takes, oldest first; the one that has no end is being recorded.
    pub takes: Vec<Take>,
}

/// A stretch of the click with one tempo and one meter, until the next one begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ClickSegment {
    /// When its first beat is.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub start_us: i64,
    /// The number of its first bar. Bars before 1 are counted in.
    pub bar: i32,
    /// Beats in a minute, times 1000.
    pub tempo_millibpm: u32,
    /// What note a beat is: 4 for a quarter.
    pub unit: u8,
    /// A bar, beat by beat.
    pub beats: Vec<BeatStrength>,
}

/// How a beat sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum BeatStrength {
    /// Higher and louder.
    Accent,
    /// As most.
    Normal,
    /// Not at all.
    Silent,
}

/// How late everybody hears everybody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum PlayingMode {
    /// As early as holds.
    #[default]
    Tight,
    /// Everybody equally late.
    Aligned,
    /// Late by so much of the click that the beats of others fall on one's own.
    Beat,
}

/// A recording of everybody, each on their own machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Take {
    /// 32 hex digits, never given twice.
    pub id: String,
    /// 32 hex digits: who has them may bring stems to the take and fetch it.
    pub key: String,
    /// What it is called.
    pub title: String,
    /// Who began it, by name; they may be gone.
    pub started_by: String,
    /// When it begins.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub start_us: i64,
    /// When it ends, once it was ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional, type = "number"))]
    pub stop_us: Option<i64>,
}

/// Whether `us` is a moment that a message may name: this side of the year 2255, where JavaScript
/// still counts microseconds.
#[must_use]
pub const fn is_moment(us: i64) -> bool {
    0 <= us && us < 1 << 53
}

/// Microseconds of the room's clock as [`RoomTime`].
#[must_use]
pub const fn room_time(us: i64) -> RoomTime {
    RoomTime::from_ns(us.saturating_mul(1000))
}

/// A moment of the room's clock in microseconds, rounded down.
#[must_use]
pub const fn room_us(time: RoomTime) -> i64 {
    time.as_ns().div_euclid(1000)
}
