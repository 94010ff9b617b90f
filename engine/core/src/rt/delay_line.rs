//! Plays a remote later than its jitter buffer could: by up to many bars.
//!
//! What is played goes round in a ring and is heard again from further back. What surprises: another delay
//! is another place in the same past, cross-faded to, so that a longer one repeats some of what was heard and
//! a shorter one leaves some out, but nothing ever jumps.

use crate::rt::ramp::fade_in;
use crate::rt::render::BLOCK_FRAMES;

/// A ring of frames, made by [`crate::Control`] and owned by the render callback.
#[derive(Debug)]
pub(crate) struct DelayLine {
    /// Left and right, or one for both.
    sides: Vec<Box<[f32]>>,
    /// Where the next frame goes, and how many were written so far, as far as that matters.
    next: usize,
    written: usize,
    /// Frames since the latest that was not silent.
    quiet: usize,
    delay: usize,
    /// Where it fades to, and how far that is.
    fading: Option<(usize, usize)>,
    wanted: usize,
    block: [[f32; BLOCK_FRAMES]; 2],
}

impl DelayLine {
    /// A ring of silence for `channels` (1 or 2) that delays by so many frames, and at most by `frames_max`.
    pub(crate) fn new(channels: usize, frames_max: usize, delay: usize) -> Self {
        let length = frames_max + BLOCK_FRAMES;
        let delay = delay.min(frames_max);
        Self {
            sides: (0..channels.clamp(1, 2)).map(|_| vec![0.0; length].into()).collect(),
            next: 0,
            written: 0,
            quiet: length,
            delay,
            fading: None,
            wanted: delay,
            block: [[0.0; BLOCK_FRAMES]; 2],
        }
    }

    /// Frames that it delays by at most.
    pub(crate) fn frames_max(&self) -> usize {
        self.length() - BLOCK_FRAMES
    }

    /// Frames that it delays by, or fades to.
    pub(crate) fn delay(&self) -> usize {
        self.fading.map_or(self.delay, |(to, _)| to)
    }

    /// Begins with what is played at the moment, and fades to its delay from there.
    pub(crate) fn begin_at_once(&mut self) {
        self.delay = 0;
    }

    /// Moves to another delay.
    pub(crate) fn set_delay(&mut self, frames: usize) {
        self.wanted = frames.min(self.frames_max());
    }

    /// Forgets what was written: it stood still meanwhile, and is from another time.
    pub(crate) fn forget(&mut self) {
        self.written = 0;
    }

    /// Whether something that was written may still be heard.
    pub(crate) fn holds_sound(&self) -> bool {
        self.quiet <= self.delay.max(self.delay()) + FADE_FRAMES
    }

    /// Takes the next frames and gives those that are due; silence where `played` is nothing. A line that retires is
    /// faded out meanwhile.
    pub(crate) fn pass(
        &mut self,
        played: Option<[&[f32]; 2]>,
        frames: usize,
        retiring: Option<&mut (Box<Self>, usize)>,
    ) -> [&[f32]; 2] {
        let frames = frames.min(BLOCK_FRAMES);
        self.pass_alone(played, frames);
        if let Some((line, at)) = retiring {
            let old = line.pass_alone(played, frames);
            for (side, old) in self.block.iter_mut().zip(old) {
                for (index, (new, old)) in side.iter_mut().zip(old).enumerate() {
                    let weight = if *at + index < FADE_FRAMES {
                        fade_in(*at + index, FADE_FRAMES)
                    } else {
                        1.0
                    };
                    *new = old + weight * (*new - old);
                }
            }
            *at += frames;
        }
        let [left, right] = &self.block;
        [&left[..frames], &right[..frames]]
    }

    fn pass_alone(&mut self, played: Option<[&[f32]; 2]>, frames: usize) -> [&[f32]; 2] {
        for frame in 0..frames {
            self.write(played, frame);
            if self.fading.is_none() && self.wanted != self.delay {
                self.fading = Some((self.wanted, 0));
            }
            let weight = match &mut self.fading {
                None => None,
                Some((to, at)) => {
                    let weight = fade_in(*at, FADE_FRAMES);
                    *at += 1;
                    Some((*to, weight, *at))
                }
            };
            for side in 0..2 {
                let now =
                    played.map_or(0.0, |sides| sides[side].get(frame).copied().unwrap_or(0.0));
                let past = |delay| if delay == 0 { now } else { self.past(side, delay) };
                let old = past(self.delay);
                self.block[side][frame] = match weight {
                    None => old,
                    Some((to, weight, _)) => old + weight * (past(to) - old),
                };
            }
            if let Some((to, _, FADE_FRAMES)) = weight {
                self.delay = to;
                self.fading = None;
            }
            self.next = (self.next + 1) % self.length();
            self.written = self.written.saturating_add(1);
        }
        let [left, right] = &self.block;
        [&left[..frames], &right[..frames]]
    }

    fn length(&self) -> usize {
        self.sides.first().map_or(BLOCK_FRAMES, |side| side.len())
    }

    fn write(&mut self, played: Option<[&[f32]; 2]>, frame: usize) {
        // The first frames are faded in: before them there was silence.
        let gain =
            if self.written < FADE_FRAMES { fade_in(self.written, FADE_FRAMES) } else { 1.0 };
        let mut quiet = true;
        for (side, samples) in self.sides.iter_mut().zip(played.unwrap_or([&[], &[]])) {
            let sample = gain * samples.get(frame).copied().unwrap_or(0.0);
            quiet &= sample == 0.0;
            if let Some(place) = side.get_mut(self.next) {
                *place = sample;
            }
        }
        self.quiet = if quiet { self.quiet.saturating_add(1) } else { 0 };
    }

    /// What was written so many frames before the newest.
    fn past(&self, side: usize, delay: usize) -> f32 {
        let length = self.length();
        if self.written < delay {
            return 0.0;
        }
        let ring = self.sides.get(side).or(self.sides.first());
        let place = (self.next + length - delay.min(length - 1)) % length;
        ring.and_then(|ring| ring.get(place)).copied().unwrap_or(0.0)
    }
}

/// 10 ms.
pub(crate) const FADE_FRAMES: usize = 480;

#[cfg(test)]
mod tests {
    use super::*;

    /// A slow sine, whose steps from sample to sample are small.
    fn sound(frame: usize) -> f32 {
        (frame as f32 * 0.01).sin()
    }

    fn play(line: &mut DelayLine, from: usize, frames: usize) -> Vec<f32> {
        let mut heard = Vec::new();
        for start in (from..from + frames).step_by(BLOCK_FRAMES) {
            let count = BLOCK_FRAMES.min(from + frames - start);
            let block: Vec<f32> = (start..start + count).map(sound).collect();
            let [left, right] = line.pass(Some([&block, &block]), count, None);
            assert_eq!(left, right);
            heard.extend_from_slice(left);
        }
        heard
    }

    #[test]
    fn what_was_played_is_heard_so_many_frames_later() {
        let mut line = DelayLine::new(2, 5000, 3000);
        let heard = play(&mut line, 0, 10_000);
        assert!(heard[..3000].iter().all(|sample| *sample == 0.0));
        for (frame, sample) in heard.iter().enumerate().skip(3000 + FADE_FRAMES) {
            assert!((sample - sound(frame - 3000)).abs() < 1e-6, "{frame}");
        }
        assert!(line.holds_sound());
        for _ in 0..40 {
            line.pass(None, BLOCK_FRAMES, None);
        }
        assert!(!line.holds_sound());
    }

    #[test]
    fn another_delay_is_faded_to_and_nothing_jumps() {
        let mut line = DelayLine::new(1, 5000, 0);
        let mut heard = play(&mut line, 0, 6000);
        for (round, delay) in [5000, 40, 2000, 0, 9999].into_iter().enumerate() {
            line.set_delay(delay);
            heard.extend(play(&mut line, 6000 + 4000 * round, 4000));
            assert_eq!(line.delay(), delay.min(5000));
        }
        let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.02, "{step}");
        let last = heard.len() - 1;
        assert!((heard[last] - sound(last - 5000)).abs() < 1e-6);
    }
}
