//! Playing: what lies under the playhead is decoded, what is missing is concealed.

use protocol::codec::Codec;

use crate::limits::PACKET_FRAMES_MAX;
use crate::rt::codec::lookahead_frames;
use crate::rt::concealment::{HOLD_FRAMES, SILENT_FRAMES};
use crate::rt::remote::{Remote, State, to_i64, to_u64};
use crate::rt::resample::LOOKAHEAD_FRAMES;

impl Remote {
    /// Decodes or conceals until `frames` wait.
    pub(super) fn ensure(&mut self, frames: usize, scratch: &mut [f32]) {
        // Every turn adds at least one frame, but for packets whose time has passed, of which
        // there are at most as many as the jitter buffer holds.
        while self.timeline.waiting() < frames {
            let Some(first) = self.packets.first() else {
                self.conceal(self.step(), scratch);
                continue;
            };
            let ahead = first.media_time.frames_since(self.next);
            if first.end().frames_since(self.next) <= 0 {
                self.packets.take_first();
            } else if 0 < ahead {
                let hole = usize::try_from(ahead).unwrap_or(usize::MAX);
                self.conceal(hole.min(self.step()), scratch);
            } else {
                self.decode(scratch);
            }
        }
    }

    /// Makes what interpolation would like to see ahead of the playhead: decodes what is there, and
    /// invents the rest, which is nothing that is played and must be dropped again; gives how many
    /// frames that are.
    pub(super) fn look_ahead(&mut self, ahead: usize, scratch: &mut [f32]) -> usize {
        while self.timeline.waiting() < ahead {
            let Some(first) = self.packets.first() else { break };
            if first.end().frames_since(self.next) <= 0 {
                self.packets.take_first();
            } else if 0 < first.media_time.frames_since(self.next) {
                break;
            } else {
                self.decode(scratch);
            }
        }
        let missing = ahead.saturating_sub(self.timeline.waiting()).min(LOOKAHEAD_FRAMES);
        if 0 < missing {
            let channels = self.decoders.channels().count();
            let mut invented = [0.0; 2 * LOOKAHEAD_FRAMES];
            let invented = &mut invented[..missing * channels];
            self.continuation.repeat(&self.timeline, invented, channels);
            self.timeline.push_interleaved(invented);
        }
        missing
    }

    /// Decodes the earliest packet, which covers the next media time.
    fn decode(&mut self, scratch: &mut [f32]) {
        let channels = self.decoders.channels().count();
        let Some((packet, bytes)) = self.packets.take_first() else { return };
        if self.codec != Some(packet.codec) {
            // The seam between two codecs, or the start: the new decoder knows nothing yet.
            self.decoders.reset(packet.codec);
            if self.codec.is_some() {
                self.tail.fade_from(&mut self.continuation, &mut self.timeline, channels);
                self.tail.wait_for(lookahead_frames(packet.codec));
            }
            self.codec = Some(packet.codec);
            self.continuation.suit(packet.codec);
        } else if 0 < self.continuation.made() {
            if HOLD_FRAMES <= self.continuation.made() {
                self.decoders.miss_many(packet.codec, scratch);
            }
            self.tail.fade_from(&mut self.continuation, &mut self.timeline, channels);
        }
        self.packet_frames = packet.frames;
        let Some(decoded) = self.decoders.decode(packet.codec, bytes, scratch) else {
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
        let Some(audio) = scratch.get_mut(played * channels..decoded * channels) else {
            self.next = packet.end();
            return;
        };
        self.tail.fit(packet.codec, audio, channels);
        self.tail.fade_out_under(audio, channels);
        let loudest = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        self.ended_in_silence = loudest < SILENT_LEVEL;
        self.timeline.push_interleaved(audio);
        self.next = packet.end();
    }

    /// Frames that are concealed at a time.
    fn step(&self) -> usize {
        self.codec.map_or(CONCEAL_FRAMES, Codec::codec_frame_frames)
    }

    /// Invents `frames` in place of the next ones.
    fn conceal(&mut self, frames: usize, scratch: &mut [f32]) {
        if self.state == State::Playing && !self.ended_in_silence {
            self.shared.concealed.add(to_u64(frames));
            self.holes.add(self.next, to_i64(frames));
        }
        self.miss(frames, scratch);
        let owed = self.owed(frames);
        self.continuation.extend(&mut self.timeline, frames);
        if SILENT_FRAMES <= self.continuation.made() {
            self.ended_in_silence = true;
        }
        self.next = self.next.plus_frames(to_i64(frames - owed));
    }

    /// Tells the decoder that a packet is missing. Not for long: once concealment fades, it had
    /// better remember how loud the sound was.
    fn miss(&mut self, frames: usize, scratch: &mut [f32]) {
        let Some(codec) = self.codec else { return };
        let made = self.continuation.made();
        if frames != codec.codec_frame_frames() || HOLD_FRAMES < made + 2 * frames {
            return;
        }
        let channels = self.decoders.channels().count();
        let mut ahead = [0.0; 2 * 2 * CODEC_FRAME_FRAMES_MAX];
        let Some(ahead) = ahead.get_mut(..2 * frames * channels) else { return };
        if codec == Codec::Opus64 {
            self.continuation.peek(&self.timeline, ahead, channels);
        }
        self.decoders.miss(codec, frames, made == 0, ahead, scratch);
    }
}

/// Frames in the longest codec frame of our own.
const CODEC_FRAME_FRAMES_MAX: usize = 120;

/// Frames concealed at a time before any packet has said better.
const CONCEAL_FRAMES: usize = 64;

/// -80 dB of full scale.
const SILENT_LEVEL: f32 = 1e-4;
