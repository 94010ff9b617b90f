//! What every backend calls once a period: the engine's two halves behind one door.
//!
//! No audio is touched here. What surprises is the mutex on the audio thread: it is only ever
//! tried, never waited for. It is contended only while one backend takes over from another, and
//! the loser plays silence for that period.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock;
use crate::durations::Durations;

/// Takes planar input, one or two channels of the same length, at most [`PERIOD_FRAMES_MAX`].
pub type CaptureFn = Box<dyn FnMut(&[&[f32]]) + Send>;

/// Overwrites planar output, [`OUTPUT_CHANNELS`] channels of the same length.
pub type RenderFn = Box<dyn FnMut(&mut [&mut [f32]]) + Send>;

/// The two halves of a session as a device sees them. Clones are handles to the same halves.
#[derive(Clone)]
pub struct Callbacks {
    capture: Arc<Mutex<CaptureFn>>,
    render: Arc<Mutex<RenderFn>>,
    times: Arc<Durations>,
    captures: Arc<AtomicU64>,
    renders: Arc<AtomicU64>,
    input_channels: usize,
    lost: LostFrames,
    load: Load,
}

/// How long the callbacks have worked, on its way to the engine. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Load(Arc<AtomicU64>);

impl Load {
    /// Since the last call; for the rendering half.
    #[must_use]
    pub fn take(&self) -> Duration {
        // Relaxed here and below: a number that stands for itself.
        Duration::from_nanos(self.0.swap(0, Ordering::Relaxed))
    }

    fn add(&self, busy: Duration) {
        let ns = u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(ns, Ordering::Relaxed);
    }
}

/// Frames that a device lost, on their way to the halves of a session. Clones are the same.
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
        Self {
            capture: Arc::new(Mutex::new(capture)),
            render: Arc::new(Mutex::new(render)),
            times: Arc::new(Durations::new()),
            captures: Arc::default(),
            renders: Arc::default(),
            input_channels: input_channels.clamp(1, 2),
            lost: LostFrames::default(),
            load: Load::default(),
        }
    }

    /// Hands lost frames over through `lost`, which the halves ask.
    #[must_use]
    pub fn with_lost(self, lost: LostFrames) -> Self {
        Self { lost, ..self }
    }

    /// Hands over how long the halves have worked through `load`, which the rendering half asks.
    #[must_use]
    pub fn with_load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    /// The device lost so many frames, in and out, before the callback that follows.
    pub fn lose(&self, frames: usize) {
        self.lost.0.captured.fetch_add(frames, Ordering::Relaxed);
        self.lost.0.rendered.fetch_add(frames, Ordering::Relaxed);
    }

    /// Channels that [`Self::capture`] wants.
    #[must_use]
    pub fn input_channels(&self) -> usize {
        self.input_channels
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
        self.measure(|| {
            self.run_capture(input);
            self.run_render(output);
        });
    }

    /// One callback of an input device.
    pub fn capture(&self, input: &[&[f32]]) {
        self.measure(|| self.run_capture(input));
    }

    /// One callback of an output device.
    pub fn render(&self, output: &mut [&mut [f32]]) {
        self.measure(|| self.run_render(output));
    }

    fn measure(&self, call: impl FnOnce()) {
        let (start, worked) = (clock::now(), clock::thread_time());
        call();
        self.load.add(clock::thread_time().saturating_sub(worked));
        self.times.record(clock::now().saturating_since(start));
    }

    fn run_capture(&self, input: &[&[f32]]) {
        // Relaxed here and below: a sign of life, nothing is published by it.
        self.captures.fetch_add(1, Ordering::Relaxed);
        let Ok(mut capture) = self.capture.try_lock() else { return };
        let frames = input.first().map_or(0, |channel| channel.len());
        let mut at = 0;
        while at < frames {
            let end = frames.min(at + PERIOD_FRAMES_MAX);
            match input {
                [only] => capture(&[&only[at..end]]),
                [left, right, ..] => capture(&[&left[at..end], &right[at..end]]),
                [] => return,
            }
            at = end;
        }
    }

    fn run_render(&self, output: &mut [&mut [f32]]) {
        self.renders.fetch_add(1, Ordering::Relaxed);
        let Ok(mut render) = self.render.try_lock() else {
            output.iter_mut().for_each(|channel| channel.fill(0.0));
            return;
        };
        let [left, right] = output else { return };
        let parts = left.chunks_mut(PERIOD_FRAMES_MAX).zip(right.chunks_mut(PERIOD_FRAMES_MAX));
        for (left, right) in parts {
            render(&mut [left, right]);
        }
    }
}

/// Frames that the engine is given at once; a longer period is handed over in parts. JACK's
/// largest period.
pub const PERIOD_FRAMES_MAX: usize = 8192;

/// Channels that are rendered, whatever the device has.
pub const OUTPUT_CHANNELS: usize = 2;

#[cfg(test)]
mod tests {
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
                while clock::thread_time() - start < Duration::from_millis(2) {}
            }),
        )
        .with_load(load.clone());
        let (input, mut left, mut right) = ([0.0; 64], [0.0; 64], [0.0; 64]);
        callbacks.duplex(&[&input], &mut [&mut left, &mut right]);
        let busy = load.take();
        assert!(Duration::from_millis(2) <= busy && busy < Duration::from_millis(40), "{busy:?}");
        assert_eq!(load.take(), Duration::ZERO);
    }
}
