//! What must hold in every scenario, asserted while it runs: after each datagram and each look at
//! the statistics, not only in the end.
//!
//! - Nobody is sent their own sound, no packet reaches a room that it does not belong to, and no
//!   packet a participant who cannot decode it.
//! - Nobody is sent anything of somebody whom nobody is to hear, from the moment on in which that is
//!   told; nothing comes of or to somebody who was taken out.
//! - No number of a stream is used twice on one link, and higher numbers are later in media time.
//! - The playout delay stays within its limit, and no more is played than came.
//!
//! That an engine refuses nothing for long is asserted by the player, because only it knows.
//!
//! What surprises: a payload is known by its digest and by who sent it in the last seconds, because
//! silence sounds the same from everybody.

use core::time::Duration;
use std::collections::BTreeMap;

use engine::limits::PLAYOUT_DELAY_FRAMES_MAX;
use engine::{RemoteStats, StreamState};
use protocol::codec::Codec;
use protocol::control::Command;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId};
use protocol::red;
use protocol::replay::ReplayWindow;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::Instant;

use crate::digest::{DigestMap, digest};
use crate::musician::Musician;
use crate::room::Seat;

/// Watches one world.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// By seat.
    ears: Vec<Ear>,
    /// Who sent a payload, by its digest, a bit for each seat: of late, and before that.
    senders: [DigestMap<u64>; 2],
    turned: Instant,
    rooms: BTreeMap<ParticipantId, RoomId>,
    /// A bit for everybody whom nobody is to hear.
    silenced: u64,
    /// A bit for everybody who was taken out.
    removed: u64,
}

/// Somebody who is sent packets.
#[derive(Debug)]
struct Ear {
    name: String,
    room: RoomId,
    decodes: Vec<Codec>,
    /// A bit for everybody else in the room.
    others: u64,
    /// Sorted by SSRC.
    streams: Vec<(Ssrc, Stream)>,
}

/// A stream on its way to somebody.
#[derive(Debug)]
struct Stream {
    /// What was sent on this link.
    sent: ReplayWindow,
    /// That of the packet with the highest number.
    timestamp: u32,
    /// What arrived on this link.
    came: ReplayWindow,
    /// All that arrived, on any link.
    came_packets: u64,
    came_frames: u64,
    /// Packets that repeat earlier frames.
    came_repeating: u64,
    /// How it stood, and how often it has ended.
    state: StreamState,
    ends: u64,
}

impl Checker {
    /// Somebody takes the next seat.
    pub(crate) fn note_joined(&mut self, seat: Seat, musician: &Musician) {
        let bit = bit(seat);
        let mut others = 0;
        for (i, ear) in self.ears.iter_mut().enumerate() {
            if ear.room == musician.room {
                ear.others |= bit;
                others |= 1 << i;
            }
        }
        self.ears.push(Ear {
            name: musician.name.clone(),
            room: musician.room.clone(),
            decodes: musician.decodes(),
            others,
            streams: Vec::new(),
        });
    }

    /// Everybody is told that nobody is to hear somebody, or may again.
    pub(crate) fn note_silenced(&mut self, seat: Seat, silenced: bool) {
        if silenced {
            self.silenced |= bit(seat);
        } else {
            self.silenced &= !bit(seat);
        }
    }

    /// Whether there is anybody whom nobody is to hear.
    pub(crate) const fn knows_silence(&self) -> bool {
        self.silenced != 0
    }

    /// Everybody is told that somebody was taken out of the room.
    pub(crate) fn note_removed(&mut self, seat: Seat) {
        self.removed |= bit(seat);
    }

    /// Somebody opens a link: its streams are numbered anew.
    pub(crate) fn note_link(&mut self, seat: Seat) {
        for (_, stream) in &mut self.ears[seat.index()].streams {
            stream.sent = ReplayWindow::EMPTY;
            stream.came = ReplayWindow::EMPTY;
        }
    }

    /// A datagram on its way to the server.
    pub(crate) fn note_sent(&mut self, now: Instant, seat: Seat, bytes: &[u8]) {
        let Some(packet) = packet(bytes) else { return };
        if REMEMBERED <= now.saturating_since(self.turned) {
            self.turned = now;
            self.senders.swap(0, 1);
            self.senders[0].clear();
        }
        *self.senders[0].entry(digest(primary(&packet))).or_default() |= bit(seat);
    }

    /// A datagram that the server sends to somebody.
    pub(crate) fn check_delivery(&mut self, seat: Seat, bytes: &[u8]) {
        let Some(packet) = packet(bytes) else { return };
        let digest = digest(primary(&packet));
        let [late, early] =
            self.senders.each_ref().map(|map| map.get(&digest).copied().unwrap_or(0));
        let senders = late | early;
        assert!(senders != 0, "a packet that nobody sent: {packet:?}");
        let ear = &mut self.ears[seat.index()];
        assert!(self.removed & bit(seat) == 0, "{} was taken out and is sent packets", ear.name);
        if senders & ear.others & !self.silenced & !self.removed == 0 {
            let who = |i: &usize| senders >> i & 1 != 0;
            let who: Vec<_> = (0..self.ears.len()).filter(who).map(|i| &self.ears[i]).collect();
            panic!("{:?} is sent a packet of {who:?}", self.ears[seat.index()]);
        }
        let codec = codec_of(&packet);
        assert!(
            ear.decodes.contains(&codec),
            "{} is sent {codec} and decodes {:?}",
            ear.name,
            ear.decodes
        );
        let name = &ear.name;
        let stream = stream(&mut ear.streams, packet.ssrc);
        let number = stream.sent.extend(packet.sequence_number);
        assert!(stream.sent.is_fresh(number), "{name} is sent {number:?} again: {packet:?}");
        if stream.sent.highest().is_none_or(|highest| highest < number) {
            let later = packet.timestamp.wrapping_sub(stream.timestamp).cast_signed();
            assert!(
                stream.sent.highest().is_none() || 0 < later,
                "{name} is sent {packet:?} after the timestamp {}",
                stream.timestamp
            );
            stream.timestamp = packet.timestamp;
        }
        stream.sent.mark(number);
    }

    /// A datagram that has reached somebody.
    pub(crate) fn note_arrival(&mut self, seat: Seat, bytes: &[u8]) {
        let Some(packet) = packet(bytes) else { return };
        let stream = stream(&mut self.ears[seat.index()].streams, packet.ssrc);
        let number = stream.came.extend(packet.sequence_number);
        if stream.came.is_fresh(number) {
            stream.came.mark(number);
            stream.came_packets += 1;
            stream.came_repeating += u64::from(primary(&packet).len() + 1 < packet.payload.len());
            stream.came_frames += codec_of(&packet).codec_frame_frames() as u64;
        }
    }

    /// Packets of a stream that repeated earlier frames.
    pub(crate) fn repeating(&self, seat: Seat, ssrc: Ssrc) -> u64 {
        let mut streams = self.ears[seat.index()].streams.iter();
        streams.find(|stream| stream.0 == ssrc).map_or(0, |stream| stream.1.came_repeating)
    }

    /// A command to the router.
    pub(crate) fn note_command(&mut self, command: &Command) {
        match command {
            Command::OpenLink { participant, room, .. } => {
                self.rooms.insert(*participant, room.clone());
            }
            Command::Subscribe { subscriber, publisher, .. } => {
                assert_ne!(subscriber, publisher, "nobody hears themselves");
                let room = self.rooms.get(subscriber);
                assert!(room.is_some() && room == self.rooms.get(publisher), "rooms are apart");
            }
            Command::RestartIce { .. }
            | Command::CloseLink { .. }
            | Command::AddSource { .. }
            | Command::RemoveSource { .. }
            | Command::Unsubscribe { .. }
            | Command::SetRedundancy { .. }
            | Command::SetMuted { .. } => {}
        }
    }

    /// How a stream fares.
    pub(crate) fn check_playout(&mut self, seat: Seat, stats: &RemoteStats) {
        let delay = i64::from(stats.playout_delay_frames);
        assert!(delay <= PLAYOUT_DELAY_FRAMES_MAX, "a playout delay of {delay} frames");
        assert_eq!(stats.undecodable_packets, 0, "{stats:?}");
        let stream = stream(&mut self.ears[seat.index()].streams, stats.ssrc);
        assert!(stats.received_packets <= stream.came_packets, "{stream:?} {stats:?}");
        let played = stats.played_frames.checked_sub(stats.concealed_frames);
        let played = played.unwrap_or_else(|| panic!("more is concealed than played: {stats:?}"));
        let recovered = stats.recovered_packets * Codec::Opus64.codec_frame_frames() as u64;
        // A splice that makes the playout wait repeats what fades out.
        let repeated = stats.splices * SPLICE_FRAMES_MAX;
        if stats.state == StreamState::Idle && stream.state != StreamState::Idle {
            stream.ends += 1;
        }
        stream.state = stats.state;
        // Before a stream is heard, and after its last packet, time counts as played.
        let unheard = (1 + stream.ends) * UNHEARD_FRAMES_MAX + stream.came_frames / 100;
        let came = stream.came_frames + recovered + repeated + unheard;
        assert!(played <= came, "{stream:?} {stats:?}");
    }
}

/// Packets are under way for far less; twice as long is remembered.
const REMEMBERED: Duration = Duration::from_secs(2);

/// What one change of the playout delay may repeat: 20 ms, the engine's longest splice.
const SPLICE_FRAMES_MAX: u64 = 960;

/// Frames that count as played around what is heard: 40 ms before it, 200 ms after it, in which it
/// shows that it has ended.
const UNHEARD_FRAMES_MAX: u64 = 11_520;

fn bit(seat: Seat) -> u64 {
    let shift = u32::try_from(seat.index()).unwrap_or(u32::MAX);
    1_u64.checked_shl(shift).expect("at most 64 musicians in a world")
}

/// The RTP packet in a datagram; `None` for anything else.
fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    (Kind::of(bytes) == Kind::Rtp).then(|| Packet::parse(bytes).ok())?
}

/// The codec frame that a packet is about, whatever it repeats beside.
fn primary<'a>(packet: &Packet<'a>) -> &'a [u8] {
    if packet.payload_type == PayloadType::OPUS {
        return packet.payload;
    }
    let blocks = red::parse(packet.payload).expect("engines write RED as it should be");
    blocks.last().map_or(&[], |block| block.bytes)
}

/// What a native engine sends: `opus` by itself, everything else as RED, whose first block names
/// the codec.
fn codec_of(packet: &Packet<'_>) -> Codec {
    if packet.payload_type == PayloadType::OPUS {
        return Codec::Opus;
    }
    let block = packet.payload.first().copied().unwrap_or_default() & 0x7f;
    Codec::from_payload_type(PayloadType(block)).expect("engines send codecs that there are")
}

fn stream(streams: &mut Vec<(Ssrc, Stream)>, ssrc: Ssrc) -> &mut Stream {
    let at = streams.binary_search_by_key(&ssrc, |stream| stream.0).unwrap_or_else(|at| {
        let empty = ReplayWindow::EMPTY;
        let stream = Stream {
            sent: empty,
            timestamp: 0,
            came: empty,
            came_packets: 0,
            came_frames: 0,
            came_repeating: 0,
            state: StreamState::Idle,
            ends: 0,
        };
        streams.insert(at, (ssrc, stream));
        at
    });
    &mut streams[at].1
}
