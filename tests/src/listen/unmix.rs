//! Who is in a mix, how late and how loud.
//!
//! Matching pursuit over whole sources: the one that explains most of what is left is lined up
//! and taken out, then the next; the gains of all found are solved together each time.

use std::ops::Range;

use super::correlate::best_lag;

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

/// Takes a mix apart into known sources; `lags` bounds the delay of each.
///
/// Good for delays that stay within a few frames over the length given: cut a longer recording,
/// or one whose playout moves, into pieces.
#[must_use]
pub fn unmix(sources: &[&[f32]], heard: &[f32], lags: Range<i64>) -> Mix {
    let total = energy(heard);
    let mut delays: Vec<Option<i64>> = vec![None; sources.len()];
    let mut gains = vec![0.0; sources.len()];
    let mut rest = heard.to_vec();
    for _ in sources {
        let candidate = (0..sources.len()).filter(|i| delays[*i].is_none()).filter_map(|i| {
            let peak = best_lag(sources[i], &rest, lags.clone(), None)?;
            Some((i, peak))
        });
        let Some((i, peak)) = candidate.max_by(|a, b| a.1.correlation.total_cmp(&b.1.correlation))
        else {
            break;
        };
        delays[i] = Some(peak.lag);
        gains = solve_gains(sources, &delays, heard);
        rest = subtract(sources, &delays, &gains, heard);
    }
    // A source that was lined up while others sounded over it may be off by some frames: once more
    // against the mix without the others.
    for i in 0..sources.len() {
        let Some(delay) = delays[i] else { continue };
        let others: Vec<_> = (0..).zip(&delays).map(|(j, d)| d.filter(|_| i != j)).collect();
        let alone = subtract(sources, &others, &gains, heard);
        delays[i] = best_lag(sources[i], &alone, delay - 48..delay + 49, None).map(|peak| peak.lag);
        gains = solve_gains(sources, &delays, heard);
    }
    rest = subtract(sources, &delays, &gains, heard);
    let part = |(delay, gain): (&Option<i64>, &f64)| Part {
        delay_frames: delay.unwrap_or(0),
        gain_db: if gain.abs() < 1e-10 { -200.0 } else { 20.0 * gain.abs().log10() },
    };
    let explained = if total == 0.0 { 0.0 } else { 1.0 - energy(&rest) / total };
    Mix { parts: delays.iter().zip(&gains).map(part).collect(), explained }
}

/// Least squares: the gains for which the delayed sources together come nearest to `heard`.
fn solve_gains(sources: &[&[f32]], delays: &[Option<i64>], heard: &[f32]) -> Vec<f64> {
    let found: Vec<(usize, i64)> =
        delays.iter().enumerate().filter_map(|(i, delay)| delay.map(|delay| (i, delay))).collect();
    let n = found.len();
    let mut matrix = vec![vec![0.0; n + 1]; n];
    for (row, &(a, delay_a)) in found.iter().enumerate() {
        for (column, &(b, delay_b)) in found.iter().enumerate() {
            matrix[row][column] = product(sources[a], delay_a, sources[b], delay_b, heard.len());
        }
        matrix[row][n] = product(sources[a], delay_a, heard, 0, heard.len());
    }
    let solution = eliminate(matrix);
    let mut gains = vec![0.0; sources.len()];
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

fn subtract(sources: &[&[f32]], delays: &[Option<i64>], gains: &[f64], heard: &[f32]) -> Vec<f32> {
    let mut rest = heard.to_vec();
    for ((source, delay), gain) in sources.iter().zip(delays).zip(gains) {
        let Some(delay) = *delay else { continue };
        for (i, slot) in (0_i64..).zip(rest.iter_mut()) {
            if let Some(sample) = at(source, i - delay) {
                *slot = narrow(f64::from(*slot) - gain * sample);
            }
        }
    }
    rest
}

/// The sum over the mix's frames of one delayed sound times another.
fn product(a: &[f32], delay_a: i64, b: &[f32], delay_b: i64, frames: usize) -> f64 {
    let frames = i64::try_from(frames).expect("a recording has fewer than 2^63 frames");
    (0..frames).filter_map(|i| Some(at(a, i - delay_a)? * at(b, i - delay_b)?)).sum()
}

fn at(samples: &[f32], i: i64) -> Option<f64> {
    usize::try_from(i).ok().and_then(|i| samples.get(i)).map(|sample| f64::from(*sample))
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "samples need no more than 24 bits")]
fn narrow(sample: f64) -> f32 {
    sample as f32
}
