//! The played sound laid along what was heard: later by a delay that glides and jumps.
//!
//! Between frames it is interpolated over its whole band. What surprises: around a jump a delay is
//! known to 20 ms only, although it changed from one frame to the next. So the frame is looked for
//! at which the delay before gives way to the one after, by how well the two fit.

use std::sync::OnceLock;

use super::correlate::signed;
use super::track::{HOP_FRAMES, Stretch, Track};

/// The played sound as it should have been heard, as long as `heard`, silence elsewhere. Jumps of
/// the track are put where they fit best, and its delays are read anew.
pub(super) fn line_up(played: &[f32], heard: &[f32], track: &mut Track) -> Vec<f32> {
    place_jumps(played, heard, track);
    // A hit at one end of a piece is read as if it were its middle, until what is left of the glide
    // is small.
    for _ in 0..2 {
        let roughly = lay(played, heard.len(), track);
        track.sharpen(&roughly, heard);
    }
    place_jumps(played, heard, track);
    lay(played, heard.len(), track)
}

fn lay(played: &[f32], frames: usize, track: &Track) -> Vec<f32> {
    let stretches = track.stretches();
    let mut out = Vec::with_capacity(frames);
    for (i, stretch) in stretches.iter().enumerate() {
        let end = stretches.get(i + 1).map_or(frames, |next| next.from_frame);
        out.extend((out.len()..end).map(|frame| sample(played, frame, stretch)));
    }
    out
}

/// Looks for the frame of each jump: up to a hop beyond the last piece before it and the first
/// piece after it, because a piece may lie half on the other side.
fn place_jumps(played: &[f32], heard: &[f32], track: &mut Track) {
    for i in 1..track.stretches().len() {
        let [before, after] = [&track.stretches()[i - 1], &track.stretches()[i]];
        let from = before.middles()[1].saturating_sub(HOP_FRAMES).max(before.from_frame);
        let to = (after.middles()[0] + HOP_FRAMES).min(heard.len()).max(from);
        let laid = [before, after].map(|stretch| {
            (from..to).map(|frame| sample(played, frame, stretch)).collect::<Vec<f32>>()
        });
        let at = from + best_split(&heard[from..to], &laid);
        track.stretches_mut()[i].from_frame = at;
    }
}

/// After how many frames of a piece what is laid along it second fits better than what is first.
fn best_split(piece: &[f32], laid: &[Vec<f32>; 2]) -> usize {
    let [mut product, mut energy] = [0.0_f64; 2];
    let terms = |i: usize, which: usize| {
        let played = f64::from(laid[which][i]);
        (f64::from(piece[i]) * played, played * played)
    };
    // All of it along the second; then frame by frame along the first instead.
    for i in 0..piece.len() {
        let (product_then, energy_then) = terms(i, 1);
        product += product_then;
        energy += energy_then;
    }
    let (mut best, mut best_fit) = (0, product / energy.max(SILENT).sqrt());
    for i in 0..piece.len() {
        let (product_before, energy_before) = terms(i, 0);
        let (product_then, energy_then) = terms(i, 1);
        product += product_before - product_then;
        energy += energy_before - energy_then;
        let fit = product / energy.max(SILENT).sqrt();
        if best_fit < fit {
            (best, best_fit) = (i + 1, fit);
        }
    }
    best
}

/// Normalised correlation of two sounds of one length.
pub(super) fn likeness(a: &[f32], b: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let scale = product(a, a) * product(b, b);
    if scale <= SILENT { 0.0 } else { product(a, b) / scale.sqrt() }
}

/// What should be heard at a frame.
fn sample(played: &[f32], heard_frame: usize, stretch: &Stretch) -> f32 {
    let place = heard_frame as f64 - stretch.delay_frames(heard_frame);
    let whole = place.floor();
    #[expect(clippy::cast_possible_truncation, reason = "a frame of a recording, and a few phases")]
    #[expect(clippy::cast_sign_loss, reason = "a fraction is not below zero")]
    let (frame, phase) = (whole as i64, ((place - whole) * PHASES as f64).round() as usize);
    interpolate(played, frame, phase)
}

/// The sound `phase` steps after a frame.
fn interpolate(played: &[f32], frame: i64, phase: usize) -> f32 {
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| played.get(i)).copied().unwrap_or(0.0);
    if phase == 0 || phase == PHASES {
        return at(frame + signed(phase / PHASES));
    }
    let taps = &kernels()[phase];
    let first = frame - signed(TAPS / 2 - 1);
    match usize::try_from(first).ok().and_then(|first| played.get(first..first + TAPS)) {
        Some(samples) => dot(samples, taps),
        None => (first..).zip(taps).map(|(i, tap)| at(i) * tap).sum(),
    }
}

fn dot(a: &[f32], b: &[f32; TAPS]) -> f32 {
    // Eight sums side by side, which the compiler turns into vector instructions.
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// Windowed sinc functions for every phase: flat to 18 kHz within a thousandth.
fn kernels() -> &'static [[f32; TAPS]] {
    static KERNELS: OnceLock<Vec<[f32; TAPS]>> = OnceLock::new();
    KERNELS.get_or_init(|| (0..=PHASES).map(kernel).collect())
}

fn kernel(phase: usize) -> [f32; TAPS] {
    use std::f64::consts::PI;
    let fraction = phase as f64 / PHASES as f64;
    let half = TAPS as f64 / 2.0;
    let tap = |i: usize| {
        let x = i as f64 + 1.0 - half - fraction;
        let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        // Blackman's window.
        let turn = PI * x / half;
        sinc * (0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
    };
    let taps: [f64; TAPS] = std::array::from_fn(tap);
    let sum: f64 = taps.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "samples need no more than 24 bits")]
    taps.map(|tap| (tap / sum) as f32)
}

const TAPS: usize = 32;
const PHASES: usize = 512;

/// Below this a sum of squares counts as nothing.
const SILENT: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::sine;

    #[test]
    fn what_lies_between_frames_is_what_the_wave_does_there() {
        for hz in [50.0, 1_000.0, 8_000.0, 18_000.0] {
            let played = sine(hz, 0.5, 4_000);
            // A sine of eight times the rate has the samples between.
            let dense = sine(hz / 8.0, 0.5, 32_000);
            for frame in 1_000..1_200 {
                for eighth in 0..8 {
                    let phase = eighth * PHASES / 8;
                    let found = interpolate(&played, signed(frame), phase);
                    let expected = dense[8 * frame + eighth];
                    assert!((found - expected).abs() < 1e-3, "{hz} Hz: {found} for {expected}");
                }
            }
        }
    }
}
