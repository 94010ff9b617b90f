//! Commands from signalling to the SFU and events back.
//!
//! Signalling decides who hears whom; the SFU carries it out and never asks. Commands for one
//! participant arrive in order. SSRCs and ICE credentials are signalling's to choose, so that no
//! command needs an answer.

use core::net::SocketAddr;

use crate::id::{ParticipantId, RoomId, TrackId, WorkerId};
use crate::rtp::{PayloadType, Ssrc};
use crate::signal::LinkParameters;

/// What the SFU says about itself before the first command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SfuDescription {
    /// SHA-256 fingerprint of the certificate of every link, as in [`LinkParameters`].
    pub fingerprint: String,
    /// Its workers, at least one; [`WorkerId`] counts them.
    pub workers: Vec<WorkerDescription>,
}

/// What the SFU says about one of its workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerDescription {
    /// Where media is taken, as told to participants: never an unspecified address.
    pub candidates: Vec<SocketAddr>,
    /// Packets per second, taken in and handed out, up to which rooms are placed here.
    pub packets_per_second_max: u32,
}

/// The payload types that one end of a link uses, and what else its packets have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadTypes {
    /// Ordinary Opus.
    pub opus: PayloadType,
    /// RED, where the end takes it.
    pub red: Option<PayloadType>,
    /// Packets say when they were captured ([`crate::rtp::Packet::capture_time`]), where their publisher says it.
    pub capture_time: bool,
}

impl PayloadTypes {
    /// What both ends of a native link use.
    pub const NATIVE: Self =
        Self { opus: PayloadType::OPUS, red: Some(PayloadType::RED), capture_time: true };
}

/// What signalling tells the SFU to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens the link of a participant. The participant is the ICE controlling and DTLS active
    /// end; the SFU is ICE-lite.
    OpenLink {
        /// Whose link; not open yet.
        participant: ParticipantId,
        /// The participant's room.
        room: RoomId,
        /// The worker that the room lives on, and all its links.
        worker: WorkerId,
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
        /// How many packets its codec makes in a second. A stall's worth at once is taken as well;
        /// what is beyond that is dropped ([`Event::OverRate`]).
        packets_per_second: u32,
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
    /// Says how many of the redundant blocks in a source's RED payloads go into a stream. None do
    /// after `Subscribe`.
    SetRedundancy {
        /// Who receives.
        subscriber: ParticipantId,
        /// The SSRC that the subscriber receives.
        stream: Ssrc,
        /// How many at most, the youngest first.
        redundant_frames: u8,
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

impl Command {
    /// Whose link it is about.
    #[must_use]
    pub const fn participant(&self) -> ParticipantId {
        match self {
            Self::OpenLink { participant, .. }
            | Self::RestartIce { participant, .. }
            | Self::CloseLink { participant }
            | Self::AddSource { participant, .. }
            | Self::RemoveSource { participant, .. }
            | Self::SetMuted { participant, .. }
            | Self::Subscribe { subscriber: participant, .. }
            | Self::SetRedundancy { subscriber: participant, .. }
            | Self::Unsubscribe { subscriber: participant, .. } => *participant,
        }
    }
}

/// What the SFU tells signalling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// ICE and DTLS are through; media flows.
    LinkUp {
        /// Whose link.
        participant: ParticipantId,
    },
    /// No valid STUN came for a while; a restart may mend it.
    LinkDown {
        /// Whose link.
        participant: ParticipantId,
    },
    /// The DTLS failed or was ended by the participant; only a new link helps.
    LinkClosed {
        /// Whose link.
        participant: ParticipantId,
        /// The SFU's ICE username fragment on that link: another one may be open since.
        local_ufrag: String,
    },
    /// A command could not be carried out, and changed nothing.
    CommandRefused {
        /// Whose.
        participant: ParticipantId,
        /// Which: later commands may have been refused because this one was.
        command: Box<Command>,
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
    /// How a subscriber receives a stream, by the RTCP reports that it sent since the last; only
    /// where there were some.
    Downlink {
        /// The subscriber.
        participant: ParticipantId,
        /// The SSRC that it receives.
        ssrc: Ssrc,
        /// Packets that it was to receive since the report before.
        expected_packets: u32,
        /// How many of them it did not.
        lost_packets: u32,
        /// Interarrival jitter (RFC 3550 §6.4.1).
        jitter_us: u32,
        /// To the subscriber and back, where it was told a time to answer to.
        round_trip_us: Option<u32>,
    },
    /// How busy a worker was during the last second.
    WorkerLoad {
        /// Which.
        worker: WorkerId,
        /// Packets of media that it took in and handed out.
        packets_per_second: u32,
        /// How much of the time it had something to do, in thousandths.
        busy_permille: u16,
    },
    /// Packets of a source were dropped during the last second because it sent more than
    /// [`Command::AddSource`] declared.
    OverRate {
        /// The publisher.
        participant: ParticipantId,
        /// The track.
        track: TrackId,
        /// The stream.
        ssrc: Ssrc,
        /// How many.
        dropped_packets: u32,
    },
}
