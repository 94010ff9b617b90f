//! Carrying out what signalling says: links, sources, streams. None of it is on the forwarding
//! path, and all of it may allocate.

use protocol::control::{Command, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtcp::SFU_SSRC;
use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;
use protocol::time::Instant;

use crate::limits::{
    LINKS_MAX, SOURCE_PACKETS_PER_SECOND_MAX, SOURCES_PER_LINK_MAX, STREAMS_PER_LINK_MAX,
    STREAMS_REMEMBERED_PER_LINK_MAX, SUBSCRIBERS_PER_SOURCE_MAX,
};
use crate::member::{Member, MemberKey, find};
use crate::publisher::Source;
use crate::router::Router;
use crate::slab::Key;
use crate::subscriber::Stream;
use crate::transport::{DataChannel, Link};

const OWN_SSRC: &str = "the SSRC is the one from which the SFU reports";

/// Why a command was refused, in words for the log and the participant.
type Refusal = String;

impl<L: Link> Router<L> {
    pub(crate) fn carry_out(&mut self, now: Instant, command: Command) -> Result<(), Refusal> {
        match command {
            Command::OpenLink { participant, room, worker: _, local, remote, data_channel } => {
                let channel = if data_channel { DataChannel::Open } else { DataChannel::None };
                self.open_link(now, participant, room, &local, &remote, channel)
            }
            Command::RestartIce { participant, local, remote } => {
                self.restart_ice(now, participant, &local, &remote)
            }
            Command::CloseLink { participant } => self.close_link(participant),
            Command::AddSource { participant, track, ssrc, payload_types, packets_per_second } => {
                self.add_source(now, participant, track, ssrc, payload_types, packets_per_second)
            }
            Command::RemoveSource { participant, ssrc } => self.remove_source(participant, ssrc),
            Command::Subscribe { subscriber, stream, publisher, source, payload_types } => {
                self.subscribe(subscriber, stream, publisher, source, payload_types)
            }
            Command::Unsubscribe { subscriber, stream } => self.unsubscribe(subscriber, stream),
            Command::SetRedundancy { subscriber, stream, redundant_frames } => {
                self.set_redundancy(subscriber, stream, redundant_frames)
            }
            Command::SetMuted { participant, ssrc, muted } => {
                self.set_muted(participant, ssrc, muted)
            }
        }
    }

    fn open_link(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        room: RoomId,
        local: &LinkParameters,
        remote: &LinkParameters,
        channel: DataChannel,
    ) -> Result<(), Refusal> {
        if self.by_participant.contains_key(&participant) {
            return Err(format!("the link of {participant} is open already"));
        }
        if LINKS_MAX <= self.by_participant.len() {
            return Err(format!("the server is full: it has {LINKS_MAX} links"));
        }
        if self.by_ufrag.contains_key(&local.ice_ufrag) {
            return Err(format!("another link has the ICE ufrag given for {participant}"));
        }
        let link = L::open(&self.shared, local, remote, channel, now).map_err(|error| error.0)?;
        let ufrag = local.ice_ufrag.clone();
        let key = self.members.insert(Member::new(participant, room, link, ufrag.clone(), now));
        self.by_participant.insert(participant, key);
        self.reports.add(now, participant, key);
        self.by_ufrag.insert(ufrag, key);
        self.pump(now, key);
        Ok(())
    }

    fn restart_ice(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        local: &LinkParameters,
        remote: &LinkParameters,
    ) -> Result<(), Refusal> {
        let key = self.member_key(participant)?;
        if self.by_ufrag.get(&local.ice_ufrag).is_some_and(|owner| *owner != key) {
            return Err(format!("another link has the ICE ufrag given for {participant}"));
        }
        if let Some(member) = self.members.get_mut(key) {
            member.link.restart_ice(now, local, remote).map_err(|error| error.0)?;
            self.by_ufrag.remove(&member.ufrag);
            member.ufrag.clone_from(&local.ice_ufrag);
            self.by_ufrag.insert(local.ice_ufrag.clone(), key);
        }
        self.pump(now, key);
        Ok(())
    }

    fn close_link(&mut self, participant: ParticipantId) -> Result<(), Refusal> {
        let key = self.member_key(participant)?;
        let Some(mut member) = self.members.remove(key) else { return Ok(()) };
        self.by_participant.remove(&participant);
        self.by_ufrag.remove(&member.ufrag);
        for address in member.addresses() {
            if self.by_address.get(&address) == Some(&key) {
                self.by_address.remove(&address);
            }
        }
        self.say_goodbye(&mut member);
        for (_, source) in &member.sources {
            self.drop_source(*source);
        }
        for (_, stream) in &member.streams {
            self.detach(*stream);
            self.streams.remove(*stream);
        }
        member.link.close();
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while let Some(transmit) = member.link.poll_transmit(&mut buffer) {
            self.push_farewell(transmit.to, &buffer[..transmit.len]);
        }
        Ok(())
    }

    fn add_source(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        track: TrackId,
        ssrc: Ssrc,
        payload_types: PayloadTypes,
        packets_per_second: u32,
    ) -> Result<(), Refusal> {
        if !(1..=SOURCE_PACKETS_PER_SECOND_MAX).contains(&packets_per_second) {
            return Err(format!(
                "a source sends 1 to {SOURCE_PACKETS_PER_SECOND_MAX} packets per second, not \
                 {packets_per_second}"
            ));
        }
        let key = self.member_key(participant)?;
        let Some(member) = self.members.get_mut(key) else { return Ok(()) };
        match find(&member.sources, ssrc) {
            _ if ssrc == SFU_SSRC => Err(OWN_SSRC.into()),
            Ok(_) => Err(format!("{participant} already has a source with SSRC {}", ssrc.0)),
            Err(_) if SOURCES_PER_LINK_MAX <= member.sources.len() => {
                Err(format!("{participant} already has {SOURCES_PER_LINK_MAX} sources"))
            }
            Err(at) => {
                let rate = packets_per_second;
                let source = Source::new(participant, ssrc, track, payload_types, rate, now);
                member.sources.insert(at, (ssrc, self.sources.insert(source)));
                Ok(())
            }
        }
    }

    fn remove_source(&mut self, participant: ParticipantId, ssrc: Ssrc) -> Result<(), Refusal> {
        let key = self.member_key(participant)?;
        let source = self.source_key(participant, ssrc)?;
        if let Some(member) = self.members.get_mut(key) {
            member.sources.retain(|entry| entry.0 != ssrc);
        }
        self.drop_source(source);
        Ok(())
    }

    fn subscribe(
        &mut self,
        subscriber: ParticipantId,
        ssrc: Ssrc,
        publisher: ParticipantId,
        source_ssrc: Ssrc,
        payload_types: PayloadTypes,
    ) -> Result<(), Refusal> {
        let member_key = self.member_key(subscriber)?;
        let source_key = self.source_key(publisher, source_ssrc)?;
        let publisher_key = self.member_key(publisher)?;
        if member_key == publisher_key {
            return Err(format!("{subscriber} would hear itself"));
        }
        let room = |key| self.members.get(key).map(|member| &member.room);
        if room(member_key) != room(publisher_key) {
            return Err(format!("{subscriber} and {publisher} are in different rooms"));
        }
        let subscribers = self.sources.get(source_key).map_or(0, |s| s.subscribers.len());
        if SUBSCRIBERS_PER_SOURCE_MAX <= subscribers {
            return Err(format!(
                "a source of {publisher} already has {SUBSCRIBERS_PER_SOURCE_MAX} subscribers"
            ));
        }
        let key = self.stream_for(member_key, subscriber, ssrc, payload_types)?;
        if self.streams.get(key).is_some_and(|stream| stream.source == Some(source_key)) {
            return Ok(());
        }
        self.detach(key);
        if let Some(stream) = self.streams.get_mut(key) {
            stream.source = Some(source_key);
            stream.redundant_frames = 0;
            // While it carried nothing, the source's numbers may have run away.
            stream.rewrite.rejoin();
        }
        if let Some(source) = self.sources.get_mut(source_key) {
            source.subscribers.push(key);
        }
        Ok(())
    }

    /// The stream with an SSRC at a subscriber, made where it is missing.
    fn stream_for(
        &mut self,
        member_key: MemberKey,
        subscriber: ParticipantId,
        ssrc: Ssrc,
        payload_types: PayloadTypes,
    ) -> Result<Key<Stream>, Refusal> {
        let Some(member) = self.members.get_mut(member_key) else {
            return Err(format!("{subscriber} has no link"));
        };
        if ssrc == SFU_SSRC {
            return Err(OWN_SSRC.into());
        }
        let streams = &self.streams;
        let carrying = || {
            let carries = |stream: &Stream| stream.source.is_some();
            member.streams.iter().filter(|entry| streams.get(entry.1).is_some_and(carries)).count()
        };
        let position = find(&member.streams, ssrc);
        let carries_now = position.is_ok_and(|at| {
            streams.get(member.streams[at].1).is_some_and(|stream| stream.source.is_some())
        });
        if !carries_now && STREAMS_PER_LINK_MAX <= carrying() {
            return Err(format!("{subscriber} already receives {STREAMS_PER_LINK_MAX} streams"));
        }
        match position {
            Ok(at) => {
                let key = member.streams[at].1;
                if let Some(stream) = self.streams.get_mut(key) {
                    stream.payload_types = payload_types;
                }
                Ok(key)
            }
            Err(_) if STREAMS_REMEMBERED_PER_LINK_MAX <= member.streams.len() => Err(format!(
                "{subscriber} has received {STREAMS_REMEMBERED_PER_LINK_MAX} streams over its \
                 link; a new link is needed"
            )),
            Err(at) => {
                let stream = Stream::new(member_key, ssrc, payload_types);
                let key = self.streams.insert(stream);
                member.streams.insert(at, (ssrc, key));
                member.link.declare(ssrc);
                Ok(key)
            }
        }
    }

    fn unsubscribe(&mut self, subscriber: ParticipantId, ssrc: Ssrc) -> Result<(), Refusal> {
        let member = self.member_key(subscriber)?;
        let stream = self.members.get(member).and_then(|member| member.stream(ssrc));
        let Some(stream) = stream else {
            return Err(format!("{subscriber} has no stream with SSRC {}", ssrc.0));
        };
        self.detach(stream);
        Ok(())
    }

    fn set_redundancy(
        &mut self,
        subscriber: ParticipantId,
        ssrc: Ssrc,
        redundant_frames: u8,
    ) -> Result<(), Refusal> {
        let member = self.member_key(subscriber)?;
        let stream = self.members.get(member).and_then(|member| member.stream(ssrc));
        let stream = stream.and_then(|stream| self.streams.get_mut(stream));
        let no_stream = || format!("{subscriber} has no stream with SSRC {}", ssrc.0);
        stream.ok_or_else(no_stream)?.redundant_frames = redundant_frames;
        Ok(())
    }

    fn set_muted(
        &mut self,
        participant: ParticipantId,
        ssrc: Ssrc,
        muted: bool,
    ) -> Result<(), Refusal> {
        let key = self.source_key(participant, ssrc)?;
        if let Some(source) = self.sources.get_mut(key) {
            if source.muted && !muted {
                // The silence is not loss: subscribers' numbers go on without a gap.
                source.start_epoch();
            }
            source.muted = muted;
        }
        Ok(())
    }

    /// Removes a source that its member has let go of; its streams carry nothing from then on.
    fn drop_source(&mut self, key: Key<Source>) {
        let Some(source) = self.sources.remove(key) else { return };
        for stream in source.subscribers {
            if let Some(stream) = self.streams.get_mut(stream) {
                stream.source = None;
            }
        }
    }

    /// Takes a stream off whatever is behind it.
    fn detach(&mut self, key: Key<Stream>) {
        let source = self.streams.get_mut(key).and_then(|stream| stream.source.take());
        if let Some(source) = source.and_then(|source| self.sources.get_mut(source)) {
            source.subscribers.retain(|stream| *stream != key);
        }
    }

    fn member_key(&self, participant: ParticipantId) -> Result<MemberKey, Refusal> {
        let key = self.by_participant.get(&participant).copied();
        key.ok_or_else(|| format!("{participant} has no link"))
    }

    fn source_key(&self, participant: ParticipantId, ssrc: Ssrc) -> Result<Key<Source>, Refusal> {
        let key = self.member_key(participant)?;
        let source = self.members.get(key).and_then(|member| member.source(ssrc));
        source.ok_or_else(|| format!("{participant} has no source with SSRC {}", ssrc.0))
    }
}
