//! Codec frames that wait to be decoded, in the order of their media time.
//!
//! It stores and finds; when a frame is due is decided elsewhere ([`super::playout`],
//! [`super::remote`]). What surprises: bytes lie in one ring-shaped arena, so storing a frame may
//! push out the oldest ones, which is also what limits the buffer.

use protocol::codec::Codec;
use protocol::time::MediaTime;

use crate::limits::{JITTER_BUFFER_BYTES, JITTER_BUFFER_PACKETS};

/// The packets of one remote.
#[derive(Debug)]
pub(crate) struct JitterBuffer {
    /// Sorted by media time, earliest first.
    packets: Vec<Waiting>,
    arena: Box<[u8]>,
    cursor: usize,
}

/// One codec frame that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) media_time: MediaTime,
    /// What it decodes to.
    pub(crate) frames: usize,
    pub(crate) codec: Codec,
    pub(crate) redundant: bool,
    offset: usize,
    len: usize,
}

impl Waiting {
    /// Just after the last frame of audio in it.
    pub(crate) fn end(&self) -> MediaTime {
        self.media_time.plus_frames(i64::try_from(self.frames).unwrap_or(0))
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It waits.
    Waits,
    /// It waits, and so many of the oldest were dropped for it.
    Evicted(usize),
    /// There was one with that media time already.
    KnownBefore,
}

impl JitterBuffer {
    pub(crate) fn new() -> Self {
        Self {
            packets: Vec::with_capacity(JITTER_BUFFER_PACKETS + 1),
            arena: vec![0; JITTER_BUFFER_BYTES].into_boxed_slice(),
            cursor: 0,
        }
    }

    /// Stores a packet of at most [`protocol::limits::PAYLOAD_BYTES_MAX`] bytes.
    pub(crate) fn store(
        &mut self,
        codec: Codec,
        media_time: MediaTime,
        frames: usize,
        redundant: bool,
        bytes: &[u8],
    ) -> Stored {
        // From the back: nearly every packet is the latest.
        let after = self.packets.iter().rposition(|packet| packet.media_time <= media_time);
        if let Some(index) = after
            && self.packets[index].media_time == media_time
        {
            return Stored::KnownBefore;
        }
        if self.arena.len() < self.cursor + bytes.len() {
            self.cursor = 0;
        }
        let place = self.cursor..self.cursor + bytes.len();
        let Some(arena) = self.arena.get_mut(place.clone()) else { return Stored::Evicted(1) };
        arena.copy_from_slice(bytes);
        self.cursor = place.end;
        let before = self.packets.len();
        let apart = |p: &Waiting| p.offset + p.len <= place.start || place.end <= p.offset;
        self.packets.retain(|packet| packet.len == 0 || apart(packet));
        if self.packets.len() == JITTER_BUFFER_PACKETS {
            self.packets.remove(0);
        }
        let evicted = before - self.packets.len();
        let index = self.packets.partition_point(|packet| packet.media_time < media_time);
        let (offset, len) = (place.start, bytes.len());
        let packet = Waiting { media_time, frames, codec, redundant, offset, len };
        self.packets.insert(index, packet);
        if evicted == 0 { Stored::Waits } else { Stored::Evicted(evicted) }
    }

    /// The earliest packet.
    pub(crate) fn first(&self) -> Option<&Waiting> {
        self.packets.first()
    }

    /// Takes the earliest packet out; its bytes stay readable until the next one is stored.
    pub(crate) fn take_first(&mut self) -> Option<(Waiting, &[u8])> {
        if self.packets.is_empty() {
            return None;
        }
        let packet = self.packets.remove(0);
        let bytes = self.arena.get(packet.offset..packet.offset + packet.len)?;
        Some((packet, bytes))
    }

    /// Where the latest packet ends.
    pub(crate) fn end(&self) -> Option<MediaTime> {
        self.packets.iter().map(Waiting::end).max()
    }

    /// Frames from `start` on that could be decoded without a hole.
    pub(crate) fn frames_without_hole(&self, start: MediaTime) -> usize {
        let mut end = start;
        for packet in &self.packets {
            if 0 < packet.media_time.frames_since(end) {
                break;
            }
            if 0 < packet.end().frames_since(end) {
                end = packet.end();
            }
        }
        usize::try_from(end.frames_since(start)).unwrap_or(0)
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.packets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(frames: i64) -> MediaTime {
        MediaTime::from_frames(frames)
    }

    fn store(buffer: &mut JitterBuffer, media_time: i64, bytes: &[u8]) -> Stored {
        buffer.store(Codec::Opus64, at(media_time), 64, false, bytes)
    }

    #[test]
    fn packets_come_out_by_media_time() {
        let mut buffer = JitterBuffer::new();
        for media_time in [128, 0, 192, 64] {
            let byte = u8::try_from(media_time).expect("small");
            assert_eq!(store(&mut buffer, media_time, &[byte]), Stored::Waits);
        }
        assert_eq!(store(&mut buffer, 64, &[1]), Stored::KnownBefore);
        assert_eq!(buffer.frames_without_hole(at(10)), 246);
        assert_eq!(buffer.end(), Some(at(256)));
        let order: Vec<_> =
            core::iter::from_fn(|| buffer.take_first().map(|(_, bytes)| bytes[0])).collect();
        assert_eq!(order, [0, 64, 128, 192]);
    }

    #[test]
    fn a_hole_ends_what_can_be_decoded() {
        let mut buffer = JitterBuffer::new();
        for media_time in [0, 64, 192] {
            store(&mut buffer, media_time, &[0]);
        }
        assert_eq!(buffer.frames_without_hole(at(0)), 128);
        assert_eq!(buffer.frames_without_hole(at(-1)), 0);
        assert_eq!(buffer.frames_without_hole(at(192)), 64);
    }

    #[test]
    fn a_full_buffer_drops_its_oldest() {
        let mut buffer = JitterBuffer::new();
        for number in 0..400 {
            let stored = store(&mut buffer, number * 64, &[0; 20]);
            let full = i64::try_from(JITTER_BUFFER_PACKETS).expect("small") <= number;
            assert_eq!(stored, if full { Stored::Evicted(1) } else { Stored::Waits });
        }
        assert_eq!(buffer.first().map(|packet| packet.media_time), Some(at(16 * 64)));
    }

    #[test]
    fn long_packets_push_out_whatever_lies_where_they_go() {
        let mut buffer = JitterBuffer::new();
        let mut kept = 0;
        for number in 0..200_u8 {
            match store(&mut buffer, i64::from(number) * 960, &[number; 1300]) {
                Stored::Waits => kept += 1,
                Stored::Evicted(count) => kept += 1 - i64::try_from(count).expect("small"),
                Stored::KnownBefore => panic!("each is new"),
            }
        }
        let mut order = Vec::new();
        while let Some((packet, bytes)) = buffer.take_first() {
            assert!(
                bytes.iter().all(|byte| i64::from(*byte) * 960 == packet.media_time.as_frames())
            );
            order.push(bytes[0]);
        }
        assert_eq!(i64::try_from(order.len()).expect("small"), kept);
        assert!(order.is_sorted() && order.last() == Some(&199));
    }
}
