//! What a device runs at, in words for people.

use std::fmt;
use std::time::Duration;

use engine::{DeviceInput, DeviceOutput, RateError};
use protocol::units::SampleRate;

/// The rates of a device, and what it takes to convert them from and to the engine's 48 kHz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Of the input; the output's where there is none.
    pub input_hz: u32,
    /// Of the output.
    pub output_hz: u32,
    /// Delay by converting, in and out together; zero at 48 kHz.
    pub conversion: Duration,
}

impl Default for Rates {
    /// The engine's own, both ways.
    fn default() -> Self {
        Self { input_hz: WIRE_HZ, output_hz: WIRE_HZ, conversion: Duration::ZERO }
    }
}

impl Rates {
    /// Rates in Hz with what converting them takes; an error says why one cannot be.
    pub fn new(input_hz: u32, output_hz: u32) -> Result<Self, RateError> {
        let (input, output) = (DeviceInput::new(input_hz)?, DeviceOutput::new(output_hz)?);
        Ok(Self::of((input_hz, &input), (output_hz, &output)))
    }

    /// What these two convert.
    pub(super) fn of(
        (input_hz, input): (u32, &DeviceInput),
        (output_hz, output): (u32, &DeviceOutput),
    ) -> Self {
        Self { input_hz, output_hz, conversion: input.delay() + output.delay() }
    }

    /// Whether nothing has to be converted.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.input_hz == WIRE_HZ && self.output_hz == WIRE_HZ
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.input_hz == self.output_hz {
            write!(out, "{} Hz", self.output_hz)?;
        } else {
            write!(out, "{} Hz in and {} Hz out", self.input_hz, self.output_hz)?;
        }
        if self.is_native() {
            return Ok(());
        }
        let ms = self.conversion.as_secs_f64() * 1e3;
        write!(out, " (converted to {WIRE_HZ} Hz, which takes {ms:.2} ms)")
    }
}

const WIRE_HZ: u32 = SampleRate::WIRE.as_hz();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_with_what_converting_them_takes() {
        let words = |input, output| Rates::new(input, output).expect("simple ratios").to_string();
        assert_eq!(Rates::default().to_string(), "48000 Hz");
        assert_eq!(words(48_000, 48_000), "48000 Hz");
        assert_eq!(words(96_000, 96_000), "96000 Hz (converted to 48000 Hz, which takes 0.21 ms)");
        assert_eq!(
            words(44_100, 48_000),
            "44100 Hz in and 48000 Hz out (converted to 48000 Hz, which takes 0.16 ms)"
        );
        assert!(Rates::new(48_000, 22_050).is_err());
    }
}
