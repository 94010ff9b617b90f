//! Decoded audio in the order it is heard: some of the past, and what waits to be played.
//!
//! Splices edit the waiting part in place. What surprises: the past is kept too (42 ms), because
//! concealment and longer playout delays are made from it.

use crate::encoding::Channels;
use crate::limits::PACKET_FRAMES_MAX;
use crate::rt::ramp::{clean, fade_in};
use crate::rt::render::BLOCK_FRAMES;
use crate::rt::resample::{BEFORE, Kernel, Playhead};

/// Planar audio around the moment that is played next.
#[derive(Debug)]
pub(crate) struct Timeline {
    channels: Channels,
    samples: [Box<[f32]>; 2],
    /// The next frame to be played.
    read: usize,
    /// Just after the last frame that is ready.
    write: usize,
}

impl Timeline {
    pub(crate) fn new(channels: Channels) -> Self {
        let frames = |wanted| if wanted { CAPACITY_FRAMES } else { 0 };
        let place = |wanted| vec![0.0; frames(wanted)].into_boxed_slice();
        Self {
            channels,
            samples: [place(true), place(channels == Channels::Stereo)],
            read: PAST_FRAMES,
            write: PAST_FRAMES,
        }
    }

    /// Forgets everything: the past is silence, and nothing waits.
    pub(crate) fn clear(&mut self) {
        self.samples.iter_mut().for_each(|samples| samples.fill(0.0));
        self.read = PAST_FRAMES;
        self.write = PAST_FRAMES;
    }

    pub(crate) const fn channels(&self) -> Channels {
        self.channels
    }

    /// Frames that wait to be played.
    pub(crate) const fn waiting(&self) -> usize {
        self.write - self.read
    }

    /// Makes room for `frames` more, which must be at most [`PACKET_FRAMES_MAX`].
    fn make_room(&mut self, frames: usize) {
        if self.write + frames <= CAPACITY_FRAMES {
            return;
        }
        let from = self.read - PAST_FRAMES;
        for samples in self.samples.iter_mut().filter(|samples| !samples.is_empty()) {
            samples.copy_within(from..self.write, 0);
        }
        self.read -= from;
        self.write -= from;
    }

    /// Appends interleaved frames of this timeline's channels. Frames beyond the room are dropped:
    /// a caller asks [`Self::room`] first.
    pub(crate) fn push_interleaved(&mut self, interleaved: &[f32]) {
        let frames = (interleaved.len() / self.channels.count()).min(self.room());
        self.make_room(frames);
        let place = self.write..self.write + frames;
        match self.channels {
            Channels::Mono => {
                for (sample, new) in self.samples[0][place].iter_mut().zip(interleaved) {
                    *sample = clean(*new);
                }
            }
            Channels::Stereo => {
                let [left, right] = &mut self.samples;
                let sides = left[place.clone()].iter_mut().zip(right[place].iter_mut());
                for ((left, right), frame) in sides.zip(interleaved.chunks_exact(2)) {
                    (*left, *right) = (clean(frame[0]), clean(frame[1]));
                }
            }
        }
        self.write += frames;
    }

    /// Appends frames that a function makes: it gets the channel's samples up to the new frame and
    /// the index among the new frames.
    pub(crate) fn push_with(
        &mut self,
        frames: usize,
        mut sample: impl FnMut(usize, &[f32], usize) -> f32,
    ) {
        let frames = frames.min(self.room());
        self.make_room(frames);
        for (channel, samples) in self.samples.iter_mut().enumerate() {
            if samples.is_empty() {
                continue;
            }
            for index in 0..frames {
                let (before, rest) = samples.split_at_mut(self.write + index);
                rest[0] = clean(sample(channel, before, index));
            }
        }
        self.write += frames;
    }

    /// Frames that can be appended now.
    pub(crate) const fn room(&self) -> usize {
        CAPACITY_FRAMES - PAST_FRAMES - self.waiting()
    }

    /// Takes up to `frames` from the front; the second channel of a mono timeline is the first.
    pub(crate) fn play(&mut self, frames: usize) -> [&[f32]; 2] {
        let frames = frames.min(self.waiting());
        let place = self.read..self.read + frames;
        self.read += frames;
        let left = &self.samples[0][place.clone()];
        match self.channels {
            Channels::Mono => [left, left],
            Channels::Stereo => [left, &self.samples[1][place]],
        }
    }

    /// Fills the first `frames` of `out` at the playhead's rate; the second channel of a mono timeline
    /// is left alone. What the playhead [reads](Playhead::reads) must wait.
    pub(crate) fn play_between(
        &mut self,
        frames: usize,
        playhead: &mut Playhead,
        kernel: &Kernel,
        out: &mut [[f32; BLOCK_FRAMES]; 2],
    ) {
        let moved = playhead.reads(frames).frames.min(self.waiting());
        let frames = frames.min(BLOCK_FRAMES);
        let [left, right] = out;
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        let [from_left, from_right] = &self.samples;
        match self.channels {
            Channels::Mono => playhead.play(kernel, [&from_left[..self.write]], self.read, [left]),
            Channels::Stereo => {
                let sides = [&from_left[..self.write], &from_right[..self.write]];
                playhead.play(kernel, sides, self.read, [left, right]);
            }
        }
        self.read += moved;
    }

    /// Drops up to `frames` that wait, without any fade; gives how many.
    #[cfg(test)]
    pub(crate) fn skip(&mut self, frames: usize) -> usize {
        let frames = frames.min(self.waiting());
        self.read += frames;
        frames
    }

    /// Plays up to `frames` of the past again, without any fade; gives how many.
    pub(crate) fn rewind(&mut self, frames: usize) -> usize {
        let frames = frames.min(PAST_FRAMES).min(self.room());
        self.read -= frames;
        self.keep_past();
        frames
    }

    /// The mean of the channels at an offset from the frame played next.
    pub(crate) fn mono(&self, offset: isize) -> f32 {
        let index = self.read.saturating_add_signed(offset);
        let left = self.samples[0].get(index).copied().unwrap_or(0.0);
        match self.channels {
            Channels::Mono => left,
            Channels::Stereo => 0.5 * (left + self.samples[1].get(index).copied().unwrap_or(0.0)),
        }
    }

    /// A channel's sample so many frames before the end of what is ready; 1 is the last.
    pub(crate) fn sample_before_end(&self, channel: usize, frames: usize) -> f32 {
        self.write.checked_sub(frames).map_or(0.0, |index| self.at(channel, index))
    }

    /// A channel's last so many frames, at most [`PAST_FRAMES`].
    pub(crate) fn last(&self, channel: usize, frames: usize) -> &[f32] {
        let samples = self.samples.get(channel).map_or(&[][..], |samples| samples);
        samples.get(self.write.saturating_sub(frames)..self.write).unwrap_or_default()
    }

    fn at(&self, channel: usize, index: usize) -> f32 {
        let samples = self.samples.get(channel).filter(|samples| !samples.is_empty());
        samples.and_then(|samples| samples.get(index)).copied().unwrap_or(0.0)
    }

    /// Takes back the last `frames` that were appended.
    pub(crate) fn drop_last(&mut self, frames: usize) {
        self.write -= frames.min(self.waiting());
    }

    /// Leaves out `lag` frames: fades over `fade` frames from what is next to what lies `lag`
    /// later. Needs `lag + fade` frames waiting; else does nothing.
    pub(crate) fn leave_out(&mut self, lag: usize, fade: usize) -> bool {
        if self.waiting() < lag + fade {
            return false;
        }
        let read = self.read;
        for samples in self.samples.iter_mut().filter(|samples| !samples.is_empty()) {
            // Backwards: where the fade is longer than the lag, what is written lies in what is
            // still to be read.
            for index in (0..fade).rev() {
                let old = samples[read + index];
                let new = &mut samples[read + lag + index];
                *new = old + (*new - old) * fade_in(index, fade);
            }
            keep_before(samples, read, read + lag);
        }
        self.read += lag;
        true
    }

    /// Repeats `lag` frames: fades over `fade` frames from what is next to what lay `lag` before.
    /// Needs `fade` frames waiting and `lag` in the past; else does nothing.
    pub(crate) fn repeat(&mut self, lag: usize, fade: usize) -> bool {
        if self.waiting() < fade || PAST_FRAMES < lag || self.room() < lag {
            return false;
        }
        let read = self.read;
        for samples in self.samples.iter_mut().filter(|samples| !samples.is_empty()) {
            keep_before(samples, read, read - lag);
            for index in 0..fade {
                let old = samples[read + index];
                let new = &mut samples[read - lag + index];
                *new = old + (*new - old) * fade_in(index, fade);
            }
        }
        self.read -= lag;
        self.keep_past();
        true
    }

    /// Moves everything up until there is a whole past again; its far end becomes silence.
    fn keep_past(&mut self) {
        let Some(frames) = PAST_FRAMES.checked_sub(self.read) else { return };
        for samples in self.samples.iter_mut().filter(|samples| !samples.is_empty()) {
            samples.copy_within(..self.write, frames);
            samples[..frames].fill(0.0);
        }
        self.read += frames;
        self.write += frames;
    }
}

/// Lets what was played last lie before the frame that is played next, wherever that goes: interpolation
/// reads both.
fn keep_before(samples: &mut [f32], played_until: usize, next: usize) {
    if let (Some(from), Some(to)) = (played_until.checked_sub(BEFORE), next.checked_sub(BEFORE)) {
        samples.copy_within(from..played_until, to);
    }
}

/// Frames of the past that are kept: two of the longest lags that splices and concealment use.
pub(crate) const PAST_FRAMES: usize = 2048;

/// The past, what splices look ahead, one block and one of the longest packets, with some slack
/// so that moving everything down is rare.
const CAPACITY_FRAMES: usize = 8192;

const _: () = assert!(2 * PAST_FRAMES + PACKET_FRAMES_MAX < CAPACITY_FRAMES);

#[cfg(test)]
mod tests {
    use super::*;

    fn count_up(from: u16, to: u16) -> Vec<f32> {
        (from..to).map(f32::from).collect()
    }

    #[test]
    fn audio_comes_out_in_order_however_it_is_moved_around() {
        let mut timeline = Timeline::new(Channels::Mono);
        let mut heard = Vec::new();
        for block in 0..300_u16 {
            timeline.push_interleaved(&count_up(block * 100, block * 100 + 100));
            while 64 <= timeline.waiting() {
                heard.extend_from_slice(timeline.play(64)[0]);
            }
        }
        assert!(heard.iter().eq(&count_up(0, u16::try_from(heard.len()).expect("fits"))));
    }

    #[test]
    fn stereo_keeps_its_sides() {
        let mut timeline = Timeline::new(Channels::Stereo);
        timeline.push_interleaved(&[1.0, -1.0, 2.0, -2.0]);
        assert!((timeline.mono(0)).abs() < 1e-9);
        assert_eq!(timeline.play(2), [&[1.0, 2.0][..], &[-1.0, -2.0]]);
    }

    #[test]
    fn leaving_out_a_period_of_a_periodic_signal_changes_nothing_but_the_time() {
        let mut timeline = Timeline::new(Channels::Mono);
        let period: Vec<f32> = (0..1000).map(|n: u16| f32::from(n % 50)).collect();
        timeline.push_interleaved(&period);
        assert!(timeline.leave_out(100, 64));
        assert_eq!(timeline.waiting(), 900);
        assert!(timeline.play(900)[0].iter().zip(&period).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn leaving_out_less_than_the_fade_takes_is_smooth_too() {
        for (lag, fade) in [(24, 64), (40, 120), (64, 64), (33, 240)] {
            let mut timeline = Timeline::new(Channels::Mono);
            // A ramp: whatever is faded between, no step is larger than both slopes together.
            timeline.push_interleaved(&count_up(0, 1000));
            assert!(timeline.leave_out(lag, fade));
            let heard = timeline.play(1000 - lag)[0];
            let lag = f32::from(u16::try_from(lag).expect("short"));
            let fade = f32::from(u16::try_from(fade).expect("short"));
            // The fade is a raised cosine, which is at most pi/2 times as steep as a line.
            let steepest = 1.0 + lag / fade * core::f32::consts::FRAC_PI_2;
            for step in heard.windows(2).map(|pair| pair[1] - pair[0]) {
                assert!((0.9..=steepest + 0.1).contains(&step), "{lag} {fade}: {step}");
            }
        }
    }

    #[test]
    fn repeating_a_period_of_a_periodic_signal_changes_nothing_but_the_time() {
        let mut timeline = Timeline::new(Channels::Mono);
        let period: Vec<f32> = (0..1000).map(|n: u16| f32::from(n % 50)).collect();
        timeline.push_interleaved(&period);
        timeline.play(500);
        for times in 1..10 {
            assert!(timeline.repeat(50, 64));
            assert_eq!(timeline.waiting(), 500 + 50 * times);
        }
        let heard = timeline.play(1000)[0];
        assert!(heard.iter().zip(&period).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn interpolation_finds_what_was_played_last_before_a_splice() {
        for leaves_out in [true, false] {
            let mut timeline = Timeline::new(Channels::Mono);
            // A slow wave, and a lag that does not fit it: the splice goes from one place to another.
            let wave = |n: u16| (f32::from(n) * 0.02).sin();
            let samples: Vec<f32> = (0..2000).map(wave).collect();
            timeline.push_interleaved(&samples);
            timeline.play(500);
            let (mut playhead, mut out) = (Playhead::at_rest(), [[0.0; BLOCK_FRAMES]; 2]);
            playhead.glide_to(-5e-3);
            timeline.play_between(200, &mut playhead, Kernel::shared(), &mut out);
            let last = [out[0][198], out[0][199]];
            assert!(if leaves_out {
                timeline.leave_out(77, 240)
            } else {
                timeline.repeat(77, 240)
            });
            timeline.play_between(200, &mut playhead, Kernel::shared(), &mut out);
            let heard: Vec<f32> = last.into_iter().chain(out[0][..200].iter().copied()).collect();
            let bend = heard.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
            let sharpest = bend.fold(0.0, f32::max);
            // The wave itself bends by 0.0004, the fade between two places by as much again.
            assert!(sharpest < 0.0015, "{leaves_out}: {sharpest}");
        }
    }

    #[test]
    fn a_splice_without_audio_to_make_it_from_does_nothing() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&[1.0; 100]);
        assert!(!timeline.leave_out(50, 64));
        assert!(!timeline.repeat(50, 101));
        assert!(!timeline.repeat(PAST_FRAMES + 1, 10));
        assert_eq!(timeline.waiting(), 100);
    }
}
