//! What everybody in a scenario must have heard, checked with the same rules everywhere.

use std::ops::Range;
use std::time::{Duration, Instant};

use protocol::codec::Codec;
use tests::listen::{
    Hearing, SEGMENT_FRAMES, Segment, compare, correlation_min, level_db, mean_correlation, unmix,
};
use tests::machine::{CORE, Machine, Stall, TimingFault};
use tests::process::Recording;
use tests::sound::{RATE_HZ, Sound};

/// A track of `tests/music`, over and over for so many seconds.
pub(crate) fn music(track: &str, seconds: usize) -> Sound {
    let sound = Sound::music(track).expect("the track is in tests/music");
    sound.looped(seconds * RATE_HZ)
}

/// What somebody heard, from the start of their process on, and which part of it is looked at.
pub(crate) struct Ears {
    heard: Vec<f32>,
    began: Instant,
    part: Range<usize>,
}

impl Ears {
    /// Looks at all from a second after the first sound (people still come in) to the last. What
    /// sounds for less than so many seconds in all has begun too late or ended too early.
    pub(crate) fn new(heard: &Recording, seconds: usize) -> Result<Self, TimingFault> {
        const WINDOW: usize = RATE_HZ / 100;
        let began = heard.began;
        let heard = heard.sound.to_mono();
        let loud = |window: &[f32]| -60.0 < level_db(window);
        let first = heard.chunks(WINDOW).position(loud).unwrap_or(0) * WINDOW;
        let last = heard.chunks(WINDOW).rposition(loud).unwrap_or(0) * WINDOW;
        if last - first < seconds * RATE_HZ {
            let sounded = (last - first) as f64 / RATE_HZ as f64;
            return Err(TimingFault(format!("{sounded:.1} s of sound, {seconds} are expected")));
        }
        let part = (first + RATE_HZ).min(last)..last;
        Ok(Self { heard, began, part })
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
        // What can lie in this part, by when people may have come.
        let played = played.to_mono();
        let cut = reach(&self.part, played.len());
        compare(&played[cut.clone()], part, lags(cut.start, self.part.start))
            .expect("what was heard is not what was played")
    }

    /// Asserts that what was played was heard: alike, whole, without clicks, at its level.
    ///
    /// A gap, a click or a poor piece near a stall of the machine is forgiven, elsewhere none is;
    /// half of all pieces must be left to be judged, and without a move of the playout.
    pub(crate) fn must_hear(
        &self,
        who: &str,
        played: &Sound,
        codec: Codec,
        machine: &Machine,
    ) -> Result<(), TimingFault> {
        let hearing = self.hear(played);
        let stalls = self.stalls(machine);
        let away = |range: &Range<usize>| !stalls.iter().any(|stall| overlap(stall, range));
        // A piece that sounds as it should is judged by that, wherever it lies.
        let is_judged = |segment: &&Segment| {
            correlation_min(codec) <= segment.correlation
                || segment.heard(SEGMENT_FRAMES, self.part.len()).is_some_and(|range| away(&range))
        };
        let judged: Vec<&Segment> = hearing.segments.iter().filter(is_judged).collect();
        // A cross-fade fits at neither delay: pieces in which the playout moved have a bound of
        // their own, and the others need not make up for them.
        let (moved, still): (Vec<&Segment>, Vec<&Segment>) =
            judged.iter().copied().partition(|segment| segment.moved);
        let [moved_alike, alike] =
            [&moved, &still].map(|those| mean_correlation(those.iter().copied()));
        let gaps =
            hearing.gaps.iter().filter(|gap| away(&(gap.at_frame..gap.at_frame + gap.frames)));
        let gaps: Vec<_> = gaps.collect();
        let clicks = hearing.clicks.iter().filter(|c| away(&(c.at_frame..c.at_frame + 1)));
        let clicks: Vec<_> = clicks.collect();
        let account = format!(
            "{who}, {codec}: correlation {:.4} ({alike:.4} in {} of {} pieces, {moved_alike:.4} in \
             {} with a move), level {:+.1} dB, {} gap frames, {} clicks; elsewhere than near {} \
             stalls {gaps:?}, {clicks:?}",
            hearing.correlation,
            still.len(),
            hearing.segments.len(),
            moved.len(),
            hearing.level_db,
            hearing.gap_frames(),
            hearing.clicks.len(),
            stalls.len(),
        );
        eprintln!("{account}");
        assert!(hearing.level_db.abs() < 1.0, "{account}");
        let enough = hearing.segments.len() <= 2 * still.len();
        let whole = gaps.is_empty() && clicks.is_empty();
        let true_there = moved.is_empty() || MOVED_CORRELATION_MIN <= moved_alike;
        if enough && whole && correlation_min(codec) <= alike && true_there {
            Ok(())
        } else {
            Err(TimingFault(account))
        }
    }

    /// Where, in the part that is looked at, the machine stalled, and what a stall leaves behind.
    fn stalls(&self, machine: &Machine) -> Vec<Range<usize>> {
        let frame = |at: Instant| {
            let us = at.saturating_duration_since(self.began).as_micros();
            let frames = usize::try_from(us * RATE_HZ as u128 / 1_000_000).unwrap_or(usize::MAX);
            frames.saturating_sub(self.part.start)
        };
        let disturbed = |stall: &Stall| frame(stall.from - BEFORE)..frame(stall.until + AFTER);
        let ranges = machine.stalls().iter().map(disturbed).collect::<Vec<_>>();
        ranges.into_iter().filter(|range| !range.is_empty()).collect()
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
            let cut = |sound: &Vec<f32>| reach(&(start..start + PIECE), sound.len());
            let sources: Vec<&[f32]> = sounds.iter().map(|sound| &sound[cut(sound)]).collect();
            let from = start.saturating_sub(REACH_FRAMES);
            let mix = unmix(&sources, piece, lags(from, start));
            for (gains, part) in gains.iter_mut().zip(&mix.parts) {
                gains.push(part.gain_db);
            }
        }
        let medians: Vec<f64> = gains.into_iter().map(median).collect();
        let (myself, others) = medians.split_last().expect("there are sources");
        eprintln!("{who} hears the others and themselves at {medians:.1?} dB");
        // What is found of a sound that is not there lies below -20 dB where the playout moves. That
        // nobody hears themselves at all is proven to the last bit beside somebody silent.
        assert!(*myself < -15.0, "{who} hears themselves: {medians:?} dB");
        for other in others {
            // A playout that moves within a piece spreads an instrument over several delays, and one
            // of them is found: it still stands out of what is not there.
            assert!(myself + 6.0 < *other, "{who} does not hear everybody: {medians:?} dB");
        }
    }

    /// Asserts that everything heard was silence: nothing above -90 dB of full scale.
    pub(crate) fn must_hear_nothing(who: &str, heard: &Recording) {
        const LOUDEST: f32 = 3.16e-5;
        let samples = heard.sound.channels.iter().flatten();
        let loudest = samples.fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        assert!(loudest < LOUDEST, "{who} hears something: a sample of {loudest}");
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// What of a source can lie in a part of what was heard, by when people may have come.
fn reach(part: &Range<usize>, frames: usize) -> Range<usize> {
    let from = part.start.saturating_sub(REACH_FRAMES).min(frames);
    from..(part.end + REACH_FRAMES).min(frames)
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

/// What pieces of a quarter second must reach in which the playout moved. One whose fade meets a drum
/// loses a fifth; one in which it moved there and back fits at two delays of three, and was seen at
/// 0.65. What is not the music at all reaches nothing, and gaps and clicks are counted there as well.
const MOVED_CORRELATION_MIN: f64 = 0.5;

/// What is heard of a stall: it is placed by what a process said of its start, the playout grows
/// after it, and what came late is left out again.
const BEFORE: Duration = Duration::from_millis(100);
const AFTER: Duration = Duration::from_millis(300);

/// The ears themselves, on damage made on purpose.
mod judging {
    use super::*;

    /// Damages ten seconds of the piano and listens, on a machine that stalled for a moment after
    /// so many seconds, or not at all.
    fn judge(
        damage: impl FnOnce(&mut Vec<f32>),
        stalled_at_s: Option<f64>,
    ) -> Result<(), TimingFault> {
        let piano = music("late-bus-piano", 10);
        let mut heard = piano.to_mono();
        damage(&mut heard);
        let began = Instant::now();
        let stall = |at: f64| {
            let from = began + Duration::from_secs_f64(at);
            Stall { who: CORE, from, until: from + Duration::from_millis(5) }
        };
        let machine = Machine::that_stalled(stalled_at_s.into_iter().map(stall).collect());
        let recording = Recording { sound: Sound::mono(heard), began };
        Ears::new(&recording, 9)?.must_hear("a test", &piano, Codec::Opus, &machine)
    }

    fn hole(heard: &mut [f32]) {
        heard[5 * RATE_HZ..5 * RATE_HZ + 480].fill(0.0);
    }

    fn jump(heard: &mut [f32]) {
        heard[5 * RATE_HZ..5 * RATE_HZ + 100].iter_mut().for_each(|sample| *sample += 0.3);
    }

    #[test]
    fn undamaged_music_is_what_must_be_heard() {
        assert_eq!(judge(|_| (), None), Ok(()));
        assert_eq!(judge(|_| (), Some(5.0)), Ok(()));
    }

    #[test]
    fn gaps_and_clicks_are_forgiven_near_a_stall_and_nowhere_else() {
        for damage in [hole, jump] {
            assert!(judge(|heard| damage(heard), None).is_err());
            assert!(judge(|heard| damage(heard), Some(3.0)).is_err());
            assert_eq!(judge(|heard| damage(heard), Some(5.0)), Ok(()));
        }
    }

    #[test]
    fn sound_that_stops_early_is_noticed() {
        let fault = judge(|heard| heard[8 * RATE_HZ..].fill(0.0), Some(8.0));
        assert!(fault.is_err_and(|fault| fault.0.contains("9 are expected")));
    }

    #[test]
    #[should_panic(expected = "what was heard is not what was played")]
    fn another_instrument_is_no_fault_of_timing() {
        let oboe = music("harbor-oboe", 10).to_mono();
        drop(judge(|heard| heard.copy_from_slice(&oboe), Some(5.0)));
    }
}
