//! Being heard later than packets need: a floor under the playhead's lag, and a line behind it.
//!
//! What surprises: a line that another one replaces plays on while it is faded out, so that what was waiting in it does
//! not end in a click.

use super::Remote;
use crate::rt::delay_line::{DelayLine, FADE_FRAMES};

impl Remote {
    /// Wants a lag of at least so many frames from here on, or no other than packets need.
    pub(crate) fn set_floor(&mut self, lag: Option<f64>) {
        self.floor = lag.map(|lag| (lag, self.period_start));
    }

    /// Puts a line behind the playhead, or takes it away, once it delays nothing. Gives back what is not needed.
    pub(crate) fn set_line(&mut self, line: Option<Box<DelayLine>>) -> Option<Box<DelayLine>> {
        let Some(mut line) = line else { return self.line.take() };
        match self.line.take() {
            None => line.begin_at_once(),
            Some(old) if self.retiring.is_none() => self.retiring = Some((old, 0)),
            Some(old) => {
                // Two in a hundredth of a second: nobody sends that.
                self.line = Some(line);
                return Some(old);
            }
        }
        self.line = Some(line);
        None
    }

    /// A line that is faded out, to be freed elsewhere.
    pub(crate) fn take_retired(&mut self) -> Option<Box<DelayLine>> {
        self.retiring.take_if(|(_, at)| FADE_FRAMES <= *at).map(|(line, _)| line)
    }

    /// Has the line delay by so many frames.
    pub(crate) fn set_line_delay(&mut self, frames: usize) {
        if let Some(line) = &mut self.line {
            line.set_delay(frames);
        }
    }
}
