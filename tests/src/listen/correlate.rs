//! Where one sound lies inside another, by cross-correlation in the frequency domain.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::{SILENCE_DB, level_db};

/// How much later, and how alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Frames by which the second sound lies later than the first.
    pub lag: i64,
    /// Normalised correlation at that lag: 1 for equal waves of whatever level, 0 for strangers.
    pub correlation: f64,
}

/// One piece of the played sound, and where it was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// First frame of the piece in the played sound.
    pub at_frame: usize,
    /// Frames by which it was heard later.
    pub delay_frames: i64,
    /// Normalised correlation at that delay; in [`super::Hearing`], along the track.
    pub correlation: f64,
    /// Energy of the piece as played, which weighs it.
    pub energy: f64,
    /// Whether the delay jumped within the piece; [`super::compare`] finds out.
    pub moved: bool,
}

impl Segment {
    /// Where the piece lies in a heard sound of so many frames; `None` where it lies outside.
    #[must_use]
    pub fn heard(&self, segment_frames: usize, heard_frames: usize) -> Option<Range<usize>> {
        let start = usize::try_from(signed(self.at_frame) + self.delay_frames).ok()?;
        let range = start..(start + segment_frames).min(heard_frames);
        (!range.is_empty()).then_some(range)
    }
}

/// The lag of the highest correlation between the whole of both sounds; `None` for silence.
#[must_use]
pub fn align(played: &[f32], heard: &[f32], lags: Range<i64>) -> Option<Peak> {
    best_lag(played, heard, lags, None)
}

/// Where each `segment_frames` of the played sound were heard, looked for around `lag` and then
/// around where the piece before was found. Silent pieces are left out.
#[must_use]
pub fn segments(played: &[f32], heard: &[f32], lag: i64, segment_frames: usize) -> Vec<Segment> {
    // 100 ms either way: a playout delay does not change by more from one segment to the next.
    const REACH: i64 = 4800;
    let mut out = Vec::new();
    let mut near = lag;
    for (i, piece) in played.chunks_exact(segment_frames).enumerate() {
        let at_frame = i * segment_frames;
        let at = signed(at_frame);
        let inside = 0 <= at + near && at + near + signed(piece.len()) <= signed(heard.len());
        if !inside || level_db(piece) < SILENCE_DB {
            continue;
        }
        let likely = at + near;
        let Some(peak) = best_lag(piece, heard, likely - REACH..likely + REACH, Some(likely))
        else {
            continue;
        };
        let energy = piece.iter().map(|s| f64::from(*s).powi(2)).sum();
        let delay_frames = peak.lag - at;
        if 0.5 < peak.correlation {
            near = delay_frames;
        }
        let correlation = peak.correlation;
        out.push(Segment { at_frame, delay_frames, correlation, energy, moved: false });
    }
    settle_outliers(played, heard, &mut out, segment_frames);
    out
}

/// A piece in which the playout changed fits nowhere well, and may fit best at a note's next
/// period: a delay beyond both neighbors' is replaced by the better one of theirs.
fn settle_outliers(played: &[f32], heard: &[f32], segments: &mut [Segment], segment_frames: usize) {
    for i in 1..segments.len().saturating_sub(1) {
        let neighbors = [segments[i - 1].delay_frames, segments[i + 1].delay_frames];
        let Segment { at_frame, delay_frames, .. } = segments[i];
        let [least, most] = [neighbors[0].min(neighbors[1]), neighbors[0].max(neighbors[1])];
        if (least..=most).contains(&delay_frames) {
            continue;
        }
        let piece = &played[at_frame..at_frame + segment_frames];
        let fits = neighbors.map(|delay| {
            let lag = signed(at_frame) + delay;
            best_lag(piece, heard, lag..lag + 1, None).map_or(0.0, |peak| peak.correlation)
        });
        let better = usize::from(fits[0] < fits[1]);
        segments[i].delay_frames = neighbors[better];
        segments[i].correlation = fits[better];
    }
}

/// The mean of the segments' correlations, louder ones counting for more.
#[must_use]
pub fn mean_correlation<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> f64 {
    let add = |(sum, energy): (f64, f64), segment: &Segment| {
        (sum + segment.correlation * segment.energy, energy + segment.energy)
    };
    let (sum, energy) = segments.into_iter().fold((0.0, 0.0), add);
    if energy == 0.0 { 0.0 } else { sum / energy }
}

/// The lag of the highest correlation.
///
/// A steady note looks alike one period later: where `likely` is given, another lag must be
/// clearly better (by 0.01) to win against it.
#[must_use]
pub fn best_lag(
    played: &[f32],
    heard: &[f32],
    lags: Range<i64>,
    likely: Option<i64>,
) -> Option<Peak> {
    let correlations = correlations(played, heard, lags.clone())?;
    let mut best: Option<Peak> = None;
    for (lag, correlation) in lags.clone().zip(correlations.iter().copied()) {
        if best.is_none_or(|best| best.correlation < correlation) {
            best = Some(Peak { lag, correlation });
        }
    }
    let best = best?;
    let index = likely.and_then(|lag| usize::try_from(lag - lags.start).ok());
    let there = index.and_then(|index| correlations.get(index)).copied();
    match (likely, there) {
        (Some(lag), Some(correlation)) if best.correlation < correlation + 0.01 => {
            Some(Peak { lag, correlation })
        }
        _ => Some(best),
    }
}

/// Normalised correlation for every lag of the range; `None` where the played sound is silent.
///
/// Each lag is normalised by what overlaps there, so that a recording that starts late or ends
/// early is not held against it; less than a fifth of overlapping energy counts as nothing.
pub(super) fn correlations(played: &[f32], heard: &[f32], lags: Range<i64>) -> Option<Vec<f64>> {
    // Only this part of `heard` meets `played` at any of the lags.
    let clip = |i: i64| usize::try_from(i).unwrap_or(0).min(heard.len());
    let (from, to) = (clip(lags.start), clip(lags.end + signed(played.len())));
    let heard = &heard[from..to];
    let lags = lags.start - signed(from)..lags.end - signed(from);
    let played_energy = running_energy(played);
    let heard_energy = running_energy(heard);
    let played_total = *played_energy.last()?;
    if played_total == 0.0 || lags.is_empty() {
        return None;
    }
    let products = products(played, heard, lags.clone());
    let between = |sums: &[f64], from: i64, to: i64| {
        let clamp = |i: i64| usize::try_from(i).unwrap_or(0).min(sums.len() - 1);
        sums[clamp(to)] - sums[clamp(from)]
    };
    let (played_len, heard_len) = (signed(played.len()), signed(heard.len()));
    let normalised = lags.zip(products).map(|(lag, product)| {
        let p = between(&played_energy, -lag, (heard_len - lag).min(played_len));
        let h = between(&heard_energy, lag, lag + played_len);
        if p < 0.2 * played_total || h <= 1e-9 { 0.0 } else { product / (p * h).sqrt() }
    });
    Some(normalised.collect())
}

/// For every lag the sum over `i` of `played[i] * heard[i + lag]`.
fn products(played: &[f32], heard: &[f32], lags: Range<i64>) -> Vec<f64> {
    let start = lags.start;
    let wanted = usize::try_from(lags.end - lags.start).unwrap_or(0);
    let window_len = played.len() + wanted;
    // The lags that are wanted never reach past the window, so it may wrap around behind it.
    let size = transform_size(window_len);
    let (forward, inverse) = plans(size);
    let transform = |samples: &mut dyn Iterator<Item = f32>| {
        let mut time = forward.make_input_vec();
        time.iter_mut().zip(samples).for_each(|(slot, sample)| *slot = f64::from(sample));
        let mut bins = forward.make_output_vec();
        forward.process(&mut time, &mut bins).expect("the buffers come from the plan");
        bins
    };
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| heard.get(i)).copied().unwrap_or(0.0);
    let played_bins = transform(&mut played.iter().copied());
    let window = signed(window_len);
    let mut bins = transform(&mut (start..start + window).map(at));
    bins.iter_mut().zip(&played_bins).for_each(|(heard, played)| *heard *= played.conj());
    let mut out = inverse.make_output_vec();
    // The imaginary parts of the ends are zero up to rounding, which the inverse insists on.
    bins[0].im = 0.0;
    if let Some(last) = bins.last_mut() {
        last.im = 0.0;
    }
    inverse.process(&mut bins, &mut out).expect("the buffers come from the plan");
    let scale = 1.0 / size as f64;
    out.truncate(wanted);
    out.iter_mut().for_each(|value| *value *= scale);
    out
}

/// The next size with a fast transform: a power of two, or three quarters of one.
fn transform_size(frames: usize) -> usize {
    let power = frames.next_power_of_two().max(4);
    if frames <= power / 4 * 3 { power / 4 * 3 } else { power }
}

type Plans = (Arc<dyn RealToComplex<f64>>, Arc<dyn ComplexToReal<f64>>);

/// Transforms there and back; those of short pieces are wanted thousands of times and kept.
fn plans(size: usize) -> Plans {
    const KEPT_MAX: usize = 1 << 17;
    thread_local! {
        static PLANNER: RefCell<RealFftPlanner<f64>> = RefCell::new(RealFftPlanner::new());
    }
    let plan = |planner: &mut RealFftPlanner<f64>| {
        (planner.plan_fft_forward(size), planner.plan_fft_inverse(size))
    };
    if KEPT_MAX < size {
        return plan(&mut RealFftPlanner::new());
    }
    PLANNER.with_borrow_mut(plan)
}

/// Entry `i` is the energy of the first `i` samples.
fn running_energy(samples: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut out = Vec::with_capacity(samples.len() + 1);
    out.push(0.0);
    out.extend(samples.iter().map(|sample| {
        sum += f64::from(*sample).powi(2);
        sum
    }));
    out
}

pub(super) fn signed(len: usize) -> i64 {
    i64::try_from(len).expect("a recording has fewer than 2^63 frames")
}
