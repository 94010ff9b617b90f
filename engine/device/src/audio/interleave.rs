//! Between a device's interleaved samples and the engine's planar floats.
//!
//! Runs in audio callbacks: nothing is allocated.

use cpal::{FromSample, SizedSample};

use super::OUTPUT_CHANNELS;

/// The first two channels; a single one is heard on both sides.
pub(super) fn deinterleave<T: SizedSample>(part: &[T], channels: usize, planar: &mut [Vec<f32>; 2])
where
    f32: FromSample<T>,
{
    let [left, right] = planar;
    for ((frame, left), right) in part.chunks_exact(channels).zip(left).zip(right) {
        *left = frame[0].to_sample();
        *right = frame[1.min(channels - 1)].to_sample();
    }
}

/// Left and right to the first two channels, their mean to a single one, silence to the rest.
pub(super) fn interleave<T: SizedSample + FromSample<f32>>(
    planar: &[Vec<f32>; OUTPUT_CHANNELS],
    channels: usize,
    part: &mut [T],
) {
    let [left, right] = planar;
    for ((frame, left), right) in part.chunks_exact_mut(channels).zip(left).zip(right) {
        match frame {
            [only] => *only = T::from_sample((left + right) / 2.0),
            [first, second, rest @ ..] => {
                *first = T::from_sample(*left);
                *second = T::from_sample(*right);
                rest.fill(T::EQUILIBRIUM);
            }
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use assert_no_alloc::assert_no_alloc;

    use super::*;

    #[test]
    fn one_channel_is_heard_on_both_sides_and_a_third_is_left_silent() {
        let mut planar = [vec![9.0; 3], vec![9.0; 3]];
        assert_no_alloc(|| deinterleave(&[16_384_i16, -32_768], 1, &mut planar));
        assert_eq!(planar, [vec![0.5, -1.0, 9.0], vec![0.5, -1.0, 9.0]]);
        let mut wide = [7_i16; 6];
        assert_no_alloc(|| interleave(&planar, 3, &mut wide));
        assert_eq!(wide, [16_384, 16_384, 0, -32_768, -32_768, 0]);
        let mut narrow = [0.0_f32; 2];
        let planar = [vec![1.0, 0.0], vec![0.0, 0.0]];
        assert_no_alloc(|| interleave(&planar, 1, &mut narrow));
        assert_eq!(narrow, [0.5, 0.0]);
    }
}
