//! Filters by least squares: the weights whose sum over some samples errs least from what is wanted.
//!
//! Nothing here runs in a callback: filters are designed before there is one. What is wanted, and how
//! much an error weighs at which frequency, is the caller's.

/// The weights of `taps` samples with the least mean square error: `alike` is how much the samples at a
/// distance resemble each other, `wanted` how much one of them resembles what is wanted, each as a mean
/// over frequencies by their weight. By elimination. Off the audio thread.
pub(super) fn solve(
    taps: usize,
    alike: impl Fn(usize, usize) -> f64,
    wanted: impl Fn(usize) -> f64,
) -> Vec<f32> {
    let row = |tap| (0..taps).map(|other| alike(tap, other)).chain([wanted(tap)]).collect();
    let mut rows: Vec<Vec<f64>> = (0..taps).map(row).collect();
    // The matrix is symmetric and positive definite: elimination needs no pivots.
    for pivot in 0..taps {
        let row = rows[pivot].clone();
        for other in (0..taps).filter(|other| *other != pivot) {
            let factor = rows[other][pivot] / row[pivot];
            rows[other].iter_mut().zip(&row).for_each(|(entry, value)| *entry -= factor * value);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a weight")]
    (0..taps).map(|tap| (rows[tap][taps] / rows[tap][tap]) as f32).collect()
}

/// sin(x) / x.
pub(super) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-12 { 1.0 } else { x.sin() / x }
}
