//! What signalling wants done.

use std::sync::Arc;

use protocol::control::Command;
use protocol::id::ParticipantId;
use protocol::signal::{ByeReason, EngineKind, ErrorCode, LeaveReason};

use crate::ConnectionId;

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
    /// Hand to the SFU.
    Sfu(Command),
    /// Write to the log. Nothing personal is in it: no name, text, secret or address.
    Happened(Happening),
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
