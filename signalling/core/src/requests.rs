//! What the messages of an app do, the media link excepted ([`crate::negotiation`]).

use std::collections::BTreeMap;

use protocol::codec::Codec;
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::limits::PARTICIPANT_TRACKS_MAX;
use protocol::rtcp::SFU_SSRC;
use protocol::rtp::Ssrc;
use protocol::signal::{
    ByeReason, Capabilities, ChatMessage, ClientMessage, ErrorCode, LeaveReason, ServerMessage,
    Source, VERSION,
};
use protocol::time::Instant;

use crate::admission::{Admission, Newcomer, Waiting};
use crate::bucket::Bucket;
use crate::connection::ConnectionId;
use crate::limits::{
    LINKS, OVER_RATE_TOLD, PUBLICATIONS, ROOM_CHANGES, SEAT_KEPT, TICKET_LIFE, TICKET_RENEWAL,
};
use crate::look::Nearness;
use crate::output::{Happening, Output};
use crate::refusal::Refusal;
use crate::room::{Member, Room, Told, Track};
use crate::signalling::Signalling;
use crate::ticket::{self, Bearer, TicketKind};
use crate::timers::Wake;
use crate::{hex, text};

/// Who asks, and the number that the answer repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) connection: ConnectionId,
    pub(crate) participant: ParticipantId,
    pub(crate) request: Option<u32>,
}

impl Asker {
    /// For [`Signalling::broadcast`].
    pub(crate) const fn answered(self) -> Option<(ConnectionId, Option<u32>)> {
        Some((self.connection, self.request))
    }
}

impl Signalling {
    pub(crate) fn handle_request(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        message: ClientMessage,
    ) -> Result<(), Refusal> {
        let Some(state) = self.connections.get(&connection) else { return Ok(()) };
        let asker = state.participant.map(|participant| Asker { connection, participant, request });
        let asker = asker.ok_or_else(|| Refusal::new(ErrorCode::OutOfOrder, "join first"));
        match message {
            ClientMessage::Join { version, room, name, capabilities, seat, pass } => {
                if asker.is_ok() || state.waiting.is_some() {
                    return Err(Refusal::new(ErrorCode::OutOfOrder, "this connection has joined"));
                }
                let entering = Entering { room, name, capabilities, pass };
                self.join(now, connection, request, version, entering, seat.as_deref())
            }
            ClientMessage::Connect { ticket, description } => {
                self.connect(now, asker?, &ticket, &description)
            }
            ClientMessage::Publish { label, channels, codecs, sources } => {
                self.publish(now, asker?, &label, channels, codecs, sources)
            }
            ClientMessage::Unpublish { track } => self.unpublish(now, asker?, track),
            ClientMessage::Mute { track, muted } => self.mute(asker?, track, muted),
            ClientMessage::Silence { participant, on } => {
                self.silence(now, asker?, participant, on)
            }
            ClientMessage::Remove { participant } => self.remove(now, asker?, participant),
            ClientMessage::Chat { text } => self.chat(now, asker?, &text),
            ClientMessage::Reception { streams } => self.reception(now, asker?, &streams),
            ClientMessage::Hearing { tracks, device, network } => {
                self.hearing(now, asker?, tracks, device, network)
            }
            ClientMessage::Lead { leading } => self.lead(now, asker?, leading),
            ClientMessage::Click { segments } => self.click(now, asker?, segments),
            ClientMessage::Mode { mode } => self.playing_mode(now, asker?, mode),
            ClientMessage::StartTake { title, start_us } => {
                self.start_take(now, asker?, &title, start_us)
            }
            ClientMessage::StopTake { stop_us } => self.stop_take(now, asker?, stop_us),
            ClientMessage::MarkTake { at_us, text } => self.mark_take(now, asker?, at_us, &text),
            ClientMessage::Around { delay_us } => self.around(now, asker?, delay_us),
            ClientMessage::Look { room } => self.look(now, connection, request, room),
            ClientMessage::Ping {} => {
                self.send(connection, request, ServerMessage::Pong {});
                Ok(())
            }
            ClientMessage::Leave {} => {
                self.leave(asker?);
                Ok(())
            }
        }
    }

    /// A fresh ticket, and how many seconds it holds.
    pub(crate) fn ticket(&self, now: Instant, participant: ParticipantId) -> (String, u32) {
        let ticket = self.members.get(&participant).map(|member| {
            let bearer = Bearer { kind: TicketKind::Media, room: &member.room, participant };
            ticket::sign(&self.ticket_key, bearer, self.unix_ms(now), TICKET_LIFE)
        });
        (ticket.unwrap_or_default(), seconds(TICKET_LIFE))
    }

    fn join(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        version: u32,
        mut entering: Entering,
        seat: Option<&str>,
    ) -> Result<(), Refusal> {
        if version != VERSION {
            let text = format!("this server speaks version {VERSION}, not {version}: reload");
            return Err(Refusal::new(ErrorCode::Version, text));
        }
        entering.name = text::name(&entering.name)?;
        entering.capabilities.decodes.sort_unstable();
        entering.capabilities.decodes.dedup();
        match seat {
            Some(seat) => {
                let participant = self.take_seat(connection, entering, seat)?;
                self.seated(now, connection, request, participant, true);
                Ok(())
            }
            None if self.has_doorkeeper => self.ask(now, connection, request, entering),
            None => self.admit(now, connection, request, entering, Admission::Unowned),
        }
    }

    /// Keeps a `join` until whoever knows has said who may come.
    fn ask(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        entering: Entering,
    ) -> Result<(), Refusal> {
        let Some(state) = self.connections.get_mut(&connection) else { return Ok(()) };
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many tries to join; wait a moment");
        state.joins.take(now).map_err(hurried)?;
        let (room, pass) = (entering.room.clone(), entering.pass.clone());
        state.waiting = Some(Waiting { request, entering, is_stale: false });
        self.outputs.push_back(Output::Ask { connection, room, pass });
        Ok(())
    }

    /// Somebody has a seat and sits in it.
    pub(crate) fn seated(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        participant: ParticipantId,
        resumed: bool,
    ) {
        self.timers.clear(Wake::JoinDeadline(connection));
        self.timers.clear(Wake::Seat(participant));
        self.timers.set(Wake::Ticket(participant), now + TICKET_RENEWAL);
        if let Some(state) = self.connections.get_mut(&connection) {
            state.participant = Some(participant);
        }
        let Some(room) = self.members.get(&participant).map(|member| member.room.clone()) else {
            return;
        };
        let asker = Asker { connection, participant, request };
        self.welcome(now, asker, &room, resumed);
        self.settle(&room);
    }

    /// Tells a participant where they are, and the others that they are there.
    fn welcome(&mut self, now: Instant, asker: Asker, room: &RoomId, resumed: bool) {
        let Asker { connection, participant, request } = asker;
        let (ticket, ticket_seconds) = self.ticket(now, participant);
        let Some(member) = self.members.get(&participant) else { return };
        let Some(state) = self.rooms.get(room) else { return };
        let engine = member.capabilities.engine;
        let room_participants = state.members.len();
        let present = state.members.iter().filter_map(|id| Some((id, self.members.get(id)?)));
        let joined = ServerMessage::Joined {
            version: VERSION,
            room: room.clone(),
            participant,
            ticket,
            ticket_seconds,
            seat: format!("{}.{}", participant.0, hex::encode(&member.secret)),
            seat_seconds: seconds(SEAT_KEPT),
            participants: present.map(|(id, member)| member.describe(*id)).collect(),
            chat: state.chat(),
            resumed,
        };
        self.send(connection, request, joined);
        self.tell_room_state(connection, participant, resumed);
        self.tell_findings(connection, room);
        self.happened(if resumed {
            Happening::Resumed { participant }
        } else {
            Happening::Joined { participant, engine, room_participants }
        });
        self.tell_participant(participant, None);
    }

    /// A new seat in a room that is made if it is not there.
    pub(crate) fn make_seat(
        &mut self,
        connection: ConnectionId,
        entering: Entering,
        newcomer: Newcomer,
    ) -> Result<ParticipantId, Refusal> {
        let full = |what| Refusal::new(ErrorCode::ServerFull, what);
        if self.limits.participants_max <= self.members.len() {
            return Err(full("this server has as many participants as it can; try again later"));
        }
        let from = newcomer.trace.from;
        let neighbors = self.members.values().filter(|member| member.trace.from == from).count();
        if from.is_some() && self.limits.per_address_max <= neighbors {
            return Err(full("as many participants as may be came from your address"));
        }
        match self.rooms.get(&entering.room) {
            Some(room) if room.is_full() => {
                let text = format!("this room is full: {} are in it", room.members.len());
                return Err(Refusal::new(ErrorCode::RoomFull, text));
            }
            Some(room) if !self.placement.may_grow(room.worker, growth(room.members.len())) => {
                return Err(full("this server carries as much music as it can; try again later"));
            }
            Some(_) => {}
            None if self.limits.rooms_max <= self.rooms.len() => {
                return Err(full("this server has as many rooms as it can; try again later"));
            }
            None => {
                let text = "this server carries as much music as it can; try again later";
                let worker = self.placement.place().ok_or_else(|| full(text))?;
                self.rooms.insert(entering.room.clone(), Room::new(worker));
            }
        }
        self.last_participant_id += 1;
        let participant = ParticipantId(self.last_participant_id);
        let Entering { room, name, capabilities, pass: _ } = entering;
        let Newcomer { trace, role, is_silenced } = newcomer;
        if let Some(room) = self.rooms.get_mut(&room) {
            room.members.insert(participant);
        }
        let member = Member {
            room,
            name,
            capabilities,
            secret: self.random.bytes(),
            connection: Some(connection),
            trace,
            role,
            is_silenced,
            links: Bucket::new(LINKS),
            publications: Bucket::new(PUBLICATIONS),
            room_changes: Bucket::new(ROOM_CHANGES),
            over_rate_told: Bucket::new(OVER_RATE_TOLD),
            tracks: Vec::new(),
            link: None,
            redundancy: BTreeMap::new(),
            nearness: Nearness::default(),
            told: Told::default(),
        };
        self.members.insert(participant, member);
        Ok(participant)
    }

    /// Back into a seat that was kept, or that another connection still holds.
    fn take_seat(
        &mut self,
        connection: ConnectionId,
        entering: Entering,
        seat: &str,
    ) -> Result<ParticipantId, Refusal> {
        let gone =
            || Refusal::new(ErrorCode::SeatGone, "the seat was given up; join without a seat");
        let (id, secret) = seat.split_once('.').ok_or_else(gone)?;
        let participant = id.parse().map(ParticipantId).map_err(|_| gone())?;
        let from = self.connections.get(&connection).and_then(|state| state.from);
        let secret = hex::decode::<16>(secret).ok_or_else(gone)?;
        let member = self.members.get_mut(&participant).ok_or_else(gone)?;
        if !is_same_secret(&member.secret, &secret) || member.room != entering.room {
            return Err(gone());
        }
        member.name = entering.name;
        member.capabilities = entering.capabilities;
        member.told = Told::default();
        member.trace.from = from;
        let before = member.connection.replace(connection);
        if let Some(before) = before {
            let text = "this seat was taken by a newer connection, another tab perhaps";
            self.send_bye(before, ByeReason::Replaced, text);
            self.forget_connection(before);
        }
        Ok(participant)
    }

    fn publish(
        &mut self,
        now: Instant,
        asker: Asker,
        label: &str,
        channels: u8,
        mut codecs: Vec<Codec>,
        sources: Vec<Source>,
    ) -> Result<(), Refusal> {
        let bad = |what: String| Refusal::new(ErrorCode::BadTrack, what);
        self.count_publication(now, asker.participant)?;
        let label = text::label(label)?;
        if !matches!(channels, 1 | 2) {
            return Err(bad(format!("a track has 1 or 2 channels, not {channels}")));
        }
        let mut seen = Vec::new();
        codecs.retain(|codec| {
            !seen.contains(codec) && {
                seen.push(*codec);
                true
            }
        });
        let Some(member) = self.members.get(&asker.participant) else { return Ok(()) };
        check_sources(member, &label, &codecs, &sources)?;
        let known = member.tracks.iter().find(|track| track.label == label);
        let (id, muted) = match known {
            Some(track) => (track.id, track.muted),
            None if PARTICIPANT_TRACKS_MAX <= member.tracks.len() => {
                let text = format!("a participant has at most {PARTICIPANT_TRACKS_MAX} tracks");
                return Err(Refusal::new(ErrorCode::TooMany, text));
            }
            None => {
                self.last_track_id += 1;
                (TrackId(self.last_track_id), false)
            }
        };
        let track = Track { id, label: label.clone(), channels, codecs, sources, muted };
        let Some(member) = self.members.get_mut(&asker.participant) else { return Ok(()) };
        let is_first = member.tracks.is_empty();
        match member.track_mut(id) {
            Some(known) => *known = track,
            None => member.tracks.push(track),
        }
        // The publisher is told what to send even where that is what it was told before.
        member.told.encodings.remove(&id);
        let room = member.room.clone();
        let published = ServerMessage::Published { track: id, label };
        self.send(asker.connection, asker.request, published);
        if is_first {
            self.tell_of_stem(asker.participant);
        }
        self.tell_participant(asker.participant, None);
        self.settle(&room);
        Ok(())
    }

    fn unpublish(&mut self, now: Instant, asker: Asker, track: TrackId) -> Result<(), Refusal> {
        self.count_publication(now, asker.participant)?;
        let Some(member) = self.members.get_mut(&asker.participant) else { return Ok(()) };
        let before = member.tracks.len();
        member.tracks.retain(|known| known.id != track);
        if member.tracks.len() == before {
            return Err(no_such_track(track));
        }
        member.told.encodings.remove(&track);
        let room = member.room.clone();
        self.tell_participant(asker.participant, asker.answered());
        self.settle(&room);
        Ok(())
    }

    fn count_publication(
        &mut self,
        now: Instant,
        participant: ParticipantId,
    ) -> Result<(), Refusal> {
        let Some(member) = self.members.get_mut(&participant) else { return Ok(()) };
        let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many changes of tracks; wait");
        member.publications.take(now).map_err(hurried)
    }

    fn mute(&mut self, asker: Asker, track: TrackId, muted: bool) -> Result<(), Refusal> {
        let Some(member) = self.members.get_mut(&asker.participant) else { return Ok(()) };
        member.track_mut(track).ok_or_else(|| no_such_track(track))?.muted = muted;
        let room = member.room.clone();
        self.tell_participant(asker.participant, asker.answered());
        self.settle(&room);
        Ok(())
    }

    fn chat(&mut self, now: Instant, asker: Asker, text: &str) -> Result<(), Refusal> {
        let text = text::chat(text)?;
        if let Some(state) = self.connections.get_mut(&asker.connection) {
            let hurried = |_| Refusal::new(ErrorCode::TooFast, "too many chat messages; wait");
            state.chat.take(now).map_err(hurried)?;
        }
        let at_unix_ms = self.unix_ms(now);
        let participant = asker.participant;
        let Some(member) = self.members.get(&participant) else { return Ok(()) };
        let (room, name) = (member.room.clone(), member.name.clone());
        let Some(state) = self.rooms.get_mut(&room) else { return Ok(()) };
        let message = state.say(ChatMessage { id: 0, participant, name, text, at_unix_ms });
        self.broadcast(&room, asker.answered(), ServerMessage::Chat { message });
        Ok(())
    }

    fn leave(&mut self, asker: Asker) {
        let Asker { connection, participant, request } = asker;
        let (reason, text) = (ByeReason::Left, "you left the room".to_owned());
        self.send(connection, request, ServerMessage::Bye { reason, text });
        self.close(connection, reason);
        if let Some(member) = self.members.get_mut(&participant) {
            member.connection = None;
        }
        self.forget_connection(connection);
        self.give_up_seat(participant, LeaveReason::Left, None);
    }
}

/// What an app says about itself when it comes.
#[derive(Debug, Clone)]
pub(crate) struct Entering {
    pub(crate) room: RoomId,
    pub(crate) name: String,
    pub(crate) capabilities: Capabilities,
    /// What they say lets them in.
    pub(crate) pass: Option<String>,
}

/// Whether a track may be published with these codecs and sources under this label.
/// Packets per second that one more costs a room: theirs come in and go to everybody, and
/// everybody's to them.
fn growth(members: usize) -> u32 {
    let packets = u32::try_from(2 * members + 1).unwrap_or(u32::MAX);
    packets.saturating_mul(Codec::Opus64.packets_per_second())
}

fn check_sources(
    member: &Member,
    label: &str,
    codecs: &[Codec],
    sources: &[Source],
) -> Result<(), Refusal> {
    let bad = |what: String| Err(Refusal::new(ErrorCode::BadTrack, what));
    if Codec::ALL.len() < sources.len() {
        let text = format!("a track has at most {} sources", Codec::ALL.len());
        return Err(Refusal::new(ErrorCode::TooMany, text));
    }
    if !codecs.iter().any(|codec| sources.iter().any(|source| source.codec == *codec)) {
        return bad("none of the track's codecs has a source".into());
    }
    for (index, Source { codec, ssrc }) in sources.iter().enumerate() {
        let others = &sources[..index];
        if others.iter().any(|other| other.codec == *codec) {
            return bad(format!("{codec} has two sources"));
        }
        let elsewhere =
            member.tracks.iter().any(|track| track.label != label && track.codec(*ssrc).is_some());
        let is_received = member.link.as_ref().is_some_and(|link| link.has_slot(*ssrc));
        let twice = others.iter().any(|other| other.ssrc == *ssrc);
        let is_reserved = [Ssrc(0), SFU_SSRC].contains(ssrc);
        if is_reserved || elsewhere || is_received || twice {
            return bad(format!("the SSRC {} is taken; choose another at random", ssrc.0));
        }
    }
    Ok(())
}

fn no_such_track(track: TrackId) -> Refusal {
    Refusal::new(ErrorCode::NoSuchTrack, format!("you do not publish {track}"))
}

/// Compares in a time that does not depend on where the difference is.
fn is_same_secret(a: &[u8; 16], b: &[u8; 16]) -> bool {
    a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn seconds(duration: core::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
