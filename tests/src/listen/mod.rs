//! Listening for tests: what was played against what was heard.
//!
//! [`compare`] takes one source and says when it was heard, how true, and what was wrong: gaps,
//! clicks, level, colour. [`unmix()`] takes everything that sounded at once and says who is in the
//! mix, how late and how loud: that is how a test knows that nobody hears themselves.
//!
//! What surprises: nothing here is told the delay. It is found, moment by moment, because a playout
//! that follows the network changes it on the way, and what was played is laid along what was heard
//! by it before the two are compared. So a delay that glides or jumps costs no likeness; how steep
//! it glides and where it jumps is told by the [`Track`]. A lossy codec is allowed its own noise (see
//! [`correlation_min`]) but neither gaps nor clicks.

mod click;
mod correlate;
mod gap;
mod smooth;
mod spectrum;
mod track;
mod unmix;
mod warp;

use std::ops::Range;

use protocol::codec::Codec;

pub use click::Click;
pub use correlate::{Peak, Segment, align, best_lag, mean_correlation, segments};
pub use gap::Gap;
pub use spectrum::{BANDS_HZ, band_differences_db};
pub use track::Track;
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
    /// The same moment by moment.
    pub track: Track,
    /// The same piece by piece, silent pieces left out.
    pub segments: Vec<Segment>,
    /// How alike the two are along the track, 0 to 1, louder segments counting for more.
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
    let found = places(played, heard, &lags).into_iter();
    let found = found.filter(|place| ALIKE_MIN <= place.correlation);
    let found = found.map(|place| (place, segments(played, heard, place.lag, SEGMENT_FRAMES)));
    let (whole, mut segments) = found.max_by(|a, b| alike(&a.1).total_cmp(&alike(&b.1)))?;
    let mut track = track::follow(played, heard, &segments, whole.lag);
    let played_as_heard = warp::line_up(played, heard, &mut track);
    compare_along(&mut segments, &track, &played_as_heard, heard);
    let jumps: Vec<usize> = track.jumps().collect();
    Some(Hearing {
        delay_frames: whole.lag,
        correlation: mean_correlation(&segments),
        gaps: gap::gaps(&played_as_heard, heard),
        clicks: click::clicks(&played_as_heard, heard, &jumps),
        level_db: level_difference_db(&played_as_heard, heard),
        bands_db: band_differences_db(&played_as_heard, heard),
        segments,
        track,
    })
}

/// Sounds that correlate by less have nothing in common.
const ALIKE_MIN: f64 = 0.2;

/// Compares the segments along the track. Where a single delay fits clearly better than the track
/// does, as in a piece of which half is missing, the segment keeps that.
fn compare_along(segments: &mut [Segment], track: &Track, played_as_heard: &[f32], heard: &[f32]) {
    const CLEARLY: f64 = 0.01;
    for segment in segments {
        let Some(range) = segment.heard(SEGMENT_FRAMES, heard.len()) else { continue };
        let along = warp::likeness(&played_as_heard[range.clone()], &heard[range.clone()]);
        if segment.correlation < along + CLEARLY {
            segment.moved = track.jumps().any(|jump| range.contains(&jump));
            segment.delay_frames = round(track.delay_frames(range.start.midpoint(range.end)));
        }
        segment.correlation = segment.correlation.max(along);
    }
}

/// Where the sound may lie: by all of it, or by each four seconds where clocks that drift apart or a
/// playout that moves smear the whole. A piece may look most alike where only a note of it overlaps,
/// so none of these is believed before the segments are looked at.
fn places(played: &[f32], heard: &[f32], lags: &Range<i64>) -> Vec<Peak> {
    const PIECE_FRAMES: usize = 4 * RATE_HZ;
    let whole = align(played, heard, lags.clone());
    if whole.is_some_and(|whole| 0.9 < whole.correlation) {
        return whole.into_iter().collect();
    }
    let pieces = |frames: usize| {
        let pieces = played.chunks_exact(frames).enumerate();
        pieces.filter_map(move |(i, piece)| {
            let at = i64::try_from(i * frames).ok()?;
            let peak = align(piece, heard, lags.start + at..lags.end + at)?;
            Some(Peak { lag: peak.lag - at, ..peak })
        })
    };
    let mut places: Vec<Peak> = whole.into_iter().chain(pieces(PIECE_FRAMES)).collect();
    if places.iter().all(|place| place.correlation < ALIKE_MIN) {
        // A playout that moves all the time smears four seconds too. Of short pieces, strangers have more
        // in common.
        places.extend(pieces(RATE_HZ / 5).filter(|place| 0.5 < place.correlation));
    }
    places.sort_by(|a, b| b.correlation.total_cmp(&a.correlation));
    // The segments look farther around than this.
    const SAME_FRAMES: u64 = 960;
    let mut apart: Vec<Peak> = Vec::new();
    for place in places {
        if apart.iter().all(|other| SAME_FRAMES < other.lag.abs_diff(place.lag)) {
            apart.push(place);
        }
    }
    apart
}

/// How much of the sound is found again in these segments.
fn alike(segments: &[Segment]) -> f64 {
    segments.iter().map(|segment| segment.correlation * segment.energy).sum()
}

/// The correlation that a codec at its default bitrate must reach on any of our music.
///
/// The tests of this module measure what each of the nine tracks loses: at most 0.018 in opus-64 and
/// 0.011 in opus, both with the drums, and nothing in pcm. More than twice that is allowed, and some
/// in pcm for what a frame or two concealed cost. A piece in which the playout moved may have less.
#[must_use]
pub fn correlation_min(codec: Codec) -> f64 {
    match codec {
        Codec::Pcm => 0.98,
        Codec::Opus | Codec::Opus64 => 0.95,
    }
}

/// Root mean square in decibels of full scale; -200 for digital silence.
#[must_use]
pub fn level_db(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    if power == 0.0 { -200.0 } else { 10.0 * (power / samples.len() as f64).log10() }
}

fn round(frames: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a recording has fewer than 2^63 frames")]
    let frames = frames.round() as i64;
    frames
}

fn level_difference_db(played_as_heard: &[f32], heard: &[f32]) -> f64 {
    level_db(heard) - level_db(played_as_heard)
}

#[cfg(test)]
mod tests;
