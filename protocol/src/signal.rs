//! Messages between an app and signalling, over one WebSocket; `docs/protocol.md` tells the story.
//!
//! Every message is one JSON object in one text frame. Rust types here are the source; the web
//! client's are generated from them. Unknown fields are ignored, unknown message types are refused.
//! The state of the room always travels whole per participant, so that a message that is applied
//! twice does no harm.
//!
//! Long because it is the list of all messages, which is looked through as a whole; what participants report of
//! how they hear each other, and what is found in it, is in `hearing.rs`.

use serde::{Deserialize, Serialize};

use crate::codec::Codec;
pub use crate::hearing::{
    DeviceReport, Finding, FindingCode, NetworkReport, Severity, StreamReception, TrackHearing,
};
use crate::id::{ParticipantId, RoomId, TrackId};
pub use crate::role::RoomRole;
use crate::room_state::{ClickSegment, PlayingMode, RoomState};
use crate::rtp::Ssrc;

/// The version of the protocol that this crate speaks. A server refuses any other with
/// [`ErrorCode::Version`].
pub const VERSION: u32 = 1;

/// What an app sends: a request with an optional number that the answer repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ClientEnvelope {
    /// Chosen by the app; errors and answers to this message repeat it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub request: Option<u32>,
    /// The message itself, its fields beside `request`.
    #[serde(flatten)]
    pub message: ClientMessage,
}

/// What signalling sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ServerEnvelope {
    /// The number of the request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub request: Option<u32>,
    /// The message itself, its fields beside `request`.
    #[serde(flatten)]
    pub message: ServerMessage,
}

/// A message from an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ClientMessage {
    /// First message on every WebSocket. Answered by `joined`.
    Join {
        /// [`VERSION`].
        version: u32,
        /// The room, made if it is not there.
        room: RoomId,
        /// How the participant wants to be called.
        name: String,
        /// What the app can play and how.
        capabilities: Capabilities,
        /// The `seat` of an earlier `joined`, to come back into it after the network dropped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        seat: Option<String>,
        /// What the accounts' routes gave for this room less than
        /// [`crate::limits::PASS_LIFE_SECONDS`] ago: lets into a private room, and says who comes. A
        /// seat needs none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        pass: Option<String>,
    },
    /// Opens the media link, or restarts its ICE, or (SDP) renegotiates. Answered by `connected`.
    Connect {
        /// The newest `ticket` that the server gave.
        ticket: String,
        /// The app's half of the link.
        description: Description,
    },
    /// Publishes a track or replaces what was said about it. Answered by `published`.
    Publish {
        /// The track, named by the publisher (`mic`, `guitar`), 1 to
        /// [`crate::limits::TRACK_LABEL_CHARS_MAX`] characters; the same label means the same track.
        label: String,
        /// 1 or 2.
        channels: u8,
        /// What the publisher could send, most wanted first. `auto` is `["opus-64", "opus"]`.
        codecs: Vec<Codec>,
        /// Where each codec's packets come from, one source for each. A codec without a source is
        /// not available; `opus` may have a source without being wanted, for ordinary players.
        sources: Vec<Source>,
    },
    /// Takes a track away. Answered by the `participant` that one is then.
    Unpublish {
        /// The track.
        track: TrackId,
    },
    /// Stops or resumes a track for everybody. Answered by the `participant` that one is then.
    Mute {
        /// One's own track.
        track: TrackId,
        /// Whether nobody hears it.
        muted: bool,
    },
    /// Has nobody hear a participant, or lifts that; for whoever is [over](RoomRole::is_over) them.
    /// Answered by the `participant` that they are then.
    Silence {
        /// Who.
        participant: ParticipantId,
        /// Whether nobody hears them.
        on: bool,
    },
    /// Takes a participant out of the room, for ten minutes at least; for whoever is
    /// [over](RoomRole::is_over) them. Answered by `participant_left`.
    Remove {
        /// Who.
        participant: ParticipantId,
    },
    /// Says something to the room. Answered by one's own `chat`.
    Chat {
        /// 1 to [`crate::limits::CHAT_TEXT_CHARS_MAX`] characters.
        text: String,
    },
    /// How received streams arrived during the last second: those that lost something, and only
    /// where one did. Not answered; the server has publishers repeat what is lost often.
    Reception {
        /// Each at most once.
        streams: Vec<StreamReception>,
    },
    /// How one hears the tracks of others, once a second in a room of up to 8, more seldom in larger ones. Not
    /// answered; the room is told.
    Hearing {
        /// Each at most once.
        tracks: Vec<TrackHearing>,
        /// What one's own sound card and computer are like, for the server's conclusions
        /// ([`ServerMessage::Findings`]); nobody else is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        device: Option<DeviceReport>,
        /// What one's own way to the server is like; as `device`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        network: Option<NetworkReport>,
    },
    /// Takes the lead of click and mode, or gives it up. Answered by `room`.
    Lead {
        /// Whether one leads from now on.
        leading: bool,
    },
    /// Sets the click, or (no segment) ends it. Answered by `room`.
    Click {
        /// In order of time, at most [`crate::limits::CLICK_SEGMENTS_MAX`].
        segments: Vec<ClickSegment>,
    },
    /// Sets how everybody hears everybody. Answered by `room`.
    Mode {
        /// What holds from now on.
        mode: PlayingMode,
    },
    /// Begins a take. Answered by `room`.
    StartTake {
        /// What it is called, at most [`crate::limits::TAKE_TITLE_CHARS_MAX`] characters; `Take 3` where it is empty.
        #[serde(default)]
        title: String,
        /// When it begins, by the room's clock.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        start_us: i64,
    },
    /// Ends the take that is being recorded. Answered by `room`.
    StopTake {
        /// When, by the room's clock.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        stop_us: i64,
    },
    /// Marks a moment of the take that is being recorded. Answered by `room`.
    MarkTake {
        /// Which, by the room's clock.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        at_us: i64,
        /// What is there, at most [`crate::limits::TAKE_TITLE_CHARS_MAX`] characters.
        text: String,
    },
    /// What one's own sound would take from the microphone through the server to one's own loudspeaker, for whoever
    /// looks at the room before joining. Not answered.
    Around {
        /// As far as the app can tell.
        delay_us: u32,
    },
    /// Asks who is in a room, without joining; instead of `join` or before it. Answered by `seen`.
    Look {
        /// The room, which is not made by it.
        room: RoomId,
    },
    /// Asks for a `pong`.
    Ping {},
    /// Gives up the seat. Answered by `bye`.
    Leave {},
}

/// What an app can play.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Capabilities {
    /// Who plays.
    pub engine: EngineKind,
    /// Codecs that it decodes; everybody decodes `opus`.
    pub decodes: Vec<Codec>,
}

/// Who turns packets into sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum EngineKind {
    /// Our engine in a native process.
    Native,
    /// Our engine in a browser.
    Browser,
    /// The browser's own jitter buffer and codec: an ordinary WebRTC client.
    Standard,
}

/// One half of a media link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Description {
    /// An SDP offer (from the app, always) or answer (from the server, always): browsers.
    Sdp {
        /// RFC 8866, as `RTCPeerConnection` gives and takes it.
        sdp: String,
    },
    /// The same without SDP: our native engine. Payload types are fixed ([`Codec::payload_type`]).
    Direct {
        /// ICE username fragment and password, DTLS fingerprint.
        link: LinkParameters,
        /// Addresses (`ip:port`, UDP) where media is taken; empty from an app, which is found by
        /// its STUN requests.
        candidates: Vec<core::net::SocketAddr>,
    },
}

/// What each end of a media link must know of the other (RFC 8445 §5.3, RFC 8122 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LinkParameters {
    /// ICE username fragment, 4 to 256 characters.
    pub ice_ufrag: String,
    /// ICE password, 22 to 256 characters.
    pub ice_pwd: String,
    /// SHA-256 of the DTLS certificate: 32 bytes in capital hex, colons between.
    pub fingerprint: String,
}

/// Where the packets of one codec of a track come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Source {
    /// The codec that this source carries.
    pub codec: Codec,
    /// The packet stream: of RTP, or of the RTP packets inside data channel messages.
    pub ssrc: Ssrc,
}

/// A message from signalling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ServerMessage {
    /// The participant is in the room.
    Joined {
        /// [`VERSION`].
        version: u32,
        /// The room, in its canonical spelling.
        room: RoomId,
        /// Who the app is.
        participant: ParticipantId,
        /// Opens the media link with `connect`, within [`Self::Joined::ticket_seconds`].
        ticket: String,
        /// How long the ticket holds; the server sends `ticket` before it ends.
        ticket_seconds: u32,
        /// Comes back into this seat after the network dropped. Keep it secret.
        seat: String,
        /// How long the seat is kept after the WebSocket is gone.
        seat_seconds: u32,
        /// Everybody in the room, oneself included.
        participants: Vec<Participant>,
        /// The last things said in the room, oldest first.
        chat: Vec<ChatMessage>,
        /// Whether this continues an earlier seat.
        resumed: bool,
    },
    /// The server's half of the link.
    Connected {
        /// An SDP answer to an SDP offer, direct parameters to direct ones.
        description: Description,
    },
    /// The track is there.
    Published {
        /// Its id.
        track: TrackId,
        /// Its label, as published.
        label: String,
    },
    /// Replaces the ticket.
    Ticket {
        /// As in `joined`.
        ticket: String,
        /// As in `joined`.
        ticket_seconds: u32,
    },
    /// Somebody came, or something about somebody changed; the whole of it.
    Participant {
        /// The participant as it is.
        participant: Participant,
    },
    /// Somebody is gone for good.
    ParticipantLeft {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeaveReason,
    },
    /// Which received packet stream carries which track; replaces the list before it.
    Streams {
        /// All of them.
        streams: Vec<Stream>,
    },
    /// An SDP app has too few `recvonly` audio m-lines: offer again with at least this many.
    SlotsWanted {
        /// Audio m-lines to receive, in total.
        slots: u32,
    },
    /// Which encodings of one's track somebody hears: send these, and only these.
    EncodingsWanted {
        /// One's own track.
        track: TrackId,
        /// What to send; never empty.
        codecs: Vec<Codec>,
        /// How many earlier codec frames each RED packet repeats, because some of them get lost: 0 to
        /// 2. Nothing is repeated in packets of bare `opus`.
        #[serde(default)]
        redundant_frames: u8,
        /// Why, in words for the publisher, where it is not simply what was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        reason: Option<String>,
    },
    /// How one's own packets reach the server, each second for each encoding that is sent.
    Uplink {
        /// One's own track.
        track: TrackId,
        /// The encoding.
        codec: Codec,
        /// Packets that arrived in that second.
        received_packets: u32,
        /// Packets missing by their sequence numbers.
        lost_packets: u32,
        /// Interarrival jitter (RFC 3550 §6.4.1).
        jitter_us: u32,
    },
    /// How somebody hears the others; replaces what was said of that before.
    Hearing {
        /// Who hears.
        listener: ParticipantId,
        /// Whom, and how.
        tracks: Vec<TrackHearing>,
    },
    /// What the room shares beside the sound; replaces what was said of that before.
    Room {
        /// The whole of it.
        state: RoomState,
    },
    /// What costs the room delay or sound, and what to do about it; replaces what was found before.
    Findings {
        /// What there is most to win by first; few.
        findings: Vec<Finding>,
    },
    /// Somebody said something.
    Chat {
        /// The message.
        message: ChatMessage,
    },
    /// The answer to `look`.
    Seen {
        /// The room, in its canonical spelling.
        room: RoomId,
        /// Who is in it; nobody where there is no such room.
        participants: Vec<SeenParticipant>,
    },
    /// The answer to `ping`.
    Pong {},
    /// A request was refused or a message could not be read; the WebSocket stays open unless the
    /// code's doc says otherwise.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people: what was wrong and what to do.
        text: String,
    },
    /// The server ends this connection; nothing follows.
    Bye {
        /// For programs.
        reason: ByeReason,
        /// For people.
        text: String,
    },
}

/// Somebody in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Participant {
    /// Who.
    pub id: ParticipantId,
    /// How they want to be called.
    pub name: String,
    /// What plays for them.
    pub engine: EngineKind,
    /// Whether they are there or their seat is kept.
    pub presence: Presence,
    /// What they publish.
    pub tracks: Vec<Track>,
    /// What they may do; none where nobody owns the room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub role: Option<RoomRole>,
    /// The id of their account, where somebody owns the room and they came with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub account: Option<String>,
    /// Whether the owner or a moderator has nobody hear them; left out where not.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub silenced: bool,
}

/// Somebody in a room, for one who looks at it from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct SeenParticipant {
    /// How they want to be called.
    pub name: String,
    /// What plays for them.
    pub engine: EngineKind,
    /// Whether they are there or their seat is kept.
    pub presence: Presence,
    /// What their own sound would take through the server and back: as they say, or as they and others hear each
    /// other. Half of it, and half of one's own, is the delay between the two. Left out where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub around_us: Option<u32>,
}

/// Whether a participant is reachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Presence {
    /// WebSocket open.
    Online,
    /// The network dropped; the seat is kept for a while.
    Away,
}

/// What somebody publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Track {
    /// The track.
    pub id: TrackId,
    /// The publisher's name for it.
    pub label: String,
    /// 1 or 2.
    pub channels: u8,
    /// Whether its publisher muted it.
    pub muted: bool,
}

/// A packet stream that the app receives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Stream {
    /// The stream's SSRC, constant for as long as the slot exists.
    pub ssrc: Ssrc,
    /// SDP apps: the m-line's MID. None on the direct transport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub mid: Option<String>,
    /// Who publishes.
    pub participant: ParticipantId,
    /// What they publish.
    pub track: TrackId,
    /// How it is coded at the moment; each packet says so too.
    pub codec: Codec,
    /// 1 or 2.
    pub channels: u8,
}

/// One thing said in the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ChatMessage {
    /// Rising within the room.
    pub id: u32,
    /// Who said it.
    pub participant: ParticipantId,
    /// Their name at that moment; they may be gone.
    pub name: String,
    /// What they said.
    pub text: String,
    /// Milliseconds since the Unix epoch, by the server's clock.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub at_unix_ms: u64,
}

/// Why a participant is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum LeaveReason {
    /// They left.
    Left,
    /// Their network dropped and they did not come back in time.
    Lost,
    /// The owner or a moderator took them out.
    Removed,
}

/// Why the server ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ByeReason {
    /// The app asked to leave.
    Left,
    /// The server stops; come back later.
    ServerClosing,
    /// The same seat was taken by a newer connection.
    Replaced,
    /// Too many malformed messages, or too many messages.
    Misbehaved,
    /// Nothing came for too long, or no `join`.
    TimedOut,
    /// What the `error` before this says.
    Refused,
    /// The owner or a moderator took them out of the room.
    Removed,
}

impl ByeReason {
    /// The code of the WebSocket close frame that follows (RFC 6455 §7.4).
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Left => 1000,
            Self::ServerClosing => 1001,
            Self::Replaced => 4001,
            Self::Misbehaved => 4002,
            Self::TimedOut => 4003,
            Self::Refused => 4004,
            Self::Removed => 4006,
        }
    }
}

/// The close code for an app that does not read what it is sent: no `bye` would reach it.
pub const CLOSE_CODE_TOO_SLOW: u16 = 4005;

/// What was wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum ErrorCode {
    /// Not JSON, an unknown type, or a field that is missing or of the wrong shape.
    Malformed,
    /// Longer than [`crate::limits::SIGNAL_MESSAGE_BYTES_MAX`]. The connection ends.
    TooLarge,
    /// The protocol version is not spoken here. The connection ends.
    Version,
    /// `join` must come first, and only once.
    OutOfOrder,
    /// The name is empty, too long, or has control characters.
    BadName,
    /// The room has [`crate::limits::ROOM_PARTICIPANTS_MAX`] participants.
    RoomFull,
    /// The server has as many rooms, participants or connections as it may. The connection ends
    /// where connections are what it has too many of.
    ServerFull,
    /// The seat is unknown or was given up; join anew.
    SeatGone,
    /// The ticket is forged, somebody else's, or too old.
    BadTicket,
    /// The SDP or the link parameters cannot be used; the text says which line.
    BadDescription,
    /// More tracks, encodings or streams than allowed.
    TooMany,
    /// The track is not there or not one's own.
    NoSuchTrack,
    /// A publication without a usable codec or source, or with a bad label.
    BadTrack,
    /// The media server could not do what a request needs; the text says what.
    MediaRefused,
    /// The media link is over, as by a failed handshake: `connect` again, with a new one.
    LinkClosed,
    /// A track was sent faster than its codec makes packets; those beyond were dropped.
    OverRate,
    /// The chat text is empty or too long.
    BadText,
    /// Somebody else leads the room.
    NotLeading,
    /// A click that nobody could play; the text says why.
    BadClick,
    /// A take that cannot be begun, ended or marked; the text says why.
    BadTake,
    /// The room is private: it is joined with a pass, which password or invite give.
    PassWanted,
    /// The pass is forged, of another room, or too old.
    BadPass,
    /// This account may not come into the room.
    Banned,
    /// Taken out of the room a few minutes ago.
    Removed,
    /// One's role is not over theirs.
    NotAllowed,
    /// Nobody of that number is in the room.
    NoSuchParticipant,
    /// Who may come into the room cannot be told at the moment.
    TryAgain,
    /// Too many requests; wait a second.
    TooFast,
}
