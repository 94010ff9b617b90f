//! Frames that begin or end all of a sudden do so within two milliseconds, so that nothing clicks.

/// Lets the beginning of one channel's frames rise.
pub(super) fn fade_in(frames: &mut [f32]) {
    let count = frames.len().min(FADE_FRAMES);
    for (at, frame) in frames.iter_mut().take(count).enumerate() {
        *frame *= rise(at, count);
    }
}

/// Lets the end of one channel's frames fall.
pub(super) fn fade_out(frames: &mut [f32]) {
    let count = frames.len().min(FADE_FRAMES);
    for (at, frame) in frames.iter_mut().rev().take(count).enumerate() {
        *frame *= rise(at, count);
    }
}

/// Half a cosine, from nearly nothing to nearly all.
fn rise(at: usize, count: usize) -> f32 {
    let [at, count] = [at, count].map(|n| f32::from(u16::try_from(n).expect("at most 96")));
    0.5 - 0.5 * (std::f32::consts::PI * (at + 0.5) / count).cos()
}

/// 2 ms.
const FADE_FRAMES: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_rise_and_fall_without_a_step() {
        let mut frames = [1.0; 400];
        fade_in(&mut frames);
        fade_out(&mut frames);
        let steps = frames.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(steps.fold(0.0, f32::max) < 0.02);
        assert!(frames[0] < 0.001 && frames[399] < 0.001);
        assert_eq!(frames[200], 1.0);
        let mut short = [1.0; 1];
        fade_in(&mut short);
        assert!(short[0] < 1.0);
    }
}
