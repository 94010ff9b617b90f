//! The simulated world: a server with its rooms, musicians, the weather between them, and one
//! agenda of what happens next.
//!
//! Everything that decides is real: engines, memberships, signalling, the SFU's router. Only what
//! cannot be repeated is simulated: time, sockets, and the encryption of links
//! ([`crate::plain_link`]). Nothing sleeps; the agenda jumps from event to event. The same seed
//! plays the same jam, byte for byte ([`Room::fingerprint`]).

mod questions;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash};

use protocol::control::SfuDescription;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::time::Instant;
use sfu::Router;
use signalling::limits::Limits;
use signalling::{Config, ConnectionId, Output, Signalling, TicketKey};

use crate::check::Checker;
use crate::clock::Agenda;
use crate::listener::Stretch;
use crate::musician::{Musician, Player, Sent};
use crate::network::{Path, Weather};
use crate::plain_link::PlainServerLink;
use crate::random::Random;

/// A musician of this room: what scenarios hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat(usize);

/// The world.
pub struct Room {
    agenda: Agenda<Happens>,
    random: Random,
    server: Option<Server>,
    generation: u64,
    places: Vec<Place>,
    connections: u64,
    checker: Checker,
    bytes_hash: DefaultHasher,
}

/// One musician and their connection.
struct Place {
    player: Player,
    up: Path,
    down: Path,
    address: SocketAddr,
    websocket: Websocket,
    /// When the newest message of each direction arrives: TCP keeps the order.
    message_up: Instant,
    message_down: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Websocket {
    Closed,
    Opening(ConnectionId),
    Open(ConnectionId),
}

struct Server {
    generation: u64,
    signalling: Signalling,
    router: Router<PlainServerLink>,
    connections: BTreeMap<ConnectionId, Seat>,
}

/// What is on the agenda.
#[derive(Debug)]
enum Happens {
    Callback(Seat),
    PlayerTimeout(Seat),
    DatagramUp(Seat, Vec<u8>),
    DatagramDown(Seat, Vec<u8>),
    Connect(Seat),
    Connected(Seat, ConnectionId),
    MessageUp(ConnectionId, String),
    MessageDown(Seat, ConnectionId, String),
    ClosedByServer(Seat, ConnectionId),
    ClosedByPlayer(ConnectionId),
    ServerTimeout { generation: u64 },
}

/// How often players and the server look at their timers; their own timers are coarser.
const TIMEOUT_EVERY: Duration = Duration::from_millis(20);

/// Where the server takes media.
const SERVER: &str = "192.0.2.1:7882";

/// The seed of this run: `VJAM_SEED` where somebody wants to explore, else the scenario's own.
#[must_use]
pub fn seed(of_scenario: u64) -> u64 {
    std::env::var("VJAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(of_scenario)
}

impl Room {
    /// A server that has just started, and nobody there.
    #[must_use]
    pub fn new(of_scenario: u64) -> Self {
        let seed = seed(of_scenario);
        eprintln!("VJAM_SEED={seed}");
        let mut room = Self {
            agenda: Agenda::default(),
            random: Random::from_seed(seed),
            server: None,
            generation: 0,
            places: Vec::new(),
            connections: 0,
            checker: Checker::default(),
            bytes_hash: DefaultHasher::new(),
        };
        room.start_server();
        room
    }

    /// Somebody opens the link.
    pub fn join(&mut self, musician: Musician) -> Seat {
        let seat = Seat(self.places.len());
        let now = self.agenda.now();
        let weather = musician.weather;
        let player = Player::new(musician, self.random.fork(), now);
        let host = u8::try_from(seat.0 + 1).expect("fewer than 255 musicians");
        self.agenda.add(player.next_callback(), Happens::Callback(seat));
        self.agenda.add(now, Happens::PlayerTimeout(seat));
        self.places.push(Place {
            player,
            up: Path::new(weather, self.random.fork()),
            down: Path::new(weather, self.random.fork()),
            address: SocketAddr::from(([198, 51, 100, host], 40_000)),
            websocket: Websocket::Closed,
            message_up: now,
            message_down: now,
        });
        self.send_of(seat);
        seat
    }

    /// Lets everybody play for a while.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.agenda.now() + duration;
        while let Some(happens) = self.agenda.next_until(end) {
            self.handle(happens);
        }
    }

    /// Lets everybody play for so many seconds, and gives that stretch of time.
    pub fn play_seconds(&mut self, seconds: f64) -> Stretch {
        let start = self.elapsed();
        self.run_for(Duration::from_secs_f64(seconds));
        start..self.elapsed()
    }

    /// Time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.agenda.now().saturating_since(Instant::ZERO)
    }

    /// Somebody leaves.
    pub fn leave(&mut self, seat: Seat) {
        let now = self.agenda.now();
        self.player_mut(seat).leave(now);
        self.send_of(seat);
    }

    /// Somebody mutes their instrument for everybody, or plays on.
    pub fn set_muted(&mut self, seat: Seat, muted: bool) {
        let now = self.agenda.now();
        self.player_mut(seat).set_muted(now, muted);
        self.send_of(seat);
    }

    /// Somebody listens to one instrument alone.
    pub fn solo(&mut self, listener: Seat, source: Seat) {
        let source = self.player(source).participant();
        self.player_mut(listener).solo(source);
    }

    /// Somebody says something.
    pub fn say(&mut self, seat: Seat, text: &str) {
        let now = self.agenda.now();
        self.player_mut(seat).say(now, text);
        self.send_of(seat);
    }

    /// The weather changes for somebody, both ways.
    pub fn set_weather(&mut self, seat: Seat, weather: Weather) {
        self.places[seat.0].up.set_weather(weather);
        self.places[seat.0].down.set_weather(weather);
    }

    /// Datagrams are lost for a while; TCP stalls and recovers.
    pub fn lose_datagrams_for(&mut self, seat: Seat, duration: Duration) {
        let end = self.agenda.now() + duration;
        self.places[seat.0].up.set_outage_until(end);
        self.places[seat.0].down.set_outage_until(end);
    }

    /// The network is gone for a while: datagrams are lost and the WebSocket breaks at once.
    pub fn lose_network_for(&mut self, seat: Seat, duration: Duration) {
        self.lose_datagrams_for(seat, duration);
        if let Websocket::Open(connection) | Websocket::Opening(connection) =
            core::mem::replace(&mut self.places[seat.0].websocket, Websocket::Closed)
        {
            self.agenda.add(self.agenda.now(), Happens::ClosedByPlayer(connection));
            self.player_mut(seat).handle_websocket_gone();
            self.send_of(seat);
        }
    }

    /// Somebody's address changes, as when a phone leaves the Wi-Fi: the media comes from elsewhere.
    pub fn move_to_another_address(&mut self, seat: Seat) {
        let address = &mut self.places[seat.0].address;
        address.set_port(address.port() + 1);
    }

    /// The server dies without a word and is started again after a while, as another process.
    pub fn restart_server(&mut self, after: Duration) {
        self.server = None;
        for seat in self.seats() {
            if self.places[seat.0].websocket != Websocket::Closed {
                self.places[seat.0].websocket = Websocket::Closed;
                self.player_mut(seat).handle_websocket_gone();
                self.send_of(seat);
            }
        }
        self.run_for(after);
        self.start_server();
    }

    fn player(&self, seat: Seat) -> &Player {
        &self.places[seat.0].player
    }

    fn player_mut(&mut self, seat: Seat) -> &mut Player {
        &mut self.places[seat.0].player
    }

    fn start_server(&mut self) {
        let address: SocketAddr = SERVER.parse().expect("an address");
        self.generation += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.random.next_u64().to_le_bytes());
        let signalling = Signalling::new(Config {
            limits: Limits::default(),
            sfu: SfuDescription { fingerprint: ["AB"; 32].join(":"), candidates: vec![address] },
            ticket_key: TicketKey::new(seed),
            seed,
            epoch_unix_ms: 1_790_000_000_000,
        });
        let router = Router::new(());
        let generation = self.generation;
        self.server = Some(Server { generation, signalling, router, connections: BTreeMap::new() });
        self.agenda.add(self.agenda.now(), Happens::ServerTimeout { generation });
    }

    fn handle(&mut self, happens: Happens) {
        let now = self.agenda.now();
        match happens {
            Happens::Callback(seat) => {
                self.player_mut(seat).handle_callback(now);
                if self.player(seat).ended.is_none() {
                    self.agenda.add(self.player(seat).next_callback(), Happens::Callback(seat));
                }
                self.send_of(seat);
            }
            Happens::PlayerTimeout(seat) => {
                self.player_mut(seat).handle_timeout(now);
                for (_, _, stats) in self.player(seat).remotes() {
                    self.checker.check_playout(&stats);
                }
                if self.player(seat).ended.is_none() {
                    self.agenda.add(now + TIMEOUT_EVERY, Happens::PlayerTimeout(seat));
                }
                self.send_of(seat);
            }
            Happens::DatagramUp(seat, mut bytes) => {
                let from = self.places[seat.0].address;
                if let Some(server) = &mut self.server {
                    server.router.handle_datagram(now, from, &mut bytes);
                    self.serve();
                }
            }
            Happens::DatagramDown(seat, bytes) => {
                self.player_mut(seat).handle_datagram(now, &bytes);
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
            Happens::ServerTimeout { generation } => {
                if let Some(server) = self.server.as_mut().filter(|s| s.generation == generation) {
                    server.signalling.handle_timeout(now);
                    server.router.handle_timeout(now);
                    // The shell's pings: whoever has a WebSocket is alive.
                    let connections: Vec<_> = server.connections.keys().copied().collect();
                    for connection in connections {
                        server.signalling.handle_alive(now, connection);
                    }
                    self.serve();
                    self.agenda.add(now + TIMEOUT_EVERY, Happens::ServerTimeout { generation });
                }
            }
        }
    }

    /// A WebSocket is tried: it takes a round trip, and fails where there is no network or server.
    fn connect(&mut self, seat: Seat) {
        let now = self.agenda.now();
        let place = &mut self.places[seat.0];
        if place.websocket != Websocket::Closed {
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
        server.connections.insert(connection, seat);
        server.signalling.handle_connected(now, connection);
        let round_trip = place.up.base_delay() + place.down.base_delay();
        self.agenda.add(now + round_trip, Happens::Connected(seat, connection));
        self.serve();
    }

    /// Puts what a player sends onto the way up.
    fn send_of(&mut self, seat: Seat) {
        let now = self.agenda.now();
        let place = &mut self.places[seat.0];
        for sent in place.player.take_sent() {
            match sent {
                Sent::Datagram(bytes) => {
                    bytes.hash(&mut self.bytes_hash);
                    self.checker.note_sent(&place.player.setup, place.player.participant(), &bytes);
                    for arrival in place.up.send(now).into_iter().flatten() {
                        self.agenda.add(arrival, Happens::DatagramUp(seat, bytes.clone()));
                    }
                }
                Sent::Message(text) => {
                    if let Websocket::Open(connection) = place.websocket {
                        let arrival = place.up.send_reliably(now).max(place.message_up);
                        place.message_up = arrival;
                        self.agenda.add(arrival, Happens::MessageUp(connection, text));
                    }
                }
                Sent::Connect(wait) => {
                    if let Websocket::Open(connection) | Websocket::Opening(connection) =
                        core::mem::replace(&mut place.websocket, Websocket::Closed)
                    {
                        self.agenda.add(now, Happens::ClosedByPlayer(connection));
                    }
                    self.agenda.add(now + wait, Happens::Connect(seat));
                }
            }
        }
    }

    /// Carries out what signalling and the router want, until neither wants anything.
    fn serve(&mut self) {
        let now = self.agenda.now();
        loop {
            let Some(server) = &mut self.server else { return };
            let mut idle = true;
            while let Some(output) = server.signalling.poll_output() {
                idle = false;
                match output {
                    Output::Message { connection, text } => {
                        let Some(seat) = server.connections.get(&connection).copied() else {
                            continue;
                        };
                        let place = &mut self.places[seat.0];
                        let arrival = place.down.send_reliably(now).max(place.message_down);
                        place.message_down = arrival;
                        let text = text.to_string();
                        self.agenda.add(arrival, Happens::MessageDown(seat, connection, text));
                    }
                    Output::Close { connection, .. } => {
                        let Some(seat) = server.connections.remove(&connection) else { continue };
                        let arrival = self.places[seat.0].message_down;
                        self.agenda.add(arrival, Happens::ClosedByServer(seat, connection));
                        server.signalling.handle_disconnected(now, connection);
                    }
                    Output::Sfu(command) => {
                        self.checker.note_command(&command);
                        server.router.handle_command(now, command);
                    }
                    Output::Happened(_) => {}
                }
            }
            let mut buffer = [0; DATAGRAM_BYTES_MAX];
            while let Some(transmit) = server.router.poll_transmit(&mut buffer) {
                idle = false;
                let bytes = &buffer[..transmit.len];
                bytes.hash(&mut self.bytes_hash);
                let to = self.places.iter().position(|place| place.address == transmit.to);
                // Whoever moved to another address does not get what is sent to the old one.
                let Some(seat) = to.map(Seat) else { continue };
                let place = &mut self.places[seat.0];
                self.checker.check_delivery(&place.player.setup, seat, bytes);
                for arrival in place.down.send(now).into_iter().flatten() {
                    self.agenda.add(arrival, Happens::DatagramDown(seat, bytes.to_vec()));
                }
            }
            while let Some(event) = server.router.poll_event() {
                idle = false;
                server.signalling.handle_sfu_event(now, &event);
            }
            if idle {
                return;
            }
        }
    }
}
