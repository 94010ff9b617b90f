//! How loud a signal is: a peak that falls slowly, and its mean power.

use crate::rt::ramp::SILENCE;
use crate::stats::SharedLevel;

/// Follows one signal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meter {
    peak: f32,
    mean_square: f32,
}

impl Meter {
    /// Takes a block of one or more channels, given as their samples in any order.
    pub(crate) fn add(&mut self, frames: usize, samples: impl Iterator<Item = f32>) {
        let mut peak = 0.0_f32;
        let mut sum = 0.0;
        let mut count = 0.0_f32;
        for sample in samples {
            peak = peak.max(sample.abs());
            sum += sample * sample;
            count += 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a period has a few thousand frames")]
        let frames = frames as f32;
        let kept = (frames * PEAK_DECAY_PER_FRAME).exp();
        self.peak = peak.max(settle(self.peak * kept));
        let weight = 1.0 - (-frames / MEAN_FRAMES).exp();
        let mean = if count == 0.0 { 0.0 } else { sum / count };
        self.mean_square = settle(self.mean_square + weight * (mean - self.mean_square));
    }

    /// Mean power over about 300 ms.
    pub(crate) const fn mean_square(&self) -> f32 {
        self.mean_square
    }

    /// Shows the reading to other threads.
    pub(crate) fn publish(&self, level: &SharedLevel) {
        level.store(self.peak, self.mean_square);
    }
}

fn settle(value: f32) -> f32 {
    if value < SILENCE { 0.0 } else { value }
}

/// 20 dB in a second: ln(10^(-20/20)) / 48000.
const PEAK_DECAY_PER_FRAME: f32 = -core::f32::consts::LN_10 / 48_000.0;

/// 300 ms, the integration time of a volume meter.
const MEAN_FRAMES: f32 = 14_400.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_reads_its_amplitude_and_its_power() {
        let mut meter = Meter::default();
        let sample = |n: u16| 0.5 * (f32::from(n) * 0.13).sin();
        for block in 0..750 {
            meter.add(64, (block * 64..(block + 1) * 64).map(sample));
        }
        let level = SharedLevel::default();
        meter.publish(&level);
        let level = level.load();
        assert!((level.peak.0 - -6.02).abs() < 0.2, "{level:?}");
        assert!((level.rms.0 - -9.03).abs() < 0.4, "{level:?}");
    }

    #[test]
    fn silence_ends_at_zero_and_never_in_between() {
        let mut meter = Meter::default();
        meter.add(1, [1.0].into_iter());
        for _ in 0..100_000 {
            meter.add(64, [0.0; 64].into_iter());
            assert!(!meter.peak.is_subnormal() && !meter.mean_square.is_subnormal());
        }
        assert_eq!((meter.peak, meter.mean_square), (0.0, 0.0));
    }
}
