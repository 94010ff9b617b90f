//! Two channels from one rate to another, and which frames of the one the frames of the other need.
//!
//! Positions are whole input frames and a phase, in integers: nothing rounds, so nothing drifts. What
//! surprises: it knows nothing of time. Input is what was put into [`Converter::room`], output what is
//! [ready](Converter::ready) or [needed](Converter::needed), and silence is put before the first frame.

use crate::rt::ramp::clean;
use crate::rt::rate::filter::{Filters, LANES};

/// Converts planar sound.
#[derive(Debug)]
pub(super) struct Converter {
    filters: Filters,
    /// What filters still read, and what has come since.
    samples: [Box<[f32]>; 2],
    /// Frames in there.
    filled: usize,
    /// The first frame that the next output frame reads, and its place between two frames.
    at: usize,
    phase: usize,
    channels: usize,
}

impl Converter {
    /// Takes up to `frames_max` frames at once. Begins with `silence` frames of nothing (fewer than a
    /// filter reads), and with the first output frame at a phase.
    pub(super) fn new(filters: Filters, frames_max: usize, silence: usize, phase: usize) -> Self {
        // What is left of a block is shorter than a filter, and than a step.
        let frames = filters.taps() + frames_max;
        let place = || vec![0.0; frames].into_boxed_slice();
        Self { samples: [place(), place()], filled: silence, at: 0, phase, channels: 2, filters }
    }

    /// How many of the two channels are used from now on. A second one that was not used until now has
    /// the past of the first.
    pub(super) fn use_channels(&mut self, channels: usize) {
        if self.channels < channels {
            let [first, second] = &mut self.samples;
            second.copy_from_slice(first);
        }
        self.channels = channels;
    }

    /// The place for so many input frames, which count as put in.
    pub(super) fn room(&mut self, frames: usize) -> [&mut [f32]; 2] {
        let from = self.at.min(self.filled);
        for samples in self.samples.iter_mut().take(self.channels) {
            samples.copy_within(from..self.filled, 0);
        }
        self.filled -= from;
        self.at -= from;
        let end = (self.filled + frames).min(self.samples[0].len());
        let place = self.filled..end;
        self.filled = end;
        let [first, second] = &mut self.samples;
        [&mut first[place.clone()], &mut second[place]]
    }

    /// Output frames that can be made of what was put in.
    pub(super) fn ready(&self) -> usize {
        // Frames at which a filter may begin.
        let starts = (self.filled + 1).saturating_sub(self.at + self.filters.taps());
        (starts * self.filters.up()).saturating_sub(self.phase).div_ceil(self.filters.down())
    }

    /// Input frames that are missing for so many output frames.
    pub(super) fn needed(&self, frames: usize) -> usize {
        let Some(last) = frames.checked_sub(1) else { return 0 };
        let (start, _) = self.after(last);
        (start + self.filters.taps()).saturating_sub(self.filled)
    }

    /// Makes the next output frames, as many as `out` has in each of up to two channels. They must be
    /// ready.
    pub(super) fn make(&mut self, out: &mut [&mut [f32]]) {
        let frames = out.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let taps = self.filters.taps();
        let (whole, part) =
            (self.filters.down() / self.filters.up(), self.filters.down() % self.filters.up());
        for index in 0..frames {
            let filter = self.filters.at(self.phase);
            for (samples, out) in self.samples.iter().zip(out.iter_mut()) {
                let read = samples.get(self.at..self.at + taps).unwrap_or_default();
                if let Some(out) = out.get_mut(index) {
                    *out = dot(filter, read);
                }
            }
            self.at += whole;
            self.phase += part;
            if self.filters.up() <= self.phase {
                self.phase -= self.filters.up();
                self.at += 1;
            }
        }
    }

    /// Passes over input frames that never came; gives over how many output frames, too, that
    /// [`Self::ready`] would have told of.
    pub(super) fn pass_over_input(&mut self, frames: usize) -> usize {
        self.filled += frames;
        let passed = self.ready();
        self.forget(passed);
        passed
    }

    /// Passes over output frames that nobody asked for; gives over how many input frames, too, that
    /// [`Self::needed`] would have told of.
    pub(super) fn pass_over_output(&mut self, frames: usize) -> usize {
        let passed = self.needed(frames);
        self.filled += passed;
        self.forget(frames);
        passed
    }

    /// Moves on by so many output frames; what the next one reads of the past is silence.
    fn forget(&mut self, frames: usize) {
        let (at, phase) = self.after(frames);
        self.filled = self.filled.saturating_sub(at);
        (self.at, self.phase) = (0, phase);
        self.samples.iter_mut().for_each(|samples| samples.fill(0.0));
    }

    /// Where an output frame begins to read, so many after the next.
    const fn after(&self, frames: usize) -> (usize, usize) {
        let places = self.phase + frames * self.filters.down();
        (self.at + places / self.filters.up(), places % self.filters.up())
    }
}

fn dot(filter: &[f32], samples: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (filter, _) = filter.as_chunks::<LANES>();
    let (samples, _) = samples.as_chunks::<LANES>();
    for (filter, samples) in filter.iter().zip(samples) {
        for ((sum, weight), sample) in sums.iter_mut().zip(filter).zip(samples) {
            *sum += weight * sample;
        }
    }
    clean((sums[0] + sums[1]) + (sums[2] + sums[3]))
}
