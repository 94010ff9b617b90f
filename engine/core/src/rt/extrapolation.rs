//! What a sound goes on like: a prediction of its low part, and one of all of it.
//!
//! Most of what an instrument plays lies below 3 kHz, and to tell its partials apart takes hundreds
//! of weights at 48 kHz. So the sound is thinned out to 8 kHz, where 80 weights reach as far back as
//! 480 do otherwise, for a twentieth of the work. A small prediction at the full rate has the rest; it
//! also fills in what the low-pass filter would know of the future. What surprises: the two parts
//! are not split. The low prediction only corrects the other one, by what that misses in the low
//! band, so that there is no seam where the past ends.

use core::ops::Range;

use crate::encoding::Channels;
use crate::rt::prediction::{Prediction, dot};

/// Goes on from one past, in each of its channels.
#[derive(Debug)]
pub(crate) struct Extrapolation {
    channels: usize,
    voices: [Voice; 2],
    broad: Prediction<BROAD_ORDER>,
    low: Prediction<LOW_ORDER>,
    lowpass: [f32; TAPS + 1],
    /// Frames that are ready.
    ready: usize,
}

/// One channel. Each part begins with the past.
#[derive(Debug)]
struct Voice {
    /// The past and its broad prediction, which is ahead of what is ready.
    broad: Box<[f32]>,
    /// Every [`THIN`]th frame of it, low-passed, and the low prediction.
    low: Box<[f32]>,
    /// How far the low prediction is from the other one's low part.
    off: Box<[f32]>,
    /// What goes on, without the past.
    out: Box<[f32]>,
    /// What the broad prediction left of the end of the past, which is what excites it further on: a
    /// prediction alone fades, its highs first.
    left: [f32; LEFT_FRAMES],
}

impl Extrapolation {
    /// Makes the buffers, of some 50 kB for each channel. Off the audio thread.
    pub(crate) fn new(channels: Channels) -> Self {
        Self {
            channels: channels.count(),
            voices: [Voice::new(true), Voice::new(channels == Channels::Stereo)],
            broad: Prediction::silence(),
            low: Prediction::silence(),
            lowpass: lowpass(),
            ready: 0,
        }
    }

    /// Starts anew from a past: the last [`PAST_FRAMES`] of each channel.
    pub(crate) fn begin<'a>(&mut self, past: impl Fn(usize) -> &'a [f32]) {
        self.ready = 0;
        let mut all = [0.0; PAST_FRAMES + REACH + 1];
        let voices = &mut self.voices[..self.channels];
        for (channel, voice) in voices.iter_mut().enumerate() {
            for (to, from) in voice.broad.iter_mut().zip(past(channel)) {
                *to = *from;
            }
            add(&mut all[..PAST_FRAMES], &voice.broad);
        }
        self.broad.fit(&all[PAST_FRAMES - BROAD_FIT..PAST_FRAMES]);
        for voice in voices.iter_mut() {
            for (index, left) in (PAST_FRAMES - LEFT_FRAMES..).zip(&mut voice.left) {
                *left = voice.broad[index] - self.broad.next(&voice.broad[..index]);
            }
            voice.go_on(&self.broad, PAST_FRAMES..PAST_FRAMES + REACH);
            add(&mut all[PAST_FRAMES..], &voice.broad[PAST_FRAMES..]);
        }
        let mut thin = [0.0; LOW_FIT];
        for (step, sample) in thin.iter_mut().enumerate() {
            *sample = dot(&self.lowpass, &all[THIN * step..=THIN * step + TAPS]);
        }
        self.low.fit(&thin);
        for voice in voices {
            for step in LOW_FIT - LOW_ORDER..LOW_FIT {
                let around = &voice.broad[THIN * step..=THIN * step + TAPS];
                voice.low[step] = dot(&self.lowpass, around);
            }
        }
    }

    /// Makes sure that `frames` are ready, of which there are never more than [`FRAMES_MAX`].
    pub(crate) fn reach(&mut self, frames: usize) {
        let frames = frames.min(FRAMES_MAX);
        if frames <= self.ready {
            return;
        }
        let steps = |frames: usize| (frames + REACH) / THIN;
        let first = if self.ready == 0 { 0 } else { steps(self.ready) };
        for voice in &mut self.voices[..self.channels] {
            let broad = PAST_FRAMES + 2 * REACH;
            let known = if self.ready == 0 { PAST_FRAMES + REACH } else { broad + self.ready };
            voice.go_on(&self.broad, known..broad + frames);
            for step in first..steps(frames) {
                let (past, rest) = voice.low.split_at_mut(LOW_FIT + step);
                rest[0] = self.low.next(&past[step..]);
                let around = &voice.broad[THIN * (LOW_FIT + step)..][..=TAPS];
                voice.off[step] = rest[0] - dot(&self.lowpass, around);
            }
            for index in self.ready..frames {
                // Step n lies at frame THIN * (n + 1) - 1, and the filter reaches so far.
                let from = (index + 1).saturating_sub(REACH).div_ceil(THIN).max(1) - 1;
                let mut tap = REACH + index + 1 - THIN * (from + 1);
                let mut sum = 0.0;
                for off in &voice.off[from..steps(index + 1)] {
                    sum += self.lowpass[tap] * off;
                    tap = tap.saturating_sub(THIN);
                }
                voice.out[index] = voice.broad[PAST_FRAMES + index] + THIN_F32 * sum;
            }
        }
        self.ready = frames;
    }

    /// A frame that is ready; silence beyond.
    pub(crate) fn sample(&self, channel: usize, index: usize) -> f32 {
        let ready = self.voices.get(channel).filter(|_| index < self.ready);
        ready.and_then(|voice| voice.out.get(index)).copied().unwrap_or(0.0)
    }
}

impl Voice {
    fn new(wanted: bool) -> Self {
        let place = |frames| vec![0.0; if wanted { frames } else { 0 }].into_boxed_slice();
        Self {
            broad: place(PAST_FRAMES + FRAMES_MAX + 2 * REACH + 1),
            low: place(LOW_FIT + STEPS_MAX),
            off: place(STEPS_MAX),
            out: place(FRAMES_MAX),
            left: [0.0; LEFT_FRAMES],
        }
    }

    fn go_on(&mut self, broad: &Prediction<BROAD_ORDER>, frames: Range<usize>) {
        for index in frames {
            let (past, rest) = self.broad.split_at_mut(index);
            let made = index - PAST_FRAMES;
            rest[0] = broad.next(past) + self.left[made % LEFT_FRAMES] * excitation(made);
        }
    }
}

/// How much of what was left excites the frame that is the so many-th to be made: the first ones are
/// predicted well without.
fn excitation(made: usize) -> f32 {
    u16::try_from(made).map_or(1.0, |made| f32::from(made) / EXCITED_FRAMES).min(1.0)
}

fn add(sum: &mut [f32], samples: &[f32]) {
    for (sum, sample) in sum.iter_mut().zip(samples) {
        *sum += sample;
    }
}

/// A low-pass filter of 3.2 kHz: a sinc in a Kaiser window. Its last tap is zero, to make their number
/// a power of two.
fn lowpass() -> [f32; TAPS + 1] {
    use core::f64::consts::PI;
    // The modified Bessel function of order zero.
    let bessel = |x: f64| {
        let terms = (1..40).scan(1.0, |term, n| {
            *term *= (x / 2.0 / f64::from(n)).powi(2);
            Some(*term)
        });
        1.0 + terms.sum::<f64>()
    };
    let mut taps = [0.0; TAPS + 1];
    for (tap, offset) in taps.iter_mut().zip(-REACH_I32..=REACH_I32) {
        let x = f64::from(offset);
        let sinc = if offset == 0 { 2.0 * CUTOFF } else { (2.0 * PI * CUTOFF * x).sin() / PI / x };
        let edge = x / f64::from(REACH_I32 + 1);
        *tap = sinc * bessel(KAISER * (1.0 - edge * edge).sqrt());
    }
    let sum: f64 = taps.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "below one")]
    let scaled = taps.map(|tap| (tap / sum) as f32);
    scaled
}

/// Frames of the past that are asked for.
pub(crate) const PAST_FRAMES: usize = THIN * LOW_FIT + REACH + 1 - THIN;

/// Frames that are made at most: 60 ms.
pub(crate) const FRAMES_MAX: usize = 2880;

const STEPS_MAX: usize = (FRAMES_MAX + REACH) / THIN;

/// One frame in so many is left of the low part.
const THIN: usize = 6;
const THIN_F32: f32 = 6.0;

/// Weights, and frames that they are made from (8 ms and 41 ms), as the best of what fits into
/// 20 µs: `docs/benchmarks.md` tells what they are worth.
const BROAD_ORDER: usize = 24;
const BROAD_FIT: usize = 384;
const LOW_ORDER: usize = 80;
const LOW_FIT: usize = 330;

/// Frames of what is left: 5 ms.
const LEFT_FRAMES: usize = 240;
const EXCITED_FRAMES: f32 = 64.0;

/// How far the low-pass filter reaches to each side.
const REACH: usize = 31;
const REACH_I32: i32 = 31;
const TAPS: usize = 2 * REACH + 1;

/// Of the sample rate; and how much the filter keeps out.
const CUTOFF: f64 = 0.4 / 6.0;
const KAISER: f64 = 5.0;
