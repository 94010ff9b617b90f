//! What everybody in a scenario must have heard, checked with the same rules everywhere.

use std::ops::Range;

use protocol::codec::Codec;
use tests::listen::{Hearing, compare, correlation_min, level_db, unmix};
use tests::machine::Machine;
use tests::sound::{RATE_HZ, Sound};

/// A track of `tests/music`, over and over for so many seconds.
pub(crate) fn music(track: &str, seconds: usize) -> Sound {
    let sound = Sound::music(track).expect("the track is in tests/music");
    sound.looped(seconds * RATE_HZ)
}

/// What somebody heard, from the start of their process on, and which part of it is looked at.
pub(crate) struct Ears {
    heard: Vec<f32>,
    part: Range<usize>,
}

impl Ears {
    /// Looks at all from a second after the first sound (people still come in) to the last.
    pub(crate) fn new(heard: &Sound) -> Self {
        const WINDOW: usize = RATE_HZ / 100;
        let heard = heard.to_mono();
        let loud = |window: &[f32]| -60.0 < level_db(window);
        let first = heard.chunks(WINDOW).position(loud).unwrap_or(0) * WINDOW;
        let last = heard.chunks(WINDOW).rposition(loud).unwrap_or(0) * WINDOW;
        let part = (first + RATE_HZ).min(last)..last;
        Self { heard, part }
    }

    /// Looks at the last seconds only.
    pub(crate) fn at_the_end(self, seconds: usize) -> Self {
        let start = self.part.end.saturating_sub(seconds * RATE_HZ).max(self.part.start);
        Self { part: start..self.part.end, ..self }
    }

    /// Compares with what was played.
    pub(crate) fn hear(&self, played: &Sound) -> Hearing {
        let part = &self.heard[self.part.clone()];
        assert!(4 * RATE_HZ <= part.len(), "only {} frames of sound", part.len());
        let played = played.to_mono();
        compare(&played, part, lags(0, self.part.start))
            .expect("what was heard is not what was played")
    }

    /// Asserts that what was played was heard: alike, whole, without clicks, at its level.
    pub(crate) fn must_hear(&self, who: &str, played: &Sound, codec: Codec, machine: Machine) {
        let hearing = self.hear(played);
        eprintln!(
            "{who}, {codec}: correlation {:.4}, level {:+.1} dB, {} gap frames, {} clicks",
            hearing.correlation,
            hearing.level_db,
            hearing.gap_frames(),
            hearing.clicks.len(),
        );
        let correlation = hearing.correlation;
        match machine {
            Machine::KeepsTime => {
                assert!(correlation_min(codec) <= correlation, "{who}: correlation {correlation}");
                assert_eq!(hearing.gaps, [], "{who}");
            }
            Machine::Stalls => {
                assert!(0.8 <= correlation, "{who}: correlation {correlation}");
                assert!(hearing.gap_frames() < self.part.len() / 30, "{who}: {:?}", hearing.gaps);
            }
        }
        assert!(hearing.level_db.abs() < 1.0, "{who}: {} dB", hearing.level_db);
    }

    /// Asserts that the sound contains each of `present`, and nothing of `own`.
    ///
    /// The mix is taken apart two seconds at a time, because playouts move, and what holds for half
    /// of the pieces counts: in a single one, two instruments may happen to look alike.
    pub(crate) fn must_not_hear(&self, who: &str, own: &Sound, present: &[&Sound]) {
        const PIECE: usize = 2 * RATE_HZ;
        let sounds: Vec<Vec<f32>> =
            present.iter().chain([&own]).map(|sound| sound.to_mono()).collect();
        let mut gains = vec![Vec::new(); sounds.len()];
        for start in self.part.clone().step_by(PIECE) {
            let Some(piece) = self.heard.get(start..start + PIECE) else { break };
            // What can lie in this piece, by when people may have come.
            let (from, to) = (start.saturating_sub(REACH_FRAMES), start + PIECE + REACH_FRAMES);
            let cut = |sound: &Vec<f32>| from.min(sound.len())..to.min(sound.len());
            let sources: Vec<&[f32]> = sounds.iter().map(|sound| &sound[cut(sound)]).collect();
            let mix = unmix(&sources, piece, lags(from, start));
            for (gains, part) in gains.iter_mut().zip(&mix.parts) {
                gains.push(part.gain_db);
            }
        }
        let medians: Vec<f64> = gains.into_iter().map(median).collect();
        let (myself, others) = medians.split_last().expect("there are sources");
        assert!(*myself < -12.0, "{who} hears themselves: {medians:?} dB");
        for other in others {
            // A playout that moves within a piece spreads an instrument over several delays, and one
            // of them is found: it still stands out of what is not there.
            assert!(myself + 6.0 < *other, "{who} does not hear everybody: {medians:?} dB");
        }
    }
}

/// Where what was heard from `start` on can lie in a source that is cut at `from`. The music repeats
/// after ten seconds, but people come within a few.
fn lags(from: usize, start: usize) -> Range<i64> {
    let signed = |frames: usize| i64::try_from(frames).expect("a recording is short");
    let shift = signed(from) - signed(start);
    shift - signed(REACH_FRAMES)..shift + signed(REACH_FRAMES)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(-200.0)
}

/// How far apart in time the start of one's playing and of another's listening may lie: people
/// come one after the other, and the playing starts with the media link.
const REACH_FRAMES: usize = 4 * RATE_HZ;
