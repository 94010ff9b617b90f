//! Being in a room: what arrives from signalling, the link and the musician, and what follows.
//!
//! Pure: the session's thread feeds it and carries out its [`Effect`]s. Everything that must
//! survive a dropped WebSocket lives here: the seat, who is in the room, what is sent and heard.

mod effect;
mod questions;
mod refusals;
mod shared;

use std::collections::{BTreeMap, VecDeque};

use engine::RemoteStats;
use engine::limits::REDUNDANT_FRAMES_MAX;
use protocol::codec::Codec;
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::room_state::RoomState;
use protocol::rtp::Ssrc;
use protocol::signal::{
    Capabilities, ClientEnvelope, ClientMessage, Description, EngineKind, Finding, LeaveReason,
    LinkParameters, Participant, Presence, ServerEnvelope, ServerMessage, Stream, TrackHearing,
    VERSION,
};
use protocol::time::Instant;

pub use self::effect::{Effect, End, Musician, Notice, Uplink};
use super::around::Telling;
use super::codec_choice::Offer;
use super::hearing::{Hearing, OwnEnd};
use super::link_policy::{LinkAction, LinkState};
use super::reception::Reception;

/// A participant's membership of a room.
#[derive(Debug)]
pub struct Membership {
    us: Musician,
    offer: Offer,
    redundant_frames: usize,
    reception: Reception,
    hearing: Hearing,
    pub(super) telling: Telling,
    /// What others say of how they hear everybody.
    hearings: BTreeMap<ParticipantId, Vec<TrackHearing>>,
    /// What the room shares beside the sound.
    shared: RoomState,
    findings: Vec<Finding>,
    phase: Phase,
    seat: Option<String>,
    pass: Option<String>,
    /// Whether there is something to get passes with.
    gets_passes: bool,
    ticket: Option<String>,
    me: Option<ParticipantId>,
    joinings: u32,
    track: Option<TrackId>,
    participants: BTreeMap<ParticipantId, Participant>,
    streams: BTreeMap<Ssrc, Stream>,
    encodings: Vec<Codec>,
    reason: Option<String>,
    muted: bool,
    link: LinkState,
    requests: u32,
    connect_request: Option<u32>,
    uplink: Option<Uplink>,
    effects: VecDeque<Effect>,
}

/// Where the conversation with signalling stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No WebSocket.
    Offline,
    /// `join` is sent.
    Joining,
    /// In the room.
    Joined,
}

impl Membership {
    /// A musician who has not joined yet.
    pub fn new(us: Musician) -> Self {
        let offer = Offer::new(us.choice);
        Self {
            us,
            offer,
            redundant_frames: 0,
            reception: Reception::default(),
            hearing: Hearing::default(),
            telling: Telling::default(),
            hearings: BTreeMap::new(),
            shared: RoomState::default(),
            findings: Vec::new(),
            phase: Phase::Offline,
            seat: None,
            pass: None,
            gets_passes: false,
            ticket: None,
            me: None,
            joinings: 0,
            track: None,
            participants: BTreeMap::new(),
            streams: BTreeMap::new(),
            encodings: Vec::new(),
            reason: None,
            muted: false,
            link: LinkState::None,
            requests: 0,
            connect_request: None,
            uplink: None,
            effects: VecDeque::new(),
        }
    }

    /// There is something to get passes with: one for each time that the room is entered without a seat.
    pub(super) fn use_passes(&mut self) {
        self.gets_passes = true;
    }

    /// What lets into the room from now on, for a minute.
    pub fn set_pass(&mut self, pass: Option<String>) {
        self.pass = pass;
    }

    /// The WebSocket stands.
    pub fn handle_websocket_open(&mut self) {
        self.phase = Phase::Joining;
        self.send_join();
    }

    /// The WebSocket is gone, or could not be made.
    pub fn handle_websocket_gone(&mut self) {
        self.phase = Phase::Offline;
        self.connect_request = None;
    }

    /// A message from signalling.
    pub fn handle_message(&mut self, now: Instant, envelope: ServerEnvelope) {
        match envelope.message {
            ServerMessage::Joined {
                participant,
                ticket,
                seat,
                participants,
                resumed,
                room,
                ..
            } => {
                self.ticket = Some(ticket);
                self.seat = Some(seat);
                let was_silenced = self.is_silenced();
                self.participants = participants.into_iter().map(|p| (p.id, p)).collect();
                // Told anew where there are any.
                self.findings.clear();
                self.handle_joined(now, &room, participant, resumed);
                match (was_silenced, self.is_silenced()) {
                    (_, true) => self.warn(SILENCED.to_owned()),
                    (true, false) => self.warn(HEARD_AGAIN.to_owned()),
                    (false, false) => {}
                }
            }
            ServerMessage::Connected { description } => {
                self.handle_connected(envelope.request, description);
            }
            ServerMessage::Published { track, .. } => {
                self.track = Some(track);
                // A key press while the WebSocket was away, or one that went down with it.
                if self.muted != self.server_has_muted(track) {
                    self.send(ClientMessage::Mute { track, muted: self.muted });
                }
            }
            ServerMessage::Ticket { ticket, .. } => self.ticket = Some(ticket),
            ServerMessage::Participant { participant } => self.handle_participant(participant),
            ServerMessage::ParticipantLeft { participant, reason } => {
                self.handle_left(participant, reason);
            }
            ServerMessage::Streams { streams } => self.handle_streams(streams),
            ServerMessage::EncodingsWanted { codecs, redundant_frames, reason, .. } => {
                self.handle_encodings(codecs, redundant_frames.into(), reason);
            }
            ServerMessage::Uplink { codec, received_packets, lost_packets, jitter_us, .. } => {
                self.handle_uplink(
                    now,
                    Uplink { codec, received_packets, lost_packets, jitter_us },
                );
            }
            ServerMessage::Hearing { listener, tracks } => {
                if self.participants.contains_key(&listener) {
                    self.hearings.insert(listener, tracks);
                }
            }
            ServerMessage::Room { state } => self.handle_room(state),
            ServerMessage::Findings { findings } => self.findings = findings,
            ServerMessage::Chat { message } => {
                let (name, text) = (message.name, message.text);
                self.effects.push_back(Effect::Tell(Notice::Chat { name, text }));
            }
            ServerMessage::Error { code, text } => self.handle_error(code, text),
            ServerMessage::Bye { reason, text } => self.handle_bye(reason, text),
            ServerMessage::Pong {}
            | ServerMessage::Seen { .. }
            | ServerMessage::SlotsWanted { .. } => {}
        }
    }

    /// The own half of a link that [`Effect::OpenLink`] or [`Effect::RestartLink`] asked for.
    pub fn handle_local_link(&mut self, link: LinkParameters) {
        let Some(ticket) = self.ticket.clone() else { return };
        let description = Description::Direct { link, candidates: Vec::new() };
        self.connect_request = Some(self.send(ClientMessage::Connect { ticket, description }));
    }

    /// Media flows.
    pub fn handle_link_up(&mut self) {
        if self.link != LinkState::Up {
            self.link = LinkState::Up;
            self.tell("media link up".to_owned());
        }
    }

    /// Nothing comes from the server any more.
    pub fn handle_link_down(&mut self) {
        if self.link == LinkState::Up {
            self.link = LinkState::Down;
            self.warn("nothing comes from the server: restarting the media link".to_owned());
        }
    }

    /// The link is over: the other end closed it, or the handshake failed.
    pub fn handle_link_closed(&mut self) {
        // A first handshake that failed is tried again when its time is up, not all the time.
        if matches!(self.link, LinkState::Up | LinkState::Down) {
            self.link = LinkState::None;
            self.warn("the server closed the media link".to_owned());
        }
    }

    /// Lets timers run; call some times a second.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.phase != Phase::Joined {
            return;
        }
        match self.link.next(now) {
            Some(LinkAction::Open) => self.effects.push_back(Effect::OpenLink),
            Some(LinkAction::Restart) => self.effects.push_back(Effect::RestartLink),
            None => {}
        }
    }

    /// How the remotes fare, and what one's own end is like; call some times a second.
    pub fn handle_remotes(&mut self, now: Instant, remotes: &[RemoteStats], own: &OwnEnd) {
        if self.phase != Phase::Joined {
            return;
        }
        if let Some(streams) = self.reception.report(now, remotes) {
            self.send(ClientMessage::Reception { streams });
        }
        let (streams, participants) = (&self.streams, self.participants.len());
        // Whoever is alone has nobody to tell.
        if let Some(told) = self.hearing.report(now, remotes, streams, participants, own)
            && 1 < participants
        {
            self.send(told);
        }
    }

    /// The musician stops or resumes the own track for everybody.
    pub fn set_muted(&mut self, muted: bool) {
        self.muted = muted;
        if let (Some(track), Phase::Joined) = (self.track, self.phase) {
            self.send(ClientMessage::Mute { track, muted });
        }
    }

    /// The musician says something.
    pub fn say(&mut self, text: String) {
        self.send(ClientMessage::Chat { text });
    }

    /// The musician leaves.
    pub fn leave(&mut self) {
        if self.phase == Phase::Joined {
            self.send(ClientMessage::Leave {});
        } else {
            self.effects.push_back(Effect::End(End::Left));
        }
    }

    /// Asks for a sign of life.
    pub fn ping(&mut self) {
        if self.phase == Phase::Joined {
            self.send(ClientMessage::Ping {});
        }
    }

    /// The next thing to do outside.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    fn handle_joined(&mut self, now: Instant, room: &RoomId, me: ParticipantId, resumed: bool) {
        self.phase = Phase::Joined;
        if resumed && self.me == Some(me) {
            self.tell(format!("back in room {room}"));
        } else {
            self.me = Some(me);
            self.joinings = self.joinings.wrapping_add(1);
            self.track = None;
            self.hearings.clear();
            self.telling.start();
            self.handle_streams(Vec::new());
            self.link = LinkState::None;
            let company = match self.participants.len().saturating_sub(1) {
                0 => "alone".to_owned(),
                1 => "with one other".to_owned(),
                others => format!("with {others} others"),
            };
            self.tell(format!("in room {room} as {}, {company}", self.us.name));
        }
        // The link first: its handshake takes longest.
        self.handle_timeout(now);
        self.send_publish();
    }

    /// Whether the server last spoke of the own track as muted; a new one starts open.
    fn server_has_muted(&self, track: TrackId) -> bool {
        let us = self.me.and_then(|me| self.participants.get(&me));
        let tracks = us.map_or(&[][..], |us| &us.tracks);
        tracks.iter().any(|ours| ours.id == track && ours.muted)
    }

    fn handle_connected(&mut self, request: Option<u32>, description: Description) {
        // An answer to an older request carries credentials that a newer one has replaced.
        if request.is_none() || request != self.connect_request {
            return;
        }
        self.connect_request = None;
        match description {
            Description::Direct { link, candidates } => {
                self.effects.push_back(Effect::AcceptLink { link, candidates });
            }
            Description::Sdp { .. } => {
                let text = "the server answered with SDP, which was not asked for".to_owned();
                self.effects.push_back(Effect::End(End::Refused(text)));
            }
        }
    }

    fn handle_participant(&mut self, participant: Participant) {
        let before = self.participants.get(&participant.id);
        let was_silenced = before.is_some_and(|before| before.silenced);
        if was_silenced != participant.silenced {
            let text = match (Some(participant.id) == self.me, participant.silenced) {
                (true, true) => SILENCED.to_owned(),
                (true, false) => HEARD_AGAIN.to_owned(),
                (false, true) => format!("{} is silenced: nobody hears them", participant.name),
                (false, false) => format!("{} is heard again", participant.name),
            };
            self.effects.push_back(Effect::Tell(Notice::Warning(text)));
        }
        if Some(participant.id) != self.me {
            let name = &participant.name;
            let text = match (before.map(|before| before.presence), participant.presence) {
                (None, Presence::Online) => Some(format!("{name} came")),
                (Some(Presence::Online), Presence::Away) => {
                    Some(format!("{name} lost the network"))
                }
                (Some(Presence::Away), Presence::Online) => Some(format!("{name} is back")),
                (Some(Presence::Online), Presence::Online)
                | (None | Some(Presence::Away), Presence::Away) => None,
            };
            if let Some(text) = text {
                self.effects.push_back(Effect::Tell(Notice::Fact(text)));
            }
        }
        self.participants.insert(participant.id, participant);
    }

    fn handle_left(&mut self, participant: ParticipantId, reason: LeaveReason) {
        let Some(gone) = self.participants.remove(&participant) else { return };
        self.hearings.remove(&participant);
        self.tell(match reason {
            LeaveReason::Left => format!("{} left", gone.name),
            LeaveReason::Lost => format!("{} did not come back", gone.name),
            LeaveReason::Removed => format!("{} was taken out of the room", gone.name),
        });
    }

    fn handle_streams(&mut self, streams: Vec<Stream>) {
        let streams: BTreeMap<_, _> = streams.into_iter().map(|s| (s.ssrc, s)).collect();
        for (&ssrc, old) in &self.streams {
            let stays = streams
                .get(&ssrc)
                .is_some_and(|new| (new.track, new.channels) == (old.track, old.channels));
            if !stays {
                self.effects.push_back(Effect::RemoveRemote { ssrc });
            }
        }
        for (&ssrc, new) in &streams {
            let was_there = self
                .streams
                .get(&ssrc)
                .is_some_and(|old| (new.track, new.channels) == (old.track, old.channels));
            if !was_there {
                self.effects.push_back(Effect::AddRemote { ssrc, channels: new.channels });
            }
        }
        self.streams = streams;
    }

    fn handle_encodings(
        &mut self,
        codecs: Vec<Codec>,
        redundant_frames: usize,
        reason: Option<String>,
    ) {
        if self.encodings != codecs || self.reason != reason {
            let names: Vec<_> = codecs.iter().map(|codec| codec.name()).collect();
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            self.tell(format!("sending {}{why}", names.join(" and ")));
        }
        // A server of another make may want more than there is.
        let redundant_frames = redundant_frames.min(REDUNDANT_FRAMES_MAX);
        if (&self.encodings, self.redundant_frames) != (&codecs, redundant_frames) {
            self.encodings = codecs.clone();
            self.redundant_frames = redundant_frames;
            self.effects.push_back(Effect::SetEncodings { codecs, redundant_frames });
        }
        self.reason = reason;
    }

    fn handle_uplink(&mut self, now: Instant, uplink: Uplink) {
        let Uplink { codec, received_packets, lost_packets, .. } = uplink;
        self.uplink = Some(uplink);
        let changed = self.offer.handle_uplink(now, codec, received_packets, lost_packets);
        if let Some(reason) = changed {
            self.warn(reason);
            self.send_publish();
        }
    }

    fn send_join(&mut self) {
        self.send(ClientMessage::Join {
            version: VERSION,
            room: self.us.room.clone(),
            name: self.us.name.clone(),
            capabilities: Capabilities { engine: EngineKind::Native, decodes: Codec::ALL.to_vec() },
            seat: self.seat.clone(),
            pass: self.pass.clone().filter(|_| self.seat.is_none()),
        });
    }

    fn send_publish(&mut self) {
        if self.phase == Phase::Joined {
            self.send(ClientMessage::Publish {
                label: self.us.label.clone(),
                channels: self.us.channels,
                codecs: self.offer.codecs(),
                sources: self.us.sources.clone(),
            });
        }
    }

    pub(super) fn send(&mut self, message: ClientMessage) -> u32 {
        self.requests = self.requests.wrapping_add(1);
        let envelope = ClientEnvelope { request: Some(self.requests), message };
        self.effects.push_back(Effect::Send(envelope));
        self.requests
    }

    fn tell(&mut self, text: String) {
        self.effects.push_back(Effect::Tell(Notice::Fact(text)));
    }

    fn warn(&mut self, text: String) {
        self.effects.push_back(Effect::Tell(Notice::Warning(text)));
    }
}

const SILENCED: &str = "you are silenced: nobody hears you";
const HEARD_AGAIN: &str = "you are heard again";

#[cfg(test)]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the messages and effects that it speaks of"
)]
mod tests;
