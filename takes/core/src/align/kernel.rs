//! Samples between samples: a windowed sinc at any fraction of a frame.
//!
//! Rates differ by a thousandth at most, so one cut-off serves both directions. 128 taps under a Kaiser window keep
//! what is up to 21.3 kHz and what is above 24 kHz 110 dB apart. Between 512 places within a frame it is interpolated, which
//! is off by less than that.

use std::sync::Arc;

/// The table, 260 kB, which any number of stems share.
#[derive(Debug, Clone)]
pub struct Interpolator {
    rows: Arc<[[f32; TAPS]]>,
}

/// Frames that one sample is made of.
pub(super) const TAPS: usize = 128;
/// Of them, before and at the place that is asked for.
pub(super) const HALF: usize = TAPS / 2;

impl Interpolator {
    /// Computes the table.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: (0..=PHASES).map(row).collect() }
    }

    /// The weights of the frames around a place that lies `fraction` after the [`HALF`]th of them.
    pub(super) fn weights(&self, fraction: f64, weights: &mut [f32; TAPS]) {
        let place = fraction.clamp(0.0, 1.0) * f64::from(PHASES);
        let phase = usize::try_from(super::grid::floor(place)).unwrap_or(0).min(PHASES_LAST);
        let part = to_f32(place - place.floor().min(f64::from(PHASES - 1)));
        let (one, next) = (&self.rows[phase], &self.rows[phase + 1]);
        for ((weight, one), next) in weights.iter_mut().zip(one).zip(next) {
            *weight = one + (next - one) * part;
        }
    }
}

impl Default for Interpolator {
    fn default() -> Self {
        Self::new()
    }
}

/// The sum of frames by their weights, in eight sums that a processor can keep at once.
pub(super) fn dot(weights: &[f32; TAPS], frames: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (weights, frames) in weights.chunks_exact(8).zip(frames.chunks_exact(8)) {
        for ((sum, weight), frame) in sums.iter_mut().zip(weights).zip(frames) {
            *sum += weight * frame;
        }
    }
    sums.iter().sum()
}

/// The weights for one place; together they are 1, so that what does not move keeps its level.
fn row(phase: u32) -> [f32; TAPS] {
    let place = f64::from(phase) / f64::from(PHASES);
    let weights: [f64; TAPS] = std::array::from_fn(|tap| {
        let tap = f64::from(u8::try_from(tap).expect("128 taps"));
        let away = tap - (HALF_F64 - 1.0) - place;
        let angle = std::f64::consts::PI * CUT_OFF * away;
        let sinc = if angle == 0.0 { 1.0 } else { angle.sin() / angle };
        let edge = (1.0 - (away / HALF_F64).powi(2)).max(0.0).sqrt();
        sinc * bessel(BETA * edge)
    });
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| to_f32(weight / sum))
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while 1e-17 * sum < term {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

#[expect(clippy::cast_possible_truncation, reason = "24 bits of mantissa are what is asked for")]
fn to_f32(value: f64) -> f32 {
    value as f32
}

const PHASES: u32 = 512;
const PHASES_LAST: usize = 511;
const HALF_F64: f64 = 64.0;
/// Of a Kaiser window whose side lobes are 110 dB down.
const BETA: f64 = 11.16;
/// Of 24 kHz: half of the transition, 2.69 kHz wide at 110 dB and 128 taps, is below.
const CUT_OFF: f64 = 1.0 - 1343.0 / 24_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// A sine of so many Hz at every `step` frames, as interpolated and as it is: the worst error in dB.
    fn error_db(hz: f64, step: f64) -> f64 {
        let interpolator = Interpolator::new();
        let tone = |at: f64| (at * hz / 48_000.0 * std::f64::consts::TAU).sin();
        let frames: Vec<f32> = (0..4000_u32).map(|at| to_f32(tone(f64::from(at)))).collect();
        let mut weights = [0.0; TAPS];
        let mut worst: f64 = 0.0;
        let mut at: f64 = 200.3;
        while at < 3800.0 {
            let whole = at.floor();
            interpolator.weights(at - whole, &mut weights);
            let first =
                usize::try_from(super::super::grid::floor(whole)).expect("small") + 1 - HALF;
            let sample = dot(&weights, &frames[first..first + TAPS]);
            worst = worst.max((f64::from(sample) - tone(at)).abs());
            at += step;
        }
        20.0 * worst.log10()
    }

    #[test]
    fn tones_come_out_between_frames_as_they_went_in() {
        for hz in [1.0, 440.0, 5000.0, 15_000.0, 20_000.0, 21_000.0] {
            for step in [1.0005, 0.9995, 0.777] {
                let error_db = error_db(hz, step);
                assert!(error_db < -105.0, "{hz} Hz: {error_db} dB");
            }
        }
    }
}
