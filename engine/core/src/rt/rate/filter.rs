//! The filters of a fixed ratio: one for each place between two input frames where an output frame lies.
//!
//! Each is the one that comes nearest, in the sense of least squares, to a pure delay below
//! [`FLAT_HZ`] and to silence where input would come out as another tone. Tones that are mirrored
//! at the input's rate appear because the filters of different places differ, so that what is near to
//! a pure delay everywhere has none. What surprises: a filter looks back twice as far as it looks
//! ahead. Nothing has to be wanted between 18 kHz and its mirror, and that freedom is worth a third of
//! the look-ahead that a symmetric filter of the same quality has.

use crate::rt::least_squares::{sinc, solve};

/// The filters from one rate to another.
#[derive(Debug)]
pub(super) struct Filters {
    /// [`Self::taps`] for each phase, oldest sample first.
    weights: Box<[f32]>,
    taps: usize,
    ahead: usize,
    /// Output frames that last as long as
    up: usize,
    /// so many input frames; without a common divisor.
    down: usize,
}

impl Filters {
    /// Designs the filters from one rate in Hz to another, of which `down` frames of the one last as
    /// long as `up` of the other. Takes some milliseconds.
    pub(super) fn new((from_hz, down): (u32, usize), (to_hz, up): (u32, usize)) -> Self {
        let bands = Bands::new(from_hz, to_hz);
        let ahead = bands.ahead();
        let taps = (AHEAD_TO_TAPS * ahead).next_multiple_of(LANES);
        let phases = (0..up).map(|phase| to_f64(phase) / to_f64(up));
        let weights = phases.flat_map(|fraction| bands.design(taps, ahead, fraction)).collect();
        Self { weights, taps, ahead, up, down }
    }

    /// Samples that an output frame is made of; a multiple of [`LANES`].
    pub(super) const fn taps(&self) -> usize {
        self.taps
    }

    /// How many of them come after the frame in which the output frame lies.
    pub(super) const fn ahead(&self) -> usize {
        self.ahead
    }

    /// Places between two input frames.
    pub(super) const fn up(&self) -> usize {
        self.up
    }

    /// By how many places output frames are apart.
    pub(super) const fn down(&self) -> usize {
        self.down
    }

    /// The weights for a place, below [`Self::up`].
    pub(super) fn at(&self, phase: usize) -> &[f32] {
        self.weights.get(phase * self.taps..(phase + 1) * self.taps).unwrap_or_default()
    }
}

/// What is wanted where, in parts of half the input's rate.
struct Bands {
    /// Up to here, sound as it is.
    flat: f64,
    /// From here on, nothing: it would be mirrored into what is heard. 1 where it is beyond all input.
    silent: f64,
    /// From the end of the one to where the other begins, or mirrors of the input do.
    width: f64,
}

impl Bands {
    fn new(from_hz: u32, to_hz: u32) -> Self {
        let (from, to) = (f64::from(from_hz), f64::from(to_hz));
        let half = from / 2.0;
        let flat = FLAT_HZ.min(FLAT_PART * from.min(to) / 2.0);
        let silent = (to - flat).min(half);
        let free_until = if silent < half { silent } else { from - flat };
        Self { flat: flat / half, silent: silent / half, width: (free_until - flat) / half }
    }

    /// Frames that a filter looks ahead: as many as the width between the bands asks for.
    fn ahead(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few")]
        let ahead = (AHEAD_BY_WIDTH / self.width).ceil() as usize;
        ahead
    }

    /// The filter for a fraction of a frame. Off the audio thread.
    fn design(&self, taps: usize, ahead: usize, fraction: f64) -> Vec<f32> {
        // The mean of cos(pi f x) over f in a band.
        let mean = |from: f64, to: f64, x: f64| {
            let pi = core::f64::consts::PI;
            to * sinc(pi * to * x) - from * sinc(pi * from * x)
        };
        let alike = |x: f64| {
            mean(0.0, self.flat, x)
                + FREE_WEIGHT * mean(self.flat, self.silent, x)
                + mean(self.silent, 1.0, x)
        };
        // Where nothing is silenced, the rest is to be a pure delay too, as far as it can.
        let wanted = |x: f64| {
            let rest = if self.silent < 1.0 { 0.0 } else { mean(self.flat, 1.0, x) };
            mean(0.0, self.flat, x) + FREE_WEIGHT * rest
        };
        let before = to_f64(taps - 1 - ahead);
        solve(
            taps,
            |tap, other| alike(to_f64(tap) - to_f64(other)),
            |tap| wanted(to_f64(tap) - before - fraction),
        )
    }
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

/// Up to where levels are flat; less where the lower of the two rates has not so much.
const FLAT_HZ: f64 = 18_000.0;
const FLAT_PART: f64 = 0.82;

/// What an error weighs where nothing is wanted: without it, a filter might amplify there by any
/// amount.
const FREE_WEIGHT: f64 = 1e-5;

/// Frames ahead times the width between the bands. 2.5 keeps tones that come out as others below
/// -60 dB up to 17 kHz; 2 would keep them below -53.
const AHEAD_BY_WIDTH: f64 = 2.5;

/// A filter looks back twice as far as ahead. Further back, less and less is gained.
const AHEAD_TO_TAPS: usize = 3;

/// Weights that are multiplied at once.
pub(super) const LANES: usize = 4;
