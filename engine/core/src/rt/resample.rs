//! Reading decoded audio between its samples: where the playhead is and how fast it goes.
//!
//! The playhead is a position in fractions of frames. While it stands on whole frames and goes at
//! the device's own rate, samples are handed on as they are. Otherwise each is interpolated from
//! [`TAPS`] neighbors, of which [`LOOKAHEAD_FRAMES`] are ahead of it: that look-ahead (0.125 ms) is what
//! resampling costs in delay. What surprises: the filters are not a windowed sinc. Each of the 257 is the
//! one that comes nearest to a pure delay below 18 kHz in the sense of least squares, which is flat to
//! 18 kHz where a window of this length begins to fall at 14 kHz. And they see more of the past than of
//! what comes: 14 and 6 err by as little as 8 and 8 (worst phase: -70 and -69 dB to 10 kHz, -55 and -54 at
//! 18 kHz) and wait for two frames less; with 5 ahead what is above 20 kHz would become 2 dB louder.

use std::sync::LazyLock;

use crate::rt::least_squares::{sinc, solve};
use crate::rt::ramp::clean;

/// Samples that one interpolated sample is made of.
pub(crate) const TAPS: usize = 20;

/// Frames ahead of the playhead that interpolation reads.
pub(crate) const LOOKAHEAD_FRAMES: usize = 6;

/// Samples before the playhead's whole frame that interpolation reads.
pub(crate) const BEFORE: usize = TAPS - LOOKAHEAD_FRAMES - 1;

/// Delays between two samples that have a filter of their own. Between them filters are interpolated
/// linearly, which errs by less than -90 dB.
const PHASES: usize = 256;

/// The filters: of [`PHASES`] delays and of the next whole one.
#[derive(Debug)]
pub(crate) struct Kernel {
    phases: Box<[[f32; TAPS]]>,
}

impl Kernel {
    /// The one that all share. Makes it if it is the first call, so this is not for callbacks.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: LazyLock<Kernel> = LazyLock::new(Kernel::new);
        &SHARED
    }

    fn new() -> Self {
        let phases = (0..=PHASES).map(|phase| design(to_f64(phase) / to_f64(PHASES)));
        Self { phases: phases.collect() }
    }

    /// The filter at a fraction of a frame, 0 to 1: weights of the samples from [`BEFORE`] frames
    /// before the whole frame on.
    fn filter(&self, fraction: f64) -> [f32; TAPS] {
        let place = fraction.clamp(0.0, 1.0) * to_f64(PHASES);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 256")]
        let phase = (place as usize).min(PHASES - 1);
        #[expect(clippy::cast_possible_truncation, reason = "a weight")]
        let weight = (place - to_f64(phase)) as f32;
        let mut filter = [0.0; TAPS];
        if let [from, to] = self.phases[phase..phase + 2] {
            for ((tap, from), to) in filter.iter_mut().zip(from).zip(to) {
                *tap = from + (to - from) * weight;
            }
        }
        filter
    }
}

/// The filter that delays by a fraction of a frame with the least mean square error below
/// [`FLAT_HZ`]. Off the audio thread.
fn design(fraction: f64) -> [f32; TAPS] {
    let edge = FLAT_HZ / 24_000.0;
    // The mean of cos(pi f x) over f in the bands, the upper one weighing little: without it, a
    // filter might amplify there by any amount.
    let mean = |x: f64| {
        let pi = core::f64::consts::PI;
        let lower = edge * sinc(pi * edge * x);
        lower + UPPER_WEIGHT * (sinc(pi * x) - lower)
    };
    let at = |tap: usize| to_f64(tap) - to_f64(BEFORE);
    let weights =
        solve(TAPS, |tap, other| mean(at(tap) - at(other)), |tap| mean(at(tap) - fraction));
    let mut filter = [0.0; TAPS];
    filter.copy_from_slice(&weights);
    filter
}

/// Where the playhead is between two frames, and how fast it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Playhead {
    /// Fraction of a frame, 0 to below 1.
    fraction: f64,
    /// Frames per frame of the device.
    rate: f64,
    /// What `rate` glides to.
    wanted: f64,
    /// Whether it is to come to rest on a whole frame.
    landing: bool,
}

impl Playhead {
    /// On a whole frame, at the device's own rate.
    pub(crate) const fn at_rest() -> Self {
        Self { fraction: 0.0, rate: 1.0, wanted: 1.0, landing: false }
    }

    /// Fraction of a frame by which it is past the timeline's whole frame.
    pub(crate) const fn fraction(&self) -> f64 {
        self.fraction
    }

    /// How much faster than the device it goes now: 1e-6 is one ppm.
    pub(crate) fn slew(&self) -> f64 {
        self.rate - 1.0
    }

    /// Whether samples are handed on as they are.
    pub(crate) fn is_at_rest(&self) -> bool {
        *self == Self::at_rest()
    }

    /// Goes so much faster than the device from now on, after a short glide; 0 comes to rest on a
    /// whole frame.
    pub(crate) fn glide_to(&mut self, slew: f64) {
        self.landing = slew == 0.0;
        self.wanted = 1.0 + slew;
        if self.landing && !self.is_at_rest() {
            self.wanted = LANDING_RATE;
            if self.fraction == 0.0 && self.rate == 1.0 {
                *self = Self::at_rest();
            }
        }
    }

    /// Moves on by one frame of the device; gives by how many whole frames.
    fn step(&mut self) -> usize {
        self.rate += (self.wanted - self.rate).clamp(-RATE_STEP, RATE_STEP);
        let next = self.fraction + self.rate;
        // Below the device's rate a fraction shrinks with every frame: where it would pass zero, it
        // stops there.
        if self.landing && self.rate < 1.0 && next < 1.0 && self.rate == self.wanted {
            *self = Self::at_rest();
            return 1;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 2")]
        let whole = next as usize;
        self.fraction = next - to_f64(whole);
        whole
    }

    /// What playing so many frames reads.
    pub(crate) fn reads(mut self, frames: usize) -> Reads {
        if self.is_at_rest() {
            return Reads { frames, needed: frames, ahead: frames };
        }
        let (mut at, mut last) = (0, 0);
        for _ in 0..frames {
            last = at;
            at += self.step();
        }
        Reads { frames: at, needed: at.max(last + 1), ahead: last + 1 + LOOKAHEAD_FRAMES }
    }

    /// Fills each channel's `out` by reading its `samples` from index `read` on; all are equally long.
    /// Samples that are not there are silence.
    pub(crate) fn play<const N: usize>(
        &mut self,
        kernel: &Kernel,
        samples: [&[f32]; N],
        read: usize,
        mut out: [&mut [f32]; N],
    ) {
        let frames = out.iter().map(|out| out.len()).min().unwrap_or(0);
        let mut at = read;
        for index in 0..frames {
            let filter = (self.fraction != 0.0).then(|| kernel.filter(self.fraction));
            let start = at.saturating_sub(BEFORE);
            let read = |samples: &[f32]| match &filter {
                None => samples.get(at).copied(),
                Some(filter) => samples.get(start..start + TAPS).map(|part| dot(filter, part)),
            };
            for (channel, out) in samples.iter().zip(&mut out) {
                if let Some(out) = out.get_mut(index) {
                    *out = read(channel).unwrap_or(0.0);
                }
            }
            at += self.step();
        }
    }
}

/// What one block of the device's frames reads of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Whole frames by which the playhead moves.
    pub(crate) frames: usize,
    /// Frames that must be ready.
    pub(crate) needed: usize,
    /// Frames that interpolation would like to see.
    pub(crate) ahead: usize,
}

fn dot(filter: &[f32; TAPS], samples: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 4];
    let (filter, _) = filter.as_chunks::<4>();
    let (samples, _) = samples.as_chunks::<4>();
    for (filter, samples) in filter.iter().zip(samples) {
        for ((sum, weight), sample) in sums.iter_mut().zip(filter).zip(samples) {
            *sum += weight * sample;
        }
    }
    clean((sums[0] + sums[1]) + (sums[2] + sums[3]))
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

/// Up to where delays are exact and levels flat.
const FLAT_HZ: f64 = 18_000.0;

/// What an error above that weighs.
const UPPER_WEIGHT: f64 = 8.5e-6;

/// Change of the rate within one frame: 0.5 % are reached in 20 ms, so that a change of speed is no
/// edge in the pitch.
const RATE_STEP: f64 = 5e-3 / 960.0;

/// How fast it goes while it looks for a whole frame: at most 42 ms.
const LANDING_RATE: f64 = 1.0 - 5e-4;

#[cfg(test)]
mod tests {
    use super::*;

    const TAU: f64 = core::f64::consts::TAU;

    /// What a filter makes of a wave: its gain in dB, and how far its delay is off in frames.
    fn response(fraction: f64, hz: f64) -> (f64, f64) {
        let filter = Kernel::shared().filter(fraction);
        let omega = TAU * hz / 48_000.0;
        let (mut re, mut im) = (0.0, 0.0);
        for (tap, weight) in filter.iter().enumerate() {
            let phase = omega * (to_f64(tap) - to_f64(BEFORE) - fraction);
            re += f64::from(*weight) * phase.cos();
            im += f64::from(*weight) * phase.sin();
        }
        (20.0 * re.hypot(im).log10(), im.atan2(re) / omega)
    }

    #[test]
    fn every_filter_is_flat_and_exact_to_18_khz() {
        for step in 0..=100_u32 {
            let fraction = f64::from(step) / 100.0;
            for hz in [20.0, 1000.0, 5000.0, 10_000.0, 15_000.0, 18_000.0] {
                let (gain_db, off) = response(fraction, hz);
                let gain_max = if hz < 16_000.0 { 0.02 } else { 0.3 };
                assert!(gain_db.abs() < gain_max, "{fraction} {hz}: {gain_db} dB");
                assert!(off.abs() < 0.01, "{fraction} {hz}: {off} frames");
            }
            // And nothing above is louder than it was.
            for hz in [20_000.0, 22_000.0, 23_900.0] {
                assert!(response(fraction, hz).0 < 1.0, "{fraction} {hz}");
            }
        }
    }

    #[test]
    fn whole_frames_are_handed_on_as_they_are() {
        let filter = Kernel::shared().filter(0.0);
        for (tap, weight) in filter.iter().enumerate() {
            let expected = if tap == BEFORE { 1.0 } else { 0.0 };
            assert!((weight - expected).abs() < 1e-5, "{tap}: {weight}");
        }
    }

    fn sine(hz: f64, frames: usize) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        (0..frames).map(|frame| (to_f64(frame) * hz / 48_000.0 * TAU).sin() as f32).collect()
    }

    /// Signal to noise of a wave that is read at a rate which keeps changing, in dB.
    fn snr(hz: f64) -> f64 {
        let samples = sine(hz, 60_000);
        let mut playhead = Playhead::at_rest();
        let (mut at, mut signal, mut noise) = (100, 0.0, 0.0);
        for block in 0..800_u32 {
            playhead.glide_to(if block % 100 < 50 { 5e-3 } else { -3e-3 });
            let mut out = [0.0; 64];
            let (mut positions, mut probe, mut place) = ([0.0; 64], playhead, at);
            for position in &mut positions {
                *position = to_f64(place) + probe.fraction();
                place += probe.step();
            }
            playhead.play(Kernel::shared(), [&samples], at, [&mut out]);
            at = place;
            assert_eq!(probe, playhead);
            for (out, position) in out.iter().zip(positions) {
                let exact = (position * hz / 48_000.0 * TAU).sin();
                signal += exact * exact;
                noise += (f64::from(*out) - exact).powi(2);
            }
        }
        10.0 * (signal / noise).log10()
    }

    #[test]
    fn waves_stay_clean_while_the_rate_changes() {
        for (hz, least) in [(1000.0, 75.0), (5000.0, 70.0), (10_000.0, 70.0), (15_000.0, 65.0)] {
            let snr = snr(hz);
            assert!(least < snr, "{hz} Hz: {snr} dB");
        }
    }

    #[test]
    fn it_comes_to_rest_on_a_whole_frame() {
        for slew in [5e-3, -5e-3, 3e-5] {
            let mut playhead = Playhead::at_rest();
            playhead.glide_to(slew);
            (0..3000).for_each(|_| {
                playhead.step();
            });
            assert!(!playhead.is_at_rest());
            playhead.glide_to(0.0);
            // The glide of the rate takes 20 ms, the way to a whole frame 42 ms.
            let moved: usize = (0..3500).map(|_| playhead.step()).sum();
            assert!(playhead.is_at_rest(), "{playhead:?}");
            assert!(moved.abs_diff(3500) <= 4, "{moved}");
            assert_eq!(playhead.reads(64), Reads { frames: 64, needed: 64, ahead: 64 });
        }
    }

    #[test]
    fn what_is_read_is_known_before() {
        for slew in [5e-3, -5e-3, 1e-4] {
            let mut playhead = Playhead::at_rest();
            playhead.glide_to(slew);
            for _ in 0..200 {
                let reads = playhead.reads(64);
                let moved: usize = (0..64).map(|_| playhead.step()).sum();
                assert_eq!(reads.frames, moved);
                assert!(reads.frames <= reads.needed && reads.needed < reads.ahead);
                assert!(reads.ahead <= 64 + 2 + LOOKAHEAD_FRAMES);
            }
        }
    }
}
