//! The beats of a click: exact moments of the room's clock, the same for everybody.
//!
//! Plays nothing ([`crate::rt`] does). What surprises: a beat is reckoned from the beginning of its
//! segment and never from the beat before, so that nothing adds up however long it runs.

mod settings;
mod taps;

use protocol::limits::{BAR_BEATS_MAX, CLICK_SEGMENTS_MAX, TEMPO_MILLIBPM_MAX, TEMPO_MILLIBPM_MIN};
use protocol::room_state::{BeatStrength, ClickSegment, is_moment, room_time};
use protocol::time::RoomTime;
use thiserror::Error;

pub use self::settings::ClickSettings;
pub use self::taps::Taps;

/// A click, ready to be played: fits into a message to an audio callback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Click {
    segments: [Segment; CLICK_SEGMENTS_MAX],
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    start: RoomTime,
    bar: i32,
    tempo_millibpm: u32,
    beats: u8,
    /// A bit for each beat.
    accents: u16,
    silent: u16,
}

/// One beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// When it is.
    pub at: RoomTime,
    /// The number of its bar; below 1 it is counted in.
    pub bar: i32,
    /// Which of the bar, from 0.
    pub beat: u8,
    /// How it sounds.
    pub strength: BeatStrength,
}

/// A click that cannot be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClickError {
    /// More than [`CLICK_SEGMENTS_MAX`].
    #[error("a click has at most {CLICK_SEGMENTS_MAX} tempi laid out")]
    ExhaustedSegments,
    /// Not in order of time, or at no moment.
    #[error("the tempi of a click are not in order of time")]
    MalformedOrder,
    /// Beyond [`TEMPO_MILLIBPM_MIN`] or [`TEMPO_MILLIBPM_MAX`].
    #[error("{0} thousandths of a beat a minute is no tempo")]
    MalformedTempo(u32),
    /// None, or more than [`BAR_BEATS_MAX`].
    #[error("a bar has 1 to {BAR_BEATS_MAX} beats")]
    MalformedBar,
}

impl Click {
    /// Takes a click as the room has it; no segment is silence.
    pub fn new(segments: &[ClickSegment]) -> Result<Self, ClickError> {
        let none = Segment {
            start: RoomTime::default(),
            bar: 1,
            tempo_millibpm: 1,
            beats: 1,
            accents: 0,
            silent: 0,
        };
        let mut click = Self { segments: [none; CLICK_SEGMENTS_MAX], count: segments.len() };
        if CLICK_SEGMENTS_MAX < segments.len() {
            return Err(ClickError::ExhaustedSegments);
        }
        if segments.windows(2).any(|pair| pair[1].start_us <= pair[0].start_us)
            || segments.iter().any(|segment| !is_moment(segment.start_us))
        {
            return Err(ClickError::MalformedOrder);
        }
        for (place, segment) in click.segments.iter_mut().zip(segments) {
            let tempo = segment.tempo_millibpm;
            if !(TEMPO_MILLIBPM_MIN..=TEMPO_MILLIBPM_MAX).contains(&tempo) {
                return Err(ClickError::MalformedTempo(tempo));
            }
            let beats = u8::try_from(segment.beats.len()).unwrap_or(u8::MAX);
            if beats == 0 || BAR_BEATS_MAX < usize::from(beats) {
                return Err(ClickError::MalformedBar);
            }
            let of = |strength| {
                let bits = segment.beats.iter().zip(0_u32..).filter(|(beat, _)| **beat == strength);
                bits.fold(0_u16, |bits, (_, index)| bits | 1 << index)
            };
            *place = Segment {
                start: room_time(segment.start_us),
                bar: segment.bar,
                tempo_millibpm: tempo,
                beats,
                accents: of(BeatStrength::Accent),
                silent: of(BeatStrength::Silent),
            };
        }
        Ok(click)
    }

    /// The first beat at a moment or later; `None` where there is no click.
    #[must_use]
    pub fn next_beat(&self, from: RoomTime) -> Option<Beat> {
        let segments = self.segments.get(..self.count)?;
        for (index, segment) in segments.iter().enumerate() {
            let end = segments.get(index + 1).map(|next| next.start);
            if end.is_some_and(|end| end <= from) {
                continue;
            }
            let beat = segment.beat(segment.index_from(from));
            // What falls on the beginning of the next segment, or behind it, is that segment's.
            if end.is_none_or(|end| beat.at < end) {
                return Some(beat);
            }
        }
        None
    }

    /// The first beat of a bar at a moment or later; `None` where there is no click.
    #[must_use]
    pub fn next_bar(&self, from: RoomTime) -> Option<Beat> {
        let mut from = from;
        // Two bars further there is one, unless segments begin within bars.
        for _ in 0..2 * BAR_BEATS_MAX * CLICK_SEGMENTS_MAX {
            let beat = self.next_beat(from)?;
            if beat.beat == 0 {
                return Some(beat);
            }
            from = beat.at.plus_ns(1);
        }
        None
    }

    /// The beat that a moment belongs to: the latest at it or before; `None` before the first and where there is no click.
    #[must_use]
    pub fn beat_at(&self, at: RoomTime) -> Option<Beat> {
        let segments = self.segments.get(..self.count)?;
        let segment = segments.iter().rev().find(|segment| segment.start <= at)?;
        Some(segment.beat(segment.index_from(at.plus_ns(1)) - 1))
    }

    /// How long a beat takes at a moment, and how many make a bar; `None` where there is no click.
    #[must_use]
    pub fn meter(&self, at: RoomTime) -> Option<(f64, u8)> {
        let segments = self.segments.get(..self.count)?;
        let begun = segments.iter().rev().find(|segment| segment.start <= at);
        let segment = begun.or(segments.first())?;
        Some((BEAT_MILLIBPM_NS as f64 / f64::from(segment.tempo_millibpm), segment.beats))
    }
}

impl Segment {
    /// The number of the first beat at a moment or later.
    fn index_from(&self, from: RoomTime) -> i64 {
        let ns = i128::from(from.ns_since(self.start).max(0));
        let tempo = i128::from(self.tempo_millibpm);
        // Moments are rounded down, so the beat just before may be at this nanosecond.
        let index = (ns * tempo).div_euclid(i128::from(BEAT_MILLIBPM_NS));
        let index = i64::try_from(index).unwrap_or(i64::MAX - 1);
        if self.at(index) < from { index + 1 } else { index }
    }

    fn at(&self, index: i64) -> RoomTime {
        let ns = i128::from(index) * i128::from(BEAT_MILLIBPM_NS) / i128::from(self.tempo_millibpm);
        self.start.plus_ns(i64::try_from(ns).unwrap_or(i64::MAX))
    }

    fn beat(&self, index: i64) -> Beat {
        let beats = i64::from(self.beats.max(1));
        let beat = u8::try_from(index.rem_euclid(beats)).unwrap_or(0);
        let bars = i32::try_from(index.div_euclid(beats)).unwrap_or(i32::MAX);
        let is_in = |bits: u16| bits >> beat & 1 == 1;
        let strength = match (is_in(self.accents), is_in(self.silent)) {
            (true, _) => BeatStrength::Accent,
            (false, true) => BeatStrength::Silent,
            (false, false) => BeatStrength::Normal,
        };
        Beat { at: self.at(index), bar: self.bar.saturating_add(bars), beat, strength }
    }
}

/// A minute in nanoseconds, times the thousandths in which tempi are counted.
const BEAT_MILLIBPM_NS: i64 = 60_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const START_US: i64 = 1_790_000_000_000_000;

    fn segment(start_us: i64, bar: i32, tempo_millibpm: u32, beats: usize) -> ClickSegment {
        let mut strengths = vec![BeatStrength::Normal; beats];
        strengths[0] = BeatStrength::Accent;
        ClickSegment { start_us, bar, tempo_millibpm, unit: 4, beats: strengths }
    }

    /// (milliseconds after the start, bar, beat) of the next beats.
    fn beats(click: &Click, from_ms: i64, count: usize) -> Vec<(i64, i32, u8)> {
        let mut from = room_time(START_US + from_ms * 1000);
        let next = || {
            let beat = click.next_beat(from)?;
            from = beat.at.plus_ns(1);
            Some((beat.at.ns_since(room_time(START_US)) / 1_000_000, beat.bar, beat.beat))
        };
        core::iter::from_fn(next).take(count).collect()
    }

    #[test]
    fn beats_are_counted_in_and_fall_into_bars() {
        let click = Click::new(&[segment(START_US, 0, 120_000, 3)]).expect("a click");
        let first = [(0, 0, 0), (500, 0, 1), (1000, 0, 2), (1500, 1, 0)];
        assert_eq!(beats(&click, -1000, 4), first);
        assert_eq!(beats(&click, 0, 4), first);
        assert_eq!(beats(&click, 1001, 1), [(1500, 1, 0)]);
        let at = |ms: i64| click.beat_at(room_time(START_US + ms * 1000));
        let beat_at = |ms: i64| at(ms).map(|beat| (beat.bar, beat.beat));
        assert_eq!([beat_at(-1), beat_at(0), beat_at(499)], [None, Some((0, 0)), Some((0, 0))]);
        assert_eq!([beat_at(500), beat_at(1700)], [Some((0, 1)), Some((1, 0))]);
        let strength = click.next_beat(room_time(START_US + 1)).map(|beat| beat.strength);
        assert_eq!(strength, Some(BeatStrength::Normal));
    }

    #[test]
    fn a_change_holds_from_its_moment_on() {
        let second = segment(START_US + 1_000_000, 2, 60_000, 2);
        let click = Click::new(&[segment(START_US, 1, 120_000, 4), second]).expect("a click");
        let expected = [(0, 1, 0), (500, 1, 1), (1000, 2, 0), (2000, 2, 1), (3000, 3, 0)];
        assert_eq!(beats(&click, 0, 5), expected);
        let bar = |ms: i64| click.next_bar(room_time(START_US + ms * 1000)).map(|beat| beat.bar);
        assert_eq!([bar(0), bar(1), bar(1001)], [Some(1), Some(2), Some(3)]);
        let meter = |ms: i64| click.meter(room_time(START_US + ms * 1000));
        assert_eq!([meter(-1), meter(999)], [Some((5e8, 4)); 2]);
        assert_eq!(meter(1000), Some((1e9, 2)));
    }

    #[test]
    fn nothing_adds_up_over_a_day() {
        // A beat of 629,590.7… µs.
        let click = Click::new(&[segment(START_US, 1, 95_300, 4)]).expect("a click");
        let day_ns: i64 = 86_400_000_000_000;
        let from = room_time(START_US).plus_ns(day_ns);
        let beat = click.next_beat(from).expect("it runs on");
        let count = (day_ns as f64 * 95_300.0 / 6e13).ceil();
        let exact = count * 6e13 / 95_300.0;
        let off_ns = beat.at.ns_since(room_time(START_US)) as f64 - exact;
        assert!(off_ns.abs() <= 1.0, "{off_ns} ns");
        assert_eq!(
            click.next_beat(beat.at),
            Some(beat),
            "a beat at the very moment is that moment's"
        );
    }

    #[test]
    fn what_nobody_could_play_is_refused_and_no_click_has_no_beats() {
        let new = |segments: &[ClickSegment]| Click::new(segments).map(|_| ());
        let good = segment(START_US, 1, 120_000, 4);
        assert_eq!(new(&vec![good.clone(); 5]), Err(ClickError::ExhaustedSegments));
        assert_eq!(new(&vec![good.clone(); 2]), Err(ClickError::MalformedOrder));
        let never = ClickSegment { start_us: i64::MAX, ..good.clone() };
        assert_eq!(new(&[never]), Err(ClickError::MalformedOrder));
        let slow = ClickSegment { tempo_millibpm: 0, ..good.clone() };
        assert_eq!(new(&[slow]), Err(ClickError::MalformedTempo(0)));
        assert_eq!(new(&[ClickSegment { beats: vec![], ..good }]), Err(ClickError::MalformedBar));
        let none = Click::new(&[]).expect("silence");
        assert_eq!(
            (none.next_beat(RoomTime::default()), none.next_bar(room_time(9))),
            (None, None)
        );
    }
}
