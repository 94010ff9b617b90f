//! A smooth line through readings of unequal worth.
//!
//! Least squares with a price on every bend of the line (Whittaker's smoothing), solved again with
//! less trust in readings that lie far from the line before.

/// One reading of a delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// In frames.
    pub(super) delay: f64,
    /// How much a deviation by a frame would cost, in correlation.
    pub(super) weight: f64,
}

/// The price of a bend: a line follows the beginning of a glide within a piece or two where
/// treble says where it lies, within four where there is only a bass.
const STIFFNESS: f64 = 0.001;
/// How often trust is decided anew.
const ROUNDS: usize = 3;
/// Deviations beyond this many frames are distrusted.
const TRUSTED_FRAMES: f64 = 1.5;
/// What holds the line where there is nothing to hear.
const WEIGHT_MIN: f64 = 1e-9;

/// The smoothed delays, one for each reading.
pub(super) fn smooth(readings: &[Reading]) -> Vec<f64> {
    let given: Vec<f64> = readings.iter().map(|r| r.weight.max(WEIGHT_MIN)).collect();
    let mut delays = solve(readings, &given);
    for _ in 0..ROUNDS {
        let trusted = readings.iter().zip(&delays).zip(&given).map(|((reading, delay), weight)| {
            weight / (1.0 + ((reading.delay - delay) / TRUSTED_FRAMES).powi(2))
        });
        delays = solve(readings, &trusted.collect::<Vec<f64>>());
    }
    delays
}

/// Solves `(W + s D'D) x = W y`, where D takes second differences: five diagonals, symmetric.
fn solve(readings: &[Reading], weights: &[f64]) -> Vec<f64> {
    let n = readings.len();
    // The main diagonal and the two above it.
    let mut bands = vec![[0.0; 3]; n];
    for (band, weight) in bands.iter_mut().zip(weights) {
        band[0] = *weight;
    }
    for i in 0..n.saturating_sub(2) {
        for (row, a) in [1.0, -2.0, 1.0].into_iter().enumerate() {
            for (column, b) in [1.0, -2.0, 1.0].into_iter().enumerate().skip(row) {
                bands[i + row][column - row] += STIFFNESS * a * b;
            }
        }
    }
    let mut x: Vec<f64> = readings.iter().zip(weights).map(|(r, w)| r.delay * w).collect();
    for i in 0..n {
        let [pivot, above, above2] = bands[i];
        let [next, next2] = [above / pivot, above2 / pivot];
        if i + 1 < n {
            bands[i + 1][0] -= next * above;
            bands[i + 1][1] -= next * above2;
            x[i + 1] -= next * x[i];
        }
        if i + 2 < n {
            bands[i + 2][0] -= next2 * above2;
            x[i + 2] -= next2 * x[i];
        }
    }
    for i in (0..n).rev() {
        let mut rest = x[i];
        for k in 1..=2 {
            if i + k < n {
                rest -= bands[i][k] * x[i + k];
            }
        }
        x[i] = rest / bands[i][0];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(delays: impl Iterator<Item = f64>) -> Vec<Reading> {
        delays.map(|delay| Reading { delay, weight: 0.01 }).collect()
    }

    #[test]
    fn a_straight_line_stays_what_it_is() {
        let readings = line((0..50).map(|i| 700.0 + 4.8 * f64::from(i)));
        for (reading, delay) in readings.iter().zip(smooth(&readings)) {
            assert!((reading.delay - delay).abs() < 1e-6, "{delay} for {reading:?}");
        }
    }

    #[test]
    fn one_reading_that_is_off_bends_the_line_by_little() {
        let mut readings = line((0..50).map(|_| 700.0));
        readings[20].delay = 708.0;
        let worst = smooth(&readings).iter().map(|d| (d - 700.0).abs()).fold(0.0, f64::max);
        assert!(worst < 1.5, "{worst}");
        assert_eq!(smooth(&readings[20..21]), [708.0]);
    }

    #[test]
    fn silence_is_bridged() {
        let mut readings = line((0..30).map(f64::from));
        for reading in &mut readings[10..20] {
            *reading = Reading { delay: 900.0, weight: 0.0 };
        }
        let delays = smooth(&readings);
        assert!((delays[15] - 15.0).abs() < 0.1, "{delays:?}");
    }
}
