//! What a simulated musician heard, in the words of scenarios: how late, how true, what was
//! missing.
//!
//! Delays are mouth-to-ear in virtual time: from the moment a sound passed one musician's sound
//! card to the moment it passes another's, both cards' clocks and phases taken into account. What
//! surprises: a capture period is part of it, the playback period and converters are not, because
//! they are the same for any program.

use core::time::Duration;

use protocol::time::Instant;

use crate::clock::SoundCard;
use crate::listen::{Hearing, Mix, SEGMENT_FRAMES, compare, level_db, unmix};
use crate::sound::RATE_HZ;

/// Everything one sound card took in or gave out, from its first callback on.
#[derive(Debug, Clone, Copy)]
pub struct Tape<'a> {
    /// Whose card it was.
    pub card: SoundCard,
    /// Mono samples.
    pub samples: &'a [f32],
}

/// A stretch of virtual time.
pub type Stretch = core::ops::Range<Duration>;

/// One musician's ear on another's instrument.
#[derive(Debug)]
pub struct Heard {
    hearing: Option<Hearing>,
    /// How long was listened.
    listened: Duration,
    /// Mouth-to-ear delay of each segment, in order.
    delays: Vec<Duration>,
}

impl Heard {
    /// Compares what one card took in with what another gave out, within a stretch of time of
    /// the listener.
    #[must_use]
    pub fn new(played: Tape<'_>, heard: Tape<'_>, stretch: &Stretch) -> Self {
        let cut = cut(heard, stretch);
        let source = cut_before(played, stretch);
        let reach = lags();
        let shift = signed(cut.from) - signed(source.from);
        let lags = reach.start - shift..reach.end - shift;
        let hearing = compare(source.samples, cut.samples, lags);
        let delay = |segment: &crate::listen::Segment| {
            // The delay is that of the segment's middle.
            let middle = segment.at_frame + SEGMENT_FRAMES / 2;
            let played_frame = source.from + middle;
            let heard_frame = signed(cut.from + middle) + segment.delay_frames;
            mouth_to_ear(played.card, played_frame, heard.card, heard_frame)
        };
        let segments = hearing.iter().flat_map(|hearing| &hearing.segments);
        let delays = segments.filter(|segment| 0.5 < segment.correlation).map(delay).collect();
        let listened = stretch.end.saturating_sub(stretch.start);
        Self { hearing, listened, delays }
    }

    /// Whether the instrument is in what was heard at all.
    #[must_use]
    pub const fn is_heard(&self) -> bool {
        self.hearing.is_some()
    }

    /// How alike, 0 to 1; 0 where nothing is alike.
    #[must_use]
    pub fn correlation(&self) -> f64 {
        self.hearing.as_ref().map_or(0.0, |hearing| hearing.correlation)
    }

    /// Level against that of the instrument.
    #[must_use]
    pub fn level_db(&self) -> f64 {
        self.hearing.as_ref().map_or(-200.0, |hearing| hearing.level_db)
    }

    /// All silence where there was sound, added up; the whole stretch where nothing of the
    /// instrument was heard.
    #[must_use]
    pub fn gaps(&self) -> Duration {
        let silence = |hearing: &Hearing| {
            Duration::from_secs_f64(hearing.gap_frames() as f64 / RATE_HZ as f64)
        };
        self.hearing.as_ref().map_or(self.listened, silence)
    }

    /// Jumps in the wave that the instrument did not make. An instrument that is not heard does not
    /// click: ask for [`Self::gaps`] too.
    #[must_use]
    pub fn clicks(&self) -> usize {
        self.hearing.as_ref().map_or(0, |hearing| hearing.clicks.len())
    }

    /// The mouth-to-ear delay that half of the time was not exceeded.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied().unwrap_or(Duration::MAX)
    }

    /// The mouth-to-ear delay that nineteen of twenty quarter seconds did not exceed: a steady note
    /// lines up with its own next period now and then, so the very longest says little.
    #[must_use]
    pub fn delay_at_most(&self) -> Duration {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        delays.get(delays.len() * 19 / 20).copied().unwrap_or(Duration::MAX)
    }
}

/// Takes what was heard apart into instruments; good for a few seconds of steady playout.
#[must_use]
pub fn take_apart(played: &[Tape<'_>], heard: Tape<'_>, stretch: &Stretch) -> Mix {
    let cut = cut(heard, stretch);
    let sources: Vec<_> = played.iter().map(|tape| cut_before(*tape, stretch)).collect();
    let from = sources.iter().map(|source| source.from).min().unwrap_or(0);
    let shift = signed(cut.from) - signed(from);
    let reach = lags();
    let samples: Vec<&[f32]> = sources.iter().map(|source| source.samples).collect();
    unmix(&samples, cut.samples, reach.start - shift..reach.end - shift)
}

/// Level of what was heard within a stretch, in dBFS.
#[must_use]
pub fn level(heard: Tape<'_>, stretch: &Stretch) -> f64 {
    level_db(cut(heard, stretch).samples)
}

/// When sounds begin: the moments at which something rises above `above` after 50 ms without, in virtual time.
#[must_use]
pub fn onsets(heard: Tape<'_>, stretch: &Stretch, above: f32) -> Vec<Instant> {
    let cut = cut(heard, stretch);
    let mut onsets = Vec::new();
    let mut quiet = 0;
    for (index, sample) in cut.samples.iter().enumerate() {
        if above < sample.abs() {
            if RATE_HZ / 20 < quiet {
                let seconds = heard.card.time_of_frame((cut.from + index) as f64);
                onsets.push(Instant::ZERO + Duration::from_secs_f64(seconds));
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    onsets
}

/// The largest step from one sample to the next.
#[must_use]
pub fn largest_step(heard: Tape<'_>, stretch: &Stretch) -> f32 {
    let steps = cut(heard, stretch).samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}

/// How far apart, in frames since each card's start, a sound and its echo may lie: two seconds, or
/// earlier by what two cards' phases and drifts make up.
fn lags() -> core::ops::Range<i64> {
    -signed(RATE_HZ / 10)..signed(2 * RATE_HZ)
}

struct Cut<'a> {
    from: usize,
    samples: &'a [f32],
}

/// Frames of a stretch, by the nominal rate: exact enough to choose what is looked at.
fn cut<'a>(tape: Tape<'a>, stretch: &Stretch) -> Cut<'a> {
    let frame = |at: Duration| frames(at).min(tape.samples.len());
    Cut {
        from: frame(stretch.start),
        samples: &tape.samples[frame(stretch.start)..frame(stretch.end)],
    }
}

/// The same stretch of a source, and two seconds before it: what was played then is heard now.
fn cut_before<'a>(tape: Tape<'a>, stretch: &Stretch) -> Cut<'a> {
    cut(tape, &(stretch.start.saturating_sub(Duration::from_secs(2))..stretch.end))
}

fn frames(at: Duration) -> usize {
    usize::try_from(at.as_micros() * RATE_HZ as u128 / 1_000_000).expect("a run is short")
}

fn mouth_to_ear(
    played: SoundCard,
    played_frame: usize,
    heard: SoundCard,
    heard_frame: i64,
) -> Duration {
    // A captured frame passed the microphone one period before the callback that carries it.
    let captured = played_frame as f64 - played.period_frames as f64;
    let mouth = played.time_of_frame(captured);
    let ear = heard.time_of_frame(heard_frame as f64);
    Duration::from_secs_f64((ear - mouth).max(0.0))
}

fn signed(frames: usize) -> i64 {
    i64::try_from(frames).expect("a run is short")
}
