//! What can be heard: disturbances of a tone, and the delay of bursts.

use std::f64::consts::TAU;

use super::weather::Random;

/// A tone whose period is no whole number of frames.
pub(crate) const TONE_HZ: f64 = 1031.0;

const WINDOW: usize = 120;
const BURST: usize = 480;

/// A steady tone of amplitude one half.
pub(crate) fn tone(frame: usize) -> [f32; 2] {
    let sample = (frame as f64 * TONE_HZ / 48_000.0 * TAU).sin() * 0.5;
    [to_f32(sample); 2]
}

/// Segments of 200 to 310 ms: a chirp, a pause, a faded tone.
pub(crate) struct Combo {
    pub(crate) samples: Vec<f32>,
    pub(crate) starts: Vec<usize>,
}

impl Combo {
    pub(crate) fn new(seconds: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut samples = vec![0.0; seconds * 48_000];
        let mut starts = vec![4800];
        loop {
            let start = *starts.last().expect("the first is there");
            let length = 9600 + usize::try_from(random.next() % 5280).expect("small");
            if samples.len() < start + length {
                break;
            }
            for (index, sample) in samples[start..start + BURST].iter_mut().enumerate() {
                *sample += to_f32(0.4 * chirp(index));
            }
            let (from, to) = (start + BURST + 720, start + length - 480);
            for (frame, sample) in (from..to).zip(&mut samples[from..to]) {
                let edge = (frame - from).min(to - 1 - frame).min(240);
                let gain = 0.5 - 0.5 * (std::f64::consts::PI * edge as f64 / 240.0).cos();
                let phase = frame as f64 * TONE_HZ / 48_000.0 * TAU;
                *sample += to_f32(0.2 * phase.sin() * gain);
            }
            starts.push(start + length);
        }
        Self { samples, starts }
    }

    /// Delay of each burst in frames; `None` for one that was not recognised.
    pub(crate) fn delays(&self, heard: &[f32]) -> Vec<Option<usize>> {
        let burst: Vec<f32> = (0..BURST).map(|index| to_f32(chirp(index))).collect();
        let power: f32 = burst.iter().map(|sample| sample * sample).sum();
        let search = |start: &usize| {
            let region = heard.get(*start..start + 6000 + BURST)?;
            let mut best = (0, 0.0_f32);
            for (lag, part) in region.windows(BURST).enumerate() {
                let dot: f32 = part.iter().zip(&burst).map(|(a, b)| a * b).sum();
                if best.1 < dot.abs() {
                    best = (lag, dot.abs());
                }
            }
            let part = &region[best.0..best.0 + BURST];
            let energy: f32 = part.iter().map(|sample| sample * sample).sum();
            Some((0.5 < best.1 / (power * energy).sqrt()).then_some(best.0))
        };
        self.starts[..self.starts.len() - 1].iter().map_while(search).collect()
    }

    /// Disturbances of the tones, once the typical delay is known; and how many minutes of tone.
    pub(crate) fn disturbances(&self, heard: &[f32], delay: usize, from: usize) -> (usize, f64) {
        let mut events = 0;
        let mut frames = 0;
        for pair in self.starts.windows(2).filter(|pair| from <= pair[0]) {
            let segment = pair[0] + delay + BURST + 1200..pair[1] + delay - 960;
            if heard.len() < segment.end {
                break;
            }
            frames += segment.len();
            events += disturbances(&heard[segment.clone()], segment.start, 0.2).len();
        }
        (events, frames as f64 / 48_000.0 / 60.0)
    }
}

fn chirp(index: usize) -> f64 {
    let t = index as f64 / 48_000.0;
    let phase = TAU * (2000.0 * t + 7000.0 * t * t / 0.02);
    let window = 0.5 - 0.5 * (TAU * index as f64 / (BURST - 1) as f64).cos();
    phase.sin() * window
}

/// Where a tone of known amplitude is disturbed: 2.5 ms windows whose level is off by more than
/// 1 dB, whose phase stepped by more than 0.2 rad since the last good one, or of which more than
/// 5 % of the energy is something else. Neighbors count once. `start` is the frame that the first
/// sample is, which only the phase depends on.
pub(crate) fn disturbances(heard: &[f32], start: usize, amplitude: f64) -> Vec<usize> {
    let mut events = Vec::new();
    let (mut last_phase, mut last_bad): (Option<f64>, Option<usize>) = (None, None);
    for (index, window) in heard.chunks_exact(WINDOW).enumerate() {
        let fit = fit(window, start + index * WINDOW);
        let level_db = 20.0 * (fit.amplitude.max(1e-9) / amplitude).log10();
        let mut bad = 1.0 < level_db.abs() || 0.05 < fit.foreign;
        if !bad {
            let step = last_phase.map_or(0.0, |last| fit.phase - last);
            bad = 0.2 < (step - (step / TAU).round() * TAU).abs();
            last_phase = Some(fit.phase);
        }
        if bad {
            if last_bad.is_none_or(|last| 2 < index - last) {
                events.push(start + index * WINDOW);
            }
            last_bad = Some(index);
        }
    }
    events
}

/// The tone in a window, and what part of its energy is not the tone.
pub(crate) struct Fit {
    pub(crate) amplitude: f64,
    pub(crate) phase: f64,
    pub(crate) foreign: f64,
}

pub(crate) fn fit(window: &[f32], start: usize) -> Fit {
    let (mut cc, mut ss, mut cs, mut xc, mut xs, mut energy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (index, sample) in window.iter().enumerate() {
        let x = f64::from(*sample);
        let (s, c) = ((start + index) as f64 * TONE_HZ / 48_000.0 * TAU).sin_cos();
        cc += c * c;
        ss += s * s;
        cs += c * s;
        xc += x * c;
        xs += x * s;
        energy += x * x;
    }
    let det = cc * ss - cs * cs;
    let (a, b) = ((xc * ss - xs * cs) / det, (xs * cc - xc * cs) / det);
    let explained = a * xc + b * xs;
    Fit {
        amplitude: a.hypot(b),
        phase: b.atan2(a),
        foreign: (energy - explained).max(0.0) / energy.max(1e-12),
    }
}

pub(crate) fn median(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

#[expect(clippy::cast_possible_truncation, reason = "a sample")]
fn to_f32(sample: f64) -> f32 {
    sample as f32
}
