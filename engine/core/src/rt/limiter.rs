//! Keeps the sum of everybody inside what a sound card can play.
//!
//! It looks at nothing ahead, because that would be delay. A gain for the block comes down within
//! the block when the mix gets too loud and returns slowly; whatever still sticks out is rounded
//! off instead of cut. Below -1 dB of full scale it changes nothing at all.

/// A limiter for two channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limiter {
    gain: f32,
}

impl Limiter {
    pub(crate) const fn new() -> Self {
        Self { gain: 1.0 }
    }

    /// Limits a block in place.
    pub(crate) fn limit(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len().min(right.len());
        let mut peak = 0.0_f32;
        let mut finite = true;
        for sample in left.iter().chain(right.iter()) {
            finite &= sample.is_finite();
            peak = peak.max(sample.abs());
        }
        if self.gain == 1.0 && peak <= THRESHOLD && finite {
            return;
        }
        if !finite {
            // What is not a number must become neither sound nor gain.
            let broken = |sample: &&mut f32| !sample.is_finite();
            left.iter_mut().chain(right.iter_mut()).filter(broken).for_each(|sample| *sample = 0.0);
            peak = left.iter().chain(right.iter()).fold(0.0, |peak, sample| peak.max(sample.abs()));
        }
        #[expect(clippy::cast_precision_loss, reason = "a period has a few thousand frames")]
        let length = frames.max(1) as f32;
        let released = (self.gain * (RELEASE_PER_FRAME * length).exp()).min(1.0);
        let wanted = if THRESHOLD < peak * released { THRESHOLD / peak } else { released };
        let step = (wanted - self.gain) / length;
        let mut gain = self.gain;
        for (left, right) in left.iter_mut().zip(right.iter_mut()) {
            gain += step;
            *left = round_off(*left * gain);
            *right = round_off(*right * gain);
        }
        // Within a hair of unity is unity, so that quiet music is untouched to the bit again.
        self.gain = if 0.9999 < wanted { 1.0 } else { wanted };
    }
}

/// Passes everything up to the threshold and bends the rest towards full scale.
fn round_off(sample: f32) -> f32 {
    let magnitude = sample.abs();
    if magnitude <= THRESHOLD {
        return sample;
    }
    let room = 1.0 - THRESHOLD;
    let over = (magnitude - THRESHOLD) / room;
    (THRESHOLD + room * (over / (1.0 + over))).copysign(sample)
}

/// -1 dB of full scale.
const THRESHOLD: f32 = 0.891_250_9;

/// 40 dB in a second (ln(10^(40/20)) / 48000): one loud moment is over within a tenth of a second.
const RELEASE_PER_FRAME: f32 = 2.0 * core::f32::consts::LN_10 / 48_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f32, start: u16, frames: u16) -> Vec<f32> {
        (start..start + frames).map(|n| amplitude * (f32::from(n) * 0.2).sin()).collect()
    }

    #[test]
    fn quiet_music_is_untouched() {
        let mut limiter = Limiter::new();
        let (mut left, mut right) = (sine(0.89, 0, 64), sine(0.2, 0, 64));
        limiter.limit(&mut left, &mut right);
        assert_eq!(left, sine(0.89, 0, 64));
        assert_eq!(right, sine(0.2, 0, 64));
    }

    #[test]
    fn loud_music_fits_and_keeps_its_shape_once_the_gain_has_come_down() {
        let mut limiter = Limiter::new();
        for block in 0..20 {
            let mut left = sine(3.0, block * 64, 64);
            let mut right = left.clone();
            limiter.limit(&mut left, &mut right);
            assert!(left.iter().all(|sample| sample.abs() <= 1.0));
            if 0 < block {
                let expected = sine(THRESHOLD, block * 64, 64);
                let off = left.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                assert!(off.fold(0.0, f32::max) < 0.05);
            }
        }
    }

    #[test]
    fn the_gain_returns_to_unity() {
        let mut limiter = Limiter::new();
        limiter.limit(&mut [3.0; 64], &mut [0.0; 64]);
        for _ in 0..2000 {
            limiter.limit(&mut [0.1; 64], &mut [0.1; 64]);
        }
        let mut left = [0.1; 64];
        limiter.limit(&mut left, &mut [0.0; 64]);
        assert_eq!(left, [0.1; 64]);
    }

    #[test]
    fn what_is_not_a_number_becomes_silence() {
        let mut limiter = Limiter::new();
        let mut left = [f32::NAN, f32::INFINITY, 2.0, 0.1];
        limiter.limit(&mut left, &mut [0.0; 4]);
        assert!(left.iter().all(|sample| sample.is_finite()));
        assert_eq!(left[0], 0.0);
    }
}
