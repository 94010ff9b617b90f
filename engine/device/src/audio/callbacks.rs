//! What every backend calls once a period: the engine's two halves behind one door.
//!
//! A device that does not run at 48 kHz is converted here, so that neither the backends nor the halves
//! know of it. What surprises is the mutex on the audio thread: it is only ever tried, never waited
//! for. It is contended only while one backend takes over from another, and the loser plays silence
//! for that period.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{DeviceInput, DeviceOutput, RateError};

use super::Rates;
use super::load::{Load, Watch, Worker};
use super::timing::Timing;
use crate::clock;
use crate::durations::Durations;

/// Takes planar input at 48 kHz, one or two channels of the same length, at most
/// [`PERIOD_FRAMES_MAX`].
pub type CaptureFn = Box<dyn FnMut(&[&[f32]]) + Send>;

/// Overwrites planar output at 48 kHz, [`OUTPUT_CHANNELS`] channels of the same length.
pub type RenderFn = Box<dyn FnMut(&mut [&mut [f32]]) + Send>;

/// The two halves of a session as a device sees them. Clones are handles to the same halves.
#[derive(Clone)]
pub struct Callbacks {
    capture: Arc<Mutex<CaptureHalf>>,
    render: Arc<Mutex<RenderHalf>>,
    times: Arc<Durations>,
    captures: Arc<AtomicU64>,
    renders: Arc<AtomicU64>,
    input_channels: usize,
    lost: LostFrames,
    timing: Timing,
    load: Load,
    workers: Arc<Workers>,
    duplex: Arc<AtomicBool>,
}

/// Who calls back: one thread with both halves, or one with each.
#[derive(Debug)]
struct Workers {
    capture: Worker,
    render: Worker,
}

/// What was seen of the threads that call back, between one [`Callbacks::watch_load`] and the next.
#[derive(Debug, Default)]
pub struct LoadWatch {
    capture: Watch,
    render: Watch,
}

/// The capturing half with the device's rate in front of it.
struct CaptureHalf {
    engine: CaptureFn,
    device: DeviceInput,
}

/// The rendering half with the device's rate behind it.
struct RenderHalf {
    engine: RenderFn,
    device: DeviceOutput,
}

/// Frames that a device lost, on their way to the halves of a session, at 48 kHz. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct LostFrames(Arc<Lost>);

#[derive(Debug, Default)]
struct Lost {
    captured: AtomicUsize,
    rendered: AtomicUsize,
}

impl LostFrames {
    /// What was lost before the input that follows; for the capturing half.
    #[must_use]
    pub fn take_captured(&self) -> usize {
        // Relaxed here and below: whoever loses frames calls back on the same thread.
        self.0.captured.swap(0, Ordering::Relaxed)
    }

    /// What was lost before the output that follows; for the rendering half.
    #[must_use]
    pub fn take_rendered(&self) -> usize {
        self.0.rendered.swap(0, Ordering::Relaxed)
    }
}

/// How often each half was called since the callbacks were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallCounts {
    /// With input.
    pub captures: u64,
    /// For output.
    pub renders: u64,
}

impl Callbacks {
    /// Wraps both halves; `input_channels` (1 or 2) is what `capture` makes of its input. A backend
    /// may give it the other number: two are mixed to one, one is doubled.
    #[must_use]
    pub fn new(input_channels: usize, capture: CaptureFn, render: RenderFn) -> Self {
        let (input, output) = (DeviceInput::default(), DeviceOutput::default());
        Self {
            capture: Arc::new(Mutex::new(CaptureHalf { engine: capture, device: input })),
            render: Arc::new(Mutex::new(RenderHalf { engine: render, device: output })),
            times: Arc::new(Durations::new()),
            captures: Arc::default(),
            renders: Arc::default(),
            input_channels: input_channels.clamp(1, 2),
            lost: LostFrames::default(),
            timing: Timing::default(),
            load: Load::default(),
            workers: Arc::new(Workers { capture: Worker::new(), render: Worker::new() }),
            duplex: Arc::default(),
        }
    }

    /// Hands lost frames over through `lost`, which the halves ask.
    #[must_use]
    pub fn with_lost(self, lost: LostFrames) -> Self {
        Self { lost, ..self }
    }

    /// Hands over when input was captured through `timing`, which the capturing half asks.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// What is known of the device's times; backends say it here.
    #[must_use]
    pub const fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Hands over how long the halves have worked through `load`, which the rendering half asks.
    #[must_use]
    pub fn with_load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    /// Sets the rates in Hz at which the device will call back; they are 48 kHz until then. Converting
    /// starts anew: from silence, and with the first frame. Off the audio thread, and while no device
    /// calls back. An error says why a rate cannot be converted, and leaves those before.
    pub fn set_rates(&self, input_hz: u32, output_hz: u32) -> Result<Rates, RateError> {
        let (input, output) = (DeviceInput::new(input_hz)?, DeviceOutput::new(output_hz)?);
        let rates = Rates::of((input_hz, &input), (output_hz, &output));
        self.timing.start(input_hz, output.delay());
        // A half is held for no longer than the exchange takes; what was there is freed after.
        let input_before = mem::replace(&mut lock(&self.capture).device, input);
        let output_before = mem::replace(&mut lock(&self.render).device, output);
        drop((input_before, output_before));
        Ok(rates)
    }

    /// The device lost so many frames of its own, in and out, before the callback that follows. Call it
    /// on the device's thread.
    pub fn lose(&self, frames: usize) {
        // A half that another backend holds will find out by itself.
        if let Ok(mut half) = self.capture.try_lock() {
            self.lost.0.captured.fetch_add(half.device.skip(frames), Ordering::Relaxed);
        }
        if let Ok(mut half) = self.render.try_lock() {
            self.lost.0.rendered.fetch_add(half.device.skip(frames), Ordering::Relaxed);
        }
    }

    /// Channels that [`Self::capture`] wants.
    #[must_use]
    pub fn input_channels(&self) -> usize {
        self.input_channels
    }

    /// Whether the device calls back for input and output at once, so that frames of both can be compared.
    #[must_use]
    pub fn is_duplex(&self) -> bool {
        self.duplex.load(Ordering::Relaxed)
    }

    /// How long the callbacks took.
    #[must_use]
    pub fn times(&self) -> &Durations {
        &self.times
    }

    /// How often each half was called.
    #[must_use]
    pub fn counts(&self) -> CallCounts {
        CallCounts {
            captures: self.captures.load(Ordering::Relaxed),
            renders: self.renders.load(Ordering::Relaxed),
        }
    }

    /// One callback of a duplex device: input first, so that its packets are on their way while
    /// the output is rendered.
    pub fn duplex(&self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        self.duplex.store(true, Ordering::Relaxed);
        self.measure(&self.workers.render, || {
            self.run_capture(input);
            self.run_render(output);
        });
    }

    /// One callback of an input device.
    pub fn capture(&self, input: &[&[f32]]) {
        self.duplex.store(false, Ordering::Relaxed);
        self.measure(&self.workers.capture, || self.run_capture(input));
    }

    /// One callback of an output device.
    pub fn render(&self, output: &mut [&mut [f32]]) {
        self.measure(&self.workers.render, || self.run_render(output));
    }

    /// Finds out how much of their callbacks' time the threads work, rather than wait for a processor,
    /// so that [`Load`] tells of work only. Some times a second, and off the audio thread.
    pub fn watch_load(&self, watch: &mut LoadWatch) {
        watch.capture.look(&self.workers.capture);
        watch.render.look(&self.workers.render);
    }

    fn measure(&self, worker: &Worker, call: impl FnOnce()) {
        let start = clock::now();
        call();
        let elapsed = clock::now().saturating_since(start);
        worker.count(elapsed, &self.load);
        self.times.record(elapsed);
    }

    fn run_capture(&self, input: &[&[f32]]) {
        // Relaxed here and below: a sign of life, nothing is published by it.
        self.captures.fetch_add(1, Ordering::Relaxed);
        let Ok(mut half) = self.capture.try_lock() else { return };
        let CaptureHalf { engine, device } = &mut *half;
        let frames = input.first().map_or(0, |channel| channel.len());
        self.timing.bring(frames, device.delay());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + PERIOD_FRAMES_MAX);
            match input {
                [only] => device.capture(&[&only[at..end]], &mut *engine),
                [left, right, ..] => {
                    device.capture(&[&left[at..end], &right[at..end]], &mut *engine);
                }
                [] => return,
            }
            at = end;
        }
    }

    fn run_render(&self, output: &mut [&mut [f32]]) {
        self.renders.fetch_add(1, Ordering::Relaxed);
        let Ok(mut half) = self.render.try_lock() else {
            output.iter_mut().for_each(|channel| channel.fill(0.0));
            return;
        };
        let RenderHalf { engine, device } = &mut *half;
        let [left, right] = output else { return };
        let parts = left.chunks_mut(PERIOD_FRAMES_MAX).zip(right.chunks_mut(PERIOD_FRAMES_MAX));
        for (left, right) in parts {
            device.render(&mut [left, right], &mut *engine);
        }
    }
}

fn lock<T>(half: &Mutex<T>) -> MutexGuard<'_, T> {
    half.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Frames that the engine is given at once; a longer period is handed over in parts. JACK's
/// largest period.
pub const PERIOD_FRAMES_MAX: usize = 8192;

/// Channels that are rendered, whatever the device has.
pub const OUTPUT_CHANNELS: usize = 2;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use assert_no_alloc::assert_no_alloc;

    use super::*;

    #[test]
    fn a_period_longer_than_the_engine_takes_comes_in_parts() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (captured, rendered) = (Arc::clone(&seen), Arc::clone(&seen));
        let callbacks = Callbacks::new(
            1,
            Box::new(move |input| captured.lock().expect("one thread").push(input[0].len())),
            Box::new(move |output| {
                rendered.lock().expect("one thread").push(output[1].len());
                output.iter_mut().for_each(|channel| channel.fill(0.5));
            }),
        );
        let input = vec![0.0; PERIOD_FRAMES_MAX + 1];
        let (mut left, mut right) = (input.clone(), input.clone());
        callbacks.duplex(&[&input], &mut [&mut left, &mut right]);
        let expected = [PERIOD_FRAMES_MAX, 1, PERIOD_FRAMES_MAX, 1];
        assert_eq!(*seen.lock().expect("one thread"), expected);
        assert!(left.iter().chain(&right).all(|sample| *sample == 0.5));
        assert_eq!(callbacks.times().take().count, 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_callbacks_worked_is_handed_over_and_what_they_slept_is_not() {
        let load = Load::default();
        let callbacks = Callbacks::new(
            1,
            Box::new(|_| std::thread::sleep(Duration::from_millis(50))),
            Box::new(|_| {
                let start = clock::thread_time();
                while clock::thread_time() - start < Duration::from_millis(3) {}
            }),
        )
        .with_load(load.clone());
        let mut watch = LoadWatch::default();
        let mut call = || {
            let (input, mut left, mut right) = ([0.0; 64], [0.0; 64], [0.0; 64]);
            callbacks.duplex(&[&input], &mut [&mut left, &mut right]);
            callbacks.watch_load(&mut watch);
            load.take()
        };
        let unknown = call();
        assert!(Duration::from_millis(53) <= unknown, "all that went by: {unknown:?}");
        call();
        let busy = call();
        assert!(Duration::from_millis(2) <= busy && busy < Duration::from_millis(40), "{busy:?}");
        assert_eq!(load.take(), Duration::ZERO);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_has_ended_is_watched_in_vain() {
        let load = Load::default();
        let slow = Box::new(|_: &mut [&mut [f32]]| std::thread::sleep(Duration::from_millis(20)));
        let callbacks = Callbacks::new(1, Box::new(|_| ()), slow).with_load(load.clone());
        let mut watch = LoadWatch::default();
        let call = || {
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            callbacks.render(&mut [&mut left, &mut right]);
        };
        for _ in 0..2 {
            let other = callbacks.clone();
            std::thread::spawn(move || {
                let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
                other.render(&mut [&mut left, &mut right]);
            })
            .join()
            .expect("it does not panic");
            callbacks.watch_load(&mut watch);
        }
        let _before = load.take();
        call();
        assert!(Duration::from_millis(20) <= load.take(), "nothing is known of a new thread");
        // From here on there is something to read.
        callbacks.watch_load(&mut watch);
        call();
        callbacks.watch_load(&mut watch);
        let _before = load.take();
        call();
        assert!(load.take() < Duration::from_millis(15));
    }

    /// Callbacks that pass what was captured on to be rendered, and how many frames each half saw.
    fn cable() -> (Callbacks, Arc<Mutex<Vec<usize>>>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let wire = Arc::new(Mutex::new(Vec::new()));
        let (captured, rendered) = (Arc::clone(&seen), Arc::clone(&seen));
        let (sent, received) = (Arc::clone(&wire), wire);
        let callbacks = Callbacks::new(
            1,
            Box::new(move |input| {
                captured.lock().expect("one thread").push(input[0].len());
                sent.lock().expect("one thread").extend_from_slice(input[0]);
            }),
            Box::new(move |output| {
                rendered.lock().expect("one thread").push(output[0].len());
                let mut wire = received.lock().expect("one thread");
                let frames: Vec<f32> = wire.drain(..output[0].len()).collect();
                output.iter_mut().for_each(|channel| channel.copy_from_slice(&frames));
            }),
        );
        (callbacks, seen)
    }

    #[test]
    fn a_device_at_another_rate_is_converted_and_its_delay_is_told() {
        let (callbacks, seen) = cable();
        let rates = callbacks.set_rates(44_100, 44_100).expect("a simple ratio");
        let (mut now, mut heard) = (0, Vec::new());
        for _ in 0..16 {
            let input: [f32; 64] = core::array::from_fn(|index| ramp(now + index));
            let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
            callbacks.duplex(&[&input], &mut [&mut left, &mut right]);
            now += 64;
            heard.extend_from_slice(&left);
        }
        let delay = rates.conversion.as_secs_f64() * 44_100.0;
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let expected = |frame: usize| ramp(frame) - (delay * f64::from(STEP)) as f32;
        for (frame, sample) in heard.iter().enumerate().take(300).skip(100) {
            assert!((sample - expected(frame)).abs() < 0.3 * STEP, "{frame}: {sample}");
        }
        let seen = seen.lock().expect("one thread");
        assert!(seen.chunks_exact(2).all(|pair| pair[0] == pair[1] && pair[0] / 69 == 1));
    }

    const STEP: f32 = 1e-4;

    #[expect(clippy::cast_precision_loss, reason = "some thousand frames")]
    fn ramp(frame: usize) -> f32 {
        frame as f32 * STEP
    }

    #[test]
    fn converting_allocates_nothing_in_a_callback() {
        let callbacks = Callbacks::new(
            2,
            Box::new(|input| assert_eq!(input.len(), 2)),
            Box::new(|output| output.iter_mut().for_each(|channel| channel.fill(0.5))),
        );
        for rate_hz in [44_100, 96_000, 48_000] {
            callbacks.set_rates(rate_hz, rate_hz).expect("a simple ratio");
            let input = [0.5; 1000];
            let mut output = [[0.0; 1000]; 2];
            assert_no_alloc(|| {
                for frames in [64, 1, 1000, 0, 441] {
                    let [left, right] = &mut output;
                    let mut output = [&mut left[..frames], &mut right[..frames]];
                    callbacks.duplex(&[&input[..frames], &input[..frames]], &mut output);
                    callbacks.lose(frames);
                }
            });
            assert!((output[1][999] - 0.5).abs() < 1e-3, "{rate_hz}");
        }
    }

    #[test]
    fn frames_that_a_device_at_another_rate_lost_are_told_at_48_khz() {
        let lost = LostFrames::default();
        let (callbacks, seen) = cable();
        let callbacks = callbacks.with_lost(lost.clone());
        callbacks.set_rates(44_100, 96_000).expect("simple ratios");
        let mut told = [0, 0];
        for _ in 0..1000 {
            callbacks.lose(441);
            told[0] += lost.take_captured();
            told[1] += lost.take_rendered();
        }
        // 441,000 frames are ten seconds of the input, and 4.59 of the output.
        assert_eq!(told, [480_000, 220_500]);
        let before = callbacks.set_rates(44_100, 22_050).expect_err("it is not converted");
        assert_eq!(before, RateError::RefusedRate(22_050));
        callbacks.lose(441);
        assert_eq!(lost.take_captured(), 480, "the rate before is kept");
        assert!(seen.lock().expect("one thread").is_empty());
    }
}
