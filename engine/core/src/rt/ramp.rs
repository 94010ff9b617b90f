//! Gains that glide, so that no change of them clicks.

/// Amplitudes below this (-300 dB) are silence: they become zero before they turn denormal.
pub(crate) const SILENCE: f32 = 1e-15;

/// Makes a sample from outside (a sound card, a decoder) fit for filters and mixing: a number,
/// neither denormal nor absurd.
pub(crate) fn clean(sample: f32) -> f32 {
    if SILENCE < sample.abs() && sample.abs() < SAMPLE_MAX { sample } else { 0.0 }
}

/// A factor on its way to a target, in equal steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    now: f32,
    target: f32,
    step: f32,
    frames_left: usize,
}

impl Ramp {
    /// A ramp at rest.
    pub(crate) const fn at(value: f32) -> Self {
        Self { now: value, target: value, step: 0.0, frames_left: 0 }
    }

    /// Starts to glide; arrives [`RAMP_FRAMES`] from now.
    pub(crate) fn glide_to(&mut self, target: f32) {
        if target == self.target {
            return;
        }
        self.target = target;
        self.frames_left = RAMP_FRAMES;
        self.step = (target - self.now) / RAMP_FRAMES_F32;
    }

    /// The factor for the next frame.
    pub(crate) fn next(&mut self) -> f32 {
        if self.frames_left == 0 {
            return self.target;
        }
        self.frames_left -= 1;
        // The last step lands on the target exactly, whatever was rounded on the way.
        self.now = if self.frames_left == 0 { self.target } else { self.now + self.step };
        self.now
    }

    /// The factor of every frame to come, once the target is reached.
    pub(crate) fn steady(&self) -> Option<f32> {
        (self.frames_left == 0).then_some(self.target)
    }

    /// Whether it has come to rest at silence.
    pub(crate) fn is_silent(&self) -> bool {
        self.steady() == Some(0.0)
    }
}

/// The weight of the incoming signal at `index` of a cross-fade of `frames`: a raised cosine,
/// whose counterpart is one minus it. For signals that resemble each other, the sum stays level.
pub(crate) fn fade_in(index: usize, frames: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred frames")]
    let position = (index as f32 + 0.5) / frames as f32;
    0.5 - 0.5 * (core::f32::consts::PI * position.min(1.0)).cos()
}

/// 120 dB above full scale: nothing that a driver or a decoder means.
const SAMPLE_MAX: f32 = 1e6;

/// Frames a change of gain takes: 5 ms, where a step is no longer heard as a click.
pub(crate) const RAMP_FRAMES: usize = 240;

const RAMP_FRAMES_F32: f32 = 240.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_arrives_exactly_and_in_small_steps() {
        let mut ramp = Ramp::at(1.0);
        ramp.glide_to(0.0);
        let mut last = 1.0;
        for _ in 0..RAMP_FRAMES {
            let next = ramp.next();
            assert!((last - next - 1.0 / RAMP_FRAMES_F32).abs() < 1e-6);
            last = next;
        }
        assert!(ramp.is_silent());
        assert_eq!(ramp.next(), 0.0);
    }

    #[test]
    fn only_sound_is_clean() {
        let samples = [0.5, -1e-20, 1e-40, f32::NAN, f32::INFINITY, -3.0];
        assert_eq!(samples.map(clean), [0.5, 0.0, 0.0, 0.0, 0.0, -3.0]);
    }

    #[test]
    fn a_cross_fade_of_a_signal_with_itself_is_that_signal() {
        for index in 0..64 {
            let sum = fade_in(index, 64) + fade_in(63 - index, 64);
            assert!((sum - 1.0).abs() < 1e-6, "{index}: {sum}");
        }
    }
}
