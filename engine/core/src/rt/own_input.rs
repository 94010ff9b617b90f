//! The own input in the own output: at once, or as late as everybody.

use crate::rt::delay_line::DelayLine;
use crate::rt::ramp::Ramp;
use crate::rt::render::BLOCK_FRAMES;
use crate::rt::ring::MonitorReceiver;

/// What one hears of oneself.
#[derive(Debug)]
pub(super) struct OwnInput {
    input: MonitorReceiver,
    gain: Ramp,
    /// Where it waits.
    line: Option<Box<DelayLine>>,
    block: [[f32; BLOCK_FRAMES]; 2],
}

impl OwnInput {
    /// Silent, and at once.
    pub(super) const fn new(input: MonitorReceiver) -> Self {
        Self { input, gain: Ramp::at(0.0), line: None, block: [[0.0; BLOCK_FRAMES]; 2] }
    }

    /// A factor for it; 0 is none.
    pub(super) fn set_gain(&mut self, factor: f32) {
        self.gain.glide_to(factor);
    }

    /// Has it wait in a line from here on; gives the one before back.
    pub(super) fn set_line(&mut self, mut line: Box<DelayLine>) -> Option<Box<DelayLine>> {
        line.begin_at_once();
        self.line.replace(line)
    }

    /// Has the line delay by so many frames.
    pub(super) fn set_delay(&mut self, frames: usize) {
        if let Some(line) = &mut self.line {
            line.set_delay(frames);
        }
    }

    /// Adds a block of it, at most [`BLOCK_FRAMES`].
    pub(super) fn mix_into(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len().min(right.len()).min(BLOCK_FRAMES);
        let [own_left, own_right] = &mut self.block;
        let (own_left, own_right) = (&mut own_left[..frames], &mut own_right[..frames]);
        own_left.fill(0.0);
        own_right.fill(0.0);
        let (is_silent, gain) = (self.gain.is_silent(), &mut self.gain);
        self.input.mix_into(
            frames,
            || if is_silent { 0.0 } else { gain.next() },
            |index, sides| (own_left[index], own_right[index]) = (sides[0], sides[1]),
        );
        let [own_left, own_right] = match &mut self.line {
            Some(line) => line.pass(Some([own_left, own_right]), frames, None),
            None => [&*own_left, &*own_right],
        };
        left.iter_mut().zip(own_left).for_each(|(out, own)| *out += own);
        right.iter_mut().zip(own_right).for_each(|(out, own)| *out += own);
    }
}
