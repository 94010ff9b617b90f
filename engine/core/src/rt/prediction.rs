//! Linear prediction: what follows a sound, if it goes on as it was.
//!
//! Every frame is taken for a weighted sum of the ones before it. The weights come from Burg's
//! method, which, unlike those that look through a window, follows a tone without any bias towards a
//! softer one, and yet never makes a filter that grows. What surprises: the errors of every order,
//! whose sums Burg's method asks for, are never formed. The sums follow from the autocorrelation
//! of the past, corrected at both ends (K. Vos, A Fast Implementation of Burg's Method, 2013), for a
//! quarter of the work. That needs double precision: in single, music is predicted no better than
//! noise.

use crate::rt::ramp::clean;

/// The weights of one sound: `ORDER` of them, at most [`ORDER_MAX`].
#[derive(Debug)]
pub(crate) struct Prediction<const ORDER: usize> {
    /// That of the farthest frame first.
    weights: [f32; ORDER],
}

impl<const ORDER: usize> Prediction<ORDER> {
    /// Predicts silence.
    pub(crate) const fn silence() -> Self {
        Self { weights: [0.0; ORDER] }
    }

    /// Learns how `past` goes on: more than twice `ORDER` frames, at most [`FIT_FRAMES_MAX`].
    pub(crate) fn fit(&mut self, past: &[f32]) {
        self.weights.fill(0.0);
        if past.len() <= 2 * ORDER || FIT_FRAMES_MAX < past.len() || ORDER_MAX < ORDER {
            return;
        }
        let filter = burg(past, ORDER);
        for (weight, coefficient) in self.weights.iter_mut().rev().zip(&filter[1..]) {
            #[expect(clippy::cast_possible_truncation, reason = "at most some thousands")]
            let opposite = -*coefficient as f32;
            *weight = opposite;
        }
    }

    /// The frame that follows `past`, of which the last `ORDER` count; silence if there are fewer.
    pub(crate) fn next(&self, past: &[f32]) -> f32 {
        let predicted = past.last_chunk::<ORDER>().map_or(0.0, |past| dot(&self.weights, past));
        clean(predicted).clamp(-SAMPLE_MAX, SAMPLE_MAX)
    }
}

/// The filter that leaves least of `past`, run forwards and backwards; its first coefficient is one.
fn burg(past: &[f32], order_max: usize) -> Row {
    let mut frames = [0.0; FIT_FRAMES_MAX];
    let frames = &mut frames[..past.len()];
    for (frame, sample) in frames.iter_mut().zip(past) {
        *frame = f64::from(*sample);
    }
    let last = frames.len() - 1;
    let mut correlation = ZEROS;
    // The first frames and the last ones, counted from the ends; and both turned around.
    let (mut head, mut tail, mut head_turned, mut tail_turned) = (ZEROS, ZEROS, ZEROS, ZEROS);
    for lag in 0..=order_max {
        correlation[lag] = dot(&frames[lag..], &frames[..=last - lag]);
        (head[lag], tail[lag]) = (frames[lag], frames[last - lag]);
        (head_turned[ORDER_MAX - lag], tail_turned[ORDER_MAX - lag]) = (head[lag], tail[lag]);
    }
    let power = correlation[0];
    // The filter of the order so far, forwards and backwards; zero beyond it. So the loops below may
    // run on to a multiple of eight, which makes them three times as fast.
    let (mut filter, mut reverse) = (ZEROS, ZEROS);
    (filter[0], reverse[0]) = (1.0, 1.0);
    // The paper's r and g: what follows from the autocorrelation, and what the error sums are made
    // from.
    let (mut r, mut g) = (ZEROS, ZEROS);
    r[0] = 2.0 * correlation[1];
    g[0] = 2.0 * power * (1.0 + FLOOR) - head[0] * head[0] - tail[0] * tail[0];
    g[1] = r[0];
    for order in 1..=order_max {
        let wide = (order + 1).next_multiple_of(LANES);
        let left = dot(&filter[..wide], &g[..wide]);
        let k = -dot(&reverse[..wide], &g[1..=wide]) / left;
        // Silence, or nothing is left that could be predicted.
        if !(LEFT_MIN + power * FLOOR / 10.0 < left && k.abs() < 1.0) {
            break;
        }
        let before = filter;
        add(&mut filter[1..=wide], k, &reverse);
        reverse.copy_within(..order, 1);
        reverse[0] = 0.0;
        add(&mut reverse[..wide], k, &before);
        if order == order_max {
            break;
        }
        r.copy_within(..order, 1);
        r[0] = 2.0 * correlation[order + 1];
        add(&mut r[1..=wide], -head[order], &head);
        add(&mut r[1..=wide], -tail[order], &tail);
        let at_head = dot(&head[..wide], &reverse[..wide]);
        let at_tail = dot(&tail[..wide], &reverse[..wide]);
        let old = g;
        for (g, old) in g.iter_mut().zip(old[..=order].iter().rev()) {
            *g += k * old;
        }
        add(&mut g[..wide], -at_head, &head_turned[ORDER_MAX - order..]);
        add(&mut g[..wide], -at_tail, &tail_turned[ORDER_MAX - order..]);
        g[order + 1] = dot(&r[..wide], &filter[..wide]);
    }
    filter
}

/// One for each order, and room to run on.
type Row = [f64; ORDER_MAX + 1 + LANES];

const ZEROS: Row = [0.0; ORDER_MAX + 1 + LANES];

/// Adds `factor` times `row` to `sum`, as far as that goes.
fn add(sum: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, value) in sum.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

/// The sum of products, in eight sums side by side, which the compiler turns into vector
/// instructions.
pub(crate) fn dot<T>(a: &[T], b: &[T]) -> T
where
    T: Copy + Default + core::ops::Add<Output = T> + core::ops::Mul<Output = T>,
{
    let ((wide_a, rest_a), (wide_b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [T::default(); LANES];
    for (a, b) in wide_a.iter().zip(wide_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = *sum + *a * *b;
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(rest_a).zip(rest_b) {
        *sum = *sum + *a * *b;
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// What is computed side by side.
const LANES: usize = 8;

/// Weights of the largest prediction.
pub(crate) const ORDER_MAX: usize = 80;

/// Frames that weights are made from at most.
pub(crate) const FIT_FRAMES_MAX: usize = 384;

/// A noise 90 dB down is taken to be in every sound, which keeps what is left of it well apart from
/// what is rounded off.
const FLOOR: f64 = 1e-9;

/// Power below which there is nothing to predict.
const LEFT_MIN: f64 = 1e-18;

/// What prediction may come to, whatever it was fitted to: 12 dB beyond full scale.
const SAMPLE_MAX: f32 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Burg's method as it is defined: the errors of each order, forwards and backwards.
    fn burg_by_errors(past: &[f32], order_max: usize) -> Vec<f64> {
        let mut forwards: Vec<f64> = past.iter().map(|sample| f64::from(*sample)).collect();
        let mut backwards = forwards.clone();
        let mut filter = vec![1.0];
        for order in 1..=order_max {
            let pairs = || (order..past.len()).map(|n| (n, n - 1));
            let product: f64 = pairs().map(|(f, b)| forwards[f] * backwards[b]).sum();
            let power: f64 = pairs().map(|(f, b)| forwards[f].powi(2) + backwards[b].powi(2)).sum();
            let k = -2.0 * product / power;
            for (f, b) in pairs().rev() {
                let (forward, backward) = (forwards[f], backwards[b]);
                forwards[f] = forward + k * backward;
                backwards[f] = backward + k * forward;
            }
            filter.push(0.0);
            let reverse: Vec<f64> = filter.iter().rev().copied().collect();
            filter.iter_mut().zip(reverse).for_each(|(a, b)| *a += k * b);
        }
        filter
    }

    fn frame(n: usize) -> f32 {
        f32::from(u16::try_from(n).expect("short"))
    }

    /// Three tones that fade, and some noise.
    fn chord(frames: usize) -> Vec<f32> {
        let mut random = 1_u64;
        let mut noise = || {
            random = crate::outgoing::mix(random);
            f32::from(u16::try_from(random >> 48).expect("16 bits")) / 65_536.0 - 0.5
        };
        (0..frames)
            .map(|n| {
                let tones = [0.0417, 0.0529, 0.231].map(|step: f32| (frame(n) * step).sin());
                0.2 * tones.iter().sum::<f32>() * (-frame(n) / 2000.0).exp() + 0.001 * noise()
            })
            .collect()
    }

    #[test]
    fn the_short_way_gives_what_burg_defined() {
        let past = chord(330);
        for order in [1, 2, 7, 24, 80] {
            let expected = burg_by_errors(&past, order);
            let found = burg(&past, order);
            for (a, b) in expected.iter().zip(&found) {
                assert!((a - b).abs() < 1e-3, "{order}: {expected:?} {found:?}");
            }
        }
    }

    #[test]
    fn a_chord_is_predicted() {
        let signal = chord(500);
        let mut prediction = Prediction::<24>::silence();
        prediction.fit(&signal[..384]);
        for index in 384..500 {
            let off = prediction.next(&signal[..index]) - signal[index];
            assert!(off.abs() < 0.004, "{index}: {off}");
        }
    }

    #[test]
    fn whatever_the_past_was_the_prediction_stays_within_bounds() {
        let mut random = 7_u64;
        let mut noise = || {
            random = crate::outgoing::mix(random);
            f32::from(u16::try_from(random >> 48).expect("16 bits")) / 32_768.0 - 1.0
        };
        let square = |n: usize| if (n / 50).is_multiple_of(2) { 1.0 } else { -1.0 };
        let pasts: [Vec<f32>; 9] = [
            vec![0.0; 330],
            vec![1.0; 330],
            vec![1e-14; 330],
            (0..330).map(square).collect(),
            (0..330).map(|n| 1000.0 * square(n)).collect(),
            (0..330).map(|_| noise()).collect(),
            (0..330).map(|n| if n == 200 { 30.0 } else { 0.0 }).collect(),
            (0..330).map(|n| if n == 329 { 1.0 } else { 0.0 }).collect(),
            (0..330).map(|n| frame(n) / 330.0).collect(),
        ];
        for past in pasts {
            let mut prediction = Prediction::<80>::silence();
            prediction.fit(&past);
            let loudest = past.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            let mut signal = past.clone();
            for _ in 0..5000 {
                let next = prediction.next(&signal);
                assert!(next.is_finite() && !next.is_subnormal(), "{next}");
                assert!(next.abs() <= SAMPLE_MAX.min(3.0 * loudest), "{next} after {loudest}");
                signal.push(next);
            }
        }
    }

    #[test]
    fn a_past_of_the_wrong_length_predicts_silence() {
        let mut prediction = Prediction::<24>::silence();
        for frames in [0, 23, 48, 385] {
            prediction.fit(&vec![0.5; frames]);
            assert!(prediction.next(&[0.5; 100]).abs() < 1e-9);
        }
    }
}
