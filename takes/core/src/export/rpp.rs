//! A project of REAPER: plain text of lines and nested blocks, as it writes them itself.

use std::fmt::Write;

use super::click::bar_ns;
use super::names::line;
use super::take::{Take, TempoChange, bpm, seconds};

/// A track of a project.
pub(super) struct ProjectTrack {
    /// What it is called.
    pub(super) title: String,
    /// The file beside the project.
    pub(super) file: String,
    /// One, or two.
    pub(super) channels: u8,
    /// Whether it is there and silent.
    pub(super) is_muted: bool,
}

/// `Take.rpp`: every item at 0, and the tempo where it was, even in the middle of a bar.
pub(super) fn rpp(take: &Take, tracks: &[ProjectTrack]) -> String {
    let mut text = String::new();
    let mut say = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    let length = seconds(take.stop.ns_since(take.start));
    let second = take.start.as_ns().div_euclid(1_000_000_000);
    say(format_args!("<REAPER_PROJECT 0.1 \"7.0/vjam\" {second}"));
    // Items, markers and tempo hold to time, not to beats.
    say(format_args!("  TIMELOCKMODE 0\n  TEMPOENVLOCKMODE 0\n  SAMPLERATE 48000 1 0"));
    let points = points(take);
    match points.first() {
        Some((_, change)) => {
            say(format_args!("  TEMPO {} {} 4", bpm(change), change.beats_per_bar));
        }
        None => say(format_args!("  TEMPO 120 4 4")),
    }
    for (number, (at, marker)) in (1..).zip(take.placed_markers()) {
        say(format_args!("  MARKER {number} {} {} 0", seconds(at), quoted(marker)));
    }
    if !points.is_empty() {
        say(format_args!("  <TEMPOENVEX\n    ACT 1 -1\n    VIS 1 0 1\n    DEFSHAPE 1 -1 -1"));
        for (at, change) in &points {
            // Steps (1); the signature, over and under the line; not selected; a bar begins here, and the one before
            // may be cut short (1 and 4).
            let signature = 4 << 16 | u32::from(change.beats_per_bar);
            say(format_args!("    PT {} {} 1 {signature} 0 5", seconds(*at), bpm(change)));
        }
        say(format_args!("  >"));
    }
    for track in tracks {
        let (title, muted) = (quoted(&track.title), u8::from(track.is_muted));
        say(format_args!("  <TRACK\n    NAME {title}\n    MUTESOLO {muted} 0 0\n    NCHAN 2"));
        say(format_args!("    <ITEM\n      POSITION 0\n      LENGTH {length}\n      LOOP 0"));
        say(format_args!(
            "      NAME {title}\n      <SOURCE FLAC\n        FILE {}",
            quoted(&track.file)
        ));
        say(format_args!("      >\n    >\n  >"));
    }
    say(format_args!(">"));
    text
}

/// Where the tempo is told: at 0, at the first bar after it, and at each change. Times are from the take's start.
fn points(take: &Take) -> Vec<(i64, TempoChange)> {
    let length = take.stop.ns_since(take.start);
    let mut points: Vec<(i64, TempoChange)> = Vec::new();
    for (index, change) in take.tempo.iter().enumerate() {
        let at = change.at.ns_since(take.start);
        let next = take.tempo.get(index + 1).map_or(i64::MAX, |next| next.at.ns_since(take.start));
        if length <= at || next <= 0 {
            continue;
        }
        // What the first change is in the middle of, or what it will be like, begins with the project.
        if points.is_empty() && at != 0 {
            points.push((0, *change));
        }
        let bar = bar_ns(change);
        let from = if at < 0 { at.rem_euclid(bar) } else { at };
        if from < next.min(length) {
            points.push((from, *change));
        }
    }
    points.dedup_by_key(|(at, _)| *at);
    points
}

/// A text as REAPER quotes it: in the first kind of quotation mark that it does not contain.
fn quoted(text: &str) -> String {
    let text = line(text);
    for mark in ['"', '\'', '`'] {
        if !text.contains(mark) {
            return format!("{mark}{text}{mark}");
        }
    }
    format!("`{}`", text.replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::*;

    fn points_ms(tempo: &[(i64, u32)]) -> Vec<(i64, u32)> {
        let start = RoomTime::from_ns(1_790_000_000_000_000_000);
        let change = |&(at_ms, bpm): &(i64, u32)| TempoChange {
            at: start.plus_ns(at_ms * 1_000_000),
            milli_bpm: bpm * 1000,
            beats_per_bar: 4,
            first_bar: 1,
            accents: 1,
            silent: 0,
            end: None,
        };
        let take = Take {
            title: String::new(),
            start,
            stop: start.plus_ns(20_000_000_000),
            tempo: tempo.iter().map(change).collect(),
            markers: Vec::new(),
            stems: Vec::new(),
        };
        let ms = |(at, change): (i64, TempoChange)| (at / 1_000_000, change.milli_bpm / 1000);
        points(&take).into_iter().map(ms).collect()
    }

    #[test]
    fn bars_begin_where_they_were_heard() {
        assert_eq!(points_ms(&[]), []);
        assert_eq!(points_ms(&[(0, 120)]), [(0, 120)]);
        // A bar of two seconds that began half a second before.
        assert_eq!(points_ms(&[(-500, 120)]), [(0, 120), (1500, 120)]);
        assert_eq!(points_ms(&[(-4000, 120)]), [(0, 120)]);
        assert_eq!(points_ms(&[(700, 60), (5000, 90)]), [(0, 60), (700, 60), (5000, 90)]);
        assert_eq!(points_ms(&[(-9000, 60), (-500, 120), (30_000, 90)]), [(0, 120), (1500, 120)]);
    }

    #[test]
    fn texts_are_quoted_whatever_they_contain() {
        let cases = [
            ("a b", "\"a b\""),
            ("a\"b", "'a\"b'"),
            ("\"'", "`\"'`"),
            ("\"'`", "`\"''`"),
            ("a\n>", "\"a >\""),
        ];
        for (text, expected) in cases {
            assert_eq!(quoted(text), expected);
        }
    }
}
