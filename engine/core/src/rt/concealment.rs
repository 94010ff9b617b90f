//! What is played where audio is missing: the past, continued.
//!
//! The stretch of the past that best predicts the latest few milliseconds is repeated, which keeps
//! pitch and timbre. It holds for a few milliseconds, then fades; after 60 ms it is silence. What
//! surprises: it works on what was heard, not on what a codec knows, so it is the same for all
//! codecs and also covers the seam where one codec takes over from another.

use protocol::codec::Codec;

use crate::rt::ramp::fade_in;
use crate::rt::splice::{self, Preference, REGION_FRAMES_MAX, TEMPLATE_FRAMES_MAX};
use crate::rt::timeline::Timeline;

/// Continues one timeline.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Continuation {
    /// Set while a gap is being filled.
    gap: Option<Gap>,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    /// What is repeated: the frame so far back.
    lag: usize,
    /// Frames made so far.
    made: usize,
    /// How far the repeated stretch misses the last frame before the gap, for each channel. It is
    /// added and fades, so that the seam does not step.
    step: [f32; 2],
}

impl Continuation {
    /// Frames made since the last real one.
    pub(crate) fn made(&self) -> usize {
        self.gap.map_or(0, |gap| gap.made)
    }

    /// Real audio follows again.
    pub(crate) fn end(&mut self) {
        self.gap = None;
    }

    /// Appends `frames` to the timeline.
    pub(crate) fn extend(&mut self, timeline: &mut Timeline, frames: usize) {
        let gap = self.gap.get_or_insert_with(|| Gap::begin(timeline));
        let Gap { lag, made, step } = *gap;
        timeline.push_with(frames, |channel, before, index| {
            let repeated = before.len().checked_sub(lag).and_then(|at| before.get(at));
            let repeated = repeated.copied().unwrap_or(0.0);
            let seam = step[channel.min(1)] * seam_weight(made + index);
            (repeated + seam) * fade(made + index)
        });
        gap.made += frames;
    }

    /// Writes what would follow next into `out` (interleaved, `channels` of them) without
    /// appending it: the signal that real audio is faded in against.
    pub(crate) fn peek(&mut self, timeline: &mut Timeline, out: &mut [f32], channels: usize) {
        let frames = (out.len() / channels).min(timeline.room());
        let waiting = timeline.waiting();
        let made = self.made();
        self.extend(timeline, frames);
        for (index, frame) in out.chunks_exact_mut(channels).enumerate() {
            for (channel, sample) in frame.iter_mut().enumerate() {
                *sample = timeline.sample(channel, waiting + index);
            }
        }
        timeline.drop_last(frames);
        if let Some(gap) = &mut self.gap {
            gap.made = made;
        }
    }
}

/// Audio that fades out under new audio, interleaved.
#[derive(Debug)]
pub(crate) struct Tail {
    samples: [f32; 2 * TAIL_FRAMES],
    next: usize,
    /// Where the fade begins and where it ends.
    begin: usize,
    end: usize,
}

impl Gap {
    fn begin(timeline: &Timeline) -> Self {
        let mut past = [0.0; REGION_FRAMES_MAX];
        let waiting = isize::try_from(timeline.waiting()).unwrap_or(0);
        for (offset, sample) in (-REGION..0).zip(&mut past) {
            *sample = timeline.mono(waiting + offset);
        }
        let template = &past[REGION_FRAMES_MAX - TEMPLATE_FRAMES_MAX..];
        let region = &past[..REGION_FRAMES_MAX - LAG_FRAMES_MIN];
        let found =
            splice::find(template, region, Preference::Alike).map_or(0, |found| found.index);
        let lag = REGION_FRAMES_MAX - TEMPLATE_FRAMES_MAX - found;
        let step = [0, 1].map(|channel| {
            let last = timeline.sample_before_end(channel, 1);
            let predicted = timeline.sample_before_end(channel, 1 + lag);
            last - predicted
        });
        Self { lag, made: 0, step }
    }
}

impl Tail {
    pub(crate) const fn new() -> Self {
        Self { samples: [0.0; 2 * TAIL_FRAMES], next: 0, begin: 0, end: 0 }
    }

    /// Lets what follows fade in from silence.
    pub(crate) fn fade_in_from_silence(&mut self) {
        self.samples.fill(0.0);
        (self.next, self.begin, self.end) = (0, 0, TAIL_FRAMES);
    }

    /// Lets what follows fade in against what would be played if nothing followed.
    pub(crate) fn fade_from(
        &mut self,
        continuation: &mut Continuation,
        timeline: &mut Timeline,
        channels: usize,
    ) {
        continuation.peek(timeline, &mut self.samples[..TAIL_FRAMES * channels], channels);
        (self.next, self.begin, self.end) = (0, 0, TAIL_FRAMES);
    }

    /// Lets a decoder that knows nothing yet take over: after `warm_up` frames, quickly.
    pub(crate) fn wait_for(&mut self, warm_up: usize) {
        self.begin = warm_up.min(TAIL_FRAMES - TAIL_FRAMES_MIN);
        self.end = self.begin + TAIL_FRAMES_MIN;
    }

    /// Shortens a tail that has just begun to what suits the audio that follows: where that goes on
    /// like the tail, a long one hides how a decoder finds its way back; where it does not, the tail
    /// is wrong and must go.
    pub(crate) fn fit(&mut self, codec: Codec, audio: &[f32], channels: usize) {
        if self.next != 0 || self.end != TAIL_FRAMES {
            return;
        }
        let len = audio.len().min(FIT_FRAMES * channels).min(self.end * channels);
        let likeness = splice::likeness(&self.samples[..len], &audio[..len]);
        if codec == Codec::Pcm || likeness < TAIL_LIKENESS {
            self.end = TAIL_FRAMES_MIN;
        }
    }

    /// Fades from the tail to new audio, in place.
    pub(crate) fn fade_out_under(&mut self, audio: &mut [f32], channels: usize) {
        for frame in audio.chunks_exact_mut(channels).take(self.end - self.next) {
            let at = self.next.checked_sub(self.begin);
            let weight = at.map_or(0.0, |at| fade_in(at, self.end - self.begin));
            let old = self.samples[self.next * channels..].iter();
            for (sample, old) in frame.iter_mut().zip(old) {
                *sample = old + (*sample - old) * weight;
            }
            self.next += 1;
        }
    }
}

/// How much of the step at the seam is still added.
fn seam_weight(index: usize) -> f32 {
    match SEAM_FRAMES.checked_sub(index) {
        Some(left) => to_f32(left) / to_f32(SEAM_FRAMES),
        None => 0.0,
    }
}

/// Full for [`HOLD_FRAMES`], then down to silence at [`SILENT_FRAMES`].
fn fade(index: usize) -> f32 {
    let Some(left) = SILENT_FRAMES.checked_sub(index) else { return 0.0 };
    (to_f32(left) / to_f32(SILENT_FRAMES - HOLD_FRAMES)).min(1.0)
}

fn to_f32(frames: usize) -> f32 {
    u16::try_from(frames).map_or(0.0, f32::from)
}

/// Shortest stretch that is repeated: below 1.3 ms it would buzz.
const LAG_FRAMES_MIN: usize = 64;

const REGION: isize = REGION_FRAMES_MAX.cast_signed();

const SEAM_FRAMES: usize = 32;

/// How long it holds at full level: 10 ms.
pub(crate) const HOLD_FRAMES: usize = 480;

/// 60 ms: longer than that, repetition is worse than silence.
pub(crate) const SILENT_FRAMES: usize = 2880;

/// Frames over which decoded audio takes over from concealment, where they are alike and where they
/// are not; and over how many frames that is compared.
const TAIL_FRAMES: usize = 720;
const TAIL_FRAMES_MIN: usize = 96;
const FIT_FRAMES: usize = 120;
const TAIL_LIKENESS: f32 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Channels;

    fn tone(from: usize, to: usize) -> Vec<f32> {
        let sample = |n: usize| f32::from(u16::try_from(n).expect("short")) / 46.55;
        (from..to).map(|n| 0.5 * (sample(n) * core::f32::consts::TAU).sin()).collect()
    }

    #[test]
    fn a_tone_goes_on_as_if_nothing_were_missing() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&tone(0, 2000));
        let mut continuation = Continuation::default();
        for _ in 0..4 {
            continuation.extend(&mut timeline, 64);
        }
        assert_eq!(continuation.made(), 256);
        timeline.skip(2000);
        let heard = timeline.play(256)[0];
        let expected = tone(2000, 2256);
        let off = heard.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 0.03);
    }

    #[test]
    fn a_long_gap_ends_in_silence() {
        let mut timeline = Timeline::new(Channels::Stereo);
        timeline.push_interleaved(&tone(0, 3000));
        let mut continuation = Continuation::default();
        for _ in 0..50 {
            continuation.extend(&mut timeline, 64);
            timeline.skip(64);
        }
        continuation.extend(&mut timeline, 64);
        timeline.skip(timeline.waiting() - 64);
        assert_eq!(timeline.play(64), [&[0.0; 64][..], &[0.0; 64]]);
    }

    #[test]
    fn a_peek_leaves_the_timeline_as_it_was() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&tone(0, 1000));
        let mut continuation = Continuation::default();
        let mut peeked = [0.0; 64];
        continuation.peek(&mut timeline, &mut peeked, 1);
        assert_eq!((timeline.waiting(), continuation.made()), (1000, 0));
        continuation.extend(&mut timeline, 64);
        timeline.skip(1000);
        assert_eq!(timeline.play(64)[0], peeked);
    }
}
