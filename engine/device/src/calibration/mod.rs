//! What was measured of a device's round trip, and what of it the driver does not tell.
//!
//! A loop from output to input is one number: no measurement in it says how much is on the way out. What the
//! driver leaves untold is put half on the input and half on the output, so that the way there and the way back
//! of two musicians together are right, and each alone is off by at most half of what the two differ by. Where
//! the driver says nothing at all of one side, that side gets the whole of it.

mod search;

use core::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::search::{Fault, Outcome, Search, Step};
use crate::audio::{DeviceNames, Rates};

/// Which devices, and how they ran: what a measurement belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceKey {
    /// As `--audio` names it.
    pub backend: String,
    /// Where sound comes from.
    pub input: String,
    /// Where it goes to.
    pub output: String,
    /// The rate, the output's where they differ.
    pub rate_hz: u32,
    /// Frames in one callback.
    pub period_frames: u32,
}

impl DeviceKey {
    /// The key of devices that run like this.
    #[must_use]
    pub fn new(names: &DeviceNames, rates: Rates, period_frames: u32) -> Self {
        Self {
            backend: names.backend.to_owned(),
            input: names.input.clone(),
            output: names.output.clone(),
            rate_hz: rates.output_hz,
            period_frames,
        }
    }
}

/// What a driver says of its latencies; `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// From the microphone until a callback's cycle begins, a period included.
    pub input: Option<Duration>,
    /// From the callback to the loudspeaker.
    pub output: Option<Duration>,
}

/// What no driver tells, to be added to its words; less than nothing where it says too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remainder {
    /// On the way in.
    pub input_ns: i64,
    /// On the way out.
    pub output_ns: i64,
}

/// One measurement, as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What it belongs to.
    #[serde(flatten)]
    pub device: DeviceKey,
    /// From output to input and all of both, as measured; converting to the device's rate is not in it.
    pub round_trip_ms: f64,
    /// What the driver said at that time.
    pub driver_says_ms: f64,
    /// What is added to the driver's word on the input.
    pub add_to_input_ms: f64,
    /// What is added to its word on the output.
    pub add_to_output_ms: f64,
}

impl Calibration {
    /// A measurement beside what the driver said. Where it says nothing of the input, a period is what everybody
    /// assumes until it is calibrated; of the output, nothing.
    #[must_use]
    pub fn new(device: DeviceKey, round_trip: Duration, said: Said) -> Self {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let period_ms = f64::from(device.period_frames) * 1e3 / f64::from(device.rate_hz.max(1));
        let said_ms = said.input.map_or(period_ms, ms) + said.output.map_or(0.0, ms);
        let untold_ms = ms(round_trip) - said_ms;
        let on_input = match (said.input, said.output) {
            (None, Some(_)) => 1.0,
            (Some(_), None) => 0.0,
            (Some(_), Some(_)) | (None, None) => 0.5,
        };
        Self {
            device,
            round_trip_ms: to_microseconds(ms(round_trip)),
            driver_says_ms: to_microseconds(said_ms),
            add_to_input_ms: to_microseconds(untold_ms * on_input),
            add_to_output_ms: to_microseconds(untold_ms * (1.0 - on_input)),
        }
    }

    /// What is to be added to the driver's words. A file that somebody wrote by hand adds no nonsense: at most
    /// [`REMAINDER_MAX`] either way.
    #[must_use]
    pub fn remainder(&self) -> Remainder {
        Remainder { input_ns: to_ns(self.add_to_input_ms), output_ns: to_ns(self.add_to_output_ms) }
    }
}

/// Everything that was measured on this computer, one for each [`DeviceKey`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Calibrations {
    /// In the order they were measured.
    #[serde(default)]
    device: Vec<Calibration>,
}

impl Calibrations {
    /// Remembers one; what was known of the same devices is replaced. The oldest goes where there are more than
    /// [`CALIBRATIONS_MAX`].
    pub fn put(&mut self, calibration: Calibration) {
        self.device.retain(|known| known.device != calibration.device);
        self.device.push(calibration);
        if CALIBRATIONS_MAX < self.device.len() {
            self.device.remove(0);
        }
    }

    /// Forgets those whose backend, input or output has these words in its name, or all; gives how many.
    pub fn forget(&mut self, words: &str) -> usize {
        let before = self.device.len();
        self.device.retain(|Calibration { device, .. }| {
            ![&device.backend, &device.input, &device.output].iter().any(|n| n.contains(words))
        });
        before - self.device.len()
    }

    /// What was measured of these devices, if they run as they did then.
    #[must_use]
    pub fn find(&self, key: &DeviceKey) -> Option<&Calibration> {
        self.device.iter().find(|known| known.device == *key)
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[Calibration] {
        &self.device
    }
}

fn to_microseconds(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

fn to_ns(ms: f64) -> i64 {
    let limit = REMAINDER_MAX.as_secs_f64();
    let ns = (ms / 1e3).clamp(-limit, limit) * 1e9;
    #[expect(clippy::cast_possible_truncation, reason = "at most a second; not a number is 0")]
    let ns = ns.round() as i64;
    ns
}

/// Nobody has so many devices; a file that grows without end would be read at every start.
pub const CALIBRATIONS_MAX: usize = 100;

/// What a driver leaves untold, at most: Bluetooth has a third of a second.
pub const REMAINDER_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn key(input: &str, period_frames: u32) -> DeviceKey {
        let names = DeviceNames { backend: "jack", input: input.into(), output: "out".into() };
        DeviceKey::new(&names, Rates::default(), period_frames)
    }

    fn added(input: Option<Duration>, output: Option<Duration>) -> (f64, f64) {
        let calibration = Calibration::new(key("in", 48), 10 * MS, Said { input, output });
        (calibration.add_to_input_ms, calibration.add_to_output_ms)
    }

    #[test]
    fn what_is_not_told_goes_half_to_each_side_or_to_the_one_that_says_nothing() {
        assert_eq!(added(Some(2 * MS), Some(4 * MS)), (2.0, 2.0));
        assert_eq!(added(Some(8 * MS), Some(6 * MS)), (-2.0, -2.0));
        assert_eq!(added(Some(4 * MS), None), (0.0, 6.0));
        // 48 frames are a millisecond.
        assert_eq!(added(None, Some(4 * MS)), (5.0, 0.0));
        assert_eq!(added(None, None), (4.5, 4.5));
    }

    #[test]
    fn one_is_kept_for_each_device_as_it_runs() {
        let mut all = Calibrations::default();
        let put = |all: &mut Calibrations, input: &str, period, ms| {
            all.put(Calibration::new(key(input, period), ms * MS, Said::default()));
        };
        put(&mut all, "a", 64, 7);
        put(&mut all, "a", 128, 9);
        put(&mut all, "a", 64, 8);
        put(&mut all, "b", 64, 5);
        assert_eq!(all.all().len(), 3);
        assert_eq!(all.find(&key("a", 64)).map(|found| found.round_trip_ms), Some(8.0));
        assert_eq!(all.find(&key("c", 64)), None);
        assert_eq!((all.forget("a"), all.all().len()), (3, 0), "jack has an a, too");
        for period in 0..200 {
            put(&mut all, "a", period, 1);
        }
        assert_eq!(all.all().len(), CALIBRATIONS_MAX);
    }

    #[test]
    fn a_file_written_by_hand_adds_no_nonsense() {
        let mut calibration = Calibration::new(key("in", 48), 10 * MS, Said::default());
        calibration.add_to_input_ms = f64::NAN;
        calibration.add_to_output_ms = -1e300;
        let second = 1_000_000_000;
        assert_eq!(calibration.remainder(), Remainder { input_ns: 0, output_ns: -second });
    }
}
