//! What the caller knows of a take.

use protocol::time::RoomTime;
use thiserror::Error;

use crate::align::Grid;
use crate::limits::{
    BEATS_PER_BAR_MAX, EXPORT_SECONDS_MAX, EXPORT_STEMS_MAX, MARKERS_MAX, TEMPO_CHANGES_MAX,
    TEMPO_MILLI_BPM,
};

/// A take, beside its stems' sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// What it is called; the archive's folder has this name, as far as it can be one.
    pub title: String,
    /// When all files begin.
    pub start: RoomTime,
    /// When all files end.
    pub stop: RoomTime,
    /// What the click was, in the order of time; empty where there was none.
    pub tempo: Vec<TempoChange>,
    /// Markers, in any order. Those outside the take are left out.
    pub markers: Vec<Marker>,
    /// Stems, those that never arrived among them.
    pub stems: Vec<StemEntry>,
}

/// From a moment on, which is the first beat of a bar, the click is like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TempoChange {
    /// When that first beat is.
    pub at: RoomTime,
    /// Thousandths of beats per minute.
    pub milli_bpm: u32,
    /// Beats of a bar.
    pub beats_per_bar: u8,
    /// The number of the first bar.
    pub first_bar: u32,
    /// Which beats of a bar are accented: the lowest bit is the first one's.
    pub accents: u64,
    /// Which beats of a bar do not sound.
    pub silent: u64,
    /// From when on it does not sound any more, where that is before the next change.
    pub end: Option<RoomTime>,
}

/// A place in a take that somebody named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// Where it is.
    pub at: RoomTime,
    /// What it says.
    pub text: String,
}

/// A stem that belongs to a take, whether or not it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StemEntry {
    /// What the participant is called.
    pub participant: String,
    /// What the track is called.
    pub label: String,
    /// What whoever recorded or uploaded it had to say: a full disk, a quota, an upload that stopped.
    pub note: Option<String>,
}

/// Why a take cannot be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TakeRefused {
    /// It ends before it begins, or right then.
    #[error("the take has no length: it must stop after it starts")]
    Empty,
    /// It is too long.
    #[error("the take is longer than {} hours: export parts of it", EXPORT_SECONDS_MAX / 3600)]
    TooLong,
    /// There are too many stems.
    #[error("the take has {0} stems, and {EXPORT_STEMS_MAX} can be exported at once")]
    Stems(usize),
    /// There are too many changes of tempo, or markers.
    #[error("the take has more than {TEMPO_CHANGES_MAX} changes of tempo or {MARKERS_MAX} markers")]
    TooMuch,
    /// A change of tempo is impossible, or not in the order of time.
    #[error(
        "change of tempo number {0} has no possible tempo or bar, or is not after the one before it"
    )]
    Tempo(usize),
}

impl Take {
    /// Checks what the caller put in; the grid that all files are on.
    pub(super) fn check(&self) -> Result<Grid, TakeRefused> {
        let grid = Grid::between(self.start, self.stop);
        if grid.frames == 0 {
            return Err(TakeRefused::Empty);
        }
        if EXPORT_SECONDS_MAX * u64::from(crate::SAMPLE_RATE) < grid.frames {
            return Err(TakeRefused::TooLong);
        }
        if EXPORT_STEMS_MAX < self.stems.len() {
            return Err(TakeRefused::Stems(self.stems.len()));
        }
        if TEMPO_CHANGES_MAX < self.tempo.len() || MARKERS_MAX < self.markers.len() {
            return Err(TakeRefused::TooMuch);
        }
        for (at, change) in self.tempo.iter().enumerate() {
            let follows = at == 0 || self.tempo[at - 1].at < change.at;
            let is_possible = TEMPO_MILLI_BPM.contains(&change.milli_bpm)
                && (1..=BEATS_PER_BAR_MAX).contains(&change.beats_per_bar);
            if !follows || !is_possible {
                return Err(TakeRefused::Tempo(at));
            }
        }
        Ok(grid)
    }

    /// Markers within the take, in the order of time, in nanoseconds from its start.
    pub(super) fn placed_markers(&self) -> Vec<(i64, &str)> {
        let length = self.stop.ns_since(self.start);
        let mut placed: Vec<(i64, &str)> = self
            .markers
            .iter()
            .map(|marker| (marker.at.ns_since(self.start), marker.text.as_str()))
            .filter(|(at, _)| (0..=length).contains(at))
            .collect();
        placed.sort_by_key(|(at, _)| *at);
        placed
    }
}

/// Nanoseconds as seconds with six digits, which is less than a frame.
pub(super) fn seconds(ns: i64) -> String {
    let us = ns.unsigned_abs().saturating_add(500) / 1000;
    let sign = if ns < 0 && us != 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// A tempo in beats per minute, with the thousandths that it has.
pub(super) fn bpm(change: &TempoChange) -> String {
    format!("{}.{:03}", change.milli_bpm / 1000, change.milli_bpm % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_their_sign() {
        for (ns, expected) in [
            (0, "0.000000"),
            (-300_000_000, "-0.300000"),
            (-1, "0.000000"),
            (61_000_000_499, "61.000000"),
            (999_999_500, "1.000000"),
            (i64::MIN, "-9223372036.854776"),
        ] {
            assert_eq!(seconds(ns), expected);
        }
    }
}
