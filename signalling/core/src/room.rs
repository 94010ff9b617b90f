//! Rooms, and the seats and tracks of their participants.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::codec::Codec;
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::room_state::RoomState;
use protocol::rtp::Ssrc;
use protocol::signal::{Capabilities, ChatMessage, Presence, RoomRole, Source, Stream};
use protocol::{limits, signal};

use crate::ConnectionId;
use crate::admission::{Privacy, Remembered, Trace};
use crate::bucket::Bucket;
use crate::encoding::Listener;
use crate::findings::Findings;
use crate::limits::{
    CHAT_HISTORY_BYTES_MAX, CHAT_HISTORY_MESSAGES_MAX, ROOM_PACKETS_PER_SECOND_MIN,
};
use crate::link::Link;
use crate::look::Nearness;
use crate::redundancy::Redundancy;

/// A room with at least one seat.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) members: BTreeSet<ParticipantId>,
    /// Where it lives in the SFU.
    pub(crate) worker: WorkerId,
    /// What it costs there, as it was counted last.
    pub(crate) packets_per_second: u32,
    /// What it shares beside the sound.
    pub(crate) state: RoomState,
    /// Takes begun so far.
    pub(crate) takes: u32,
    /// What it suffers from.
    pub(crate) findings: Findings,
    /// Whether it is looked at without a pass.
    pub(crate) privacy: Privacy,
    /// Who is gone and not forgotten.
    pub(crate) remembered: Remembered,
    chat: VecDeque<ChatMessage>,
    chat_bytes: usize,
    last_chat_id: u32,
}

impl Room {
    /// An empty room on a worker, which counts it with the least that a room costs.
    pub(crate) fn new(worker: WorkerId) -> Self {
        Self {
            members: BTreeSet::new(),
            worker,
            packets_per_second: ROOM_PACKETS_PER_SECOND_MIN,
            state: RoomState::default(),
            takes: 0,
            findings: Findings::default(),
            privacy: Privacy::Open,
            remembered: Remembered::default(),
            chat: VecDeque::new(),
            chat_bytes: 0,
            last_chat_id: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        limits::ROOM_PARTICIPANTS_MAX <= self.members.len()
    }

    /// Keeps what was said; gives it its id.
    pub(crate) fn say(&mut self, mut message: ChatMessage) -> ChatMessage {
        self.last_chat_id = self.last_chat_id.wrapping_add(1);
        message.id = self.last_chat_id;
        self.chat_bytes += message.text.len();
        self.chat.push_back(message.clone());
        while CHAT_HISTORY_MESSAGES_MAX < self.chat.len()
            || CHAT_HISTORY_BYTES_MAX < self.chat_bytes
        {
            let oldest = self.chat.pop_front();
            self.chat_bytes -= oldest.map_or(0, |oldest| oldest.text.len());
        }
        message
    }

    /// What was said of late, oldest first.
    pub(crate) fn chat(&self) -> Vec<ChatMessage> {
        self.chat.iter().cloned().collect()
    }
}

/// A seat and who sits in it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    pub(crate) capabilities: Capabilities,
    /// The secret part of the seat.
    pub(crate) secret: [u8; 16],
    /// The WebSocket; none while the seat is only kept.
    pub(crate) connection: Option<ConnectionId>,
    /// By what they are known again.
    pub(crate) trace: Trace,
    /// What they may do; none where nobody owns the room.
    pub(crate) role: Option<RoomRole>,
    /// Whether nobody is to hear them.
    pub(crate) is_silenced: bool,
    /// Media links opened; a new WebSocket does not make it full again.
    pub(crate) links: Bucket,
    /// Tracks published and unpublished.
    pub(crate) publications: Bucket,
    /// Changes of what the room shares.
    pub(crate) room_changes: Bucket,
    /// Told that a track is too fast.
    pub(crate) over_rate_told: Bucket,
    /// In order of publishing.
    pub(crate) tracks: Vec<Track>,
    pub(crate) link: Option<Link>,
    /// What the ways of tracks need: of others' tracks to here, of its own to the server.
    pub(crate) redundancy: BTreeMap<TrackId, Redundancy>,
    /// How far it is from the server, as far as that was told.
    pub(crate) nearness: Nearness,
    /// What the connection was told last.
    pub(crate) told: Told,
}

/// One published track.
#[derive(Debug, Clone)]
pub(crate) struct Track {
    pub(crate) id: TrackId,
    pub(crate) label: String,
    pub(crate) channels: u8,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) sources: Vec<Source>,
    pub(crate) muted: bool,
}

impl Track {
    /// The SSRC of an encoding.
    pub(crate) fn source(&self, codec: Codec) -> Option<Ssrc> {
        self.sources.iter().find(|source| source.codec == codec).map(|source| source.ssrc)
    }

    /// The encoding of an SSRC.
    pub(crate) fn codec(&self, ssrc: Ssrc) -> Option<Codec> {
        self.sources.iter().find(|source| source.ssrc == ssrc).map(|source| source.codec)
    }
}

/// What a connection was told last, so that only changes are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) streams: Option<Vec<Stream>>,
    pub(crate) slots_wanted: Option<u32>,
    pub(crate) encodings: BTreeMap<TrackId, (Vec<Codec>, u8, Option<String>)>,
}

impl Member {
    /// As others see it.
    pub(crate) fn describe(&self, id: ParticipantId) -> signal::Participant {
        let track = |track: &Track| signal::Track {
            id: track.id,
            label: track.label.clone(),
            channels: track.channels,
            muted: track.muted,
        };
        signal::Participant {
            id,
            name: self.name.clone(),
            engine: self.capabilities.engine,
            presence: self.presence(),
            tracks: self.tracks.iter().map(track).collect(),
            role: self.role,
            account: self.trace.account.clone(),
            silenced: self.is_silenced,
        }
    }

    /// Whether somebody sits in the seat.
    pub(crate) fn presence(&self) -> Presence {
        if self.connection.is_some() { Presence::Online } else { Presence::Away }
    }

    /// One of its tracks.
    pub(crate) fn track_mut(&mut self, id: TrackId) -> Option<&mut Track> {
        self.tracks.iter_mut().find(|track| track.id == id)
    }

    /// As the choice of encodings sees it.
    pub(crate) fn listener(&self, id: ParticipantId) -> Listener<'_> {
        Listener {
            id,
            name: &self.name,
            engine: self.capabilities.engine,
            decodes: &self.capabilities.decodes,
            // Before there is a link nothing speaks against it.
            takes_red: self.link.as_ref().is_none_or(|link| link.received.red.is_some()),
        }
    }
}
