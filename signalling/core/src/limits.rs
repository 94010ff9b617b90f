//! Bounds of signalling, each with its arithmetic and with what happens when it is reached.
//!
//! Bounds that other parts rely on too (sizes of names and messages, participants of a room) are
//! in [`protocol::limits`].

use core::time::Duration;

use protocol::limits::ROOM_PARTICIPANTS_MAX;

/// The bounds that depend on the machine. Reaching one is [`protocol::signal::ErrorCode::ServerFull`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// WebSockets at once, joined or not. Each may hold [`crate::limits`]' share of memory.
    pub connections_max: usize,
    /// Participants in all rooms, kept seats included.
    pub participants_max: usize,
    /// Rooms with at least one seat.
    pub rooms_max: usize,
}

impl Default for Limits {
    /// One small machine: one SFU core forwards about 400 k packets/s, which is 800 musicians in
    /// duos at 400 packets/s; some connections more, for those who are joining.
    fn default() -> Self {
        Self { connections_max: 1000, participants_max: 800, rooms_max: 400 }
    }
}

/// How long a connection may take to send `join`; then it is told `timed_out`.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(10);

/// How long nothing may come from a connection; then it is told `timed_out`. The shell pings
/// every ten seconds, so two lost pings are forgiven.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How long a seat is kept for a participant whose WebSocket is gone; then others are told `lost`.
pub const SEAT_KEPT: Duration = Duration::from_secs(15);

/// How long a ticket holds.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);

/// How often a participant who is online is given a fresh ticket: early enough for the message
/// to arrive over a stalled connection.
pub const TICKET_RENEWAL: Duration = Duration::from_secs(20);

/// Messages of one connection: 20 a second, 60 at once. Beyond, a message is not looked at
/// (`too_fast`).
pub const MESSAGES: Rate = Rate { burst: 60, one_each: Duration::from_millis(50) };

/// Chat messages of one connection: 2 a second, 10 at once. Beyond, `too_fast`.
pub const CHAT_MESSAGES: Rate = Rate { burst: 10, one_each: Duration::from_millis(500) };

/// Media links opened by one connection, restarts not counted: 10 at once, then one each three
/// seconds. Each costs the SFU a DTLS handshake, about a millisecond. Beyond, `too_fast`.
pub const LINKS: Rate = Rate { burst: 10, one_each: Duration::from_secs(3) };

/// Malformed messages of one connection, one forgiven each ten seconds. Beyond, `misbehaved`.
pub const MALFORMED_MESSAGES: Rate = Rate { burst: 10, one_each: Duration::from_secs(10) };

/// Messages refused as too fast, one forgiven each second. Beyond, `misbehaved`.
pub const HURRIED_MESSAGES: Rate = Rate { burst: 50, one_each: Duration::from_secs(1) };

/// Messages of a room's chat that a newcomer is shown; the oldest go.
pub const CHAT_HISTORY_MESSAGES_MAX: usize = 100;

/// Bytes of text in them; the oldest go. A hundred messages of the greatest length would be
/// 800 kB in every `joined`.
pub const CHAT_HISTORY_BYTES_MAX: usize = 64 * 1024;

/// The m-lines of an SDP offer: a slot for every stream, microphone, data channel, some spare.
pub const M_LINES_MAX: usize = protocol::limits::SUBSCRIBER_STREAMS_MAX + 4;

/// Lines of an SDP offer. Chromium writes about 25 for an m-line.
pub const SDP_LINES_MAX: usize = 64 * M_LINES_MAX;

/// Slots are asked for in steps of this size, so that not every newcomer costs a renegotiation.
pub const SLOTS_STEP: usize = 4;

/// Characters of an error's text; a parser's may quote what it read.
pub const ERROR_TEXT_CHARS_MAX: usize = 300;

/// Names that a publisher is told in one reason; the others are counted.
pub const REASON_NAMES_MAX: usize = 3;

/// How often something may happen: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many at once after a rest.
    pub burst: u32,
    /// How long it takes until one more is allowed.
    pub one_each: Duration,
}

const _: () = assert!(2 <= ROOM_PARTICIPANTS_MAX, "a jam needs two");
