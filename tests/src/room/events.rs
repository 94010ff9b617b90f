//! What happens in a simulated world, one event after the other.

use core::time::Duration;

use protocol::time::Instant;
use signalling::ConnectionId;

use super::{Place, Room, Seat, Websocket};
use crate::player::Sent;

/// What is on the agenda.
#[derive(Debug)]
pub(super) enum Happens {
    /// A sound card calls back.
    Callback(Seat),
    /// A player's session looks around.
    Turn(Seat),
    /// A player's link asked to be woken.
    LinkWake(Seat),
    /// A datagram reaches the server, from this port of the player's.
    DatagramUp(Seat, u16, Vec<u8>),
    /// A datagram reaches a player.
    DatagramDown(Seat, Vec<u8>),
    /// A player tries to connect.
    Connect(Seat),
    /// A WebSocket stands.
    Connected(Seat, ConnectionId),
    /// A message reaches the server.
    MessageUp(ConnectionId, String),
    /// A message reaches a player.
    MessageDown(Seat, ConnectionId, String),
    /// A player sees that the server has closed.
    ClosedByServer(Seat, ConnectionId),
    /// The server sees that a player has closed.
    ClosedByPlayer(ConnectionId),
    /// The server's shell pings a WebSocket.
    Ping(Seat, ConnectionId),
    /// The ping reaches the player, who answers.
    PingDown(Seat, ConnectionId),
    /// The answer reaches the server.
    Pong(ConnectionId),
    /// A core of this life of the server asked to be woken.
    ServerWake(u64),
}

impl Room {
    pub(super) fn handle(&mut self, happens: Happens) {
        let now = self.agenda.now();
        match happens {
            Happens::Callback(seat) => {
                self.player_mut(seat).handle_callback(now);
                if self.player(seat).ended.is_none() {
                    self.agenda.add(self.player(seat).next_callback(), Happens::Callback(seat));
                }
                self.send_of(seat);
            }
            Happens::Turn(seat) => {
                self.player_mut(seat).handle_turn(now);
                for (_, _, stats) in self.places[seat.0].player.remotes() {
                    self.checker.check_playout(seat, &stats);
                }
                if self.player(seat).ended.is_none() {
                    self.agenda.add(now + TURN_EVERY, Happens::Turn(seat));
                }
                self.send_of(seat);
            }
            Happens::LinkWake(seat) => {
                if self.places[seat.0].link_wake == Some(now) {
                    self.places[seat.0].link_wake = None;
                    self.player_mut(seat).handle_link_timeout(now);
                    self.send_of(seat);
                }
            }
            Happens::DatagramUp(seat, port, mut bytes) => {
                let mut from = self.places[seat.0].address;
                from.set_port(port);
                if let Some(server) = &mut self.server {
                    server.router.handle_datagram(now, from, &mut bytes);
                    self.serve();
                }
                self.spare(bytes);
            }
            Happens::DatagramDown(seat, bytes) => {
                self.checker.note_arrival(seat, &bytes);
                self.player_mut(seat).handle_datagram(now, &bytes);
                self.spare(bytes);
                self.send_of(seat);
            }
            Happens::Connect(seat) => self.connect(seat),
            Happens::Connected(seat, connection) => {
                if self.places[seat.0].websocket == Websocket::Opening(connection) {
                    self.places[seat.0].websocket = Websocket::Open(connection);
                    self.player_mut(seat).handle_websocket_open(now);
                    self.send_of(seat);
                }
            }
            Happens::MessageUp(connection, text) => {
                if let Some(server) = &mut self.server {
                    server.signalling.handle_message(now, connection, &text);
                    self.serve();
                }
            }
            Happens::MessageDown(seat, connection, text) => {
                if self.places[seat.0].websocket == Websocket::Open(connection) {
                    self.player_mut(seat).handle_message(now, &text);
                    self.send_of(seat);
                }
            }
            Happens::ClosedByServer(seat, connection) => {
                if self.places[seat.0].websocket == Websocket::Open(connection) {
                    self.places[seat.0].websocket = Websocket::Closed;
                    self.player_mut(seat).handle_websocket_gone();
                    self.send_of(seat);
                }
            }
            Happens::ClosedByPlayer(connection) => {
                if let Some(server) = &mut self.server {
                    server.connections.remove(&connection);
                    server.signalling.handle_disconnected(now, connection);
                    self.serve();
                }
            }
            Happens::Ping(seat, connection) => self.ping(seat, connection),
            Happens::PingDown(seat, connection) => {
                let place = &mut self.places[seat.0];
                if place.websocket == Websocket::Open(connection) {
                    place.player.handle_life(now);
                    let arrival = place.send_message_up(now);
                    self.agenda.add(arrival, Happens::Pong(connection));
                }
            }
            Happens::Pong(connection) => {
                if let Some(server) = &mut self.server {
                    server.signalling.handle_alive(now, connection);
                    self.serve();
                }
            }
            Happens::ServerWake(generation) => self.wake_server(generation),
        }
    }

    /// Puts what a player sends onto the way up.
    pub(super) fn send_of(&mut self, seat: Seat) {
        let now = self.agenda.now();
        let place = &mut self.places[seat.0];
        while let Some(sent) = place.player.next_sent() {
            match sent {
                Sent::Datagram(bytes) => {
                    self.fingerprint.add(&bytes);
                    self.checker.note_sent(now, seat, &bytes);
                    let port = place.address.port();
                    let [first, again] = place.up.send(now, bytes.len());
                    if let Some(arrival) = again {
                        self.agenda.add(arrival, Happens::DatagramUp(seat, port, bytes.clone()));
                    }
                    if let Some(arrival) = first {
                        self.agenda.add(arrival, Happens::DatagramUp(seat, port, bytes));
                    }
                }
                Sent::NewSocket => {
                    self.checker.note_link(seat);
                    place.address.set_port(place.address.port() + 1);
                }
                Sent::Message(text) => {
                    self.fingerprint.add(text.as_bytes());
                    if let Websocket::Open(connection) = place.websocket {
                        let arrival = place.send_message_up(now);
                        self.agenda.add(arrival, Happens::MessageUp(connection, text));
                    }
                }
                Sent::Connect(wait) => {
                    if let Some(closed) = place.close_websocket(now) {
                        self.agenda.add(closed.0, Happens::ClosedByPlayer(closed.1));
                    }
                    self.agenda.add(now + wait, Happens::Connect(seat));
                }
                Sent::Disconnect => {
                    if let Some(closed) = place.close_websocket(now) {
                        self.agenda.add(closed.0, Happens::ClosedByPlayer(closed.1));
                    }
                }
            }
        }
        if let Some(due) = place.player.link_timeout() {
            // A clock that is a nanosecond off must not stop time.
            let due = due.max(now + Duration::from_micros(1));
            if place.link_wake.is_none_or(|wake| due < wake) {
                place.link_wake = Some(due);
                self.agenda.add(due, Happens::LinkWake(seat));
            }
        }
    }

    /// A WebSocket is tried: it takes a round trip, and fails where there is no network or server.
    fn connect(&mut self, seat: Seat) {
        let now = self.agenda.now();
        let place = &mut self.places[seat.0];
        if place.websocket != Websocket::Closed || place.player.ended.is_some() {
            return;
        }
        let Some(server) = self.server.as_mut().filter(|_| !place.up.is_out(now)) else {
            place.player.handle_websocket_gone();
            self.send_of(seat);
            return;
        };
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        place.websocket = Websocket::Opening(connection);
        // Each connection keeps an order of its own.
        (place.message_up, place.message_down) = (now, now);
        server.connections.insert(connection, seat);
        server.signalling.handle_connected(now, connection, None);
        let round_trip = place.up.base_delay() + place.down.base_delay();
        self.agenda.add(now + round_trip, Happens::Connected(seat, connection));
        self.agenda.add(now + PING_EVERY, Happens::Ping(seat, connection));
        self.serve();
    }

    fn ping(&mut self, seat: Seat, connection: ConnectionId) {
        let now = self.agenda.now();
        let server = self.server.as_ref();
        if server.is_some_and(|server| server.connections.contains_key(&connection)) {
            let arrival = self.places[seat.0].send_message_down(now);
            self.agenda.add(arrival, Happens::PingDown(seat, connection));
            self.agenda.add(now + PING_EVERY, Happens::Ping(seat, connection));
        }
    }

    /// Keeps a buffer whose datagram has arrived.
    fn spare(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}

impl Place {
    /// When a message that is sent to the player now arrives: TCP keeps the order.
    pub(super) fn send_message_down(&mut self, now: Instant) -> Instant {
        self.message_down = self.down.send_reliably(now).max(self.message_down);
        self.message_down
    }

    /// When a message that the player sends now arrives.
    pub(super) fn send_message_up(&mut self, now: Instant) -> Instant {
        self.message_up = self.up.send_reliably(now).max(self.message_up);
        self.message_up
    }

    /// The player has done with the WebSocket: which it was, and when the server sees it.
    pub(super) fn close_websocket(&mut self, now: Instant) -> Option<(Instant, ConnectionId)> {
        match core::mem::replace(&mut self.websocket, Websocket::Closed) {
            Websocket::Open(connection) | Websocket::Opening(connection) => {
                Some((self.send_message_up(now), connection))
            }
            Websocket::Closed => None,
        }
    }
}

/// How often a native session's thread looks around at the latest.
const TURN_EVERY: Duration = Duration::from_millis(20);

/// How often the server's shell pings.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Datagrams that are under way in a large room, more or less.
const SPARE_BUFFERS_MAX: usize = 1024;
