//! Who hears whom: computes what should be in a room, compares it with what the SFU and the apps
//! were told, and sends the difference.
//!
//! The only place that subscribes. What surprises: there is no case for "somebody joined" or
//! "somebody muted"; every change runs through here, so that no combination of changes can leave
//! a room in a state that another order of the same changes would not. At most 32 participants
//! with 4 tracks: 4,000 pairs to look at for a change that people make.

use std::collections::{BTreeMap, BTreeSet};

use protocol::codec::Codec;
use protocol::control::Command;
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::rtp::Ssrc;
use protocol::signal::{EngineKind, ServerMessage, Stream};

use crate::encoding::{self, Choice};
use crate::limits::{ROOM_PACKETS_PER_SECOND_MIN, SLOTS_STEP, STANDARD_PACKETS_PER_SECOND_MAX};
use crate::link::{AppliedSource, AppliedStream, Link, LinkKind};
use crate::signalling::Signalling;

/// What should be in a room.
#[derive(Debug, Default)]
struct Plan {
    /// What is sent of each track.
    choices: BTreeMap<TrackId, Choice>,
    /// How many earlier frames the packets of each track repeat.
    repeated: BTreeMap<TrackId, u8>,
    /// What each subscriber hears, in order of track ids.
    heard: BTreeMap<ParticipantId, Vec<Heard>>,
}

/// A track that a subscriber should hear.
#[derive(Debug, Clone, Copy)]
struct Heard {
    publisher: ParticipantId,
    track: TrackId,
    channels: u8,
    codec: Codec,
    source: Ssrc,
    /// How many earlier frames the subscriber needs repeated.
    redundant_frames: u8,
}

/// What a link's SFU end should be told, to compare with what it was told.
#[derive(Debug, Default)]
struct Wanted {
    sources: BTreeMap<Ssrc, AppliedSource>,
    streams: BTreeMap<Ssrc, AppliedStream>,
}

impl Signalling {
    /// Brings the SFU and everybody in the room to what should be.
    pub(crate) fn settle(&mut self, room: &RoomId) {
        let Some(members) = self.rooms.get(room).map(|room| room.members.clone()) else { return };
        let members: Vec<_> = members.into_iter().collect();
        let plan = self.plan(&members);
        let lacking: Vec<_> = members.iter().map(|id| self.assign_slots(*id, &plan)).collect();
        self.command_sfu(&members, &plan);
        self.count_room(room, &plan);
        for (id, slots_lacking) in members.iter().zip(lacking) {
            self.tell_encodings(*id, &plan);
            self.tell_streams(*id, &plan);
            self.tell_slots(*id, slots_lacking);
        }
    }

    /// Counts what the room's worker has to do for it.
    fn count_room(&mut self, room: &RoomId, plan: &Plan) {
        let heard = plan.heard.values().flatten().map(|heard| heard.codec);
        let sent = plan.choices.values().flat_map(|choice| choice.wanted.iter().copied());
        let packets = sent.chain(heard).map(Codec::packets_per_second);
        let packets = packets.fold(0, u32::saturating_add).max(ROOM_PACKETS_PER_SECOND_MIN);
        if let Some(room) = self.rooms.get_mut(room) {
            let before = core::mem::replace(&mut room.packets_per_second, packets);
            self.placement.count(room.worker, before, packets);
        }
    }

    fn plan(&self, members: &[ParticipantId]) -> Plan {
        let mut plan = Plan::default();
        let present = || members.iter().filter_map(|id| Some((*id, self.members.get(id)?)));
        for (publisher, member) in present() {
            let others = present().filter(|(id, _)| *id != publisher);
            let listeners: Vec<_> = others.map(|(id, member)| member.listener(id)).collect();
            for track in &member.tracks {
                let sources: Vec<_> = track.sources.iter().map(|source| source.codec).collect();
                let choice = encoding::choose(&track.codecs, &sources, &listeners);
                for (subscriber, codec) in &choice.heard_as {
                    let Some(source) = track.source(*codec) else { continue };
                    let (codec, channels) = (*codec, track.channels);
                    // What is lost on the way to the server is missing for everybody.
                    let [there, here] =
                        [publisher, *subscriber].map(|id| self.repeated(id, track.id, codec));
                    let redundant_frames = there.max(here);
                    let repeated = plan.repeated.entry(track.id).or_default();
                    *repeated = redundant_frames.max(*repeated);
                    let track = track.id;
                    let heard =
                        Heard { publisher, track, channels, codec, source, redundant_frames };
                    plan.heard.entry(*subscriber).or_default().push(heard);
                }
                plan.choices.insert(track.id, choice);
            }
        }
        for heard in plan.heard.values_mut() {
            heard.sort_unstable_by_key(|heard| heard.track);
        }
        plan
    }

    /// Gives every track that a participant hears a place; gives how many places there are too few.
    fn assign_slots(&mut self, subscriber: ParticipantId, plan: &Plan) -> usize {
        let Some(member) = self.members.get_mut(&subscriber) else { return 0 };
        let Some(link) = &mut member.link else { return 0 };
        let tracks = &member.tracks;
        let is_taken = |ssrc| tracks.iter().any(|track| track.codec(ssrc).is_some());
        let heard: Vec<_> = plan.heard_by(subscriber).iter().map(|heard| heard.track).collect();
        link.assign_slots(&heard, &mut self.random, is_taken)
    }

    /// Ends what should not be before it begins what should, so that a source's SSRC can change
    /// its meaning and a participant never has more sources than allowed.
    fn command_sfu(&mut self, members: &[ParticipantId], plan: &Plan) {
        let wanted: Vec<_> = members.iter().map(|id| self.wanted(*id, plan)).collect();
        let mut removed = BTreeSet::new();
        for (id, wanted) in members.iter().zip(&wanted) {
            let link = self.members.get(id).and_then(|member| member.link.as_ref());
            for (ssrc, applied) in link.iter().flat_map(|link| &link.sources) {
                if !wanted.sources.get(ssrc).is_some_and(|wanted| wanted.is_same(applied)) {
                    removed.insert((*id, *ssrc));
                }
            }
        }
        let mut commands = Ordered::default();
        for (id, wanted) in members.iter().zip(wanted) {
            let link = self.members.get_mut(id).and_then(|member| member.link.as_mut());
            if let Some(link) = link {
                commands.streams(*id, &link.streams, &wanted.streams, &removed);
                commands.sources(*id, &link.sources, &wanted.sources);
                link.sources = wanted.sources;
                link.streams = wanted.streams;
            }
        }
        for (participant, ssrc) in removed {
            commands.removes.push(Command::RemoveSource { participant, ssrc });
        }
        let Ordered { unsubscribes, removes, adds, subscribes, redundancies } = commands;
        let begins = adds.into_iter().chain(subscribes).chain(redundancies);
        for command in unsubscribes.into_iter().chain(removes).chain(begins) {
            self.command(command);
        }
    }

    /// What the SFU should know of a participant's link.
    fn wanted(&self, participant: ParticipantId, plan: &Plan) -> Wanted {
        let mut wanted = Wanted::default();
        let Some(member) = self.members.get(&participant) else { return wanted };
        let Some(link) = &member.link else { return wanted };
        for track in &member.tracks {
            let codecs = plan.choices.get(&track.id).map(|choice| choice.wanted.as_slice());
            for codec in codecs.unwrap_or_default() {
                let Some(ssrc) = track.source(*codec) else { continue };
                let source = AppliedSource {
                    track: track.id,
                    payload_types: link.sent,
                    packets_per_second: packets_per_second(member.capabilities.engine, *codec),
                    muted: track.muted || member.is_silenced,
                };
                wanted.sources.insert(ssrc, source);
            }
        }
        for heard in plan.heard_by(participant) {
            let publisher = self.members.get(&heard.publisher);
            let is_linked = publisher.is_some_and(|publisher| publisher.link.is_some());
            if let Some(slot) = link.slot_of(heard.track).filter(|_| is_linked) {
                let Heard { publisher, source, redundant_frames, .. } = *heard;
                let payload_types = link.received;
                let stream = AppliedStream { publisher, source, payload_types, redundant_frames };
                wanted.streams.insert(slot.ssrc, stream);
            }
        }
        wanted
    }

    fn tell_encodings(&mut self, publisher: ParticipantId, plan: &Plan) {
        let Some(member) = self.members.get_mut(&publisher) else { return };
        let Some(connection) = member.connection else { return };
        let mut messages = Vec::new();
        for track in member.tracks.iter().map(|track| track.id) {
            let Some(choice) = plan.choices.get(&track) else { continue };
            let (codecs, reason) = (choice.wanted.clone(), choice.reason.clone());
            let redundant_frames = plan.repeated.get(&track).copied().unwrap_or(0);
            let told = (codecs.clone(), redundant_frames, reason.clone());
            if member.told.encodings.get(&track) != Some(&told) {
                member.told.encodings.insert(track, told);
                messages.push(ServerMessage::EncodingsWanted {
                    track,
                    codecs,
                    redundant_frames,
                    reason,
                });
            }
        }
        for message in messages {
            self.send(connection, None, message);
        }
    }

    fn tell_streams(&mut self, subscriber: ParticipantId, plan: &Plan) {
        let Some(member) = self.members.get_mut(&subscriber) else { return };
        let (Some(connection), Some(link)) = (member.connection, &member.link) else { return };
        let stream = |heard: &Heard| {
            let slot = link.slot_of(heard.track)?;
            Some(Stream {
                ssrc: slot.ssrc,
                mid: slot.mid.clone(),
                participant: heard.publisher,
                track: heard.track,
                codec: heard.codec,
                channels: heard.channels,
            })
        };
        let streams: Vec<_> = plan.heard_by(subscriber).iter().filter_map(stream).collect();
        if member.told.streams.as_ref() != Some(&streams) {
            member.told.streams = Some(streams.clone());
            self.send(connection, None, ServerMessage::Streams { streams });
        }
    }

    fn tell_slots(&mut self, subscriber: ParticipantId, slots_lacking: usize) {
        let Some(member) = self.members.get_mut(&subscriber) else { return };
        let (Some(connection), Some(link)) = (member.connection, &member.link) else { return };
        let slots = match link.kind {
            LinkKind::Sdp { .. } if slots_lacking != 0 => slots_wanted(link, slots_lacking),
            LinkKind::Sdp { .. } | LinkKind::Direct => None,
        };
        if member.told.slots_wanted != slots {
            member.told.slots_wanted = slots;
            if let Some(slots) = slots {
                self.send(connection, None, ServerMessage::SlotsWanted { slots });
            }
        }
    }
}

/// Commands in the order in which the SFU must get them.
#[derive(Debug, Default)]
struct Ordered {
    unsubscribes: Vec<Command>,
    removes: Vec<Command>,
    adds: Vec<Command>,
    subscribes: Vec<Command>,
    redundancies: Vec<Command>,
}

impl Ordered {
    fn streams(
        &mut self,
        subscriber: ParticipantId,
        applied: &BTreeMap<Ssrc, AppliedStream>,
        wanted: &BTreeMap<Ssrc, AppliedStream>,
        removed: &BTreeSet<(ParticipantId, Ssrc)>,
    ) {
        // A subscription ends with its source, even if the same SSRC comes back.
        let stays = |stream: &Ssrc, now: &AppliedStream| {
            wanted.get(stream).is_some_and(|wanted| wanted.is_same(now))
                && !removed.contains(&(now.publisher, now.source))
        };
        for (stream, before) in applied {
            if !stays(stream, before) {
                let stream = *stream;
                self.unsubscribes.push(Command::Unsubscribe { subscriber, stream });
            }
        }
        for (stream, now) in wanted {
            let AppliedStream { publisher, source, payload_types, redundant_frames } = *now;
            let stream = *stream;
            let known = applied.get(&stream).filter(|before| stays(&stream, before));
            // None are repeated where nothing is said.
            if known.map_or(0, |before| before.redundant_frames) != redundant_frames {
                let command = Command::SetRedundancy { subscriber, stream, redundant_frames };
                self.redundancies.push(command);
            }
            if known.is_none() {
                let command =
                    Command::Subscribe { subscriber, stream, publisher, source, payload_types };
                self.subscribes.push(command);
            }
        }
    }

    fn sources(
        &mut self,
        participant: ParticipantId,
        applied: &BTreeMap<Ssrc, AppliedSource>,
        wanted: &BTreeMap<Ssrc, AppliedSource>,
    ) {
        for (ssrc, source) in wanted {
            let ssrc = *ssrc;
            let AppliedSource { track, payload_types, packets_per_second, muted } = *source;
            let known = applied.get(&ssrc).filter(|applied| applied.is_same(source));
            if known.is_none() {
                self.adds.push(Command::AddSource {
                    participant,
                    track,
                    ssrc,
                    payload_types,
                    packets_per_second,
                });
            }
            if known.is_some_and(|applied| applied.muted) != muted {
                self.adds.push(Command::SetMuted { participant, ssrc, muted });
            }
        }
    }
}

impl Plan {
    fn heard_by(&self, subscriber: ParticipantId) -> &[Heard] {
        self.heard.get(&subscriber).map(Vec::as_slice).unwrap_or_default()
    }
}

impl AppliedStream {
    /// Whether one goes on as the other.
    fn is_same(&self, other: &Self) -> bool {
        let essence = |stream: &Self| (stream.publisher, stream.source, stream.payload_types);
        essence(self) == essence(other)
    }
}

impl AppliedSource {
    /// Whether the SFU need not forget one to know the other.
    fn is_same(&self, other: &Self) -> bool {
        let what = |source: &Self| (source.track, source.payload_types, source.packets_per_second);
        what(self) == what(other)
    }
}

/// The most packets that a track needs in a second: our engines' short codec frames, or ordinary
/// players' of 10 ms and more.
const fn packets_per_second(engine: EngineKind, codec: Codec) -> u32 {
    match engine {
        EngineKind::Native | EngineKind::Browser => codec.packets_per_second(),
        EngineKind::Standard => STANDARD_PACKETS_PER_SECOND_MAX,
    }
}

fn slots_wanted(link: &Link, lacking: usize) -> Option<u32> {
    let slots = (link.usable_slots() + lacking).next_multiple_of(SLOTS_STEP);
    u32::try_from(slots.min(SUBSCRIBER_STREAMS_MAX)).ok()
}
