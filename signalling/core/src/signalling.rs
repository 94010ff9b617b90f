//! The state of the whole server, and the life of connections and seats.
//!
//! What a message asks for is in [`crate::requests`] and [`crate::negotiation`]; who hears whom in
//! [`crate::settle`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use protocol::control::{Command, Event, SfuDescription};
use protocol::id::{ParticipantId, RoomId};
use protocol::limits::SIGNAL_MESSAGE_BYTES_MAX;
use protocol::signal::{
    ByeReason, ClientEnvelope, ErrorCode, LeaveReason, ServerEnvelope, ServerMessage,
};
use protocol::time::Instant;
use serde::Deserialize;

use crate::config::{Config, TakesKept};
use crate::connection::{AddressBlock, Connection, ConnectionId, Unreadable};
use crate::limits::{JOIN_DEADLINE, Limits, SEAT_KEPT, SILENCE_MAX, TICKET_RENEWAL};
use crate::output::{Happening, Output, TakeEvent};
use crate::pace::Pace;
use crate::placement::Placement;
use crate::random::Random;
use crate::redundancy::Loss;
use crate::refusal::Refusal;
use crate::room::{Member, Room};
use crate::ticket::TicketKey;
use crate::timers::{Timers, Wake};
use crate::uplink::Arrived;

/// Every room of a server.
#[derive(Debug)]
pub struct Signalling {
    pub(crate) limits: Limits,
    pub(crate) sfu: SfuDescription,
    pub(crate) placement: Placement,
    pub(crate) ticket_key: TicketKey,
    epoch_unix_ms: u64,
    pub(crate) takes: TakesKept,
    pub(crate) has_doorkeeper: bool,
    pub(crate) random: Random,
    pub(crate) timers: Timers,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) members: BTreeMap<ParticipantId, Member>,
    pub(crate) last_participant_id: u32,
    pub(crate) last_track_id: u32,
}

impl Signalling {
    /// A server without rooms.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            limits: config.limits,
            placement: Placement::new(&config.sfu.workers),
            sfu: config.sfu,
            ticket_key: config.ticket_key,
            epoch_unix_ms: config.epoch_unix_ms,
            takes: config.takes,
            has_doorkeeper: false,
            random: Random::new(config.seed),
            timers: Timers::default(),
            outputs: VecDeque::new(),
            connections: BTreeMap::new(),
            rooms: BTreeMap::new(),
            members: BTreeMap::new(),
            last_participant_id: 0,
            last_track_id: 0,
        }
    }

    /// A WebSocket is open; it comes `from` there.
    pub fn handle_connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        from: Option<AddressBlock>,
    ) {
        if self.limits.connections_max <= self.connections.len() {
            let text = "this server has as many connections as it can; try again later";
            self.send_error(connection, None, &Refusal::new(ErrorCode::ServerFull, text));
            self.send_bye(connection, ByeReason::Refused, text);
            return;
        }
        self.connections.insert(connection, Connection::new(now, from));
        self.timers.set(Wake::JoinDeadline(connection), now + JOIN_DEADLINE);
        self.timers.set(Wake::Silence(connection), now + SILENCE_MAX);
    }

    /// A text frame came.
    pub fn handle_message(&mut self, now: Instant, connection: ConnectionId, text: &str) {
        self.handle_alive(now, connection);
        if SIGNAL_MESSAGE_BYTES_MAX < text.len() {
            self.handle_unreadable(now, connection, Unreadable::TooLarge);
            return;
        }
        if self.count_message(now, connection) == Pace::TooFast {
            return;
        }
        match serde_json::from_str::<ClientEnvelope>(text) {
            Ok(ClientEnvelope { request, message }) => {
                if let Err(refusal) = self.handle_request(now, connection, request, message) {
                    self.refuse(now, connection, request, &refusal);
                }
            }
            Err(error) => {
                let request = serde_json::from_str::<OnlyRequest>(text).ok();
                let request = request.and_then(|only| only.request);
                self.handle_malformed(now, connection, request, &error.to_string());
            }
        }
    }

    /// Whether takes can be begun from now on, by whoever is heard next.
    pub fn handle_takes(&mut self, takes: TakesKept) {
        self.takes = takes;
    }

    /// Something came that is no text frame of a fair size.
    pub fn handle_unreadable(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        unreadable: Unreadable,
    ) {
        self.handle_alive(now, connection);
        match unreadable {
            Unreadable::Binary => {
                let what = "messages are JSON in text frames, this frame is binary";
                self.handle_malformed(now, connection, None, what);
            }
            Unreadable::Control => {
                self.count_message(now, connection);
            }
            Unreadable::TooLarge => {
                let text = format!("a message has at most {SIGNAL_MESSAGE_BYTES_MAX} bytes");
                let refusal = Refusal::new(ErrorCode::TooLarge, text);
                self.refuse(now, connection, None, &refusal);
            }
        }
    }

    /// Anything came at all, the answer to a ping for instance.
    pub fn handle_alive(&mut self, now: Instant, connection: ConnectionId) {
        if let Some(state) = self.connections.get_mut(&connection) {
            state.last_heard = now;
        }
    }

    /// A WebSocket is gone, whoever closed it.
    pub fn handle_disconnected(&mut self, now: Instant, connection: ConnectionId) {
        let Some(state) = self.forget_connection(connection) else { return };
        if let Some(participant) = state.participant {
            self.keep_seat(now, participant);
        }
    }

    /// The SFU told something.
    pub fn handle_sfu_event(&mut self, now: Instant, event: &Event) {
        match event {
            // Presence is the WebSocket's: an app whose media is stuck can still say so.
            Event::LinkUp { .. } | Event::LinkDown { .. } => {}
            Event::WorkerLoad { worker, packets_per_second, busy_permille } => {
                self.placement.measure(*worker, *packets_per_second, *busy_permille);
            }
            Event::LinkClosed { participant, local_ufrag } => {
                self.handle_link_closed(*participant, local_ufrag);
            }
            Event::OverRate { participant, ssrc, dropped_packets, .. } => {
                self.hear_over_rate(now, *participant);
                self.handle_over_rate(now, *participant, *ssrc, *dropped_packets);
            }
            Event::CommandRefused { command, text, .. } => {
                self.handle_refused_command(command, text);
            }
            Event::Downlink { participant, ssrc, expected_packets, lost_packets, .. } => {
                let (expected_packets, lost_packets) = (*expected_packets, *lost_packets);
                let loss = Loss { expected_packets, lost_packets, gaps: None };
                self.hear_stream_loss(now, *participant, *ssrc, loss);
            }
            Event::Uplink {
                participant, ssrc, received_packets, lost_packets, jitter_us, ..
            } => {
                let arrived = Arrived {
                    received_packets: *received_packets,
                    lost_packets: *lost_packets,
                    jitter_us: *jitter_us,
                };
                self.handle_uplink(now, *participant, *ssrc, arrived);
            }
        }
    }

    /// It is at least the instant that [`Self::poll_timeout`] named.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(wake) = self.timers.take_due(now) {
            match wake {
                Wake::JoinDeadline(connection) => {
                    let state = self.connections.get(&connection);
                    let text = if state.is_some_and(|state| state.waiting.is_some()) {
                        "this server could not find out in time who may come in; try again"
                    } else {
                        "no join came; open the WebSocket when you are ready to join"
                    };
                    self.end(now, connection, ByeReason::TimedOut, text);
                }
                Wake::Silence(connection) => self.check_silence(now, connection),
                Wake::Ticket(participant) => self.renew_ticket(now, participant),
                Wake::Calm(participant) => self.calm(now, participant),
                Wake::Seat(participant) => {
                    self.give_up_seat(participant, LeaveReason::Lost, None);
                }
                Wake::Findings => self.look_for_findings(now),
            }
        }
    }

    /// The server is about to stop: everybody is told, every link is closed.
    pub fn handle_closing(&mut self) {
        let connections: Vec<_> = self.connections.keys().copied().collect();
        for connection in connections {
            let text = "the server stops; it may be back in a moment";
            self.send_bye(connection, ByeReason::ServerClosing, text);
            self.forget_connection(connection);
        }
        let linked: Vec<_> =
            self.members.iter().filter(|(_, m)| m.link.is_some()).map(|(id, _)| *id).collect();
        for participant in linked {
            self.close_link(participant);
        }
        self.members.clear();
        for room in core::mem::take(&mut self.rooms).into_values() {
            self.abandon_take(Some(room));
        }
        self.placement = Placement::new(&self.sfu.workers);
        self.timers = Timers::default();
    }

    /// What is to be done; to be called until there is nothing, after every `handle_*`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called, and who asked for it.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, Wake)> {
        self.timers.next()
    }

    /// The room of whoever has joined over this connection.
    #[must_use]
    pub fn room_of(&self, connection: ConnectionId) -> Option<&RoomId> {
        let participant = self.connections.get(&connection)?.participant?;
        Some(&self.members.get(&participant)?.room)
    }

    /// Unix time, as far as it is known here.
    pub(crate) fn unix_ms(&self, now: Instant) -> u64 {
        self.epoch_unix_ms.saturating_add(now.as_ns() / 1_000_000)
    }

    pub(crate) fn happened(&mut self, happening: Happening) {
        self.outputs.push_back(Output::Happened(happening));
    }

    pub(crate) fn take_event(&mut self, event: TakeEvent) {
        self.outputs.push_back(Output::Take(event));
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.outputs.push_back(Output::Sfu(command));
    }

    pub(crate) fn send(
        &mut self,
        connection: ConnectionId,
        request: Option<u32>,
        message: ServerMessage,
    ) {
        let text = to_json(request, message);
        self.outputs.push_back(Output::Message { connection, text });
    }

    /// Sends to everybody in a room who is online; `answered` gets it as the answer to a request.
    pub(crate) fn broadcast(
        &mut self,
        room: &RoomId,
        answered: Option<(ConnectionId, Option<u32>)>,
        message: ServerMessage,
    ) {
        let Some(members) = self.rooms.get(room).map(|room| &room.members) else { return };
        let connections = members.iter().filter_map(|id| self.members.get(id)?.connection);
        let text = to_json(None, message.clone());
        for connection in connections {
            let request = answered.filter(|(to, _)| *to == connection).and_then(|(_, r)| r);
            let text = match request {
                Some(_) => to_json(request, message.clone()),
                None => Arc::clone(&text),
            };
            self.outputs.push_back(Output::Message { connection, text });
        }
    }

    /// Tells a room how one of its participants is.
    pub(crate) fn tell_participant(
        &mut self,
        participant: ParticipantId,
        answered: Option<(ConnectionId, Option<u32>)>,
    ) {
        let Some(member) = self.members.get(&participant) else { return };
        let room = member.room.clone();
        let described = member.describe(participant);
        self.broadcast(&room, answered, ServerMessage::Participant { participant: described });
    }

    /// Ends a connection with `bye`; the seat is kept.
    pub(crate) fn end(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        reason: ByeReason,
        text: &str,
    ) {
        self.send_bye(connection, reason, text);
        self.handle_disconnected(now, connection);
    }

    pub(crate) fn send_bye(&mut self, connection: ConnectionId, reason: ByeReason, text: &str) {
        self.send(connection, None, ServerMessage::Bye { reason, text: text.into() });
        self.close(connection, reason);
    }

    /// What follows a `bye`.
    pub(crate) fn close(&mut self, connection: ConnectionId, reason: ByeReason) {
        self.outputs.push_back(Output::Close { connection, code: reason.close_code() });
        self.happened(Happening::Ended { connection, reason });
    }

    pub(crate) fn forget_connection(&mut self, connection: ConnectionId) -> Option<Connection> {
        self.timers.clear(Wake::JoinDeadline(connection));
        self.timers.clear(Wake::Silence(connection));
        self.connections.remove(&connection)
    }

    /// Ends a participant's stay; `answered` gets it as the answer to a request.
    pub(crate) fn give_up_seat(
        &mut self,
        participant: ParticipantId,
        reason: LeaveReason,
        answered: Option<(ConnectionId, Option<u32>)>,
    ) {
        self.close_link(participant);
        self.timers.clear(Wake::Seat(participant));
        self.timers.clear(Wake::Ticket(participant));
        self.timers.clear(Wake::Calm(participant));
        let Some(member) = self.members.remove(&participant) else { return };
        self.happened(Happening::Left { participant, reason });
        let Some(room) = self.rooms.get_mut(&member.room) else { return };
        room.members.remove(&participant);
        room.findings.forget(participant);
        if member.is_silenced && reason != LeaveReason::Removed {
            room.remembered.note_silenced(member.trace);
        }
        if room.members.is_empty() {
            self.placement.count(room.worker, room.packets_per_second, 0);
            let gone = self.rooms.remove(&member.room);
            self.abandon_take(gone);
            return;
        }
        self.follow_nobody(&member.room, participant);
        let left = ServerMessage::ParticipantLeft { participant, reason };
        self.broadcast(&member.room, answered, left);
        self.settle(&member.room);
    }

    /// Says no, and ends the connection where the code says so.
    pub(crate) fn refuse(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        request: Option<u32>,
        refusal: &Refusal,
    ) {
        if !self.connections.contains_key(&connection) {
            return;
        }
        self.send_error(connection, request, refusal);
        if matches!(refusal.code, ErrorCode::Version | ErrorCode::TooLarge) {
            self.end(now, connection, ByeReason::Refused, &refusal.text);
        }
    }

    pub(crate) fn send_error(
        &mut self,
        connection: ConnectionId,
        request: Option<u32>,
        refusal: &Refusal,
    ) {
        let Refusal { code, text } = refusal.clone();
        self.send(connection, request, ServerMessage::Error { code, text });
        self.happened(Happening::Refused { connection, code: refusal.code });
    }

    /// The WebSocket of a participant is gone: the seat waits for them.
    fn keep_seat(&mut self, now: Instant, participant: ParticipantId) {
        let Some(member) = self.members.get_mut(&participant) else { return };
        member.connection = None;
        self.timers.clear(Wake::Ticket(participant));
        self.timers.set(Wake::Seat(participant), now + SEAT_KEPT);
        self.happened(Happening::Away { participant });
        self.tell_participant(participant, None);
    }

    fn check_silence(&mut self, now: Instant, connection: ConnectionId) {
        let Some(state) = self.connections.get(&connection) else { return };
        let end = state.last_heard + SILENCE_MAX;
        if end <= now {
            self.end(now, connection, ByeReason::TimedOut, "nothing came for too long");
        } else {
            self.timers.set(Wake::Silence(connection), end);
        }
    }

    fn renew_ticket(&mut self, now: Instant, participant: ParticipantId) {
        let connection = self.members.get(&participant).and_then(|member| member.connection);
        if let Some(connection) = connection {
            let (ticket, ticket_seconds) = self.ticket(now, participant);
            self.send(connection, None, ServerMessage::Ticket { ticket, ticket_seconds });
            self.timers.set(Wake::Ticket(participant), now + TICKET_RENEWAL);
        }
    }
}

/// The one field of a message that could be read when the others could not.
#[derive(Debug, Deserialize)]
struct OnlyRequest {
    request: Option<u32>,
}

fn to_json(request: Option<u32>, message: ServerMessage) -> Arc<str> {
    let envelope = ServerEnvelope { request, message };
    serde_json::to_string(&envelope).expect("messages have string keys only").into()
}
