//! Samples between -1 and 1, and the 24 bits in which they are kept.

/// The sample as 24 bits, rounded to the nearest and clipped; what is not a number is silence. Converters of sound
/// cards give at most 24 bits, so that dither would only add noise to what is exact as it is.
#[expect(clippy::cast_possible_truncation, reason = "clamped to 24 bits, and NaN casts to 0")]
pub(crate) fn quantise(sample: f32) -> i32 {
    (sample * SCALE).round().clamp(-SCALE, SCALE - 1.0) as i32
}

/// The sample that 24 bits stand for: exact.
#[expect(clippy::cast_precision_loss, reason = "24 bits fit the mantissa")]
pub(crate) fn sample(quantised: i32) -> f32 {
    quantised as f32 / SCALE
}

/// 2^23.
const SCALE: f32 = 8_388_608.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_24_bits_survive() {
        for value in (-8_388_608..8_388_608).step_by(37).chain([8_388_607]) {
            assert_eq!(quantise(sample(value)), value);
        }
    }

    #[test]
    fn what_is_too_loud_is_clipped_and_nonsense_is_silent() {
        assert_eq!(quantise(1.0), 8_388_607);
        assert_eq!(quantise(-7.0), -8_388_608);
        assert_eq!(quantise(f32::INFINITY), 8_388_607);
        assert_eq!(quantise(f32::NAN), 0);
    }
}
