//! The server of a simulated world: real signalling and a real router over plain links. It does
//! what the shells of the two do, and decides nothing.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use protocol::control::{SfuDescription, WorkerDescription};
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtcp::NtpTime;
use protocol::signal::{ServerEnvelope, ServerMessage};
use protocol::time::{Instant, RoomTime};
use sfu::Router;
use sfu::plain::PlainLink;
use signalling::limits::Limits;
use signalling::{
    Admission, Config, ConnectionId, Output, Privacy, Signalling, Standing, TakesKept, TicketKey,
};

use super::{Happens, Room, Seat};
use crate::check::Checker;

/// What the server's clock shows at a virtual instant: that of all its rooms.
pub(super) fn room_time(now: Instant) -> RoomTime {
    NtpTime::from_unix(Duration::from_secs(EPOCH_UNIX_S)).at(now).room()
}

/// When virtual time begins.
const EPOCH_UNIX_S: u64 = 1_790_000_000;

/// One life of the server.
pub(super) struct Server {
    pub(super) generation: u64,
    pub(super) signalling: Signalling,
    pub(super) router: Router<PlainLink>,
    pub(super) connections: BTreeMap<ConnectionId, Seat>,
    /// When it wakes next.
    wake: Option<Instant>,
}

/// What a server holds: nothing when everybody has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// WebSockets.
    pub connections: usize,
    /// Rooms with at least one seat.
    pub rooms: usize,
    /// Seats, kept ones included.
    pub participants: usize,
    /// Media links.
    pub links: usize,
    /// Sources in them.
    pub sources: usize,
    /// Streams to them.
    pub streams: usize,
}

impl Server {
    pub(super) fn new(generation: u64, seed: u64) -> Self {
        let address: SocketAddr = SERVER.parse().expect("an address");
        let mut long_seed = [0; 32];
        long_seed[..8].copy_from_slice(&seed.to_le_bytes());
        let signalling = Signalling::new(Config {
            limits: Limits::default(),
            sfu: SfuDescription {
                fingerprint: ["AB"; 32].join(":"),
                workers: vec![WorkerDescription {
                    candidates: vec![address],
                    packets_per_second_max: u32::MAX,
                }],
            },
            ticket_key: TicketKey::new(long_seed),
            seed: long_seed,
            epoch_unix_ms: EPOCH_UNIX_S * 1000,
            takes: TakesKept::Yes,
        })
        .with_doorkeeper();
        let router =
            Router::new(()).with_epoch(NtpTime::from_unix(Duration::from_secs(EPOCH_UNIX_S)));
        let connections = BTreeMap::new();
        Self { generation, signalling, router, connections, wake: None }
    }

    /// Runs the timers of whichever core asked to be woken by now.
    fn handle_timeout(&mut self, now: Instant) {
        if self.signalling_due().is_some_and(|due| due <= now) {
            self.signalling.handle_timeout(now);
            let again = self.signalling_due();
            assert!(again.is_none_or(|due| now < due), "signalling wants to be woken for ever");
        }
        if self.router_due().is_some_and(|due| due <= now) {
            self.router.handle_timeout(now);
            let again = self.router_due();
            assert!(again.is_none_or(|due| now < due), "the router wants to be woken for ever");
        }
    }

    pub(super) fn holdings(&self) -> Holdings {
        Holdings {
            connections: self.signalling.connections(),
            rooms: self.signalling.rooms(),
            participants: self.signalling.participants(),
            links: self.router.links(),
            sources: self.router.sources(),
            streams: self.router.streams(),
        }
    }

    fn signalling_due(&self) -> Option<Instant> {
        self.signalling.poll_timeout().map(|wake| wake.0)
    }

    fn router_due(&self) -> Option<Instant> {
        self.router.poll_timeout().map(|wake| wake.0)
    }
}

impl Room {
    /// Carries out what signalling and the router want, until neither wants anything.
    pub(super) fn serve(&mut self) {
        let now = self.agenda.now();
        loop {
            let Some(server) = &mut self.server else { return };
            let mut idle = true;
            while let Some(output) = server.signalling.poll_output() {
                idle = false;
                match output {
                    Output::Message { connection, text } => {
                        self.fingerprint.add(text.as_bytes());
                        note_told(&mut self.checker, &self.places, &text);
                        let Some(seat) = server.connections.get(&connection).copied() else {
                            continue;
                        };
                        let arrival = self.places[seat.0].send_message_down(now);
                        let text = text.to_string();
                        self.agenda.add(arrival, Happens::MessageDown(seat, connection, text));
                    }
                    Output::Close { connection, .. } => {
                        let Some(seat) = server.connections.remove(&connection) else { continue };
                        let arrival = self.places[seat.0].send_message_down(now);
                        self.agenda.add(arrival, Happens::ClosedByServer(seat, connection));
                        server.signalling.handle_disconnected(now, connection);
                    }
                    Output::Ask { connection, .. } => {
                        let seat = server.connections.get(&connection);
                        let role = seat.and_then(|seat| self.places[seat.0].player.setup.role);
                        let admission = role.map_or(Admission::Unowned, |role| {
                            let standing = Standing { role, account: None };
                            Admission::Owned(standing, Privacy::Open)
                        });
                        server.signalling.handle_admission(now, connection, admission);
                    }
                    Output::Sfu(command) => {
                        self.checker.note_command(&command);
                        server.router.handle_command(now, command);
                    }
                    Output::Tell { .. } | Output::Take(_) | Output::Happened(_) => {}
                }
            }
            let mut buffer = [0; DATAGRAM_BYTES_MAX];
            while let Some(transmit) = server.router.poll_transmit(&mut buffer) {
                idle = false;
                let bytes = &buffer[..transmit.len];
                self.fingerprint.add(bytes);
                // Whoever moved to another address does not get what is sent to the old one.
                let at = |place: &super::Place| place.address == transmit.to;
                let Some(seat) = self.places.iter().position(at).map(Seat) else { continue };
                self.checker.check_delivery(seat, bytes);
                for arrival in self.places[seat.0].down.send(now, bytes.len()).into_iter().flatten()
                {
                    let mut copy = self.spare.pop().unwrap_or_default();
                    copy.extend_from_slice(bytes);
                    self.agenda.add(arrival, Happens::DatagramDown(seat, copy));
                }
            }
            while let Some(event) = server.router.poll_event() {
                idle = false;
                server.signalling.handle_sfu_event(now, &event);
            }
            if idle {
                self.schedule_server();
                return;
            }
        }
    }

    /// The server wakes, unless it was restarted or has been awake since for something earlier.
    pub(super) fn wake_server(&mut self, generation: u64) {
        let now = self.agenda.now();
        let current =
            |server: &&mut Server| server.generation == generation && server.wake == Some(now);
        let Some(server) = self.server.as_mut().filter(current) else { return };
        server.wake = None;
        server.handle_timeout(now);
        self.serve();
    }

    /// Puts the next moment that a core asks for on the agenda, and no other: a core that forgets
    /// to ask is not woken.
    fn schedule_server(&mut self) {
        let now = self.agenda.now();
        let Some(server) = &mut self.server else { return };
        let due = [server.signalling_due(), server.router_due()].into_iter().flatten().min();
        let Some(due) = due.map(|due| due.max(now)) else { return };
        if server.wake.is_none_or(|wake| due < wake) {
            server.wake = Some(due);
            self.agenda.add(due, Happens::ServerWake(server.generation));
        }
    }
}

/// Lets the checker know whom nobody is to hear, and who is to be gone, as everybody is told.
fn note_told(checker: &mut Checker, places: &[super::Place], text: &str) {
    let seat = |participant| {
        let is_theirs = |place: &super::Place| place.player.participant() == Some(participant);
        places.iter().position(is_theirs).map(Seat)
    };
    let says = |what: &str| text.contains(what);
    if says("\"participant_left\"") && says("\"removed\"") {
        let envelope = serde_json::from_str(text).expect("signalling writes JSON");
        if let ServerEnvelope {
            message: ServerMessage::ParticipantLeft { participant, .. }, ..
        } = envelope
            && let Some(seat) = seat(participant)
        {
            checker.note_removed(seat);
        }
    } else if says("\"participant\"") && (says("\"silenced\"") || checker.knows_silence()) {
        let envelope = serde_json::from_str(text).expect("signalling writes JSON");
        if let ServerEnvelope { message: ServerMessage::Participant { participant }, .. } = envelope
            && let Some(seat) = seat(participant.id)
        {
            checker.note_silenced(seat, participant.silenced);
        }
    }
}

/// Where the server takes media.
const SERVER: &str = "192.0.2.1:7882";
