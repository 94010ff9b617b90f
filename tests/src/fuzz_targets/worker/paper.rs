//! The rooms on paper: what signalling has told the worker and was not refused, and so who may be
//! sent what.

use std::collections::{BTreeMap, BTreeSet};

use protocol::control::Command;
use protocol::id::{ParticipantId, RoomId};
use protocol::rtp::Ssrc;
use sfu::limits::{SOURCES_PER_LINK_MAX, STREAMS_REMEMBERED_PER_LINK_MAX};

/// Every open link.
#[derive(Debug, Default)]
pub(super) struct Paper {
    links: BTreeMap<ParticipantId, PaperLink>,
}

#[derive(Debug)]
struct PaperLink {
    room: RoomId,
    /// The worker has said that it is over.
    over: bool,
    sources: BTreeSet<Ssrc>,
    /// Publisher and source behind each stream that carries something.
    streams: BTreeMap<Ssrc, (ParticipantId, Ssrc)>,
    /// Streams so far.
    streams_ever: BTreeSet<Ssrc>,
}

impl Paper {
    /// Notes a command that the worker carried out; one that it should have refused panics.
    pub(super) fn note(&mut self, command: &Command) {
        match command {
            Command::OpenLink { participant, room, .. } => {
                let link = PaperLink {
                    room: room.clone(),
                    over: false,
                    sources: BTreeSet::new(),
                    streams: BTreeMap::new(),
                    streams_ever: BTreeSet::new(),
                };
                assert!(self.links.insert(*participant, link).is_none(), "opened twice");
            }
            Command::RestartIce { participant, .. } => {
                assert!(!self.link(*participant).over, "restarted, and it is over");
            }
            Command::CloseLink { participant } => {
                assert!(self.links.remove(participant).is_some(), "closed twice");
                self.end_streams(|publisher, _| publisher == *participant);
            }
            Command::AddSource { participant, ssrc, packets_per_second, .. } => {
                assert!((1..=1000).contains(packets_per_second));
                let sources = &mut self.link(*participant).sources;
                assert!(sources.insert(*ssrc), "added twice");
                assert!(sources.len() <= SOURCES_PER_LINK_MAX);
            }
            Command::RemoveSource { participant, ssrc } => {
                assert!(self.link(*participant).sources.remove(ssrc), "removed twice");
                let gone = (*participant, *ssrc);
                self.end_streams(|publisher, source| (publisher, source) == gone);
            }
            Command::Subscribe { subscriber, stream, publisher, source, .. } => {
                assert_ne!(subscriber, publisher, "nobody hears themselves");
                let from = self.link(*publisher);
                assert!(from.sources.contains(source), "subscribed to nothing");
                let room = from.room.clone();
                let link = self.link(*subscriber);
                assert_eq!(link.room, room, "no packet leaves its room");
                link.streams.insert(*stream, (*publisher, *source));
                link.streams_ever.insert(*stream);
                assert!(link.streams_ever.len() <= STREAMS_REMEMBERED_PER_LINK_MAX);
            }
            Command::Unsubscribe { subscriber, stream } => {
                let link = self.link(*subscriber);
                assert!(link.streams_ever.contains(stream), "unsubscribed from nothing");
                link.streams.remove(stream);
            }
            Command::SetRedundancy { subscriber, stream, .. } => {
                assert!(self.link(*subscriber).streams_ever.contains(stream), "of no stream");
            }
            Command::SetMuted { participant, ssrc, .. } => {
                assert!(self.link(*participant).sources.contains(ssrc), "muted nothing");
            }
        }
    }

    /// The worker says that a link is over.
    pub(super) fn note_over(&mut self, participant: ParticipantId) {
        self.link(participant).over = true;
    }

    /// Who published what goes to a participant in a stream; what should not go there panics.
    pub(super) fn behind(&self, subscriber: ParticipantId, stream: Ssrc) -> (ParticipantId, Ssrc) {
        let link = self.links.get(&subscriber).expect("somebody without a link is sent a packet");
        assert!(!link.over, "{subscriber} is sent a packet over a link that has ended");
        let behind = link.streams.get(&stream);
        let (publisher, source) = *behind.expect("a packet in a stream that carries nothing");
        assert_ne!(publisher, subscriber, "nobody hears themselves");
        let from = self.links.get(&publisher).expect("a packet of somebody without a link");
        assert!(from.sources.contains(&source), "a packet of a source that is gone");
        assert_eq!(from.room, link.room, "no packet leaves its room");
        (publisher, source)
    }

    /// How many copies of a packet there are to make.
    pub(super) fn subscribers(&self, publisher: ParticipantId, source: Ssrc) -> u64 {
        let streams = self.links.values().flat_map(|link| link.streams.values());
        streams.filter(|behind| **behind == (publisher, source)).count() as u64
    }

    /// Links, sources and streams in all, as the worker counts them.
    pub(super) fn sizes(&self) -> (usize, usize, usize) {
        let sources = self.links.values().map(|link| link.sources.len()).sum();
        let streams = self.links.values().map(|link| link.streams_ever.len()).sum();
        (self.links.len(), sources, streams)
    }

    fn link(&mut self, participant: ParticipantId) -> &mut PaperLink {
        self.links.get_mut(&participant).expect("carried out for somebody without a link")
    }

    fn end_streams(&mut self, ended: impl Fn(ParticipantId, Ssrc) -> bool) {
        for link in self.links.values_mut() {
            link.streams.retain(|_, (publisher, source)| !ended(*publisher, *source));
        }
    }
}
