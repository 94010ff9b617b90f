//! RTP packets into codec frames for the render callback.
//!
//! For the thread that receives. Numbers are extended here, duplicates dropped, loss counted; when
//! a frame is played is not decided here. What surprises: a redundant block is only handed on
//! while one of the packets before is missing, so that redundancy costs the callback nothing in
//! good weather.

use std::sync::Arc;

use protocol::codec::Codec;
use protocol::control::PayloadTypes;
use protocol::limits::PAYLOAD_BYTES_MAX;
use protocol::red::{self, MalformedRed};
use protocol::rtp::{MalformedPacket, Packet, PayloadType, SequenceNumber, Ssrc};
use protocol::time::{Instant, MediaTime};
use thiserror::Error;

use crate::limits::REMOTES_MAX;
use crate::rt::ring::{FrameHeader, FrameSender, RemoteKey};
use crate::stats::SharedRemote;

/// Takes packets from the network. Lives on one thread.
#[derive(Debug)]
pub struct Incoming {
    frames: FrameSender,
    commands: rtrb::Consumer<IncomingCommand>,
    payload_types: PayloadTypes,
    /// Sorted by SSRC.
    streams: Vec<Stream>,
}

/// Why a packet was not taken. The next one may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IncomingError {
    /// Not an RTP packet.
    #[error(transparent)]
    MalformedPacket(#[from] MalformedPacket),
    /// A RED payload that contradicts itself.
    #[error(transparent)]
    MalformedRed(#[from] MalformedRed),
    /// A payload longer than anybody's codec frame.
    #[error("a payload of {0} bytes, at most {PAYLOAD_BYTES_MAX} are taken")]
    MalformedLength(usize),
    /// A stream that was not added, or was removed.
    #[error("no remote has {0:?}")]
    UnknownSsrc(Ssrc),
    /// A format this link did not negotiate.
    #[error("{0:?} is not a format of this link")]
    UnknownPayloadType(PayloadType),
    /// The render callback does not take frames, or not fast enough. Counted in the statistics.
    #[error("the queue to the render callback is full")]
    ExhaustedQueue,
}

/// What [`crate::Control`] tells the receiving thread.
#[derive(Debug)]
pub(crate) enum IncomingCommand {
    Add { ssrc: Ssrc, remote: RemoteKey, shared: Arc<SharedRemote> },
    Remove { ssrc: Ssrc },
    SetPayloadTypes(PayloadTypes),
}

impl Incoming {
    pub(crate) fn new(
        frames: FrameSender,
        commands: rtrb::Consumer<IncomingCommand>,
        payload_types: PayloadTypes,
    ) -> Self {
        Self { frames, commands, payload_types, streams: Vec::with_capacity(REMOTES_MAX) }
    }

    /// Takes one plain RTP packet that arrived at `now`, on the clock that
    /// [`crate::Render::render`] is given too. Duplicates are taken and ignored.
    pub fn handle_packet(&mut self, now: Instant, packet: &[u8]) -> Result<(), IncomingError> {
        self.handle_commands();
        let packet = Packet::parse(packet)?;
        if PAYLOAD_BYTES_MAX < packet.payload.len() {
            return Err(IncomingError::MalformedLength(packet.payload.len()));
        }
        let index = self
            .streams
            .binary_search_by_key(&packet.ssrc, |stream| stream.ssrc)
            .map_err(|_| IncomingError::UnknownSsrc(packet.ssrc))?;
        let stream = &mut self.streams[index];
        if packet.payload.is_empty() {
            // Padding only, as browsers send to probe: a packet, but no sound.
            stream.note(&packet);
            return Ok(());
        }
        if packet.payload_type == self.payload_types.opus {
            if let Some(arrival) = stream.arrive(now, &packet) {
                let header = arrival.header(Codec::Opus, arrival.media_time);
                stream.hand_on(&mut self.frames, header, packet.payload)?;
            }
            return Ok(());
        }
        if Some(packet.payload_type) != self.payload_types.red {
            return Err(IncomingError::UnknownPayloadType(packet.payload_type));
        }
        let opus = self.payload_types.opus;
        let codec_of = |payload_type: PayloadType| {
            let codec = Codec::from_payload_type(payload_type);
            if payload_type == opus { Some(Codec::Opus) } else { codec }
        };
        let blocks = red::parse(packet.payload)?;
        let primary = blocks.clone().last().ok_or(MalformedRed::Truncated)?;
        let codec = codec_of(primary.payload_type)
            .ok_or(IncomingError::UnknownPayloadType(primary.payload_type))?;
        let Some(arrival) = stream.arrive(now, &packet) else { return Ok(()) };
        if stream.misses_recent() {
            for block in blocks.filter(|block| 0 < block.age_frames && !block.bytes.is_empty()) {
                let Some(codec) = codec_of(block.payload_type) else { continue };
                let age_frames = i64::from(block.age_frames);
                let mut header = arrival.header(codec, arrival.media_time.plus_frames(-age_frames));
                header.redundant = true;
                stream.hand_on(&mut self.frames, header, block.bytes)?;
            }
        }
        let header = arrival.header(codec, arrival.media_time);
        stream.hand_on(&mut self.frames, header, primary.bytes)
    }

    fn handle_commands(&mut self) {
        while let Ok(command) = self.commands.pop() {
            match command {
                IncomingCommand::Add { ssrc, remote, shared } => {
                    let stream = Stream::new(ssrc, remote, shared);
                    match self.streams.binary_search_by_key(&ssrc, |stream| stream.ssrc) {
                        Ok(index) => self.streams[index] = stream,
                        Err(index) => self.streams.insert(index, stream),
                    }
                }
                IncomingCommand::Remove { ssrc } => {
                    self.streams.retain(|stream| stream.ssrc != ssrc);
                }
                IncomingCommand::SetPayloadTypes(payload_types) => {
                    self.payload_types = payload_types;
                }
            }
        }
    }
}

/// What is known of one remote's packets.
#[derive(Debug)]
struct Stream {
    ssrc: Ssrc,
    remote: RemoteKey,
    shared: Arc<SharedRemote>,
    order: Option<Order>,
}

/// The order of sequence numbers once the first has come.
#[derive(Debug)]
struct Order {
    /// The first one since the numbering last jumped.
    first: SequenceNumber,
    highest: SequenceNumber,
    /// Which of the latest sequence numbers came.
    came: Came,
    /// Different ones that came since `first`.
    received: u64,
    /// Lost before the numbering last jumped.
    lost_before: u64,
    /// The number that would confirm a jump (RFC 3550 A.1).
    jumped_to: Option<u16>,
    /// The number that would go on a run of numbers none of which is new, and how long that is.
    behind: (u16, u32),
    /// Of the latest packet.
    media_time: MediaTime,
    highest_media_time: MediaTime,
}

/// A packet that is neither duplicate nor out of any order.
struct Arrival {
    remote: RemoteKey,
    now: Instant,
    media_time: MediaTime,
}

impl Arrival {
    fn header(&self, codec: Codec, media_time: MediaTime) -> FrameHeader {
        FrameHeader {
            remote: self.remote,
            codec,
            redundant: false,
            media_time,
            arrival: self.now,
            len: 0,
        }
    }
}

impl Stream {
    fn new(ssrc: Ssrc, remote: RemoteKey, shared: Arc<SharedRemote>) -> Self {
        Self { ssrc, remote, shared, order: None }
    }

    /// Counts a packet; gives its place, or `None` for one that is to be ignored.
    fn arrive(&mut self, now: Instant, packet: &Packet<'_>) -> Option<Arrival> {
        if !self.note(packet) {
            return None;
        }
        let order = self.order.as_mut()?;
        let media_time = order.media_time.extend(packet.timestamp);
        order.media_time = media_time;
        match packet.capture_time {
            Some(capture_time) => self.shared.captured.store(media_time, capture_time.as_ns()),
            None => self.shared.captured.forget(),
        }
        Some(Arrival { remote: self.remote, now, media_time })
    }

    /// Whether a packet is new, going by its number.
    fn note(&mut self, packet: &Packet<'_>) -> bool {
        let wire = packet.sequence_number;
        let order = self.order.get_or_insert_with(|| Order::starting_at(wire));
        let number = order.highest.extend(wire);
        let ahead = number.0.checked_signed_diff(order.highest.0).unwrap_or(i64::MAX);
        let fresh = if 0 < ahead && ahead <= DROPOUT_MAX {
            for skipped in order.highest.0 + 1..number.0 {
                order.came.set(skipped, false);
            }
            if 1 < ahead {
                self.shared.gaps.add(1);
            }
            order.came.set(number.0, true);
            order.highest = number;
            true
        } else if -MISORDER_MAX < ahead && ahead <= 0 {
            let fresh = !order.came.get(number.0);
            order.came.set(number.0, true);
            // The very first packet is at 0 ahead of itself and came with no bit set.
            if fresh && ahead < 0 {
                self.shared.reordered.add(1);
            }
            fresh
        } else if order.jumped_to == Some(wire) {
            order.jump_to(number);
            true
        } else {
            order.jumped_to = Some(wire.wrapping_add(1));
            self.shared.refused.add(1);
            return false;
        };
        let media_time = order.media_time.extend(packet.timestamp);
        if number == order.highest && fresh {
            order.behind.1 = 0;
            order.highest_media_time = media_time;
        } else if order.is_anew(wire, media_time) {
            order.jump_to(number);
            order.highest_media_time = media_time;
        } else if !fresh {
            self.shared.duplicate.add(1);
            return false;
        }
        order.jumped_to = None;
        if number < order.first {
            order.first = number;
        }
        order.received += 1;
        self.shared.received.add(1);
        self.shared.lost.set(order.lost());
        true
    }

    /// Whether one of the few packets before the highest has not come.
    fn misses_recent(&self) -> bool {
        self.order.as_ref().is_some_and(|order| {
            let from = order.first.0.max(order.highest.0.saturating_sub(RECENT_PACKETS));
            (from..order.highest.0).any(|number| !order.came.get(number))
        })
    }

    fn hand_on(
        &self,
        frames: &mut FrameSender,
        header: FrameHeader,
        bytes: &[u8],
    ) -> Result<(), IncomingError> {
        frames.push(header, bytes).map_err(|_| {
            self.shared.overrun.add(1);
            IncomingError::ExhaustedQueue
        })
    }
}

impl Order {
    fn starting_at(wire: u16) -> Self {
        // One turn above zero: packets from before the first extend downwards.
        let first = SequenceNumber(u64::from(wire) + (1 << 16));
        Self {
            first,
            highest: first,
            came: Came([0; CAME_WORDS]),
            received: 0,
            lost_before: 0,
            jumped_to: None,
            behind: (0, 0),
            media_time: MediaTime::from_frames(1 << 32),
            highest_media_time: MediaTime::from_frames(1 << 32),
        }
    }

    fn jump_to(&mut self, number: SequenceNumber) {
        self.lost_before = self.lost();
        self.first = number;
        self.highest = number;
        self.came = Came([0; CAME_WORDS]);
        self.came.set(number.0, true);
        self.received = 0;
        self.behind.1 = 0;
    }

    /// Counts a number below the highest. A network that repeats or overtakes packets has new ones in
    /// between; so many in a row without any are a publisher who started anew a little below where it was,
    /// and sooner where their sound is none that went before.
    fn is_anew(&mut self, wire: u16, media_time: MediaTime) -> bool {
        let run = if self.behind.0 == wire { self.behind.1 + 1 } else { 1 };
        self.behind = (wire.wrapping_add(1), run);
        let is_later = 0 < media_time.frames_since(self.highest_media_time);
        if is_later { BEHIND_LATER_MAX <= run } else { BEHIND_MAX <= run }
    }

    fn lost(&self) -> u64 {
        let expected = self.highest.0 - self.first.0 + 1;
        self.lost_before + expected.saturating_sub(self.received)
    }
}

/// A bit for each of the latest sequence numbers, by their remainder.
#[derive(Debug)]
struct Came([u64; CAME_WORDS]);

impl Came {
    const fn place(number: u64) -> (usize, u64) {
        let bit = number % (64 * CAME_WORDS as u64);
        ((bit / 64) as usize, 1 << (bit % 64))
    }

    fn get(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.0[word] & bit != 0
    }

    fn set(&mut self, number: u64, came: bool) {
        let (word, bit) = Self::place(number);
        if came {
            self.0[word] |= bit;
        } else {
            self.0[word] &= !bit;
        }
    }
}

/// 2048 numbers are remembered.
const CAME_WORDS: usize = 32;

/// Packets that may be missing in a row (2.7 s of the shortest) before the stream must prove with a
/// second packet that it goes on there.
const DROPOUT_MAX: i64 = 2000;

/// How far behind the highest a packet may come, which is what duplicates are remembered for.
const MISORDER_MAX: i64 = 2000;

/// Numbers in a row none of which is new, until they are believed to count anew: 0.3 s of the shortest
/// packets, and 21 ms where what they carry is later than what the highest did.
const BEHIND_MAX: u32 = 256;
const BEHIND_LATER_MAX: u32 = 16;

/// Packets that redundancy can reach back to.
const RECENT_PACKETS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream::new(Ssrc(1), RemoteKey { slot: 0, generation: 0 }, Arc::new(SharedRemote::new()))
    }

    fn counts(stream: &Stream) -> (u64, u64, u64, u64) {
        let stats = stream.shared.load(stream.ssrc);
        (
            stats.received_packets,
            stats.lost_packets,
            stats.reordered_packets,
            stats.duplicate_packets,
        )
    }

    /// A packet of 64 frames whose sound goes on with its number.
    fn note(stream: &mut Stream, wire: u16) -> bool {
        note_at(stream, wire, 64 * u32::from(wire))
    }

    fn note_at(stream: &mut Stream, sequence_number: u16, timestamp: u32) -> bool {
        let (payload_type, ssrc, payload) = (PayloadType::OPUS, stream.ssrc, &[][..]);
        let (marker, capture_time) = (false, None);
        stream.note(&Packet {
            marker,
            capture_time,
            payload_type,
            sequence_number,
            timestamp,
            ssrc,
            payload,
        })
    }

    #[test]
    fn a_hole_is_lost_until_it_is_filled() {
        let mut stream = stream();
        let fresh = [65534, 65535, 2, 2, 0].map(|wire| note(&mut stream, wire));
        assert_eq!(fresh, [true, true, true, false, true]);
        assert_eq!(counts(&stream), (4, 1, 1, 1));
        assert!(stream.misses_recent());
        assert!(note(&mut stream, 1));
        assert_eq!(counts(&stream), (5, 0, 2, 1));
        assert!(!stream.misses_recent());
    }

    #[test]
    fn a_packet_from_before_the_first_is_reordered_not_strange() {
        let mut stream = stream();
        assert!(note(&mut stream, 10) && note(&mut stream, 9) && note(&mut stream, 11));
        assert_eq!(counts(&stream), (3, 0, 1, 0));
    }

    #[test]
    fn numbering_that_jumps_is_believed_at_its_second_packet() {
        let mut stream = stream();
        assert!(note(&mut stream, 100) && note(&mut stream, 102));
        assert!(!note(&mut stream, 40_000));
        assert!(note(&mut stream, 40_001) && note(&mut stream, 40_002));
        assert_eq!(counts(&stream), (4, 1, 0, 0));
        assert!(!note(&mut stream, 7));
        assert!(note(&mut stream, 40_003));
    }

    #[test]
    fn numbers_that_start_anew_a_little_below_are_believed_before_they_are_passed() {
        // With sound that goes on, and with sound that starts anew too.
        for (later, believed) in [(64_000, 16), (0, 256)] {
            let mut stream = stream();
            assert!((0..1000).all(|wire| note(&mut stream, wire)));
            let mut again = |wire| note_at(&mut stream, wire, 64 * u32::from(wire) + later);
            assert_eq!((500..1000).position(&mut again), Some(believed - 1));
            let next = 500 + u16::try_from(believed).expect("small");
            assert!((next..2000).all(again));
            let received = 1000 + 1500 - u64::try_from(believed - 1).expect("small");
            let repeated = u64::try_from(believed - 1).expect("small");
            assert_eq!(counts(&stream), (received, 0, 0, repeated));
        }
    }

    #[test]
    fn packets_that_are_all_overtaken_by_one_are_counted_as_what_they_are() {
        let mut stream = stream();
        assert!([0, 1, 100].into_iter().chain(2..100).all(|wire| note(&mut stream, wire)));
        assert!(note(&mut stream, 101));
        assert_eq!(counts(&stream), (102, 0, 98, 0));
    }

    #[test]
    fn numbers_that_jump_down_to_the_first_there_are_leave_nothing_before_them() {
        let mut stream = stream();
        let believed = [0, 32_768, 32_769, 1, 2].map(|wire| note(&mut stream, wire));
        assert_eq!(believed, [true, false, true, false, true]);
        assert!(!stream.misses_recent());
    }

    #[test]
    fn packets_that_all_come_twice_are_no_start() {
        let mut stream = stream();
        for wire in 0..1000 {
            assert!(note(&mut stream, wire) && !note(&mut stream, wire));
        }
        assert_eq!(counts(&stream), (1000, 0, 0, 1000));
    }
}
