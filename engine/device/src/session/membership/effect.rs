//! What goes into a membership, and what follows from it: things to do outside, things to read.

use std::net::SocketAddr;

use protocol::codec::Codec;
use protocol::id::RoomId;
use protocol::room_state::{ClickSegment, Take};
use protocol::rtp::Ssrc;
use protocol::signal::{ClientEnvelope, LinkParameters, Source};

use crate::session::codec_choice::CodecChoice;

/// What a musician brings into a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Musician {
    /// Which room.
    pub room: RoomId,
    /// How they want to be called.
    pub name: String,
    /// The own track's name.
    pub label: String,
    /// Channels of the own track, 1 or 2.
    pub channels: u8,
    /// How it is coded.
    pub choice: CodecChoice,
    /// Where the packets of each codec come from.
    pub sources: Vec<Source>,
}

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A message for signalling.
    Send(ClientEnvelope),
    /// Make a link with a new certificate, then call [`super::Membership::handle_local_link`].
    OpenLink,
    /// Give the link new ICE credentials, then call [`super::Membership::handle_local_link`].
    RestartLink,
    /// The server's half of the link.
    AcceptLink {
        /// Credentials and fingerprint.
        link: LinkParameters,
        /// Where the server takes media.
        candidates: Vec<SocketAddr>,
    },
    /// Send these encodings and no others, each packet repeating so many earlier codec frames.
    SetEncodings {
        /// What to send.
        codecs: Vec<Codec>,
        /// How many earlier codec frames each packet repeats.
        redundant_frames: usize,
    },
    /// The click to play; none where there is no segment.
    SetClick(Vec<ClickSegment>),
    /// The takes of the room; one without an end is to be recorded.
    Takes(Vec<Take>),
    /// A stream to play.
    AddRemote {
        /// The stream.
        ssrc: Ssrc,
        /// 1 or 2.
        channels: u8,
    },
    /// A stream that is gone.
    RemoveRemote {
        /// The stream.
        ssrc: Ssrc,
    },
    /// Something to tell the musician.
    Tell(Notice),
    /// The WebSocket is of no use any more; make a new one after a while.
    Reconnect,
    /// It is over.
    End(End),
}

/// Something a musician should read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// How things are.
    Fact(String),
    /// Something that is heard, or about to be.
    Warning(String),
    /// Somebody said something.
    Chat {
        /// Who.
        name: String,
        /// What.
        text: String,
    },
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The musician left.
    Left,
    /// The server does not want us, or cannot have us; in its words.
    Refused(String),
}

/// The server's last report on the own uplink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uplink {
    /// The encoding it speaks of.
    pub codec: Codec,
    /// Packets that arrived in that second.
    pub received_packets: u32,
    /// Packets missing by their sequence numbers.
    pub lost_packets: u32,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter_us: u32,
}
