//! Who is in a mix, how late and how loud.
//!
//! Matching pursuit over whole sources: the one that explains most of what is left is lined up
//! and taken out, then the next; the gains of all found are solved together each time. Those that
//! are in the mix for sure are then followed where their delay glides or jumps. What surprises: a
//! source that is hardly there is not, because what can bend finds itself in anything.

use std::ops::Range;

use super::correlate::{best_lag, segments};
use super::{SEGMENT_FRAMES, track, warp};

/// One source as it is in a mix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Frames by which it is heard later than it was played.
    pub delay_frames: i64,
    /// Level in the mix against the level as played; -200 where it is not there.
    pub gain_db: f64,
}

/// What a mix is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// One for each source, in the caller's order.
    pub parts: Vec<Part>,
    /// How much of the mix's energy the parts explain together, 0 to 1.
    pub explained: f64,
}

/// A source laid along the mix.
struct Laid {
    delay: i64,
    /// As long as the mix.
    samples: Vec<f32>,
}

/// Takes a mix apart into known sources; `lags` bounds the delay of each.
///
/// Made for a few seconds: a source is looked for at one delay before its changes are followed.
#[must_use]
pub fn unmix(sources: &[&[f32]], heard: &[f32], lags: Range<i64>) -> Mix {
    let total = energy(heard);
    let mut laid: Vec<Option<Laid>> = sources.iter().map(|_| None).collect();
    let mut gains = vec![0.0; sources.len()];
    let mut rest = heard.to_vec();
    for _ in sources {
        let candidate = (0..sources.len()).filter(|i| laid[*i].is_none()).filter_map(|i| {
            let peak = best_lag(sources[i], &rest, lags.clone(), None)?;
            Some((i, peak))
        });
        let Some((i, peak)) = candidate.max_by(|a, b| a.1.correlation.total_cmp(&b.1.correlation))
        else {
            break;
        };
        laid[i] = Some(lay(sources[i], peak.lag, heard.len()));
        gains = solve_gains(&laid, heard);
        rest = subtract(&laid, &gains, heard, None);
    }
    // A source that was lined up while others sounded over it may be off by some frames: once more
    // against the mix without the others.
    for i in 0..sources.len() {
        let Some(delay) = laid[i].as_ref().map(|laid| laid.delay) else { continue };
        let alone = subtract(&laid, &gains, heard, Some(i));
        let peak = best_lag(sources[i], &alone, delay - 48..delay + 49, None);
        laid[i] = peak.map(|peak| lay(sources[i], peak.lag, heard.len()));
        gains = solve_gains(&laid, heard);
    }
    for i in 0..sources.len() {
        if gains[i].abs() < FOLLOWED_GAIN_MIN {
            continue;
        }
        let alone = subtract(&laid, &gains, heard, Some(i));
        if let Some(Laid { delay, samples }) = &mut laid[i] {
            let bent = bend(sources[i], &alone, *delay);
            if warp::likeness(samples, &alone) < warp::likeness(&bent, &alone) {
                *samples = bent;
            }
        }
        gains = solve_gains(&laid, heard);
    }
    rest = subtract(&laid, &gains, heard, None);
    let part = |(laid, gain): (&Option<Laid>, &f64)| Part {
        delay_frames: laid.as_ref().map_or(0, |laid| laid.delay),
        gain_db: if gain.abs() < 1e-10 { -200.0 } else { 20.0 * gain.abs().log10() },
    };
    let explained = if total == 0.0 { 0.0 } else { 1.0 - energy(&rest) / total };
    Mix { parts: laid.iter().zip(&gains).map(part).collect(), explained }
}

/// -16 dB: below it, a source may be a likeness and not there at all.
const FOLLOWED_GAIN_MIN: f64 = 0.158;

/// A source that comes so much late.
fn lay(source: &[f32], delay: i64, frames: usize) -> Laid {
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| source.get(i)).copied().unwrap_or(0.0);
    let samples = (-delay..).take(frames).map(at).collect();
    Laid { delay, samples }
}

/// A source along its delay, which changes, in what is left of a mix without the others.
fn bend(source: &[f32], alone: &[f32], delay: i64) -> Vec<f32> {
    let segments = segments(source, alone, delay, SEGMENT_FRAMES);
    let mut track = track::follow(source, alone, &segments, delay);
    warp::line_up(source, alone, &mut track)
}

/// Least squares: the gains for which the sources as laid together come nearest to `heard`.
fn solve_gains(laid: &[Option<Laid>], heard: &[f32]) -> Vec<f64> {
    let found: Vec<(usize, &[f32])> = laid
        .iter()
        .enumerate()
        .filter_map(|(i, laid)| Some((i, laid.as_ref()?.samples.as_slice())))
        .collect();
    let n = found.len();
    let mut matrix = vec![vec![0.0; n + 1]; n];
    for (row, (_, a)) in found.iter().enumerate() {
        for (column, (_, b)) in found.iter().enumerate().skip(row) {
            let product = product(a, b);
            matrix[row][column] = product;
            matrix[column][row] = product;
        }
        matrix[row][n] = product(a, heard);
    }
    let solution = eliminate(matrix);
    let mut gains = vec![0.0; laid.len()];
    for (&(i, _), gain) in found.iter().zip(solution) {
        gains[i] = gain;
    }
    gains
}

/// Gaussian elimination with pivoting; a source that is nothing gets no gain.
fn eliminate(mut matrix: Vec<Vec<f64>>) -> Vec<f64> {
    let n = matrix.len();
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()));
        let Some(pivot) = pivot.filter(|pivot| 1e-9 < matrix[*pivot][column].abs()) else {
            continue;
        };
        matrix.swap(column, pivot);
        let pivot_row = matrix[column].clone();
        for (i, row) in matrix.iter_mut().enumerate() {
            if i != column {
                let factor = row[column] / pivot_row[column];
                row.iter_mut().zip(&pivot_row).for_each(|(value, pivot)| *value -= factor * pivot);
            }
        }
    }
    let value = |i: usize| {
        let pivot = matrix[i][i];
        if pivot.abs() < 1e-9 { 0.0 } else { matrix[i][n] / pivot }
    };
    (0..n).map(value).collect()
}

/// What is left of a mix without the sources that were found, all `but` one.
fn subtract(laid: &[Option<Laid>], gains: &[f64], heard: &[f32], but: Option<usize>) -> Vec<f32> {
    let mut rest = heard.to_vec();
    for (i, (laid, gain)) in laid.iter().zip(gains).enumerate() {
        let Some(laid) = laid.as_ref().filter(|_| but != Some(i)) else { continue };
        for (slot, sample) in rest.iter_mut().zip(&laid.samples) {
            *slot = narrow(f64::from(*slot) - gain * f64::from(*sample));
        }
    }
    rest
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn energy(samples: &[f32]) -> f64 {
    product(samples, samples)
}

#[expect(clippy::cast_possible_truncation, reason = "samples need no more than 24 bits")]
fn narrow(sample: f64) -> f32 {
    sample as f32
}
