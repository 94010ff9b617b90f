//! The output of a device at any rate: the engine renders what the device's next block needs.

use core::time::Duration;

use crate::limits::PERIOD_FRAMES_MAX;
use crate::rt::rate::converter::Converter;
use crate::rt::rate::filter::Filters;
use crate::rt::rate::input::seconds;
use crate::rt::rate::{ENGINE_HZ, RateError, Ratio};

/// Stands between an output device and [`Render`](crate::Render). [`Self::render`] and
/// [`Self::skip`] keep the real-time contract of [`crate::rt`].
///
/// The default is for a device at the engine's own rate.
#[derive(Debug, Default)]
pub struct DeviceOutput {
    /// `None` where there is nothing to convert.
    converting: Option<Box<Converting>>,
}

#[derive(Debug)]
struct Converting {
    converter: Converter,
    /// Device frames that are made at once.
    frames_max: usize,
    delay: Duration,
}

impl DeviceOutput {
    /// For a device at a rate in Hz. Designs filters, which takes some milliseconds: off the audio
    /// thread.
    pub fn new(rate_hz: u32) -> Result<Self, RateError> {
        let Some(ratio) = Ratio::new(rate_hz)? else { return Ok(Self { converting: None }) };
        let filters = Filters::new((ENGINE_HZ, ratio.engine), (ratio.rate_hz, ratio.device));
        let (taps, ahead, early) = (filters.taps(), filters.ahead(), ratio.head_start());
        let silence = taps - 1 - early;
        Ok(Self {
            converting: Some(Box::new(Converting {
                converter: Converter::new(filters, PERIOD_FRAMES_MAX, silence, 0),
                frames_max: ratio.device_frames_within(PERIOD_FRAMES_MAX),
                delay: seconds(ahead - early, 1, ENGINE_HZ),
            })),
        })
    }

    /// Overwrites one block of the device, planar, with what `engine` (which is to call
    /// [`Render::render`](crate::Render::render)) writes into the channels it is called with: the only
    /// one, or two; channels beyond two get silence. It is called once, with at most
    /// [`PERIOD_FRAMES_MAX`] frames; not at all if the block is so short that it needs no new frame,
    /// and several times if it is longer.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn render(&mut self, output: &mut [&mut [f32]], mut engine: impl FnMut(&mut [&mut [f32]])) {
        match &mut self.converting {
            None => engine(output),
            Some(converting) => converting.render(output, engine),
        }
    }

    /// Passes over frames that the device did not ask for though their time has passed; gives how many
    /// of the engine's they are. Call it before the block that follows the gap.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn skip(&mut self, frames: usize) -> usize {
        match &mut self.converting {
            None => frames,
            Some(converting) => converting.converter.pass_over_output(frames),
        }
    }

    /// How much later than rendered frames are handed to the device: 0 to half a millisecond.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.converting.as_ref().map_or(Duration::ZERO, |converting| converting.delay)
    }
}

impl Converting {
    fn render(&mut self, output: &mut [&mut [f32]], mut engine: impl FnMut(&mut [&mut [f32]])) {
        let frames = output.iter().map(|channel| channel.len()).min().unwrap_or(0);
        self.converter.use_channels(output.len().min(2));
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + self.frames_max);
            let needed = self.converter.needed(end - at);
            if 0 < needed {
                let [left, right] = self.converter.room(needed);
                if output.len() == 1 {
                    engine(&mut [left]);
                } else {
                    engine(&mut [left, right]);
                }
            }
            match output {
                [only] => self.converter.make(&mut [&mut only[at..end]]),
                [left, right, rest @ ..] => {
                    self.converter.make(&mut [&mut left[at..end], &mut right[at..end]]);
                    for channel in rest {
                        channel[at..end].fill(0.0);
                    }
                }
                [] => {}
            }
            at = end;
        }
    }
}
