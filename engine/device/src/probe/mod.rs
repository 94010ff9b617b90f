//! Plays sounds through a device and hears what comes in meanwhile: for calibrating and checking, in the place of
//! a session.
//!
//! The halves that the device calls do no more than move samples and note which frame passed when; everything
//! else is done by whoever asks. What surprises: where a device calls back for input and output at once, a round
//! trip is counted in frames, which is exact; where it has a thread for each, both are lines through the moments
//! of their callbacks.

mod burst;
mod line;

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::time::Instant;
use protocol::units::SampleRate;
use rtrb::{Consumer, Producer, RingBuffer};

pub use self::burst::{BURST_FRAMES, Found, burst, find};
use self::line::line_ns;
use crate::audio::{Callbacks, Rates, Timing};
use crate::clock;

/// The asking half.
pub struct Probe {
    callbacks: Callbacks,
    timing: Timing,
    sound: Producer<[f32; 2]>,
    heard: Consumer<f32>,
    input_marks: Consumer<Mark>,
    output_marks: Consumer<Mark>,
    starts: Consumer<Start>,
    lost: Arc<AtomicU64>,
    recording: Recording,
}

/// What was heard since [`Probe::begin`].
#[derive(Debug, Default)]
pub struct Recording {
    /// At 48 kHz, one channel.
    pub samples: Vec<f32>,
    first_frame: u64,
    input_marks: Vec<Mark>,
    output_marks: Vec<Mark>,
    start: Option<Start>,
}

/// A frame that passed a device at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    frame: u64,
    at: Instant,
}

/// A sound begins with this frame of the output; and the first frames of the cycle in which that was, in and out.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Start {
    frame: u64,
    cycle_output: u64,
    cycle_input: u64,
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

impl Probe {
    /// A probe whose callbacks no device calls yet. An input of two channels is heard as their mean.
    #[must_use]
    pub fn new() -> Self {
        clock::start();
        let (sound, mut to_play) = RingBuffer::<[f32; 2]>::new(RING_FRAMES);
        let (mut to_hear, heard) = RingBuffer::<f32>::new(RING_FRAMES);
        let (mut input_mark, input_marks) = RingBuffer::new(MARKS);
        let (mut output_mark, output_marks) = RingBuffer::new(MARKS);
        let (mut start, starts) = RingBuffer::new(STARTS);
        let (timing, lost) = (Timing::default(), Arc::new(AtomicU64::new(0)));
        let (captured, dropped) = (timing.clone(), Arc::clone(&lost));
        let cycle = Arc::new(AtomicU64::new(0));
        let of_input = Arc::clone(&cycle);
        let mut frame = 0_u64;
        let capture = move |input: &[&[f32]]| {
            if let Some(at) = captured.take_captured_at() {
                // Relaxed: read on the same thread where it is read at all.
                of_input.store(frame, Ordering::Relaxed);
                // Where nobody asked for long, the latest marks are not missed: it begins anew.
                let _ = input_mark.push(Mark { frame, at });
            }
            let share = 1.0 / input.len().max(1) as f32;
            for index in 0..input.first().map_or(0, |channel| channel.len()) {
                let sample = input.iter().map(|channel| channel[index]).sum::<f32>() * share;
                if to_hear.push(sample).is_err() {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            frame += input.first().map_or(0, |channel| channel.len() as u64);
        };
        let (mut frame, mut cycle_input, mut cycle_output) = (0_u64, u64::MAX, 0);
        let mut sounding = false;
        let render = move |output: &mut [&mut [f32]]| {
            let at = clock::now();
            if cycle.load(Ordering::Relaxed) != cycle_input {
                (cycle_input, cycle_output) = (cycle.load(Ordering::Relaxed), frame);
            }
            let _ = output_mark.push(Mark { frame, at });
            let [left, right, ..] = output else { return };
            let before = sounding;
            for (left, right) in left.iter_mut().zip(right.iter_mut()) {
                let next = to_play.pop();
                sounding = next.is_ok();
                [*left, *right] = next.unwrap_or_default();
            }
            if sounding && !before {
                let _ = start.push(Start { frame, cycle_output, cycle_input });
            }
            frame += left.len() as u64;
        };
        let callbacks =
            Callbacks::new(1, Box::new(capture), Box::new(render)).with_timing(timing.clone());
        let recording = Recording::default();
        Self { callbacks, timing, sound, heard, input_marks, output_marks, starts, lost, recording }
    }

    /// What a backend has to call.
    #[must_use]
    pub fn callbacks(&self) -> Callbacks {
        self.callbacks.clone()
    }

    /// Forgets what was heard: what comes from here on is the next recording.
    pub fn begin(&mut self) {
        self.poll();
        let first_frame = self.recording.first_frame + self.recording.samples.len() as u64;
        let dropped = self.lost.swap(0, Ordering::Relaxed);
        self.recording = Recording { first_frame: first_frame + dropped, ..Recording::default() };
    }

    /// Plays a sound after what is played already; gives whether there was room for it, which is 10 s.
    pub fn play(&mut self, sound: &[[f32; 2]]) -> bool {
        self.sound.push_entire_slice(sound).is_ok()
    }

    /// Takes in what was heard; call some times a second. What was heard since [`Self::begin`].
    pub fn poll(&mut self) -> &Recording {
        let recording = &mut self.recording;
        while let Ok(sample) = self.heard.pop() {
            recording.samples.push(sample);
        }
        while let Ok(mark) = self.input_marks.pop() {
            recording.input_marks.push(mark);
        }
        while let Ok(mark) = self.output_marks.pop() {
            recording.output_marks.push(mark);
        }
        while let Ok(start) = self.starts.pop() {
            recording.start.get_or_insert(start);
        }
        recording
    }

    /// From the first frame that was played since [`Self::begin`] to a frame of the recording, as the device took
    /// it: without what converting to its rate takes. `None` where nothing was played, or frames were lost.
    #[must_use]
    pub fn round_trip(&self, at_frame: f64, rates: Rates, period_frames: u32) -> Option<Duration> {
        if 0 < self.lost.load(Ordering::Relaxed) {
            return None;
        }
        let recording = &self.recording;
        let start = recording.start?;
        let heard = recording.first_frame as f64 + at_frame;
        let seconds = if self.callbacks.is_duplex() {
            let out = start.frame.checked_sub(start.cycle_output)? as f64;
            (heard - start.cycle_input as f64 - out) / RATE_HZ - rates.conversion.as_secs_f64()
        } else {
            // When it was captured has conversion taken off, and what the driver says, which is put back.
            let said = self.timing.said().input;
            let period = f64::from(period_frames) / f64::from(rates.input_hz);
            let said = said.map_or(period, |said| said.as_secs_f64());
            let captured_ns = line_ns(&recording.input_marks, heard)?;
            let handed_ns = line_ns(&recording.output_marks, start.frame as f64)?;
            let conversion = self.timing.output_conversion().as_secs_f64();
            (captured_ns - handed_ns) / 1e9 + said - conversion
        };
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Recording {
    /// The highest sample in dBFS, -100 for silence.
    #[must_use]
    pub fn peak_dbfs(&self) -> f32 {
        let peak = self.samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        protocol::units::Decibels::from_factor(peak).0
    }

    /// The RMS in dBFS, -100 for silence.
    #[must_use]
    pub fn rms_dbfs(&self) -> f32 {
        rms_dbfs(&self.samples)
    }
}

/// The RMS of samples in dBFS, -100 for silence.
#[must_use]
pub fn rms_dbfs(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>();
    let mean = power / samples.len().max(1) as f32;
    protocol::units::Decibels::from_factor(mean.sqrt()).0
}

const RATE_HZ: f64 = SampleRate::WIRE.as_hz() as f64;

/// Ten seconds.
const RING_FRAMES: usize = 480_000;

/// One for each callback of ten seconds, with periods of 16 frames.
const MARKS: usize = 32_768;

/// Sounds that begin before anybody asks.
const STARTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: usize = 64;

    /// A device that takes in what it put out `wire` ago, in one callback.
    fn loop_through(probe: &mut Probe, wire: &mut Vec<f32>, periods: usize) {
        for _ in 0..periods {
            let input: Vec<f32> = wire.drain(..PERIOD).collect();
            let (mut left, mut right) = ([0.0; PERIOD], [0.0; PERIOD]);
            probe.callbacks().duplex(&[&input], &mut [&mut left, &mut right]);
            wire.extend_from_slice(&left);
        }
        probe.poll();
    }

    /// The same with a callback for each, as time goes by.
    fn loop_in_real_time(probe: &mut Probe, wire: &mut Vec<f32>, periods: u32) {
        let start = clock::now();
        for number in 0..periods {
            while clock::now() < start + SampleRate::WIRE.duration_floor(64) * number {
                std::hint::spin_loop();
            }
            let input: Vec<f32> = wire.drain(..PERIOD).collect();
            let (mut left, mut right) = ([0.0; PERIOD], [0.0; PERIOD]);
            probe.callbacks().capture(&[&input]);
            probe.callbacks().render(&mut [&mut left, &mut right]);
            wire.extend_from_slice(&left);
        }
        probe.poll();
    }

    fn round_trip_frames(run: impl Fn(&mut Probe, &mut Vec<f32>, u32)) -> f64 {
        let (mut probe, mut wire) = (Probe::new(), vec![0.0; 777]);
        run(&mut probe, &mut wire, 20);
        probe.begin();
        let sound: Vec<_> = burst().into_iter().map(|sample| [0.25 * sample, 0.0]).collect();
        assert!(probe.play(&sound), "there is room");
        run(&mut probe, &mut wire, 100);
        let found = find(&burst(), &probe.poll().samples).expect("it came back");
        assert!((found.peak - 0.25).abs() < 0.001, "{found:?}");
        let round_trip = probe.round_trip(found.at_frame, Rates::default(), 64);
        round_trip.expect("it was played").as_secs_f64() * 48_000.0
    }

    #[test]
    fn a_round_trip_is_counted_in_frames() {
        let frames = round_trip_frames(|probe, wire, periods| {
            loop_through(probe, wire, periods as usize);
        });
        assert!((frames - 777.0).abs() < 0.01, "{frames} frames");
    }

    #[test]
    fn a_device_with_a_thread_for_each_is_measured_by_the_clock() {
        // By what this machine's clock and load allow, which is not what is tested.
        let frames = round_trip_frames(loop_in_real_time);
        assert!((frames - 777.0).abs() < 480.0, "{frames} frames");
    }

    #[test]
    fn nothing_that_was_not_played_has_a_round_trip() {
        let mut probe = Probe::new();
        probe.begin();
        loop_through(&mut probe, &mut vec![0.0; 64], 20);
        assert_eq!(probe.round_trip(0.0, Rates::default(), 64), None);
        assert_eq!(probe.poll().peak_dbfs(), -100.0);
        assert!(!probe.play(&vec![[0.0; 2]; RING_FRAMES + 1]), "longer than the ring");
    }
}
