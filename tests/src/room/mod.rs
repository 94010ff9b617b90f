//! The simulated world: a server with its rooms, musicians, the weather between them, and one
//! agenda of what happens next.
//!
//! Everything that decides is real: engines, memberships, signalling, the SFU's router. Only what
//! cannot be repeated is simulated: time, sockets, and the encryption of links ([`sfu::plain`]).
//! Nothing sleeps; the agenda jumps from event to event, and a core is woken when it asked to be
//! and at no other time. The same seed plays the same jam, byte for byte ([`Room::fingerprint`]).

mod events;
mod questions;
mod server;

use core::net::SocketAddr;
use core::time::Duration;

use engine::ClickSettings;
use protocol::room_state::PlayingMode;
use protocol::signal::ClientMessage;
use protocol::time::Instant;
use relay::path::Path;
use relay::random::Random;
use relay::weather::Weather;
use signalling::ConnectionId;

use self::events::Happens;
pub use self::server::Holdings;
use self::server::Server;
use crate::check::Checker;
use crate::clock::Agenda;
use crate::digest::Digest;
use crate::listener::Stretch;
use crate::musician::Musician;
use crate::player::Player;

/// A musician of this room: what scenarios hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat(usize);

impl Seat {
    /// The how many-th it was to join, from 0 on.
    pub(crate) const fn index(self) -> usize {
        self.0
    }

    /// The same, to be printed.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0
    }
}

/// The world.
pub struct Room {
    agenda: Agenda<Happens>,
    random: Random,
    server: Option<Server>,
    generation: u64,
    places: Vec<Place>,
    connections: u64,
    checker: Checker,
    /// Of every datagram and every message.
    fingerprint: Digest,
    /// Buffers of datagrams that have arrived, to be used again.
    spare: Vec<Vec<u8>>,
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
    /// When the player's link wakes next.
    link_wake: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Websocket {
    Closed,
    Opening(ConnectionId),
    Open(ConnectionId),
}

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
            fingerprint: Digest::default(),
            spare: Vec::new(),
        };
        room.start_server();
        room
    }

    /// Somebody opens the link.
    pub fn join(&mut self, musician: Musician) -> Seat {
        let seat = Seat(self.places.len());
        let now = self.agenda.now();
        let [weather_up, weather_down] = musician.weather;
        self.checker.note_joined(seat, &musician);
        let player = Player::new(musician, self.random.fork(), now);
        let host = u8::try_from(seat.0 + 1).expect("fewer than 255 musicians");
        self.agenda.add(player.next_callback(), Happens::Callback(seat));
        self.agenda.add(now, Happens::Turn(seat));
        self.places.push(Place {
            player,
            up: Path::new(weather_up, self.random.fork()),
            down: Path::new(weather_down, self.random.fork()),
            address: SocketAddr::from(([198, 51, 100, host], 40_000)),
            websocket: Websocket::Closed,
            message_up: now,
            message_down: now,
            link_wake: None,
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

    /// Somebody begins the click, or changes it from the next bar on.
    pub fn set_click(&mut self, seat: Seat, settings: ClickSettings) {
        let now = self.agenda.now();
        self.player_mut(seat).set_click(now, settings);
        self.send_of(seat);
    }

    /// Somebody sets how everybody hears everybody.
    pub fn set_mode(&mut self, seat: Seat, mode: PlayingMode) {
        let now = self.agenda.now();
        self.player_mut(seat).set_mode(now, mode);
        self.send_of(seat);
    }

    /// Somebody hears the click or not.
    pub fn hear_click(&mut self, seat: Seat, heard: bool) {
        self.player_mut(seat).hear_click(heard);
    }

    /// Somebody says something.
    pub fn say(&mut self, seat: Seat, text: &str) {
        let now = self.agenda.now();
        self.player_mut(seat).say(now, text);
        self.send_of(seat);
    }

    /// Somebody has nobody hear another, or lifts that; whether they may is signalling's to say.
    pub fn silence(&mut self, by: Seat, whom: Seat, on: bool) {
        if let Some(participant) = self.player(whom).participant() {
            self.player_mut(by).send(ClientMessage::Silence { participant, on });
            self.send_of(by);
        }
    }

    /// Somebody takes another out of the room, if they may.
    pub fn remove(&mut self, by: Seat, whom: Seat) {
        if let Some(participant) = self.player(whom).participant() {
            self.player_mut(by).send(ClientMessage::Remove { participant });
            self.send_of(by);
        }
    }

    /// The weather changes for somebody, both ways.
    pub fn set_weather(&mut self, seat: Seat, weather: Weather) {
        self.places[seat.0].up.set_weather(weather);
        self.places[seat.0].down.set_weather(weather);
    }

    /// The weather changes for somebody on the way down.
    pub fn set_weather_down(&mut self, seat: Seat, weather: Weather) {
        self.places[seat.0].down.set_weather(weather);
    }

    /// Nothing gets through for a while, in either direction, and neither end is told: datagrams
    /// are lost, and TCP goes on when it is over, if its ends have not given each other up by then.
    pub fn lose_network_for(&mut self, seat: Seat, duration: Duration) {
        let end = self.agenda.now() + duration;
        self.places[seat.0].up.set_outage_until(end);
        self.places[seat.0].down.set_outage_until(end);
    }

    /// The WebSocket breaks and both ends see it at once, as where a router between them gives up;
    /// then nothing gets through for a while.
    pub fn cut_off_for(&mut self, seat: Seat, duration: Duration) {
        let now = self.agenda.now();
        if let Some((_, connection)) = self.places[seat.0].close_websocket(now) {
            self.agenda.add(now, Happens::ClosedByPlayer(connection));
            self.player_mut(seat).handle_websocket_gone();
        }
        self.lose_network_for(seat, duration);
        self.send_of(seat);
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
        self.generation += 1;
        self.server = Some(Server::new(self.generation, self.random.next_u64()));
        self.serve();
    }
}
