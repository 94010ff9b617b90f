//! What must hold in every scenario, asserted while it runs: after each datagram and each look at
//! the statistics, not only in the end.
//!
//! - Nobody is sent their own sound, and no packet reaches a room that it does not belong to.
//! - No packet is delivered twice under one number, and numbers of a stream are never used again.
//! - The playout delay stays within its limit, and nothing is played that did not come.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use engine::RemoteStats;
use engine::limits::PLAYOUT_DELAY_FRAMES_MAX;
use protocol::control::Command;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, RoomId};
use protocol::rtp::{Packet, Ssrc};

use crate::musician::Musician;
use crate::room::Seat;

/// Watches one world.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// Who sent a payload, by its hash: silence sounds the same from everybody.
    senders: BTreeMap<u64, BTreeSet<Sender>>,
    /// Which numbers of which stream were sent to whom.
    delivered: BTreeMap<(Seat, Ssrc), BTreeSet<(u32, u16)>>,
    rooms: BTreeMap<ParticipantId, RoomId>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sender {
    room: RoomId,
    name: String,
}

impl Checker {
    /// A datagram on its way to the server.
    pub(crate) fn note_sent(
        &mut self,
        musician: &Musician,
        _participant: Option<ParticipantId>,
        bytes: &[u8],
    ) {
        if let Some(payload) = payload(bytes) {
            let sender = Sender { room: musician.room.clone(), name: musician.name.clone() };
            self.senders.entry(hash(payload)).or_default().insert(sender);
        }
    }

    /// A datagram that the server sends to somebody.
    pub(crate) fn check_delivery(&mut self, listener: &Musician, seat: Seat, bytes: &[u8]) {
        let Some(payload) = payload(bytes) else { return };
        let senders = self.senders.get(&hash(payload));
        let senders = senders.unwrap_or_else(|| panic!("a packet that nobody sent: {bytes:?}"));
        let allowed =
            |sender: &Sender| sender.room == listener.room && sender.name != listener.name;
        assert!(
            senders.iter().any(allowed),
            "{} in {} is sent a packet of {senders:?}",
            listener.name,
            listener.room,
        );
        let packet = Packet::parse(bytes).expect("a payload was found in it");
        let key = (packet.timestamp, packet.sequence_number);
        let fresh = self.delivered.entry((seat, packet.ssrc)).or_default().insert(key);
        assert!(fresh, "{} is sent {key:?} of {:?} twice", listener.name, packet.ssrc);
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
            | Command::SetMuted { .. } => {}
        }
    }

    /// How a stream fares.
    pub(crate) fn check_playout(&self, stats: &RemoteStats) {
        let delay = i64::from(stats.playout_delay_frames);
        assert!(delay <= PLAYOUT_DELAY_FRAMES_MAX, "a playout delay of {delay} frames");
        assert!(stats.concealed_frames <= stats.played_frames, "{stats:?}");
    }
}

/// What an RTP packet carries; `None` for anything else.
fn payload(bytes: &[u8]) -> Option<&[u8]> {
    (Kind::of(bytes) == Kind::Rtp).then(|| Packet::parse(bytes).ok())?.map(|packet| packet.payload)
}

fn hash(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}
