//! The click: when its beats are, and how they sound.

use super::take::{Take, TempoChange};
use crate::align::Grid;

/// A beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beat {
    /// Nanoseconds after the take's start.
    pub(super) at_ns: i64,
    /// Whether it is higher and louder than most.
    pub(super) is_accented: bool,
}

/// Nanoseconds of a number of beats.
pub(super) fn beats_ns(change: &TempoChange, beats: i64) -> i64 {
    // A minute of nanoseconds, in thousandths.
    let ns = i128::from(beats) * 60_000_000_000_000 / i128::from(change.milli_bpm);
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// Nanoseconds of a bar.
pub(super) fn bar_ns(change: &TempoChange) -> i64 {
    beats_ns(change, change.beats_per_bar.into())
}

/// The beats of a take that sound, from shortly before its start, so that what sounds into it is heard.
pub(super) fn beats(take: &Take) -> impl Iterator<Item = Beat> + '_ {
    let length = take.stop.ns_since(take.start);
    take.tempo.iter().enumerate().flat_map(move |(at, change)| {
        let start = change.at.ns_since(take.start);
        let end = take.tempo.get(at + 1).map_or(length, |next| next.at.ns_since(take.start));
        let silent_from = change.end.map_or(length, |end| end.ns_since(take.start));
        let end = end.min(length).min(silent_from);
        let is_of = move |beats: u64, beat: i64| {
            beats >> beat.rem_euclid(change.beats_per_bar.into()) & 1 == 1
        };
        let before = i128::from(-SOUND_NS) - i128::from(start);
        let skipped = before.max(0) * i128::from(change.milli_bpm) / 60_000_000_000_000;
        let skipped = i64::try_from(skipped).unwrap_or(i64::MAX);
        (skipped..)
            .map(move |beat| (beat, start.saturating_add(beats_ns(change, beat))))
            .take_while(move |(_, at_ns)| *at_ns < end)
            .filter(move |(beat, at_ns)| -SOUND_NS < *at_ns && !is_of(change.silent, *beat))
            .map(move |(beat, at_ns)| Beat { at_ns, is_accented: is_of(change.accents, beat) })
    })
}

/// Gives the sound of a click, block by block.
pub(super) struct Click<I: Iterator> {
    beats: std::iter::Peekable<I>,
    /// Beats that sound, at which frame they began.
    sounding: Vec<(f64, bool)>,
    next_frame: u64,
}

impl<I: Iterator<Item = Beat>> Click<I> {
    pub(super) fn new(beats: I) -> Self {
        Self { beats: beats.peekable(), sounding: Vec::new(), next_frame: 0 }
    }

    /// The next frames.
    pub(super) fn render(&mut self, out: &mut [f32]) {
        let (start, count) = (crate::align::to_f64(self.next_frame), out.len());
        let end = start + crate::align::to_f64(u64::try_from(count).expect("a block"));
        while let Some(beat) = self.beats.next_if(|beat| frame(beat.at_ns) < end) {
            self.sounding.push((frame(beat.at_ns), beat.is_accented));
        }
        self.sounding.retain(|(began, _)| start < began + SOUND_FRAMES);
        for (frame, sample) in (self.next_frame..).zip(out.iter_mut()) {
            let frame = crate::align::to_f64(frame);
            let sound =
                self.sounding.iter().map(|(began, is_accented)| sound(frame - began, *is_accented));
            *sample = sound.sum();
        }
        self.next_frame += u64::try_from(count).expect("a block");
    }
}

/// A block of wood: a sine that dies away, so many frames after its beat.
#[expect(clippy::cast_possible_truncation, reason = "a sample has 24 bits")]
fn sound(frames: f64, is_accented: bool) -> f32 {
    if !(0.0..SOUND_FRAMES).contains(&frames) {
        return 0.0;
    }
    let (hz, level) = if is_accented { (1760.0, 0.5) } else { (1175.0, 0.35) };
    let seconds = frames / 48_000.0;
    let dies = (-seconds / 0.006).exp() - (-SOUND_FRAMES / 48_000.0 / 0.006_f64).exp();
    (level * dies * (std::f64::consts::TAU * hz * seconds).sin()) as f32
}

/// Where a moment is on the grid, in frames.
fn frame(ns: i64) -> f64 {
    let start = protocol::time::RoomTime::from_ns(0);
    Grid { start, frames: 0 }.position(start.plus_ns(ns))
}

/// How long a click sounds: 50 ms.
const SOUND_NS: i64 = 50_000_000;
const SOUND_FRAMES: f64 = 2400.0;

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::*;

    fn take(tempo: &[(i64, u32, u8)]) -> Take {
        let start = RoomTime::from_ns(1_790_000_000_000_000_000);
        let change = |&(at_ms, milli_bpm, beats_per_bar): &(i64, u32, u8)| TempoChange {
            at: start.plus_ns(at_ms * 1_000_000),
            milli_bpm,
            beats_per_bar,
            first_bar: 1,
            accents: 1,
            silent: 0,
            end: None,
        };
        Take {
            title: String::new(),
            start,
            stop: start.plus_ns(10_000_000_000),
            tempo: tempo.iter().map(change).collect(),
            markers: Vec::new(),
            stems: Vec::new(),
        }
    }

    fn beats_ms(take: &Take) -> Vec<(i64, bool)> {
        beats(take).map(|beat| (beat.at_ns / 1_000_000, beat.is_accented)).collect()
    }

    #[test]
    fn beats_go_on_from_before_the_take_until_the_next_tempo() {
        let expected = [
            (0, false),
            (1000, false),
            (2000, true),
            (3000, false),
            (4000, false),
            (5000, true),
            (5500, true),
            (7500, false),
            (9500, true),
        ];
        assert_eq!(
            beats_ms(&take(&[(-7000 * 60, 60_000, 3), (-1000, 60_000, 3), (5500, 30_000, 2)])),
            expected
        );
        assert_eq!(beats_ms(&take(&[(9000, 120_000, 4)])), [(9000, true), (9500, false)]);
        assert_eq!(beats_ms(&take(&[(11_000, 120_000, 4)])), []);
        let ages = i64::MIN / 1_000_000 + 1_790_000_000_001;
        assert!(beats_ms(&take(&[(ages, 10_001, 4)])).len() < 3);
    }

    #[test]
    fn beats_have_their_strength_and_their_end() {
        let mut take = take(&[(1000, 60_000, 3), (8000, 60_000, 4)]);
        take.tempo[0].accents = 0b100;
        take.tempo[0].silent = 0b010;
        take.tempo[0].end = Some(take.start.plus_ns(6_000_000_000));
        let expected = [(1000, false), (3000, true), (4000, false), (8000, true), (9000, false)];
        assert_eq!(beats_ms(&take), expected);
        take.tempo[0].end = Some(take.start.plus_ns(60_000_000_000));
        assert_eq!(beats_ms(&take).len(), 7, "the next tempo is its end anyway");
        take.tempo[0].end = Some(take.start.plus_ns(-1));
        assert_eq!(beats_ms(&take), expected[3..]);
    }

    #[test]
    fn an_hour_of_beats_does_not_drift() {
        let change = TempoChange {
            at: RoomTime::from_ns(0),
            milli_bpm: 137_000,
            beats_per_bar: 4,
            first_bar: 1,
            accents: 1,
            silent: 0,
            end: None,
        };
        assert_eq!(beats_ns(&change, 137 * 60), 3_600_000_000_000);
    }

    #[test]
    fn a_click_sounds_at_its_beat_whatever_the_blocks() {
        let take = take(&[(1000, 60_000, 4)]);
        let sound = |block: usize| {
            let mut click = Click::new(beats(&take));
            let mut sound = vec![0.0; 3 * 48_000];
            sound.chunks_mut(block).for_each(|block| click.render(block));
            sound
        };
        let one = sound(4096);
        assert_eq!(one, sound(77));
        let first = one.iter().position(|sample| *sample != 0.0);
        assert_eq!(first, Some(48_001), "a sine begins with nothing");
        assert!(one[50_400..96_001].iter().all(|sample| *sample == 0.0));
        assert!(one.iter().all(|sample| sample.abs() < 0.5));
    }
}
