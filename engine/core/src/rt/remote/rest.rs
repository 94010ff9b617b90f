//! Rest: a remote that this machine is spared. Its packets are counted and dropped, and it starts again
//! as a stream does that was silent for a while.

use crate::rt::remote::{Period, Remote, State};

/// Whether a remote rests, and why.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    /// Nothing is decoded.
    resting: bool,
    /// It is one of those that this machine has no time for.
    left_out: bool,
    /// How loud it was when it was left out.
    loudness: f32,
}

impl Remote {
    /// Rests once it is not heard any more, or not any longer.
    pub(crate) fn rest(&mut self, period: &Period, spared: bool) {
        if !spared {
            self.rest.resting = false;
            return;
        }
        if self.rest.resting || !(self.fader.left.is_silent() && self.fader.right.is_silent()) {
            return;
        }
        self.rest.resting = true;
        match self.state {
            State::Idle(_) => {}
            State::Starting { .. } => self.forget(),
            State::Playing => self.state = State::Idle(Some(period.start)),
        }
        self.packets.clear();
        self.timeline.clear();
        self.continuation.end();
        // It was faded out.
        self.ended_in_silence = true;
    }

    /// Leaves it out of the mix, or not any longer.
    pub(crate) fn leave_out(&mut self, left_out: bool) {
        if left_out && !self.rest.left_out {
            self.rest.loudness = self.loudness();
        }
        self.rest.left_out = left_out;
    }

    pub(crate) const fn is_left_out(&self) -> bool {
        self.rest.left_out
    }

    pub(super) const fn is_resting(&self) -> bool {
        self.rest.resting
    }

    /// Whether it takes time: something comes, and it does not rest.
    pub(crate) fn is_playing(&self) -> bool {
        !self.rest.left_out && !self.rest.resting && !matches!(self.state, State::Idle(_))
    }

    /// How loud it is in the mix, as power.
    pub(crate) fn loudness(&self) -> f32 {
        if self.rest.left_out {
            return self.rest.loudness;
        }
        self.meter.mean_square() * self.fader.gain * self.fader.gain
    }
}
