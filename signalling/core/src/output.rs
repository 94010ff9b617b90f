//! What signalling wants done.

use std::sync::Arc;

use protocol::control::Command;
use protocol::id::{ParticipantId, RoomId};
use protocol::room_state::{ClickSegment, Take};
use protocol::signal::{ByeReason, EngineKind, ErrorCode, LeaveReason};

use crate::ConnectionId;
use crate::admission::RoomNews;

/// One thing for the shell to do; in the order in which they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send one text frame.
    Message {
        /// On which WebSocket.
        connection: ConnectionId,
        /// The JSON, shared among the receivers of a broadcast.
        text: Arc<str>,
    },
    /// Send a close frame, after what was sent before, and forget the connection.
    Close {
        /// Which WebSocket.
        connection: ConnectionId,
        /// The code (RFC 6455 §7.4).
        code: u16,
    },
    /// Ask who may come into a room, and answer with [`crate::Signalling::handle_admission`], once;
    /// only where there is somebody to ask.
    Ask {
        /// Who wants to join.
        connection: ConnectionId,
        /// Which room.
        room: RoomId,
        /// What they say lets them in.
        pass: Option<String>,
    },
    /// Tell whoever has the same room elsewhere what was done to somebody who is known by their account;
    /// only where somebody knows who may come in. There it is [`crate::Signalling::handle_room_news`].
    Tell {
        /// Of which room.
        room: RoomId,
        /// What.
        news: RoomNews,
    },
    /// Hand to the SFU.
    Sfu(Command),
    /// Carry out for a take; only where takes are kept.
    Take(TakeEvent),
    /// Write to the log. Nothing personal is in it: no name, text, secret or address.
    Happened(Happening),
}

/// What becomes of a take, for whoever keeps takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeEvent {
    /// It was begun.
    Started {
        /// The take.
        take: Take,
        /// Of which room.
        room: RoomId,
        /// The click that runs, in order of time.
        click: Vec<ClickSegment>,
    },
    /// Somebody is in the room while it is recorded: a stem of theirs may come.
    Present {
        /// The take.
        take: String,
        /// Who.
        participant: ParticipantId,
        /// How they are called.
        name: String,
        /// Whether they record: an ordinary WebRTC client does not.
        engine: EngineKind,
    },
    /// The click changed.
    Click {
        /// The take.
        take: String,
        /// In order of time; empty where it ended.
        click: Vec<ClickSegment>,
        /// When it changed, about, on the room's clock: what was before sounds until then at most.
        at_us: i64,
    },
    /// A moment was marked.
    Marked {
        /// The take.
        take: String,
        /// Which, by the room's clock.
        at_us: i64,
        /// What is there.
        text: String,
    },
    /// It was ended.
    Stopped {
        /// The take.
        take: String,
        /// When, by the room's clock; `None` where everybody is gone, and nobody said.
        stop_us: Option<i64>,
    },
}

/// What operators may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Somebody came.
    Joined {
        /// Who.
        participant: ParticipantId,
        /// What plays for them.
        engine: EngineKind,
        /// Participants in the room, the new one included.
        room_participants: usize,
    },
    /// Somebody came back into their seat.
    Resumed {
        /// Who.
        participant: ParticipantId,
    },
    /// A WebSocket is gone; the seat is kept.
    Away {
        /// Who.
        participant: ParticipantId,
    },
    /// Somebody is gone for good.
    Left {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// A media link was described, anew or again.
    Described {
        /// Whose.
        participant: ParticipantId,
        /// What that does.
        effect: LinkEffect,
    },
    /// A request was refused.
    Refused {
        /// Whose.
        connection: ConnectionId,
        /// Why.
        code: ErrorCode,
    },
    /// The server ended a connection.
    Ended {
        /// Which.
        connection: ConnectionId,
        /// Why.
        reason: ByeReason,
    },
}

/// What a `connect` does to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEffect {
    /// There was none, or the old one is closed.
    Opened,
    /// New ICE credentials; DTLS goes on.
    IceRestarted,
    /// Other m-lines at most.
    Renegotiated,
}
