//! The input of a device at any rate, as the engine wants it.
//!
//! What surprises: the first engine frame lies a fraction of a frame after the device's first. That
//! fraction is the one for which a block's engine frames are as many as
//! [`DeviceOutput`](super::DeviceOutput) needs for the same block.

use core::time::Duration;

use crate::limits::PERIOD_FRAMES_MAX;
use crate::rt::ramp::clean;
use crate::rt::rate::converter::Converter;
use crate::rt::rate::filter::Filters;
use crate::rt::rate::{ENGINE_HZ, RateError, Ratio};

/// Stands between an input device and [`Capture`](crate::Capture). [`Self::capture`] and
/// [`Self::skip`] keep the real-time contract of [`crate::rt`].
///
/// The default is for a device at the engine's own rate.
#[derive(Debug, Default)]
pub struct DeviceInput {
    /// `None` where there is nothing to convert.
    converting: Option<Box<Converting>>,
}

#[derive(Debug)]
struct Converting {
    converter: Converter,
    /// Device frames that are converted at once.
    frames_max: usize,
    /// What they become.
    block: [Box<[f32]>; 2],
    delay: Duration,
}

impl DeviceInput {
    /// For a device at a rate in Hz. Designs filters, which takes some milliseconds: off the audio
    /// thread.
    pub fn new(rate_hz: u32) -> Result<Self, RateError> {
        let Some(ratio) = Ratio::new(rate_hz)? else { return Ok(Self { converting: None }) };
        let (up, down) = (ratio.engine, ratio.device);
        let filters = Filters::new((rate_hz, down), (ENGINE_HZ, up));
        let frames_max = ratio.device_frames_within(PERIOD_FRAMES_MAX);
        let phase = (up - 1) % down;
        // In parts of a second: what the filter looks ahead, less the fraction of the first frame.
        let places = filters.ahead() * up - phase;
        let delay = seconds(places, up, rate_hz);
        let silence = filters.taps() - 1;
        let place = || vec![0.0; PERIOD_FRAMES_MAX].into_boxed_slice();
        Ok(Self {
            converting: Some(Box::new(Converting {
                converter: Converter::new(filters, frames_max, silence, phase),
                frames_max,
                block: [place(), place()],
                delay,
            })),
        })
    }

    /// Takes one block of the device, one or two channels of the same length, and calls `engine`
    /// (which is to call [`Capture::capture`](crate::Capture::capture)) with what it makes, in as many
    /// channels. That is once, with at most [`PERIOD_FRAMES_MAX`] frames; not at all if the block
    /// is too short for a frame, and in parts if it is longer.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn capture(&mut self, input: &[&[f32]], mut engine: impl FnMut(&[&[f32]])) {
        match &mut self.converting {
            None => engine(input),
            Some(converting) => converting.capture(input, engine),
        }
    }

    /// Passes over frames that the device lost, and that will never come; gives how many of the engine's
    /// they are. Call it before the block that follows the gap.
    #[cfg_attr(realtime_sanitizer, inline(never), sanitize(realtime = "nonblocking"))]
    pub fn skip(&mut self, frames: usize) -> usize {
        match &mut self.converting {
            None => frames,
            Some(converting) => converting.converter.pass_over_input(frames),
        }
    }

    /// How much later than the device's own the engine's frames are: 0 to half a millisecond.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.converting.as_ref().map_or(Duration::ZERO, |converting| converting.delay)
    }
}

impl Converting {
    fn capture(&mut self, input: &[&[f32]], mut engine: impl FnMut(&[&[f32]])) {
        let (left, right): (&[f32], &[f32]) = match input {
            [] => return,
            [only] => (only, &[]),
            [left, right, ..] => (left, right),
        };
        let channels = input.len().min(2);
        let frames = if channels == 2 { left.len().min(right.len()) } else { left.len() };
        self.converter.use_channels(channels);
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + self.frames_max);
            let places = self.converter.room(end - at);
            for (place, from) in places.into_iter().zip([left, right]).take(channels) {
                for (sample, from) in place.iter_mut().zip(&from[at..end]) {
                    *sample = clean(*from);
                }
            }
            at = end;
            let count = self.converter.ready().min(PERIOD_FRAMES_MAX);
            if count == 0 {
                continue;
            }
            let [left, right] = &mut self.block;
            let (left, right) = (&mut left[..count], &mut right[..count]);
            match channels {
                1 => {
                    self.converter.make(&mut [&mut *left]);
                    engine(&[left]);
                }
                _ => {
                    self.converter.make(&mut [&mut *left, &mut *right]);
                    engine(&[left, right]);
                }
            }
        }
    }
}

/// How long so many `1 / parts` of a frame last.
pub(super) fn seconds(places: usize, parts: usize, rate_hz: u32) -> Duration {
    let (places, parts) = (to_u64(places), to_u64(parts));
    Duration::from_nanos(places * 1_000_000_000 / (parts * u64::from(rate_hz)))
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
