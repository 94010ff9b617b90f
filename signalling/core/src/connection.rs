//! The states of one WebSocket.

use protocol::id::ParticipantId;
use protocol::time::Instant;

use crate::bucket::Bucket;
use crate::limits::{CHAT_MESSAGES, HURRIED_MESSAGES, LINKS, MALFORMED_MESSAGES, MESSAGES};

/// A WebSocket, numbered by the shell; never the same number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Why the shell could not make text out of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A binary frame.
    Binary,
    /// More than [`protocol::limits::SIGNAL_MESSAGE_BYTES_MAX`].
    TooLarge,
}

/// One open WebSocket.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Who it is, once joined.
    pub(crate) participant: Option<ParticipantId>,
    pub(crate) last_heard: Instant,
    pub(crate) messages: Bucket,
    pub(crate) hurried: Bucket,
    pub(crate) malformed: Bucket,
    pub(crate) chat: Bucket,
    pub(crate) links: Bucket,
}

impl Connection {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            participant: None,
            last_heard: now,
            messages: Bucket::new(MESSAGES),
            hurried: Bucket::new(HURRIED_MESSAGES),
            malformed: Bucket::new(MALFORMED_MESSAGES),
            chat: Bucket::new(CHAT_MESSAGES),
            links: Bucket::new(LINKS),
        }
    }
}
