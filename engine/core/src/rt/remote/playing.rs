//! Playing: what lies under the playhead is decoded, what is missing is concealed.

use protocol::codec::Codec;

use crate::limits::PACKET_FRAMES_MAX;
use crate::rt::codec::lookahead_frames;
use crate::rt::concealment::{HOLD_FRAMES, SILENT_FRAMES};
use crate::rt::remote::{Remote, State, to_i64, to_u64};
use crate::rt::repetition::Repetition;
use crate::rt::resample::LOOKAHEAD_FRAMES;
use crate::rt::scratch::Scratch;

impl Remote {
    /// Decodes or conceals until `frames` wait.
    pub(super) fn ensure(&mut self, frames: usize, scratch: &mut Scratch) {
        // Every turn adds at least one frame.
        while self.timeline.waiting() < frames {
            match self.ahead_of_first() {
                None => self.conceal(self.step(), scratch),
                Some(0) => self.decode(scratch),
                Some(hole) => self.conceal(hole.min(self.step()), scratch),
            }
        }
    }

    /// How many frames lie between what is decoded next and the first packet that is of use; those before
    /// it are dropped.
    fn ahead_of_first(&mut self) -> Option<usize> {
        // There are at most as many as the jitter buffer holds.
        while let Some(first) = self.packets.first() {
            let ahead = first.media_time.frames_since(self.next);
            let is_over = first.end().frames_since(self.next) <= 0;
            let is_spare = ahead < 0 && self.overlaps_left == 0;
            if !is_over && !is_spare {
                return Some(usize::try_from(ahead).unwrap_or(0));
            }
            if !is_over {
                self.shared.refused.add(1);
            }
            self.packets.take_first();
        }
        None
    }

    /// Makes what interpolation would like to see ahead of the playhead: decodes what is there, and
    /// invents the rest, which is nothing that is played and must be dropped again; gives how many
    /// frames that are.
    pub(super) fn look_ahead(&mut self, ahead: usize, scratch: &mut Scratch) -> usize {
        while self.timeline.waiting() < ahead && self.ahead_of_first() == Some(0) {
            self.decode(scratch);
        }
        let missing = ahead.saturating_sub(self.timeline.waiting()).min(LOOKAHEAD_FRAMES);
        if 0 < missing {
            let channels = self.decoders.channels().count();
            let mut invented = [0.0; 2 * LOOKAHEAD_FRAMES];
            let invented = &mut invented[..missing * channels];
            Repetition::begin(&self.timeline).peek(&self.timeline, 0, invented, channels, |_| 1.0);
            self.timeline.push_interleaved(invented);
        }
        missing
    }

    /// Decodes the earliest packet, which covers the next media time.
    fn decode(&mut self, scratch: &mut Scratch) {
        let channels = self.decoders.channels().count();
        let Some((packet, bytes)) = self.packets.take_first() else { return };
        if self.codec != Some(packet.codec) {
            // The seam between two codecs, or the start: the new decoder knows nothing yet.
            self.decoders.reset(packet.codec);
            if self.codec.is_some() {
                let left = &mut scratch.predictions_left;
                self.tail.fade_from(&mut self.continuation, &self.timeline, left);
                self.tail.wait_for(lookahead_frames(packet.codec));
            }
            self.codec = Some(packet.codec);
            self.continuation.suit(packet.codec);
        } else if 0 < self.continuation.made() {
            if HOLD_FRAMES <= self.continuation.made() {
                self.decoders.miss_many(packet.codec, &mut scratch.audio);
            }
            let left = &mut scratch.predictions_left;
            self.tail.fade_from(&mut self.continuation, &self.timeline, left);
        }
        if packet.media_time < self.next {
            self.overlaps_left = self.overlaps_left.saturating_sub(1);
        }
        self.packet_frames = packet.frames;
        let Some(decoded) = self.decoders.decode(packet.codec, bytes, &mut scratch.audio) else {
            self.shared.undecodable.add(1);
            self.conceal(packet.frames.min(PACKET_FRAMES_MAX), scratch);
            return;
        };
        self.continuation.end();
        if packet.redundant {
            self.shared.recovered.add(1);
        }
        // The part before the next media time was played (or concealed) already.
        let played = usize::try_from(self.next.frames_since(packet.media_time)).unwrap_or(0);
        let Some(audio) = scratch.audio.get_mut(played * channels..decoded * channels) else {
            self.next = packet.end();
            return;
        };
        self.tail.fit(packet.codec, audio, channels);
        self.tail.fade_out_under(audio, channels);
        let loudest = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        self.ended_in_silence = loudest < SILENT_LEVEL;
        self.whole_frames += audio.len() / channels;
        self.timeline.push_interleaved(audio);
        self.next = packet.end();
    }

    /// Frames that are concealed at a time.
    fn step(&self) -> usize {
        self.codec.map_or(CONCEAL_FRAMES, Codec::codec_frame_frames)
    }

    /// Invents `frames` in place of the next ones.
    fn conceal(&mut self, frames: usize, scratch: &mut Scratch) {
        if self.state == State::Playing && !self.ended_in_silence {
            self.shared.concealed.add(to_u64(frames));
            self.holes.add(self.next, to_i64(frames));
        }
        self.miss(frames, scratch);
        let owed = self.owed(frames);
        self.continuation.extend(&mut self.timeline, frames, &mut scratch.predictions_left);
        self.note_invented(frames);
        self.next = self.next.plus_frames(to_i64(frames - owed));
    }

    /// Counts frames that were just invented.
    pub(super) fn note_invented(&mut self, frames: usize) {
        let made = self.continuation.made();
        // What stands for a packet or a few is as good as they are; what has faded is not.
        let is_whole = self.state == State::Playing && made <= HOLD_FRAMES;
        self.whole_frames = if is_whole { self.whole_frames + frames } else { 0 };
        self.ended_in_silence |= SILENT_FRAMES <= made;
    }

    /// Tells the decoder that a packet is missing. Not for long: once concealment fades, it had
    /// better remember how loud the sound was.
    fn miss(&mut self, frames: usize, scratch: &mut Scratch) {
        let Some(codec) = self.codec else { return };
        let made = self.continuation.made();
        if frames != codec.codec_frame_frames() || HOLD_FRAMES < made + 2 * frames {
            return;
        }
        let channels = self.decoders.channels().count();
        let mut ahead = [0.0; 2 * 2 * CODEC_FRAME_FRAMES_MAX];
        let Some(ahead) = ahead.get_mut(..2 * frames * channels) else { return };
        if codec == Codec::Opus64 {
            let left = &mut scratch.predictions_left;
            self.continuation.peek(&self.timeline, ahead, channels, left);
        }
        self.decoders.miss(codec, frames, made == 0, ahead, &mut scratch.audio);
    }
}

/// Frames in the longest codec frame of our own.
const CODEC_FRAME_FRAMES_MAX: usize = 120;

/// Frames concealed at a time before any packet has said better.
const CONCEAL_FRAMES: usize = 64;

/// -80 dB of full scale.
const SILENT_LEVEL: f32 = 1e-4;
