//! Being in a room: what arrives from signalling, the link and the musician, and what follows.
//!
//! Pure: the session's thread feeds it and carries out its [`Effect`]s. Everything that must
//! survive a dropped WebSocket lives here: the seat, who is in the room, what is sent and heard.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use protocol::codec::Codec;
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    ByeReason, Capabilities, ClientEnvelope, ClientMessage, Description, EngineKind, ErrorCode,
    LeaveReason, LinkParameters, Participant, Presence, ServerEnvelope, ServerMessage, Source,
    Stream, VERSION,
};
use protocol::time::Instant;

use super::codec_choice::{CodecChoice, Offer};
use super::link_policy::{LinkAction, LinkState};
use super::redundancy::Redundancy;

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
    /// Make a link with a new certificate, then call [`Membership::handle_local_link`].
    OpenLink,
    /// Give the link new ICE credentials, then call [`Membership::handle_local_link`].
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

/// A participant's membership of a room.
#[derive(Debug)]
pub struct Membership {
    us: Musician,
    offer: Offer,
    redundancy: Redundancy,
    phase: Phase,
    seat: Option<String>,
    ticket: Option<String>,
    me: Option<ParticipantId>,
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

impl Membership {
    /// A musician who has not joined yet.
    pub fn new(us: Musician) -> Self {
        let offer = Offer::new(us.choice);
        Self {
            us,
            offer,
            redundancy: Redundancy::default(),
            phase: Phase::Offline,
            seat: None,
            ticket: None,
            me: None,
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
                self.participants = participants.into_iter().map(|p| (p.id, p)).collect();
                self.handle_joined(now, &room, participant, resumed);
            }
            ServerMessage::Connected { description } => {
                self.handle_connected(envelope.request, description);
            }
            ServerMessage::Published { track, .. } => {
                self.track = Some(track);
                if self.muted {
                    self.send(ClientMessage::Mute { track, muted: true });
                }
            }
            ServerMessage::Ticket { ticket, .. } => self.ticket = Some(ticket),
            ServerMessage::Participant { participant } => self.handle_participant(participant),
            ServerMessage::ParticipantLeft { participant, reason } => {
                self.handle_left(participant, reason);
            }
            ServerMessage::Streams { streams } => self.handle_streams(streams),
            ServerMessage::EncodingsWanted { codecs, reason, .. } => {
                self.handle_encodings(codecs, reason);
            }
            ServerMessage::Uplink { codec, received_packets, lost_packets, jitter_us, .. } => {
                self.handle_uplink(
                    now,
                    Uplink { codec, received_packets, lost_packets, jitter_us },
                );
            }
            ServerMessage::Chat { message } => {
                let (name, text) = (message.name, message.text);
                self.effects.push_back(Effect::Tell(Notice::Chat { name, text }));
            }
            ServerMessage::Error { code, text } => self.handle_error(code, text),
            ServerMessage::Bye { reason, text } => self.handle_bye(reason, text),
            ServerMessage::Pong {} | ServerMessage::SlotsWanted { .. } => {}
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

    /// Where the conversation with signalling stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether media flows.
    pub fn link_is_up(&self) -> bool {
        self.link == LinkState::Up
    }

    /// Who we are in the room.
    pub fn me(&self) -> Option<ParticipantId> {
        self.me
    }

    /// Everybody in the room, oneself included.
    pub fn participants(&self) -> &BTreeMap<ParticipantId, Participant> {
        &self.participants
    }

    /// The streams that are received, by SSRC.
    pub fn streams(&self) -> &BTreeMap<Ssrc, Stream> {
        &self.streams
    }

    /// Where the packets of each codec come from.
    pub fn sources(&self) -> &[Source] {
        &self.us.sources
    }

    /// What is sent, and why where that is not simply what was asked for.
    pub fn encodings(&self) -> (&[Codec], Option<&str>) {
        (&self.encodings, self.reason.as_deref())
    }

    /// Whether the own track is muted for everybody.
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// How the own packets reach the server, as last reported.
    pub fn uplink(&self) -> Option<Uplink> {
        self.uplink
    }

    fn handle_joined(&mut self, now: Instant, room: &RoomId, me: ParticipantId, resumed: bool) {
        self.phase = Phase::Joined;
        if resumed && self.me == Some(me) {
            self.tell(format!("back in room {room}"));
        } else {
            self.me = Some(me);
            self.track = None;
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
        self.tell(match reason {
            LeaveReason::Left => format!("{} left", gone.name),
            LeaveReason::Lost => format!("{} did not come back", gone.name),
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

    fn handle_encodings(&mut self, codecs: Vec<Codec>, reason: Option<String>) {
        if self.encodings != codecs || self.reason != reason {
            let names: Vec<_> = codecs.iter().map(|codec| codec.name()).collect();
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            self.tell(format!("sending {}{why}", names.join(" and ")));
        }
        if self.encodings != codecs {
            self.encodings = codecs;
            self.set_encodings();
        }
        self.reason = reason;
    }

    fn handle_uplink(&mut self, now: Instant, uplink: Uplink) {
        let Uplink { codec, received_packets, lost_packets, .. } = uplink;
        self.uplink = Some(uplink);
        // One packet of opus covers two of opus-64, and it has no redundancy: only what travels as
        // RED is steered.
        if codec != Codec::Opus
            && self.redundancy.handle_uplink(now, received_packets, lost_packets)
        {
            self.set_encodings();
        }
        let changed = self.offer.handle_uplink(now, codec, received_packets, lost_packets);
        if let Some(reason) = changed {
            self.warn(reason);
            self.send_publish();
        }
    }

    fn set_encodings(&mut self) {
        let redundant_frames = self.redundancy.frames();
        let codecs = self.encodings.clone();
        self.effects.push_back(Effect::SetEncodings { codecs, redundant_frames });
    }

    fn handle_error(&mut self, code: ErrorCode, text: String) {
        match code {
            ErrorCode::SeatGone => {
                self.warn("the seat was given up: joining anew".to_owned());
                self.seat = None;
                self.send_join();
            }
            ErrorCode::TooFast => {
                self.warn(text);
                if self.phase == Phase::Joining {
                    self.effects.push_back(Effect::Reconnect);
                }
            }
            // Full while we were away: somebody may leave.
            ErrorCode::RoomFull | ErrorCode::ServerFull if self.me.is_some() => {
                self.warn(text);
                self.effects.push_back(Effect::Reconnect);
            }
            ErrorCode::Version
            | ErrorCode::BadName
            | ErrorCode::RoomFull
            | ErrorCode::ServerFull
            | ErrorCode::BadDescription
            | ErrorCode::BadTrack
            | ErrorCode::TooMany
            | ErrorCode::TooLarge
            | ErrorCode::OutOfOrder
            | ErrorCode::Malformed => self.effects.push_back(Effect::End(End::Refused(text))),
            // A ticket that crossed its successor, or a link that the SFU could not make: the
            // link's own timers try again, with what is newest then.
            ErrorCode::BadTicket | ErrorCode::MediaRefused => self.warn(text),
            ErrorCode::NoSuchTrack | ErrorCode::BadText => self.warn(text),
        }
    }

    fn handle_bye(&mut self, reason: ByeReason, text: String) {
        match reason {
            ByeReason::Left => self.effects.push_back(Effect::End(End::Left)),
            ByeReason::ServerClosing => {
                self.warn(format!("{text}; trying again until it is back"));
                self.effects.push_back(Effect::Reconnect);
            }
            ByeReason::TimedOut => {
                self.warn(text);
                self.effects.push_back(Effect::Reconnect);
            }
            ByeReason::Replaced | ByeReason::Misbehaved | ByeReason::Refused => {
                self.effects.push_back(Effect::End(End::Refused(text)));
            }
        }
    }

    fn send_join(&mut self) {
        self.send(ClientMessage::Join {
            version: VERSION,
            room: self.us.room.clone(),
            name: self.us.name.clone(),
            capabilities: Capabilities { engine: EngineKind::Native, decodes: Codec::ALL.to_vec() },
            seat: self.seat.clone(),
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

    fn send(&mut self, message: ClientMessage) -> u32 {
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

#[cfg(test)]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test picks the messages and effects that it speaks of"
)]
mod tests {
    use super::*;

    const ME: ParticipantId = ParticipantId(7);

    fn at(ms: u64) -> Instant {
        Instant::from_ns(ms * 1_000_000)
    }

    fn membership() -> Membership {
        let source = |codec, ssrc| Source { codec, ssrc: Ssrc(ssrc) };
        Membership::new(Musician {
            room: RoomId::parse("lab").expect("a room's name"),
            name: "Ana".into(),
            label: "instrument".into(),
            channels: 1,
            choice: CodecChoice::Auto,
            sources: vec![source(Codec::Opus64, 1), source(Codec::Opus, 2)],
        })
    }

    fn joined(resumed: bool) -> ServerMessage {
        ServerMessage::Joined {
            version: VERSION,
            room: RoomId::parse("lab").expect("a room's name"),
            participant: ME,
            ticket: "t1".into(),
            ticket_seconds: 30,
            seat: "s1".into(),
            seat_seconds: 15,
            participants: vec![somebody(ME, Presence::Online)],
            chat: Vec::new(),
            resumed,
        }
    }

    fn somebody(id: ParticipantId, presence: Presence) -> Participant {
        let name = format!("P{}", id.0);
        Participant { id, name, engine: EngineKind::Native, presence, tracks: Vec::new() }
    }

    fn stream(ssrc: u32, track: u32, channels: u8) -> Stream {
        Stream {
            ssrc: Ssrc(ssrc),
            mid: None,
            participant: ParticipantId(9),
            track: TrackId(track),
            codec: Codec::Opus64,
            channels,
        }
    }

    fn link() -> LinkParameters {
        LinkParameters { ice_ufrag: "u".into(), ice_pwd: "p".into(), fingerprint: "F".into() }
    }

    fn say(membership: &mut Membership, ms: u64, message: ServerMessage) -> Vec<Effect> {
        membership.handle_message(at(ms), ServerEnvelope { request: None, message });
        effects(membership)
    }

    fn effects(membership: &mut Membership) -> Vec<Effect> {
        core::iter::from_fn(|| membership.poll_effect())
            .filter(|effect| !matches!(effect, Effect::Tell(_)))
            .collect()
    }

    fn sent(effects: &[Effect]) -> Vec<&ClientMessage> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send(envelope) => Some(&envelope.message),
                _ => None,
            })
            .collect()
    }

    fn seat_of(effects: &[Effect]) -> Option<Option<String>> {
        sent(effects).into_iter().find_map(|message| match message {
            ClientMessage::Join { seat, .. } => Some(seat.clone()),
            _ => None,
        })
    }

    /// In the room, link up, nothing left to do.
    fn settled() -> Membership {
        let mut membership = membership();
        membership.handle_websocket_open();
        say(&mut membership, 0, joined(false));
        membership.handle_local_link(link());
        membership.handle_link_up();
        effects(&mut membership);
        membership
    }

    #[test]
    fn joining_opens_the_link_and_publishes() {
        let mut membership = membership();
        membership.handle_websocket_open();
        assert_eq!(seat_of(&effects(&mut membership)), Some(None));
        let effects_seen = say(&mut membership, 0, joined(false));
        assert_eq!(effects_seen[0], Effect::OpenLink);
        let [ClientMessage::Publish { codecs, sources, .. }] = sent(&effects_seen)[..] else {
            panic!("published once: {effects_seen:?}");
        };
        assert_eq!((codecs.as_slice(), sources.len()), (&[Codec::Opus64, Codec::Opus][..], 2));
        membership.handle_local_link(link());
        let effects_seen = effects(&mut membership);
        let [ClientMessage::Connect { ticket, .. }] = sent(&effects_seen)[..] else {
            panic!("connected once: {effects_seen:?}");
        };
        assert_eq!(ticket, "t1");
    }

    #[test]
    fn an_answer_to_a_replaced_request_is_ignored() {
        let mut membership = settled();
        membership.handle_local_link(link());
        let [Effect::Send(first)] = &effects(&mut membership)[..] else { panic!("one connect") };
        membership.handle_local_link(link());
        let [Effect::Send(second)] = &effects(&mut membership)[..] else { panic!("one connect") };
        let mut answer = |request| {
            let description = Description::Direct { link: link(), candidates: Vec::new() };
            let message = ServerMessage::Connected { description };
            membership.handle_message(at(1), ServerEnvelope { request, message });
            effects(&mut membership).len()
        };
        assert_eq!(answer(first.request), 0);
        assert_eq!(answer(second.request), 1);
        assert_eq!(answer(second.request), 0);
    }

    #[test]
    fn a_dropped_websocket_comes_back_into_the_seat_and_leaves_the_sound_alone() {
        let mut membership = settled();
        say(&mut membership, 10, ServerMessage::Streams { streams: vec![stream(5, 1, 1)] });
        membership.handle_websocket_gone();
        membership.handle_timeout(at(1000));
        assert_eq!(effects(&mut membership), []);
        membership.handle_websocket_open();
        assert_eq!(seat_of(&effects(&mut membership)), Some(Some("s1".into())));
        let effects_seen = say(&mut membership, 2000, joined(true));
        assert!(matches!(sent(&effects_seen)[..], [ClientMessage::Publish { .. }]));
        assert_eq!(effects_seen.len(), 1, "no link action, no stream lost: {effects_seen:?}");
    }

    #[test]
    fn a_link_that_died_with_the_websocket_is_restarted() {
        let mut membership = settled();
        membership.handle_websocket_gone();
        membership.handle_link_down();
        membership.handle_timeout(at(1000));
        assert_eq!(effects(&mut membership), [], "no use while signalling is away");
        membership.handle_websocket_open();
        effects(&mut membership);
        assert_eq!(say(&mut membership, 2000, joined(true))[0], Effect::RestartLink);
    }

    #[test]
    fn a_seat_that_is_gone_is_joined_anew_with_nothing_left_of_the_old_one() {
        let mut membership = settled();
        say(&mut membership, 10, ServerMessage::Streams { streams: vec![stream(5, 1, 1)] });
        membership.handle_websocket_gone();
        membership.handle_websocket_open();
        effects(&mut membership);
        let gone = ServerMessage::Error { code: ErrorCode::SeatGone, text: "gone".into() };
        assert_eq!(seat_of(&say(&mut membership, 20, gone)), Some(None));
        let effects_seen = say(&mut membership, 30, joined(false));
        assert_eq!(effects_seen[0], Effect::RemoveRemote { ssrc: Ssrc(5) });
        assert_eq!(effects_seen[1], Effect::OpenLink);
    }

    #[test]
    fn streams_come_go_and_change_their_shape() {
        let mut membership = settled();
        let mut streams =
            |list: Vec<Stream>| say(&mut membership, 1, ServerMessage::Streams { streams: list });
        let add = |ssrc, channels| Effect::AddRemote { ssrc: Ssrc(ssrc), channels };
        let remove = |ssrc| Effect::RemoveRemote { ssrc: Ssrc(ssrc) };
        assert_eq!(streams(vec![stream(5, 1, 1)]), [add(5, 1)]);
        assert_eq!(streams(vec![stream(5, 1, 1), stream(6, 2, 2)]), [add(6, 2)]);
        assert_eq!(streams(vec![stream(5, 1, 1), stream(6, 2, 2)]), []);
        assert_eq!(streams(vec![stream(5, 3, 1)]), [remove(5), remove(6), add(5, 1)]);
        assert_eq!(streams(vec![]), [remove(5)]);
    }

    #[test]
    fn encodings_are_set_once_and_their_reason_is_told() {
        let mut membership = settled();
        let mut wanted = |codecs: &[Codec], reason: Option<&str>| {
            let message = ServerMessage::EncodingsWanted {
                track: TrackId(1),
                codecs: codecs.to_vec(),
                reason: reason.map(str::to_owned),
            };
            membership.handle_message(at(1), ServerEnvelope { request: None, message });
            core::iter::from_fn(|| membership.poll_effect()).collect::<Vec<_>>()
        };
        let both = [Codec::Opus64, Codec::Opus];
        assert_eq!(
            wanted(&both, Some("Ben plays opus only")),
            [
                Effect::Tell(Notice::Fact("sending opus-64 and opus (Ben plays opus only)".into())),
                Effect::SetEncodings { codecs: both.to_vec(), redundant_frames: 0 },
            ]
        );
        assert_eq!(wanted(&both, Some("Ben plays opus only")), []);
    }

    #[test]
    fn a_mute_survives_the_way_back() {
        let mut membership = settled();
        membership.set_muted(true);
        assert_eq!(effects(&mut membership), [], "nothing is published yet");
        let published = ServerMessage::Published { track: TrackId(3), label: "x".into() };
        let expected = ClientMessage::Mute { track: TrackId(3), muted: true };
        let effects_seen = say(&mut membership, 1, published);
        assert_eq!(sent(&effects_seen), [&expected]);
    }

    #[test]
    fn endings_end_what_they_should() {
        let bye = |reason| ServerMessage::Bye { reason, text: "x".into() };
        let end = |message| say(&mut settled(), 1, message);
        assert_eq!(end(bye(ByeReason::Left)), [Effect::End(End::Left)]);
        assert_eq!(end(bye(ByeReason::ServerClosing)), [Effect::Reconnect]);
        assert_eq!(end(bye(ByeReason::TimedOut)), [Effect::Reconnect]);
        assert_eq!(end(bye(ByeReason::Replaced)), [Effect::End(End::Refused("x".into()))]);
        let full = || ServerMessage::Error { code: ErrorCode::RoomFull, text: "full".into() };
        assert_eq!(end(full()), [Effect::Reconnect], "it had a seat before");
        let mut fresh = membership();
        fresh.handle_websocket_open();
        effects(&mut fresh);
        assert_eq!(say(&mut fresh, 1, full()), [Effect::End(End::Refused("full".into()))]);
    }

    #[test]
    fn a_bad_uplink_publishes_fewer_packets() {
        let mut membership = settled();
        let mut last = Vec::new();
        for second in 0..3 {
            let uplink = ServerMessage::Uplink {
                track: TrackId(1),
                codec: Codec::Opus64,
                received_packets: 500,
                lost_packets: 250,
                jitter_us: 0,
            };
            last = say(&mut membership, second * 1000, uplink);
        }
        let [ClientMessage::Publish { codecs, .. }] = sent(&last)[..] else {
            panic!("published again: {last:?}");
        };
        assert_eq!(codecs, &[Codec::Opus]);
    }
}
