//! What every backend calls once a period: the engine's two halves behind one door.
//!
//! No audio is touched here. What surprises is the mutex on the audio thread: it is only ever
//! tried, never waited for. It is contended only while one backend takes over from another, and
//! the loser plays silence for that period.

use std::sync::{Arc, Mutex};

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
    input_channels: usize,
}

impl Callbacks {
    /// Wraps both halves; `input_channels` (1 or 2) is what `capture` is given.
    #[must_use]
    pub fn new(input_channels: usize, capture: CaptureFn, render: RenderFn) -> Self {
        Self {
            capture: Arc::new(Mutex::new(capture)),
            render: Arc::new(Mutex::new(render)),
            times: Arc::new(Durations::new()),
            input_channels: input_channels.clamp(1, 2),
        }
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

    /// One callback of a duplex device: input first, so that its packets are on their way while
    /// the output is rendered.
    pub fn duplex(&self, input: &[&[f32]], output: &mut [&mut [f32]]) {
        let start = clock::now();
        self.run_capture(input);
        self.run_render(output);
        self.times.record(clock::now().saturating_since(start));
    }

    /// One callback of an input device.
    pub fn capture(&self, input: &[&[f32]]) {
        let start = clock::now();
        self.run_capture(input);
        self.times.record(clock::now().saturating_since(start));
    }

    /// One callback of an output device.
    pub fn render(&self, output: &mut [&mut [f32]]) {
        let start = clock::now();
        self.run_render(output);
        self.times.record(clock::now().saturating_since(start));
    }

    fn run_capture(&self, input: &[&[f32]]) {
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
}
