//! Keeps a backend going: a JACK server that was restarted, a device that was plugged in again.
//!
//! Decides when to try; the backend does the work. Nothing here runs on an audio thread. What
//! surprises: a device may die without a word, so callbacks that stay away are an end too.

use core::time::Duration;

use protocol::time::Instant;

use super::{
    AudioBackend, AudioError, AudioFormat, AudioStatus, CallCounts, Callbacks, DeviceNames,
    LoadWatch, Rates,
};
use crate::calibration::{Calibrations, DeviceKey};

/// A backend that is started again when it ends.
pub struct Keeper {
    backend: Box<dyn AudioBackend>,
    callbacks: Callbacks,
    load: LoadWatch,
    state: State,
    period_frames: u32,
    rates: Rates,
    names: DeviceNames,
    calibrations: Calibrations,
    /// What was told last of [`AudioStatus::trouble`].
    trouble: Option<String>,
    /// Of the runs before this one.
    xruns: u64,
}

enum State {
    Running(Watch),
    Ended { reason: String, retry_at: Instant },
    Failed(AudioError),
}

/// Looks whether callbacks still come.
#[derive(Default)]
struct Watch {
    polled: Option<Instant>,
    counts: CallCounts,
    capture: Half,
    render: Half,
}

/// One half of the callbacks, as a watch sees it.
#[derive(Default)]
struct Half {
    /// Whether it was ever called.
    called: bool,
    silence: Duration,
}

/// What a musician should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AudioChange {
    /// No sound any more, and why; it is tried again from time to time. Told again when the reason
    /// is another one.
    Ended(String),
    /// No sound any more, and there is no use in trying: [`Keeper::stop`] gives the error.
    Failed(String),
    /// Sound again.
    Started(AudioFormat),
    /// Another period, in frames.
    Period(u32),
    /// Something is wrong, but it goes on.
    Trouble(String),
}

impl Keeper {
    /// Starts the backend; what fails here is the musician's to mend, so it is not tried again.
    pub fn start(
        mut backend: Box<dyn AudioBackend>,
        callbacks: Callbacks,
    ) -> Result<(Self, AudioFormat), AudioError> {
        let format = backend.start(&callbacks)?;
        let keeper = Self {
            backend,
            load: LoadWatch::default(),
            state: State::Running(Watch::new(&callbacks)),
            callbacks,
            period_frames: format.period_frames,
            rates: format.rates,
            names: format.names.clone(),
            calibrations: Calibrations::default(),
            trouble: None,
            xruns: 0,
        };
        Ok((keeper, format))
    }

    /// Believes what was measured of devices more than their drivers, from now on and whichever device it is.
    pub fn set_calibrations(&mut self, calibrations: Calibrations) {
        self.calibrations = calibrations;
        self.calibrate();
    }

    /// Looks after the backend; call some times a second.
    pub fn poll(&mut self, now: Instant) -> Option<AudioChange> {
        self.callbacks.watch_load(&mut self.load);
        match &mut self.state {
            State::Running(watch) => {
                let silent = watch
                    .silence(now, self.callbacks.counts(), self.backend.silence_max())
                    .map(|longest| format!("the device has not called for {longest:?}"));
                let status = self.backend.status();
                if let Some(reason) = status.ended.or(silent) {
                    self.xruns += status.xruns;
                    // At once: libjack crashes when a dead server's client is closed after
                    // another server was met.
                    return Some(match self.backend.stop() {
                        Ok(()) => self.end(now, reason),
                        Err(error) => {
                            let reason = error.to_string();
                            self.state = State::Failed(error);
                            AudioChange::Failed(reason)
                        }
                    });
                }
                if status.period_frames != self.period_frames {
                    self.period_frames = status.period_frames;
                    self.calibrate();
                    return Some(AudioChange::Period(status.period_frames));
                }
                if status.trouble != self.trouble {
                    self.trouble = status.trouble;
                    return self.trouble.clone().map(AudioChange::Trouble);
                }
                None
            }
            State::Ended { retry_at, reason } if *retry_at <= now => {
                match self.backend.start(&self.callbacks) {
                    Ok(format) => {
                        self.state = State::Running(Watch::new(&self.callbacks));
                        self.period_frames = format.period_frames;
                        self.rates = format.rates;
                        self.names = format.names.clone();
                        self.calibrate();
                        Some(AudioChange::Started(format))
                    }
                    Err(error) => {
                        let error = error.to_string();
                        let is_news = *reason != error;
                        let change = self.end(now, error);
                        is_news.then_some(change)
                    }
                }
            }
            State::Ended { .. } | State::Failed(_) => None,
        }
    }

    /// How the backend is doing; xruns are counted across its restarts.
    #[must_use]
    pub fn status(&self) -> AudioStatus {
        let ended = match &self.state {
            State::Running(_) => {
                let status = self.backend.status();
                let calibrated = self.callbacks.timing().is_calibrated();
                return AudioStatus { xruns: self.xruns + status.xruns, calibrated, ..status };
            }
            State::Ended { reason, .. } => reason.clone(),
            State::Failed(error) => error.to_string(),
        };
        AudioStatus {
            period_frames: self.period_frames,
            rates: self.rates,
            output_latency: None,
            calibrated: false,
            xruns: self.xruns,
            ended: Some(ended),
            trouble: None,
        }
    }

    /// Ends the callbacks. Files are complete when it returns; an error is why one is not.
    pub fn stop(mut self) -> Result<(), AudioError> {
        match self.state {
            State::Failed(error) => Err(error),
            State::Running(_) | State::Ended { .. } => self.backend.stop(),
        }
    }

    /// What was measured belongs to one device as it runs; another has none, or its own.
    fn calibrate(&self) {
        let key = DeviceKey::new(&self.names, self.rates, self.period_frames);
        let remainder = self.calibrations.find(&key).map(|found| found.remainder());
        self.callbacks.timing().calibrate(remainder);
    }

    fn end(&mut self, now: Instant, reason: String) -> AudioChange {
        self.state = State::Ended { reason: reason.clone(), retry_at: now + RETRY };
        AudioChange::Ended(reason)
    }
}

impl Watch {
    fn new(callbacks: &Callbacks) -> Self {
        Self { counts: callbacks.counts(), ..Self::default() }
    }

    /// The limit that is exceeded by how long a half has not been called, if one is. A device
    /// without an input never captures, which is no silence.
    fn silence(
        &mut self,
        now: Instant,
        counts: CallCounts,
        longest: Option<Duration>,
    ) -> Option<Duration> {
        // A thread that polls late says nothing about the device: both may have waited.
        let before = self.polled.replace(now).unwrap_or(now);
        let passed = now.saturating_since(before).min(POLL_GAP_MAX);
        self.capture.note(counts.captures != self.counts.captures, passed);
        self.render.note(counts.renders != self.counts.renders, passed);
        self.counts = counts;
        let longest = longest?;
        let limit = if self.render.called { longest } else { longest.max(START_MAX) };
        if limit < self.render.silence {
            return Some(limit);
        }
        (self.capture.called && longest < self.capture.silence).then_some(longest)
    }
}

impl Half {
    fn note(&mut self, called: bool, passed: Duration) {
        self.called |= called;
        self.silence = if called { Duration::ZERO } else { self.silence + passed };
    }
}

/// Long enough that a server on its way up is not asked all the time.
const RETRY: Duration = Duration::from_secs(2);

/// A headset that has to be woken up may take seconds until it calls for the first time.
const START_MAX: Duration = Duration::from_secs(5);

/// What one poll may add to a silence: some polls see it before it counts.
const POLL_GAP_MAX: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{Calibration, Said};
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    /// A backend that does what the test says.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<Script>>);

    #[derive(Default)]
    struct Script {
        status: AudioStatus,
        starts_refused: Vec<&'static str>,
        stop_fails: bool,
    }

    impl Fake {
        fn set(&self, change: impl FnOnce(&mut Script)) {
            change(&mut self.0.lock().expect("one thread"));
        }
    }

    impl AudioBackend for Fake {
        fn start(&mut self, _: &Callbacks) -> Result<AudioFormat, AudioError> {
            let mut script = self.0.lock().expect("one thread");
            if let Some(reason) = script.starts_refused.pop() {
                return Err(AudioError::Jack(reason.to_owned()));
            }
            script.status = AudioStatus { period_frames: 64, ..AudioStatus::default() };
            Ok(fake_format())
        }

        fn status(&self) -> AudioStatus {
            self.0.lock().expect("one thread").status.clone()
        }

        fn stop(&mut self) -> Result<(), AudioError> {
            let mut script = self.0.lock().expect("one thread");
            script.status = AudioStatus::default();
            if script.stop_fails {
                let path = PathBuf::from("heard.wav");
                return Err(AudioError::File { path, reason: "no room".into() });
            }
            Ok(())
        }
    }

    fn fake_format() -> AudioFormat {
        AudioFormat {
            description: "fake".into(),
            period_frames: 64,
            rates: Rates::default(),
            names: DeviceNames { backend: "fake", input: "in".into(), output: "out".into() },
        }
    }

    /// A keeper with its backend, and callbacks that the test calls.
    fn keeper() -> (Keeper, Fake, Callbacks) {
        let fake = Fake::default();
        let callbacks = Callbacks::new(1, Box::new(|_| ()), Box::new(|_| ()));
        let (keeper, _) =
            Keeper::start(Box::new(fake.clone()), callbacks.clone()).expect("it starts");
        (keeper, fake, callbacks)
    }

    fn at(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    #[test]
    fn an_ended_backend_is_tried_again_until_it_is_back() {
        let (mut keeper, fake, _) = keeper();
        assert_eq!(keeper.poll(at(0)), None);
        fake.set(|script| script.status.period_frames = 128);
        assert_eq!(keeper.poll(at(10)), Some(AudioChange::Period(128)));
        fake.set(|script| {
            script.status.xruns = 3;
            script.status.ended = Some("unplugged".into());
            script.starts_refused = vec!["busy", "not there", "not there"];
        });
        let ended = |reason: &str| Some(AudioChange::Ended(reason.into()));
        assert_eq!(keeper.poll(at(20)), ended("unplugged"));
        assert_eq!(keeper.poll(at(2000)), None);
        let status = keeper.status();
        assert_eq!((status.ended.as_deref(), status.xruns), (Some("unplugged"), 3));
        assert_eq!(keeper.poll(at(2020)), ended("JACK: not there"));
        assert_eq!(keeper.poll(at(4020)), None, "that is known");
        assert_eq!(keeper.poll(at(6020)), ended("JACK: busy"));
        assert_eq!(keeper.status().ended.as_deref(), Some("JACK: busy"));
        assert_eq!(keeper.poll(at(8020)), Some(AudioChange::Started(fake_format())));
        assert_eq!(keeper.poll(at(8030)), None);
        fake.set(|script| script.status.xruns = 1);
        let status = keeper.status();
        assert_eq!((status.period_frames, status.ended, status.xruns), (64, None, 4));
    }

    #[test]
    fn a_backend_that_cannot_even_stop_has_failed_for_good() {
        let (mut keeper, fake, _) = keeper();
        fake.set(|script| {
            script.status.ended = Some("a file could not be written".into());
            script.stop_fails = true;
        });
        let reason = "heard.wav: no room";
        assert_eq!(keeper.poll(at(0)), Some(AudioChange::Failed(reason.into())));
        assert_eq!(keeper.poll(at(60_000)), None);
        assert_eq!(keeper.status().ended.as_deref(), Some(reason));
        assert_eq!(keeper.stop().expect_err("it failed").to_string(), reason);
    }

    #[test]
    fn a_calibration_holds_for_its_device_and_period_only() {
        let (mut keeper, fake, callbacks) = keeper();
        let key = DeviceKey::new(&fake_format().names, Rates::default(), 64);
        let ms = |ms| Duration::from_millis(ms);
        let mut calibrations = Calibrations::default();
        calibrations.put(Calibration::new(key, ms(10), Said { input: Some(ms(2)), output: None }));
        keeper.set_calibrations(calibrations);
        assert!(keeper.status().calibrated);
        // The driver says nothing of the output, so what it does not tell is there.
        assert_eq!(callbacks.timing().output_latency(), Some(ms(8)));
        fake.set(|script| script.status.period_frames = 128);
        assert_eq!(keeper.poll(at(10)), Some(AudioChange::Period(128)));
        assert!(!keeper.status().calibrated);
        assert_eq!(callbacks.timing().output_latency(), None);
    }

    #[test]
    fn trouble_is_told_once() {
        let (mut keeper, fake, _) = keeper();
        fake.set(|script| script.status.trouble = Some("cut off".into()));
        assert_eq!(keeper.poll(at(0)), Some(AudioChange::Trouble("cut off".into())));
        assert_eq!(keeper.poll(at(10)), None);
    }

    /// Polls every 50 ms while the named halves are called; gives when it ended.
    fn dies_at(halves: impl Fn(u64, &Callbacks)) -> Option<u64> {
        let (mut keeper, _, callbacks) = keeper();
        (0..6000).step_by(50).find(|ms| {
            halves(*ms, &callbacks);
            match keeper.poll(at(*ms)) {
                None => false,
                Some(AudioChange::Ended(reason)) => {
                    assert!(reason.starts_with("the device has not called for "), "{reason}");
                    true
                }
                Some(other) => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_device_that_stops_calling_is_dead_whatever_it_says() {
        let capture = |callbacks: &Callbacks| callbacks.capture(&[&[0.0]]);
        let render = |callbacks: &Callbacks| callbacks.render(&mut [&mut [0.0], &mut [0.0]]);
        let both = |callbacks: &Callbacks| {
            capture(callbacks);
            render(callbacks);
        };
        assert_eq!(dies_at(|_, callbacks| both(callbacks)), None);
        assert_eq!(dies_at(|_, callbacks| render(callbacks)), None, "there is no input");
        assert_eq!(dies_at(|_, _| ()), Some(5050), "it never called");
        let until_500 = |ms, callbacks: &Callbacks| {
            if ms <= 500 {
                both(callbacks);
            }
        };
        assert_eq!(dies_at(until_500), Some(1550));
        assert_eq!(
            dies_at(|ms, callbacks| {
                until_500(ms, callbacks);
                render(callbacks);
            }),
            Some(1550),
            "the input alone"
        );
        assert_eq!(
            dies_at(|ms, callbacks| {
                until_500(ms, callbacks);
                capture(callbacks);
            }),
            Some(1550),
            "the output alone"
        );
    }

    #[test]
    fn a_machine_that_stood_still_is_no_dead_device() {
        let (mut keeper, _, callbacks) = keeper();
        for ms in [0, 5000, 10_000, 15_000] {
            assert_eq!(keeper.poll(at(ms)), None, "at {ms}");
        }
        callbacks.render(&mut [&mut [0.0], &mut [0.0]]);
        for ms in [20_000, 25_000] {
            assert_eq!(keeper.poll(at(ms)), None, "at {ms}");
        }
    }
}
