//! Encoded frames into RTP packets.
//!
//! For the thread that sends; no audio thread comes here. What surprises: an SSRC keeps its
//! sequence number for the session's life, even while nothing is sent on it, because SRTP must
//! never seal the same (SSRC, sequence number) twice under one key.

use protocol::codec::Codec;
use protocol::red::{self, Block};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::{Instant, MediaTime, ShortTime};

use crate::limits::{FRAME_BYTES_MAX, REDUNDANT_FRAMES_MAX, SOURCES_MAX};
use crate::room_clock::RoomMapping;

/// Takes what capture encoded and gives complete RTP packets. Lives on one thread.
#[derive(Debug)]
pub struct Outgoing {
    frames: rtrb::Consumer<EncodedFrame>,
    sources: Vec<SentSource>,
    seed: u64,
    room_clock: Option<RoomMapping>,
}

/// One encoded frame on its way from the capture callback.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncodedFrame {
    pub(crate) ssrc: Ssrc,
    pub(crate) codec: Codec,
    /// Of the RTP packet.
    pub(crate) payload_type: PayloadType,
    pub(crate) redundant_frames: usize,
    /// First packet after silence.
    pub(crate) marker: bool,
    pub(crate) media_time: MediaTime,
    /// When its first frame was captured, on the local clock.
    pub(crate) captured: Option<Instant>,
    pub(crate) len: usize,
    pub(crate) bytes: [u8; FRAME_BYTES_MAX],
}

impl EncodedFrame {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

#[derive(Debug)]
struct SentSource {
    ssrc: Ssrc,
    next_sequence_number: u16,
    /// The latest frames, newest first, for redundancy.
    recent: [Option<EncodedFrame>; REDUNDANT_FRAMES_MAX],
}

impl Outgoing {
    pub(crate) fn new(frames: rtrb::Consumer<EncodedFrame>, seed: u64) -> Self {
        Self { frames, sources: Vec::with_capacity(SOURCES_MAX), seed, room_clock: None }
    }

    /// Says what the room's clock shows: from here on packets carry when they were captured, where
    /// [`crate::Capture::note_time`] says it.
    pub fn set_room_clock(&mut self, mapping: RoomMapping) {
        self.room_clock = Some(mapping);
    }

    /// Writes the next packet into `out` and gives its length; `None` when there is none.
    ///
    /// `out` should hold [`protocol::limits::DATAGRAM_BYTES_MAX`]; a packet that does not fit is
    /// dropped. Packets of several encodings come interleaved, each in its own order.
    pub fn poll_packet(&mut self, out: &mut [u8]) -> Option<usize> {
        loop {
            let frame = self.frames.pop().ok()?;
            let capture_time = self.room_clock.zip(frame.captured);
            let capture_time = capture_time.map(|(clock, at)| ShortTime::of(clock.room(at)));
            let source = self.source(frame.ssrc)?;
            if let Some(len) = source.write(&frame, capture_time, out) {
                return Some(len);
            }
        }
    }

    /// Finds the source of an SSRC or makes it; `None` beyond the limit that
    /// [`crate::Control::set_encodings`] keeps.
    fn source(&mut self, ssrc: Ssrc) -> Option<&mut SentSource> {
        let index = self.sources.iter().position(|source| source.ssrc == ssrc);
        let index = match index {
            Some(index) => index,
            None if self.sources.len() == SOURCES_MAX => return None,
            None => {
                // Below 2^15, so that the rollover counter of a receiver who misses the first
                // packets is guessed right (RFC 3711 §3.3.1).
                let random = mix(self.seed ^ u64::from(ssrc.0)).to_le_bytes();
                let next_sequence_number = u16::from_le_bytes([random[0], random[1]]) & 0x7fff;
                let recent = [None; REDUNDANT_FRAMES_MAX];
                self.sources.push(SentSource { ssrc, next_sequence_number, recent });
                self.sources.len() - 1
            }
        };
        self.sources.get_mut(index)
    }
}

impl SentSource {
    fn write(
        &mut self,
        frame: &EncodedFrame,
        capture_time: Option<ShortTime>,
        out: &mut [u8],
    ) -> Option<usize> {
        let header = Packet {
            marker: frame.marker,
            capture_time,
            payload_type: frame.payload_type,
            sequence_number: self.next_sequence_number,
            timestamp: frame.media_time.rtp_timestamp(),
            ssrc: frame.ssrc,
            payload: &[],
        };
        self.next_sequence_number = self.next_sequence_number.wrapping_add(1);
        let start = header.write_header(out)?;
        let payload = out.get_mut(start..)?;
        let len = match frame.codec {
            Codec::Opus => {
                payload.get_mut(..frame.len)?.copy_from_slice(frame.bytes());
                frame.len
            }
            Codec::Opus64 | Codec::Pcm => self.write_red(frame, payload)?,
        };
        Some(start + len)
    }

    fn write_red(&mut self, frame: &EncodedFrame, payload: &mut [u8]) -> Option<usize> {
        let payload_type = frame.codec.payload_type();
        let mut blocks = [Block { payload_type, age_frames: 0, bytes: &[] }; red::BLOCKS_MAX];
        let mut count = 0;
        // Oldest first. While nothing suitable came before (start, change of codec) the packet is
        // simply shorter.
        for earlier in self.recent.iter().take(frame.redundant_frames).rev().flatten() {
            let age_frames = frame.media_time.frames_since(earlier.media_time);
            let near = u16::try_from(age_frames).ok().filter(|age| *age < AGE_FRAMES_MAX);
            if let (Some(age_frames), true) = (near, earlier.codec == frame.codec) {
                blocks[count] = Block { payload_type, age_frames, bytes: earlier.bytes() };
                count += 1;
            }
        }
        blocks[count] = Block { payload_type, age_frames: 0, bytes: frame.bytes() };
        let len = red::write(&blocks[..=count], payload);
        self.recent.rotate_right(1);
        self.recent[0] = Some(*frame);
        len
    }
}

/// Spreads a seed over all bits (the finalizer of SplitMix64).
pub(crate) fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Redundancy older than this would come after its moment: it only adds bytes.
const AGE_FRAMES_MAX: u16 = 1024;

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::*;

    fn frame(ssrc: u32, codec: Codec, media_time: i64, redundant_frames: usize) -> EncodedFrame {
        EncodedFrame {
            ssrc: Ssrc(ssrc),
            codec,
            payload_type: if codec == Codec::Opus { PayloadType::OPUS } else { PayloadType::RED },
            redundant_frames,
            marker: false,
            media_time: MediaTime::from_frames(media_time),
            captured: None,
            len: 3,
            bytes: [u8::try_from(media_time & 0xff).expect("a byte"); FRAME_BYTES_MAX],
        }
    }

    fn outgoing(frames: &[EncodedFrame]) -> Outgoing {
        let (mut producer, consumer) = rtrb::RingBuffer::new(16);
        for frame in frames {
            producer.push(*frame).expect("room");
        }
        Outgoing::new(consumer, 7)
    }

    #[test]
    fn a_source_goes_on_counting_after_another_was_sent() {
        let frames = [1, 2, 1].map(|ssrc| frame(ssrc, Codec::Opus, 0, 0));
        let mut outgoing = outgoing(&frames);
        let mut out = [0; 64];
        let mut numbers = Vec::new();
        while let Some(len) = outgoing.poll_packet(&mut out) {
            let packet = Packet::parse(&out[..len]).expect("well formed");
            assert_eq!(packet.payload, [0, 0, 0]);
            numbers.push(packet.sequence_number);
        }
        assert_eq!(numbers[2], numbers[0] + 1);
        assert_ne!(numbers[1], numbers[0]);
    }

    #[test]
    fn redundancy_repeats_what_was_sent_before() {
        let frames = [64, 128, 192].map(|at| frame(1, Codec::Opus64, at, 2));
        let mut outgoing = outgoing(&frames);
        let mut out = [0; 64];
        let mut last = Vec::new();
        while let Some(len) = outgoing.poll_packet(&mut out) {
            let packet = Packet::parse(&out[..len]).expect("well formed");
            let blocks = red::parse(packet.payload).expect("well formed");
            last = blocks.map(|block| (block.age_frames, block.bytes.to_vec())).collect();
        }
        assert_eq!(last, [(128, vec![64; 3]), (64, vec![128; 3]), (0, vec![192; 3])]);
    }

    #[test]
    fn packets_say_when_they_were_captured_once_the_rooms_time_is_known() {
        let at = Instant::from_ns(3_000_000_000);
        let frames =
            [64, 128].map(|n| EncodedFrame { captured: Some(at), ..frame(1, Codec::Opus, n, 0) });
        let mut outgoing = outgoing(&frames);
        let mut out = [0; 64];
        let len = outgoing.poll_packet(&mut out).expect("the first");
        assert_eq!(Packet::parse(&out[..len]).expect("well formed").capture_time, None);
        let room = RoomTime::from_ns(1_790_000_000_000_000_000);
        outgoing.set_room_clock(RoomMapping::new(Instant::from_ns(1_000_000_000), room, 0.0));
        let len = outgoing.poll_packet(&mut out).expect("the second");
        let packet = Packet::parse(&out[..len]).expect("well formed");
        let captured = packet.capture_time.expect("it is known").near(room);
        assert!((captured.ns_since(room) - 2_000_000_000).abs() < 2_000, "{captured:?}");
        assert_eq!(packet.payload, [128; 3]);
    }

    #[test]
    fn a_packet_that_does_not_fit_is_dropped_and_its_number_is_used_up() {
        let frames = [64, 128].map(|at| frame(1, Codec::Opus64, at, 0));
        let mut outgoing = outgoing(&frames);
        assert_eq!(outgoing.poll_packet(&mut [0; 15]), None);
    }
}
