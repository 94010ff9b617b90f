//! Commands from signalling to the SFU and events back.
//!
//! Signalling decides who hears whom; the SFU carries it out and never asks. Commands for one
//! participant arrive in order. SSRCs and ICE credentials are signalling's to choose, so that no
//! command needs an answer.

use core::net::SocketAddr;

use crate::id::{ParticipantId, RoomId, TrackId};
use crate::rtp::{PayloadType, Ssrc};
use crate::signal::LinkParameters;

/// What the SFU says about itself before the first command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SfuDescription {
    /// SHA-256 fingerprint of the certificate of every link, as in [`LinkParameters`].
    pub fingerprint: String,
    /// Where media is taken, as told to participants: never an unspecified address.
    pub candidates: Vec<SocketAddr>,
}

/// The payload types that one end of a link uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadTypes {
    /// Ordinary Opus.
    pub opus: PayloadType,
    /// RED, where the end takes it.
    pub red: Option<PayloadType>,
}

impl PayloadTypes {
    /// What both ends of a native link use.
    pub const NATIVE: Self = Self { opus: PayloadType::OPUS, red: Some(PayloadType::RED) };
}

/// What signalling tells the SFU to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens the link of a participant. The participant is the ICE controlling and DTLS active
    /// end; the SFU is ICE-lite.
    OpenLink {
        /// Whose link; not open yet.
        participant: ParticipantId,
        /// The participant's room: links of one room live on one worker.
        room: RoomId,
        /// The SFU's ICE credentials for this link (the fingerprint is the SFU's own).
        local: LinkParameters,
        /// The participant's.
        remote: LinkParameters,
        /// Whether the link has a data channel (SCTP) beside RTP.
        data_channel: bool,
    },
    /// Replaces the ICE credentials of both ends (RFC 8445 §9); DTLS and streams go on.
    RestartIce {
        /// Whose link.
        participant: ParticipantId,
        /// The SFU's new credentials.
        local: LinkParameters,
        /// The participant's new credentials.
        remote: LinkParameters,
    },
    /// Closes a link; its streams end.
    CloseLink {
        /// Whose link.
        participant: ParticipantId,
    },
    /// Accepts packets of a stream from a participant, over RTP or the data channel.
    AddSource {
        /// The publisher.
        participant: ParticipantId,
        /// The track that the stream encodes, repeated in [`Event::Uplink`].
        track: TrackId,
        /// The stream.
        ssrc: Ssrc,
        /// The publisher's payload types.
        payload_types: PayloadTypes,
    },
    /// Ends that; subscriptions to it end too.
    RemoveSource {
        /// The publisher.
        participant: ParticipantId,
        /// The stream.
        ssrc: Ssrc,
    },
    /// Forwards a source to a subscriber. With a `stream` that exists it replaces the source
    /// behind it, continuing sequence numbers and timestamps.
    Subscribe {
        /// Who receives.
        subscriber: ParticipantId,
        /// The SSRC that the subscriber receives.
        stream: Ssrc,
        /// Who publishes.
        publisher: ParticipantId,
        /// The publisher's SSRC.
        source: Ssrc,
        /// The subscriber's payload types.
        payload_types: PayloadTypes,
    },
    /// Stops forwarding into a stream. Its numbering is remembered until the link closes: the
    /// same stream may be subscribed again.
    Unsubscribe {
        /// Who receives.
        subscriber: ParticipantId,
        /// The SSRC that the subscriber receives.
        stream: Ssrc,
    },
    /// Pauses or resumes a source for all its subscribers.
    SetMuted {
        /// The publisher.
        participant: ParticipantId,
        /// The stream.
        ssrc: Ssrc,
        /// Whether nothing of it is forwarded.
        muted: bool,
    },
}

/// What the SFU tells signalling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// ICE and DTLS are through; media flows.
    LinkUp {
        /// Whose link.
        participant: ParticipantId,
    },
    /// No valid STUN came for a while, or the DTLS failed; a restart may mend it.
    LinkDown {
        /// Whose link.
        participant: ParticipantId,
    },
    /// A command could not be carried out.
    CommandRefused {
        /// Whose.
        participant: ParticipantId,
        /// What was wrong, for the log and the participant.
        text: String,
    },
    /// How a source's packets arrived during the last second; only while some arrived or were
    /// missing.
    Uplink {
        /// The publisher.
        participant: ParticipantId,
        /// The track.
        track: TrackId,
        /// The stream.
        ssrc: Ssrc,
        /// Packets that arrived.
        received_packets: u32,
        /// Packets missing by their sequence numbers.
        lost_packets: u32,
        /// Interarrival jitter (RFC 3550 §6.4.1).
        jitter_us: u32,
    },
}
