//! Listening for tests: what was played against what was heard.
//!
//! [`compare`] takes one source and says when it was heard, how true, and what was wrong: gaps,
//! clicks, level, colour. [`unmix()`] takes everything that sounded at once and says who is in the
//! mix, how late and how loud: that is how a test knows that nobody hears themselves.
//!
//! What surprises: nothing here is told the delay. It is found, segment by segment, because a
//! playout that follows the network changes it on the way. A lossy codec is allowed its own noise
//! (see [`correlation_min`]) but neither gaps nor clicks.

mod click;
mod correlate;
mod gap;
mod spectrum;
mod unmix;

use std::ops::Range;

use protocol::codec::Codec;

pub use click::Click;
pub use correlate::{Peak, Segment, align, best_lag, segments};
pub use gap::Gap;
pub use spectrum::{BANDS_HZ, band_differences_db};
pub use unmix::{Mix, Part, unmix};

use crate::sound::RATE_HZ;

/// Frames of one segment of [`segments`]: long enough for the lowest string of a bass.
pub const SEGMENT_FRAMES: usize = RATE_HZ / 4;

/// Below this a source counts as silent, and nothing is asked of what is heard.
pub const SILENCE_DB: f64 = -50.0;

/// What one source sounded like on the other side.
#[derive(Debug, Clone)]
pub struct Hearing {
    /// How much later the heard samples lie than the played ones, over the whole recording.
    pub delay_frames: i64,
    /// The same piece by piece, silent pieces left out.
    pub segments: Vec<Segment>,
    /// How alike the two are when every segment is lined up for itself, 0 to 1, louder segments
    /// counting for more.
    pub correlation: f64,
    /// Where nothing was heard though something was played.
    pub gaps: Vec<Gap>,
    /// Where the wave jumped though the source's did not.
    pub clicks: Vec<Click>,
    /// Level heard against level played.
    pub level_db: f64,
    /// The same for each band of [`BANDS_HZ`]; `None` where the source has nothing in the band.
    pub bands_db: Vec<Option<f64>>,
}

impl Hearing {
    /// Frames of all gaps together.
    #[must_use]
    pub fn gap_frames(&self) -> usize {
        self.gaps.iter().map(|gap| gap.frames).sum()
    }

    /// The delay half of all segments stay under.
    #[must_use]
    pub fn delay_frames_median(&self) -> i64 {
        let mut delays: Vec<_> = self.segments.iter().map(|segment| segment.delay_frames).collect();
        delays.sort_unstable();
        delays.get(delays.len() / 2).copied().unwrap_or(self.delay_frames)
    }

    /// The segment that sounds least like what was played.
    #[must_use]
    pub fn worst_segment(&self) -> Option<&Segment> {
        self.segments.iter().min_by(|a, b| a.correlation.total_cmp(&b.correlation))
    }
}

/// Compares what was played with what was heard; the delay is looked for within `lags` frames.
///
/// `None` where the two have nothing in common: no lag correlates by more than 0.2.
#[must_use]
pub fn compare(played: &[f32], heard: &[f32], lags: Range<i64>) -> Option<Hearing> {
    let whole = place(played, heard, &lags)?;
    if whole.correlation < 0.2 {
        return None;
    }
    let segments = segments(played, heard, whole.lag, SEGMENT_FRAMES);
    let played_as_heard = line_up(played, &segments, whole.lag, heard.len());
    Some(Hearing {
        delay_frames: whole.lag,
        correlation: correlate::mean_correlation(&segments),
        gaps: gap::gaps(&played_as_heard, heard),
        clicks: click::clicks(&played_as_heard, heard),
        level_db: level_difference_db(&played_as_heard, heard),
        bands_db: band_differences_db(&played_as_heard, heard),
        segments,
    })
}

/// Where the sound lies: by all of it, or by its best four seconds where clocks that drift apart
/// smear the whole.
fn place(played: &[f32], heard: &[f32], lags: &Range<i64>) -> Option<Peak> {
    const PIECE_FRAMES: usize = 4 * RATE_HZ;
    let whole = align(played, heard, lags.clone());
    if whole.is_some_and(|whole| 0.9 < whole.correlation) {
        return whole;
    }
    let piece = |(i, piece): (usize, &[f32])| {
        let at = i64::try_from(i * PIECE_FRAMES).ok()?;
        let peak = align(piece, heard, lags.start + at..lags.end + at)?;
        Some(Peak { lag: peak.lag - at, ..peak })
    };
    let pieces = played.chunks_exact(PIECE_FRAMES).enumerate().filter_map(piece);
    whole.into_iter().chain(pieces).max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

/// The correlation that a codec at its default bitrate must reach on any of our music; measured
/// on all nine tracks by the tests of this module with an allowance of about twice the loss.
#[must_use]
pub fn correlation_min(codec: Codec) -> f64 {
    match codec {
        Codec::Pcm => 0.99,
        Codec::Opus | Codec::Opus64 => 0.9,
    }
}

/// Root mean square in decibels of full scale; -200 for digital silence.
#[must_use]
pub fn level_db(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    if power == 0.0 { -200.0 } else { 10.0 * (power / samples.len() as f64).log10() }
}

/// The played sound moved to where it was heard, as long as `heard`; silence elsewhere.
fn line_up(played: &[f32], segments: &[Segment], lag: i64, frames: usize) -> Vec<f32> {
    let mut out = vec![0.0; frames];
    let mut lag = segments.first().map_or(lag, |segment| segment.delay_frames);
    let mut next = segments.iter().peekable();
    for (i, sample) in played.iter().enumerate() {
        // Halfway through the segment before it, because a change of delay lies between the two.
        while let Some(segment) = next.next_if(|segment| segment.at_frame <= i) {
            lag = segment.delay_frames;
        }
        let at = i64::try_from(i).expect("a recording has fewer than 2^63 frames") + lag;
        if let Some(slot) = usize::try_from(at).ok().and_then(|at| out.get_mut(at)) {
            *slot = *sample;
        }
    }
    out
}

fn level_difference_db(played_as_heard: &[f32], heard: &[f32]) -> f64 {
    level_db(heard) - level_db(played_as_heard)
}

#[cfg(test)]
mod tests;
