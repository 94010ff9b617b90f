//! Stands in for the SFU: carries out commands on paper and refuses to be told nonsense.

use std::collections::BTreeMap;

use protocol::control::{Command, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::limits::{PARTICIPANT_TRACKS_MAX, SUBSCRIBER_STREAMS_MAX, TRACK_ENCODINGS_MAX};
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;

/// Every link that is open.
#[derive(Debug, Default)]
pub(crate) struct PaperSfu {
    pub(crate) links: BTreeMap<ParticipantId, PaperLink>,
    /// Every command so far, for tests that ask what was new.
    pub(crate) commands: Vec<Command>,
}

/// One link.
#[derive(Debug)]
pub(crate) struct PaperLink {
    pub(crate) room: RoomId,
    pub(crate) worker: WorkerId,
    pub(crate) local: LinkParameters,
    pub(crate) remote: LinkParameters,
    pub(crate) data_channel: bool,
    pub(crate) sources: BTreeMap<Ssrc, PaperSource>,
    pub(crate) streams: BTreeMap<Ssrc, PaperStream>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PaperSource {
    pub(crate) track: TrackId,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) packets_per_second: u32,
    pub(crate) muted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PaperStream {
    pub(crate) publisher: ParticipantId,
    pub(crate) source: Ssrc,
    pub(crate) payload_types: PayloadTypes,
    pub(crate) redundant_frames: u8,
}

impl PaperSfu {
    /// Carries a command out; panics where it makes no sense.
    pub(crate) fn carry_out(&mut self, command: Command) {
        self.commands.push(command.clone());
        match command {
            Command::OpenLink { participant, room, worker, local, remote, data_channel } => {
                let home = self.links.values().find(|link| link.room == room);
                assert!(home.is_none_or(|link| link.worker == worker), "a room on two workers");
                let (sources, streams) = (BTreeMap::new(), BTreeMap::new());
                let link =
                    PaperLink { room, worker, local, remote, data_channel, sources, streams };
                assert!(self.links.insert(participant, link).is_none(), "opened twice");
            }
            Command::RestartIce { participant, local, remote } => {
                let link = self.link(participant);
                assert_ne!(link.local, local, "a restart needs new credentials");
                assert_eq!(link.remote.fingerprint, remote.fingerprint, "DTLS goes on");
                (link.local, link.remote) = (local, remote);
            }
            Command::CloseLink { participant } => {
                assert!(self.links.remove(&participant).is_some(), "not open");
                let mut streams = self.links.values().flat_map(|link| link.streams.values());
                assert!(!streams.any(|stream| stream.publisher == participant), "still heard");
            }
            Command::AddSource { participant, track, ssrc, payload_types, packets_per_second } => {
                let link = self.link(participant);
                assert!(!link.streams.contains_key(&ssrc), "the SSRC goes both ways");
                let muted = false;
                let source = PaperSource { track, payload_types, packets_per_second, muted };
                assert!(link.sources.insert(ssrc, source).is_none(), "added twice");
                let of_track = link.sources.values().filter(|source| source.track == track);
                assert!(of_track.count() <= TRACK_ENCODINGS_MAX);
                assert!(link.sources.len() <= PARTICIPANT_TRACKS_MAX * TRACK_ENCODINGS_MAX);
            }
            Command::RemoveSource { participant, ssrc } => {
                assert!(self.link(participant).sources.remove(&ssrc).is_some(), "not there");
                let mut streams = self.links.values().flat_map(|link| link.streams.values());
                let is_it = |s: &PaperStream| (s.publisher, s.source) == (participant, ssrc);
                assert!(!streams.any(is_it), "still heard");
            }
            Command::Subscribe { subscriber, stream, publisher, source, payload_types } => {
                assert_ne!(subscriber, publisher, "nobody hears themselves");
                let from = self.link(publisher);
                assert!(from.sources.contains_key(&source), "an unknown source");
                let room = from.room.clone();
                let link = self.link(subscriber);
                assert_eq!(link.room, room, "no packet leaves its room");
                let redundant_frames = 0;
                let heard = PaperStream { publisher, source, payload_types, redundant_frames };
                link.streams.insert(stream, heard);
                assert!(link.streams.len() <= SUBSCRIBER_STREAMS_MAX);
            }
            Command::Unsubscribe { subscriber, stream } => {
                assert!(self.link(subscriber).streams.remove(&stream).is_some(), "not there");
            }
            Command::SetRedundancy { subscriber, stream, redundant_frames } => {
                let stream = self.link(subscriber).streams.get_mut(&stream).expect("a stream");
                assert_ne!(stream.redundant_frames, redundant_frames, "said twice");
                stream.redundant_frames = redundant_frames;
            }
            Command::SetMuted { participant, ssrc, muted } => {
                let source = self.link(participant).sources.get_mut(&ssrc).expect("known source");
                assert_ne!(source.muted, muted, "said twice");
                source.muted = muted;
            }
        }
    }

    fn link(&mut self, participant: ParticipantId) -> &mut PaperLink {
        self.links.get_mut(&participant).expect("a command names an open link")
    }
}
