//! A device that is tried: a [`Probe`] in the place of a session.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use engine_device::audio::{AudioChange, AudioFormat, AudioStatus, InputGate, Keeper};
use engine_device::calibration::{Calibrations, DeviceKey, Outcome};
use engine_device::clock;
use engine_device::probe::{BURST_FRAMES, Found, Probe, Recording, burst, find};

use super::DeviceFlags;

/// A device that runs.
pub(crate) struct Trial {
    keeper: Keeper,
    probe: Probe,
    format: AudioFormat,
    burst: Vec<f32>,
}

/// Which loudspeakers sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Output 1.
    Left,
    /// Both.
    Both,
}

/// What came back of a burst.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    /// Where it is and how sure that is; `None` where there is none.
    pub(crate) found: Option<Found>,
    /// For a search.
    pub(crate) outcome: Outcome,
}

impl Trial {
    /// Opens the device and waits until it calls.
    pub(crate) fn start(flags: &DeviceFlags, calibrations: Calibrations) -> anyhow::Result<Self> {
        flags.check()?;
        let gate = InputGate::default();
        gate.open();
        let probe = Probe::new();
        let (mut keeper, format) = Keeper::start(flags.backend(gate), probe.callbacks())?;
        keeper.set_calibrations(calibrations);
        let mut trial = Self { keeper, probe, format, burst: burst() };
        // Drivers that are woken up click, and say what they take only when they run.
        trial.listen(SETTLE)?;
        Ok(trial)
    }

    /// What it runs with.
    pub(crate) fn format(&self) -> &AudioFormat {
        &self.format
    }

    /// How it is.
    pub(crate) fn status(&self) -> AudioStatus {
        self.keeper.status()
    }

    /// What is counted in for its input and its output, as its driver says or as calibrated.
    pub(crate) fn latencies(&self) -> (Option<Duration>, Option<Duration>) {
        let callbacks = self.probe.callbacks();
        (callbacks.timing().input_latency(), callbacks.timing().output_latency())
    }

    /// What its measurement is kept under.
    pub(crate) fn key(&self) -> DeviceKey {
        DeviceKey::new(&self.format.names, self.format.rates, self.status().period_frames)
    }

    /// What its driver says of its latencies.
    pub(crate) fn said(&self) -> engine_device::calibration::Said {
        self.probe.callbacks().timing().said()
    }

    /// Hears what comes in for a while; `each` is given it as it grows.
    pub(crate) fn listen_with(
        &mut self,
        time: Duration,
        each: impl FnMut(&Recording),
    ) -> anyhow::Result<&Recording> {
        self.probe.begin();
        self.hear(time, each)
    }

    /// Hears what comes in for a while.
    pub(crate) fn listen(&mut self, time: Duration) -> anyhow::Result<&Recording> {
        self.listen_with(time, |_| ())
    }

    /// Plays a burst and hears what comes back of it within `time`.
    pub(crate) fn play_burst(
        &mut self,
        level_dbfs: f32,
        side: Side,
        time: Duration,
    ) -> anyhow::Result<Heard> {
        let gain = 10.0_f32.powf(level_dbfs / 20.0);
        let right = if side == Side::Both { gain } else { 0.0 };
        let sound: Vec<_> = self.burst.iter().map(|s| [gain * s, right * s]).collect();
        self.probe.begin();
        ensure!(self.probe.play(&sound), "the device does not play: start it anew");
        let span = Duration::from_millis((BURST_FRAMES / FRAMES_PER_MS) as u64);
        let peak_dbfs = self.hear(time + span, |_| ())?.peak_dbfs();
        let found = find(&self.burst, &self.probe.poll().samples);
        let period_frames = self.keeper.status().period_frames;
        let round_trip = found.and_then(|found| {
            self.probe.round_trip(found.at_frame, self.format.rates, period_frames)
        });
        Ok(Heard { found, outcome: Outcome { round_trip, peak_dbfs } })
    }

    /// Waits until the recording that was begun is so long.
    fn hear(
        &mut self,
        time: Duration,
        mut each: impl FnMut(&Recording),
    ) -> anyhow::Result<&Recording> {
        let frames = usize::try_from(time.as_millis())? * FRAMES_PER_MS;
        let patience = Instant::now() + 3 * time + PATIENCE;
        loop {
            thread::sleep(TURN);
            if let Some(AudioChange::Ended(reason) | AudioChange::Failed(reason)) =
                self.keeper.poll(clock::now())
            {
                bail!("no sound: {reason}");
            }
            let recording = self.probe.poll();
            each(recording);
            if frames <= recording.samples.len() {
                return Ok(self.probe.poll());
            }
            if patience < Instant::now() {
                ensure!(!recording.samples.is_empty(), "the device has no input: {CURE}");
                bail!("the device brings too little sound: start it anew, or choose another one");
            }
        }
    }

    /// Gives the device back.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        Ok(self.keeper.stop()?)
    }
}

const FRAMES_PER_MS: usize = 48;

/// For a device without an input.
const CURE: &str = "choose one that has (`vjam devices` lists them, `--input-device` chooses), or allow this \
    program to use the microphone";

/// How long a device is left alone that was just started.
const SETTLE: Duration = Duration::from_millis(400);

const TURN: Duration = Duration::from_millis(10);

/// A headset that has to be woken up takes seconds.
const PATIENCE: Duration = Duration::from_secs(6);
