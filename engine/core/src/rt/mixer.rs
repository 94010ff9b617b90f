//! Adds remotes up: gain, pan, mute and solo, none of which ever steps.

use crate::rt::ramp::Ramp;

/// Gain, pan, mute and solo of one remote as the mixer applies them.
#[derive(Debug)]
pub(crate) struct Fader {
    pub(crate) gain: f32,
    pub(crate) pan: f32,
    pub(crate) open: bool,
    pub(crate) soloed: bool,
    pub(crate) leaving: bool,
    pub(crate) left: Ramp,
    pub(crate) right: Ramp,
}

impl Fader {
    /// A closed fader, set to unity in the middle.
    pub(crate) const fn new() -> Self {
        Self {
            gain: 1.0,
            pan: 0.0,
            open: true,
            soloed: false,
            leaving: false,
            left: Ramp::at(0.0),
            right: Ramp::at(0.0),
        }
    }

    /// Sets off towards what is asked; `heard` says whether the stream is heard at all.
    pub(crate) fn glide(&mut self, heard: bool) {
        let factor = if heard && self.open && !self.leaving { self.gain } else { 0.0 };
        self.left.glide_to(factor * (1.0 - self.pan).min(1.0));
        self.right.glide_to(factor * (1.0 + self.pan).min(1.0));
    }
}

/// Adds a signal through a gliding gain.
pub(crate) fn add(out: &mut [f32], signal: &[f32], gain: &mut Ramp) {
    match gain.steady() {
        Some(0.0) => {}
        Some(factor) => {
            out.iter_mut().zip(signal).for_each(|(out, sample)| *out += sample * factor);
        }
        None => {
            out.iter_mut().zip(signal).for_each(|(out, sample)| *out += sample * gain.next());
        }
    }
}
