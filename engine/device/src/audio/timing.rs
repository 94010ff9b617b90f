//! When what a device gives was at the microphone, and how long what it takes is on its way to the loudspeaker.
//!
//! Backends say what their drivers say; where one says nothing, a period lies between microphone and callback,
//! and nothing between callback and loudspeaker that would be known. What was measured and no driver tells
//! ([`crate::calibration`]) comes on top. Clones are the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use protocol::time::Instant;
use protocol::units::SampleRate;

use crate::calibration::{Remainder, Said};
use crate::clock;

/// What is known of a device's times.
#[derive(Debug, Clone, Default)]
pub struct Timing(Arc<Times>);

/// Relaxed throughout: each word stands for itself.
#[derive(Debug)]
struct Times {
    /// When the device's cycle began that calls back now, in ns; 0 where it does not say.
    cycle_at_ns: AtomicU64,
    /// From the microphone to the callback, in ns; [`UNKNOWN`] where the driver does not say.
    input_ns: AtomicU64,
    /// From the callback to the loudspeaker.
    output_ns: AtomicU64,
    /// What converting to the device's rate takes before that.
    conversion_ns: AtomicU64,
    input_hz: AtomicU32,
    /// What is counted in for the input, in ns.
    input_counted_ns: AtomicU64,
    /// What was measured beyond that, in ns, and whether it was.
    input_remainder_ns: AtomicI64,
    output_remainder_ns: AtomicI64,
    calibrated: AtomicBool,
    /// When the first frame of the input was captured that is handed over now, in ns; 0 for nobody knows.
    captured_at_ns: AtomicU64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            cycle_at_ns: AtomicU64::new(0),
            input_ns: AtomicU64::new(UNKNOWN),
            output_ns: AtomicU64::new(UNKNOWN),
            conversion_ns: AtomicU64::new(0),
            input_hz: AtomicU32::new(SampleRate::WIRE.as_hz()),
            input_counted_ns: AtomicU64::new(UNKNOWN),
            input_remainder_ns: AtomicI64::new(0),
            output_remainder_ns: AtomicI64::new(0),
            calibrated: AtomicBool::new(false),
            captured_at_ns: AtomicU64::new(0),
        }
    }
}

impl Timing {
    /// The device begins a cycle; for backends that know that better than the moment of the callback. On the
    /// audio thread, before the callback.
    pub fn begin_cycle(&self, at: Instant) {
        self.0.cycle_at_ns.store(at.as_ns(), Ordering::Relaxed);
    }

    /// What the driver says: from the microphone until the callback's cycle begins, a period included.
    pub fn set_input_latency(&self, latency: Option<Duration>) {
        self.0.input_ns.store(latency.map_or(UNKNOWN, as_ns), Ordering::Relaxed);
    }

    /// What the driver says: from the callback to the loudspeaker.
    pub fn set_output_latency(&self, latency: Option<Duration>) {
        self.0.output_ns.store(latency.map_or(UNKNOWN, as_ns), Ordering::Relaxed);
    }

    /// Adds what was measured and the driver does not tell, or nothing any more; until another device is started.
    pub fn calibrate(&self, remainder: Option<Remainder>) {
        let Remainder { input_ns, output_ns } = remainder.unwrap_or_default();
        self.0.input_remainder_ns.store(input_ns, Ordering::Relaxed);
        self.0.output_remainder_ns.store(output_ns, Ordering::Relaxed);
        self.0.calibrated.store(remainder.is_some(), Ordering::Relaxed);
    }

    /// Whether something that was measured is added.
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        self.0.calibrated.load(Ordering::Relaxed)
    }

    /// From the engine to the loudspeaker: converting to the device's rate, and what the driver says, or what was
    /// measured; `None` where nobody knows.
    #[must_use]
    pub fn output_latency(&self) -> Option<Duration> {
        let ns = self.0.output_ns.load(Ordering::Relaxed);
        let said = match ns {
            UNKNOWN if self.is_calibrated() => 0,
            UNKNOWN => return None,
            known => known,
        };
        let latency =
            said.saturating_add_signed(self.0.output_remainder_ns.load(Ordering::Relaxed));
        Some(Duration::from_nanos(latency) + self.output_conversion())
    }

    /// From the microphone until a callback's cycle begins, as it is counted in: what the driver says or a period,
    /// and what was measured beyond. `None` before the first callback.
    #[must_use]
    pub fn input_latency(&self) -> Option<Duration> {
        let ns = self.0.input_counted_ns.load(Ordering::Relaxed);
        (ns != UNKNOWN).then(|| Duration::from_nanos(ns))
    }

    /// What converting to the output's rate takes.
    #[must_use]
    pub fn output_conversion(&self) -> Duration {
        Duration::from_nanos(self.0.conversion_ns.load(Ordering::Relaxed))
    }

    /// What the driver says of the input and of the output, conversion and calibration left out.
    #[must_use]
    pub fn said(&self) -> Said {
        let said = |ns: u64| (ns != UNKNOWN).then(|| Duration::from_nanos(ns));
        Said {
            input: said(self.0.input_ns.load(Ordering::Relaxed)),
            output: said(self.0.output_ns.load(Ordering::Relaxed)),
        }
    }

    /// Another device: its input's rate, what converting its output takes, and nothing said of its latencies.
    pub(super) fn start(&self, input_hz: u32, output_conversion: Duration) {
        self.0.input_hz.store(input_hz, Ordering::Relaxed);
        self.0.conversion_ns.store(as_ns(output_conversion), Ordering::Relaxed);
        self.set_input_latency(None);
        self.set_output_latency(None);
        self.calibrate(None);
    }

    /// A callback brings so many frames, which are handed over after a delay of their own.
    pub(crate) fn bring(&self, frames: usize, delay: Duration) {
        let latency = match self.0.input_ns.load(Ordering::Relaxed) {
            UNKNOWN => {
                let rate = u64::from(self.0.input_hz.load(Ordering::Relaxed)).max(1);
                u64::try_from(frames).unwrap_or(0).saturating_mul(1_000_000_000) / rate
            }
            known => known,
        };
        let remainder = self.0.input_remainder_ns.load(Ordering::Relaxed);
        let latency = latency.saturating_add_signed(remainder);
        self.0.input_counted_ns.store(latency, Ordering::Relaxed);
        let began = match self.0.cycle_at_ns.swap(0, Ordering::Relaxed) {
            0 => clock::now().as_ns(),
            known => known,
        };
        let captured = began.saturating_sub(latency).saturating_sub(as_ns(delay));
        self.0.captured_at_ns.store(captured, Ordering::Relaxed);
    }

    /// When the first frame of the input that follows was captured, said once; for the capturing half.
    #[must_use]
    pub fn take_captured_at(&self) -> Option<Instant> {
        let ns = self.0.captured_at_ns.swap(0, Ordering::Relaxed);
        (ns != 0).then(|| Instant::from_ns(ns))
    }
}

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(UNKNOWN - 1)
}

/// No latency: 585 years.
const UNKNOWN: u64 = u64::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_as_old_as_the_driver_says_or_a_period() {
        let timing = Timing::default();
        let at = |ms: u64| Instant::from_ns(ms * 1_000_000);
        timing.begin_cycle(at(1000));
        timing.bring(480, Duration::ZERO);
        assert_eq!(timing.take_captured_at(), Some(at(990)));
        assert_eq!(timing.take_captured_at(), None, "said once");
        timing.start(96_000, Duration::from_micros(100));
        timing.begin_cycle(at(1000));
        timing.bring(480, Duration::from_millis(1));
        assert_eq!(timing.take_captured_at(), Some(at(994)));
        timing.set_input_latency(Some(Duration::from_millis(30)));
        timing.set_output_latency(Some(Duration::from_millis(7)));
        timing.begin_cycle(at(1000));
        timing.bring(480, Duration::ZERO);
        assert_eq!(timing.take_captured_at(), Some(at(970)));
        assert_eq!(timing.input_latency(), Some(Duration::from_millis(30)));
        assert_eq!(timing.output_latency(), Some(Duration::from_micros(7100)));
    }

    #[test]
    fn what_was_measured_comes_on_top_until_another_device_is_started() {
        let timing = Timing::default();
        let at = |ms: u64| Instant::from_ns(ms * 1_000_000);
        let captured = || {
            timing.begin_cycle(at(1000));
            timing.bring(480, Duration::ZERO);
            timing.take_captured_at()
        };
        timing.calibrate(Some(Remainder { input_ns: 3_000_000, output_ns: 4_000_000 }));
        assert_eq!(captured(), Some(at(987)));
        assert_eq!(timing.input_latency(), Some(Duration::from_millis(13)));
        assert_eq!(timing.output_latency(), Some(Duration::from_millis(4)));
        timing.set_output_latency(Some(Duration::from_millis(1)));
        assert_eq!(timing.output_latency(), Some(Duration::from_millis(5)));
        timing.calibrate(Some(Remainder { input_ns: -20_000_000, output_ns: -20_000_000 }));
        assert_eq!((captured(), timing.output_latency()), (Some(at(1000)), Some(Duration::ZERO)));
        timing.start(48_000, Duration::ZERO);
        assert_eq!((captured(), timing.output_latency()), (Some(at(990)), None));
    }

    #[test]
    fn without_a_cycle_the_callback_itself_is_the_moment() {
        let timing = Timing::default();
        let before = clock::now();
        timing.bring(0, Duration::ZERO);
        let captured = timing.take_captured_at().expect("it was brought");
        assert!(before <= captured && captured <= clock::now());
        assert_eq!((timing.input_latency(), timing.output_latency()), (Some(Duration::ZERO), None));
    }
}
