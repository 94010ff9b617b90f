//! What is played where audio is missing: the past, gone on from.
//!
//! [`Extrapolation`] says how the sound would go on, which keeps pitch, phase and timbre. Where the sound
//! is coded by Opus [`Repetition`] does, since the decoder finds back better from that, and so it does
//! where more gaps begin in one callback than there is time for, at a quarter of the cost. It holds for a
//! few milliseconds, then fades; after 60 ms it is silence. Real audio that follows is faded in against it
//! ([`Tail`]). What surprises: it works on what was heard, not on what a codec knows, so it also covers the
//! seam where one codec takes over from another.

use protocol::codec::Codec;

use crate::encoding::Channels;
use crate::rt::extrapolation::{Extrapolation, FRAMES_MAX, PAST_FRAMES};
use crate::rt::ramp::fade_in;
use crate::rt::repetition::Repetition;
use crate::rt::splice;
use crate::rt::timeline::Timeline;

/// Continues one timeline.
#[derive(Debug)]
pub(crate) struct Continuation {
    extrapolation: Extrapolation,
    /// Whether what was heard is the sound itself rather than what a transform made of it.
    is_plain: bool,
    /// Set while a gap is being filled.
    gap: Option<Gap>,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    /// What is repeated; `None` where the sound is extrapolated.
    repetition: Option<Repetition>,
    /// Frames of the extrapolation that were appended to the timeline.
    taken: usize,
    /// Frames made since the last real one before it was begun: none, but where the timeline was cut
    /// meanwhile.
    before: usize,
    /// How the timeline ended when it was last appended to.
    ends: [f32; 2],
}

impl Continuation {
    /// Off the audio thread.
    pub(crate) fn new(channels: Channels) -> Self {
        Self { extrapolation: Extrapolation::new(channels), is_plain: true, gap: None }
    }

    /// Suits gaps that begin from now on to a codec.
    pub(crate) fn suit(&mut self, codec: Codec) {
        self.is_plain = codec == Codec::Pcm;
    }

    /// Frames made since the last real one.
    pub(crate) fn made(&self) -> usize {
        self.gap.map_or(0, |gap| gap.before + gap.taken)
    }

    /// Whether the gap that is being filled is predicted; `None` where there is no gap.
    #[cfg(test)]
    pub(crate) fn predicts(&self) -> Option<bool> {
        self.gap.map(|gap| gap.repetition.is_none())
    }

    /// Real audio follows again.
    pub(crate) fn end(&mut self) {
        self.gap = None;
    }

    /// Appends `frames` to the timeline. A gap that begins is predicted only if `predictions_left` has one
    /// left, here and below.
    pub(crate) fn extend(
        &mut self,
        timeline: &mut Timeline,
        frames: usize,
        predictions_left: &mut usize,
    ) {
        let gap = self.go_on(timeline, frames, predictions_left);
        match &gap.repetition {
            None => {
                timeline.push_with(frames, |channel, _, index| self.faded(&gap, channel, index))
            }
            Some(by) => by.extend(timeline, gap.taken, frames, |index| gap.level(index)),
        }
        self.take(gap, frames, timeline);
    }

    /// Writes what would follow next into `out` (interleaved, `channels` of them) without
    /// appending it: the signal that real audio is faded in against.
    pub(crate) fn peek(
        &mut self,
        timeline: &Timeline,
        out: &mut [f32],
        channels: usize,
        predictions_left: &mut usize,
    ) {
        let gap = self.go_on(timeline, out.len() / channels, predictions_left);
        if let Some(by) = &gap.repetition {
            by.peek(timeline, gap.taken, out, channels, |index| gap.level(index));
            return;
        }
        for (index, frame) in out.chunks_exact_mut(channels).enumerate() {
            for (channel, sample) in frame.iter_mut().enumerate() {
                *sample = self.faded(&gap, channel, index);
            }
        }
    }

    /// Makes sure that `frames` more are ready.
    fn go_on(&mut self, timeline: &Timeline, frames: usize, predictions_left: &mut usize) -> Gap {
        let ends = ends(timeline);
        let gap = self.gap.filter(|gap| gap.ends == ends).unwrap_or_else(|| {
            let left = predictions_left.checked_sub(1).filter(|_| self.is_plain);
            let repetition = match left {
                Some(left) => {
                    *predictions_left = left;
                    self.extrapolation.begin(|channel| timeline.last(channel, PAST_FRAMES));
                    None
                }
                None => Some(Repetition::begin(timeline)),
            };
            Gap { repetition, taken: 0, before: self.made(), ends }
        });
        if gap.repetition.is_none() {
            // What is heard no more is not made.
            let heard = SILENT_FRAMES.saturating_sub(gap.before);
            self.extrapolation.reach((gap.taken + frames).min(heard));
        }
        self.gap = Some(gap);
        gap
    }

    fn take(&mut self, gap: Gap, frames: usize, timeline: &Timeline) {
        self.gap = Some(Gap { taken: gap.taken + frames, ends: ends(timeline), ..gap });
    }

    /// A frame of what goes on, as it is heard; `index` counts from the next one.
    fn faded(&self, gap: &Gap, channel: usize, index: usize) -> f32 {
        let index = gap.taken + index;
        // A gap that was begun anew goes on from audio that is faded already.
        let level = fade(gap.before + index) / fade(gap.before).max(LEVEL_MIN);
        self.extrapolation.sample(channel, index) * level
    }
}

impl Gap {
    /// How loud a frame of what is repeated is; `index` counts from the next one.
    fn level(&self, index: usize) -> f32 {
        fade(self.before + self.taken + index)
    }
}

fn ends(timeline: &Timeline) -> [f32; 2] {
    [0, 1].map(|channel| timeline.sample_before_end(channel, 1))
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
        timeline: &Timeline,
        predictions_left: &mut usize,
    ) {
        let channels = timeline.channels().count();
        let samples = &mut self.samples[..TAIL_FRAMES * channels];
        continuation.peek(timeline, samples, channels, predictions_left);
        (self.next, self.begin, self.end) = (0, 0, TAIL_FRAMES);
    }

    /// Lets a decoder that knows nothing yet take over: after `warm_up` frames, quickly.
    pub(crate) fn wait_for(&mut self, warm_up: usize) {
        self.begin = warm_up.min(TAIL_FRAMES - TAIL_FRAMES_MIN);
        self.end = self.begin + TAIL_FRAMES_MIN;
    }

    /// Shortens a tail that has just begun to what suits the audio that follows: samples that were
    /// sent as such are right at once; what was decoded goes on like the tail, so that a long one
    /// hides how the decoder finds its way back; or it does not, so that the tail is wrong and must go.
    pub(crate) fn fit(&mut self, codec: Codec, audio: &[f32], channels: usize) {
        if self.next != 0 || self.end != TAIL_FRAMES {
            return;
        }
        if codec == Codec::Pcm {
            self.end = TAIL_FRAMES_PCM;
            return;
        }
        let len = audio.len().min(COMPARED_FRAMES * channels).min(self.end * channels);
        let likeness = splice::likeness(&self.samples[..len], &audio[..len]);
        if likeness < TAIL_LIKENESS {
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

/// Full for [`HOLD_FRAMES`], then down to silence at [`SILENT_FRAMES`].
fn fade(index: usize) -> f32 {
    let Some(left) = SILENT_FRAMES.checked_sub(index) else { return 0.0 };
    (to_f32(left) / to_f32(SILENT_FRAMES - HOLD_FRAMES)).min(1.0)
}

fn to_f32(frames: usize) -> f32 {
    u16::try_from(frames).map_or(0.0, f32::from)
}

/// Below this there is nothing left to go on from.
const LEVEL_MIN: f32 = 1e-4;

/// How long it holds at full level: 10 ms.
pub(crate) const HOLD_FRAMES: usize = 480;

/// 60 ms: longer than that, what is invented is worse than silence.
pub(crate) const SILENT_FRAMES: usize = FRAMES_MAX;

/// Frames over which decoded audio takes over from concealment, where they are alike and where they
/// are not; and over how many frames that is compared.
const TAIL_FRAMES: usize = 720;
const TAIL_FRAMES_MIN: usize = 96;
const TAIL_FRAMES_PCM: usize = 32;
const COMPARED_FRAMES: usize = 120;
const TAIL_LIKENESS: f32 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(from: usize, to: usize) -> Vec<f32> {
        let sample = |n: usize| f32::from(u16::try_from(n).expect("short")) / 46.55;
        (from..to).map(|n| 0.5 * (sample(n) * core::f32::consts::TAU).sin()).collect()
    }

    #[test]
    fn a_tone_goes_on_as_if_nothing_were_missing() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&tone(0, 2000));
        let mut continuation = Continuation::new(Channels::Mono);
        for _ in 0..4 {
            continuation.extend(&mut timeline, 64, &mut 1);
        }
        assert_eq!(continuation.made(), 256);
        timeline.skip(2000);
        let heard = timeline.play(256)[0];
        let expected = tone(2000, 2256);
        let off = heard.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 0.01);
    }

    #[test]
    fn a_long_gap_ends_in_silence() {
        let mut timeline = Timeline::new(Channels::Stereo);
        timeline.push_interleaved(&tone(0, 3000));
        let mut continuation = Continuation::new(Channels::Stereo);
        for _ in 0..50 {
            continuation.extend(&mut timeline, 64, &mut 1);
            timeline.skip(64);
        }
        continuation.extend(&mut timeline, 64, &mut 1);
        timeline.skip(timeline.waiting() - 64);
        assert_eq!(timeline.play(64), [&[0.0; 64][..], &[0.0; 64]]);
    }

    #[test]
    fn a_peek_leaves_the_timeline_as_it_was() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&tone(0, 1000));
        let mut continuation = Continuation::new(Channels::Mono);
        let mut peeked = [0.0; 64];
        continuation.peek(&timeline, &mut peeked, 1, &mut 1);
        assert_eq!((timeline.waiting(), continuation.made()), (1000, 0));
        continuation.extend(&mut timeline, 64, &mut 1);
        timeline.skip(1000);
        assert_eq!(timeline.play(64)[0], peeked);
    }

    #[test]
    fn a_cut_timeline_is_gone_on_from_where_it_ends() {
        let mut timeline = Timeline::new(Channels::Mono);
        timeline.push_interleaved(&tone(0, 2500));
        let mut continuation = Continuation::new(Channels::Mono);
        continuation.extend(&mut timeline, 600, &mut 1);
        timeline.drop_last(700);
        continuation.extend(&mut timeline, 64, &mut 1);
        timeline.skip(2300);
        let heard = timeline.play(164)[0];
        let bends = heard.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
        // Those of the tone are 0.0091 at most.
        assert!(bends.fold(0.0, f32::max) < 0.012);
        assert_eq!(continuation.made(), 664);
    }
}
