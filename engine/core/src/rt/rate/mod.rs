//! Devices that do not run at the engine's rate: their sound is converted at the door.
//!
//! Everything inside runs at 48 kHz, so that media time, packets and filters have one unit. A device
//! at 44.1 or 96 kHz has a [`DeviceInput`] and a [`DeviceOutput`] in front of the engine's
//! [`Capture`](crate::Capture) and [`Render`](crate::Render), which call them with as many frames as
//! the device's block makes or needs: 69 or 70 for 64 at 44.1 kHz. At 48 kHz both hand blocks on as
//! they are.
//!
//! What surprises: the filters look less far ahead than back ([`filter`]), because only what they look
//! ahead is delay. And where both halves are given the same blocks, they give and take the same
//! number of engine frames in each, so that one's own input can be heard in the block it came in:
//! where in the first frame the input begins is chosen for that ([`input`]).

mod converter;
mod filter;
mod input;
mod output;
#[cfg(test)]
mod tests;

use protocol::units::SampleRate;
use thiserror::Error;

use crate::limits::{DEVICE_RATES_HZ, RATE_PARTS_MAX};

pub use input::DeviceInput;
pub use output::DeviceOutput;

/// Why a device's rate is not converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RateError {
    /// Below or beyond [`DEVICE_RATES_HZ`].
    #[error(
        "{0} Hz cannot be converted to {engine} Hz, only {from} to {to} Hz can",
        engine = ENGINE_HZ,
        from = DEVICE_RATES_HZ.start(),
        to = DEVICE_RATES_HZ.end()
    )]
    RefusedRate(u32),
    /// Its ratio to the engine's rate has a number beyond [`RATE_PARTS_MAX`].
    #[error(
        "{0} Hz cannot be converted to {engine} Hz, only what is in a simple ratio to it can, such \
         as 44100 and 96000 Hz",
        engine = ENGINE_HZ
    )]
    RefusedRatio(u32),
}

/// How a device's rate stands to the engine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ratio {
    rate_hz: u32,
    /// So many frames of the engine last as long as
    engine: usize,
    /// so many of the device; without a common divisor.
    device: usize,
}

impl Ratio {
    /// `None` where nothing has to be converted.
    fn new(rate_hz: u32) -> Result<Option<Self>, RateError> {
        if rate_hz == ENGINE_HZ {
            return Ok(None);
        }
        if !DEVICE_RATES_HZ.contains(&rate_hz) {
            return Err(RateError::RefusedRate(rate_hz));
        }
        let divisor = divisor(rate_hz, ENGINE_HZ);
        let (engine, device) = (ENGINE_HZ / divisor, rate_hz / divisor);
        if RATE_PARTS_MAX < engine.max(device) {
            return Err(RateError::RefusedRatio(rate_hz));
        }
        Ok(Some(Self { rate_hz, engine: to_usize(engine), device: to_usize(device) }))
    }

    /// Device frames that are never more than `frames` of the engine.
    const fn device_frames_within(self, frames: usize) -> usize {
        (frames - 1) * self.device / self.engine
    }

    /// Frames of the engine by which the output can be rendered later than a filter of no length
    /// would need them, so that a block's first frame finds the one the input made of it.
    const fn head_start(self) -> usize {
        (self.engine - 1) / self.device
    }
}

/// The greatest common divisor.
fn divisor(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const ENGINE_HZ: u32 = SampleRate::WIRE.as_hz();
