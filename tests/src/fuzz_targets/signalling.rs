//! The signalling core under messages of strangers, beside a room in which two people jam.
//!
//! Whatever is thrown at it: every answer is a message of the protocol, what it asks of the SFU
//! stays within one room, and the two are still there in the end. Ann owns the room, and strangers are guests: none
//! of them silences anybody or takes anybody out.

use core::time::Duration;
use std::collections::BTreeMap;

use ::signalling::limits::Limits;
use ::signalling::{
    Admission, Config, ConnectionId, Output, Privacy, Signalling, Standing, TakesKept, TicketKey,
    Unreadable,
};
use protocol::control::{Command, SfuDescription, WorkerDescription};
use protocol::id::{ParticipantId, RoomId};
use protocol::signal::{RoomRole, ServerEnvelope, ServerMessage};
use protocol::time::Instant;
use serde_json::json;

const ANN: ConnectionId = ConnectionId(1);
const BOB: ConnectionId = ConnectionId(2);
const STRANGER: ConnectionId = ConnectionId(3);

/// Messages separated by line feeds, from a stranger who may or may not join properly first.
pub fn signalling(bytes: &[u8]) {
    let mut world = World::new();
    for (i, line) in bytes.split(|byte| *byte == b'\n').take(200).enumerate() {
        match core::str::from_utf8(line) {
            Ok(text) => world.say(STRANGER, &world.with_ticket(text)),
            Err(_) => {
                world.core.handle_unreadable(world.now, STRANGER, Unreadable::Binary);
                world.carry_out();
            }
        }
        // Slow enough that a stranger is not simply refused for hurrying.
        world.pass(Duration::from_millis(if i % 16 == 15 { 12_000 } else { 60 }));
    }
    world.must_be_whole();
}

/// The SDP of a joined participant, sent several times: as a first offer, as a renegotiation, and
/// with its m-lines named otherwise each time.
pub fn sdp(bytes: &[u8]) {
    let mut world = World::new();
    world.join(STRANGER, "jam", "Eve");
    let sdp = String::from_utf8_lossy(bytes);
    let name = |mid: &str| format!("{mid}-{}", "long".repeat(60));
    let renamed: [&dyn Fn(&str) -> String; 5] = [
        &|mid| mid.to_owned(),
        &|mid| mid.to_owned(),
        &|mid| format!("audio{mid}"),
        &name,
        &|_| "same".to_owned(),
    ];
    for rename in renamed {
        let offer = json!({
            "type": "connect", "ticket": world.tickets.get(&STRANGER),
            "description": {"kind": "sdp", "sdp": rename_mids(&sdp, rename)},
        });
        world.say(STRANGER, &offer.to_string());
        world.pass(Duration::from_millis(100));
    }
    world.must_be_whole();
}

/// An offer whose m-lines are called something else.
fn rename_mids(sdp: &str, rename: &dyn Fn(&str) -> String) -> String {
    let line = |line: &str| {
        if let Some(mid) = line.strip_prefix("a=mid:") {
            return format!("a=mid:{}\r\n", rename(mid));
        }
        match line.strip_prefix("a=group:BUNDLE ") {
            Some(mids) => {
                let mids: Vec<String> = mids.split(' ').map(rename).collect();
                format!("a=group:BUNDLE {}\r\n", mids.join(" "))
            }
            None => format!("{line}\r\n"),
        }
    };
    sdp.lines().map(line).collect()
}

/// Whether an offer is answered; that of a browser that we know must be.
#[must_use]
pub fn is_usable_offer(sdp: &str) -> bool {
    let mut world = World::new();
    world.join(STRANGER, "jam", "Eve");
    let links = world.links;
    let ticket = world.tickets.get(&STRANGER);
    let description = json!({"kind": "sdp", "sdp": sdp});
    let offer = json!({"type": "connect", "ticket": ticket, "description": description});
    world.say(STRANGER, &offer.to_string());
    links < world.links
}

/// A ticket that is not the one that was given opens no link.
pub fn ticket(bytes: &[u8]) {
    let mut world = World::new();
    world.join(STRANGER, "jam", "Eve");
    let ticket = String::from_utf8_lossy(bytes).into_owned();
    let genuine = world.tickets.get(&STRANGER) == Some(&ticket);
    let links = world.links;
    world.say(STRANGER, &direct_connect(&ticket).to_string());
    assert_eq!(world.links != links, genuine, "the ticket {ticket:?} opened a link");
    world.must_be_whole();
}

/// What a participant is told who joins a room of three, for a corpus.
pub(super) fn client_messages_seed() -> Vec<u8> {
    let mut world = World::new();
    world.join(STRANGER, "jam", "Eve");
    let ticket = world.tickets[&STRANGER].clone();
    world.say(STRANGER, &direct_connect(&ticket).to_string());
    world.pass(Duration::from_secs(25));
    world.say(ANN, &json!({"type": "chat", "text": "hi"}).to_string());
    world.said.join("\n").into_bytes()
}

/// A core with a room of two who publish and hear each other.
struct World {
    core: Signalling,
    now: Instant,
    tickets: BTreeMap<ConnectionId, String>,
    participants: BTreeMap<ConnectionId, ParticipantId>,
    /// Whose link is in which room.
    rooms: BTreeMap<ParticipantId, RoomId>,
    /// Links opened so far.
    links: usize,
    subscriptions: BTreeMap<(ParticipantId, u32), ParticipantId>,
    /// What the stranger was told, oldest first.
    said: Vec<String>,
}

impl World {
    fn new() -> Self {
        let core = Signalling::new(Config {
            limits: Limits::default(),
            sfu: SfuDescription {
                fingerprint: ["AB"; 32].join(":"),
                workers: vec![WorkerDescription {
                    candidates: vec!["127.0.0.1:7882".parse().expect("an address")],
                    packets_per_second_max: u32::MAX,
                }],
            },
            ticket_key: TicketKey::new([7; 32]),
            seed: [9; 32],
            epoch_unix_ms: 1_790_000_000_000,
            takes: TakesKept::Yes,
        })
        .with_doorkeeper();
        let mut world = Self {
            core,
            now: Instant::ZERO,
            tickets: BTreeMap::new(),
            participants: BTreeMap::new(),
            rooms: BTreeMap::new(),
            links: 0,
            subscriptions: BTreeMap::new(),
            said: Vec::new(),
        };
        for connection in [ANN, BOB, STRANGER] {
            world.core.handle_connected(world.now, connection, None);
        }
        for (connection, name, ssrc) in [(ANN, "Ann", 11), (BOB, "Bob", 22)] {
            world.join(connection, "jam", name);
            let ticket = world.tickets[&connection].clone();
            world.say(connection, &direct_connect(&ticket).to_string());
            let publish = json!({
                "type": "publish", "label": "mic", "channels": 1, "codecs": ["opus"],
                "sources": [{"codec": "opus", "ssrc": ssrc}],
            });
            world.say(connection, &publish.to_string());
        }
        world
    }

    fn join(&mut self, connection: ConnectionId, room: &str, name: &str) {
        let join = json!({
            "type": "join", "version": 1, "room": room, "name": name,
            "capabilities": {"engine": "native", "decodes": ["opus", "opus-64"]},
        });
        self.say(connection, &join.to_string());
    }

    /// A stranger cannot guess a ticket; a corpus cannot know it either. `$TICKET` stands for it.
    fn with_ticket(&self, text: &str) -> String {
        let ticket = self.tickets.get(&STRANGER).map_or("", String::as_str);
        text.replace("$TICKET", ticket)
    }

    fn say(&mut self, connection: ConnectionId, text: &str) {
        self.core.handle_message(self.now, connection, text);
        self.carry_out();
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.core.handle_alive(self.now, ANN);
        self.core.handle_alive(self.now, BOB);
        self.core.handle_timeout(self.now);
        self.carry_out();
        let due = self.core.poll_timeout().is_some_and(|(at, _)| at <= self.now);
        assert!(!due, "a timer that is due again at once would spin");
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Message { connection, text } => {
                    let envelope = serde_json::from_str::<ServerEnvelope>(&text);
                    let envelope = envelope.expect("every answer is a message of the protocol");
                    if connection == STRANGER {
                        self.said.push(text.to_string());
                    }
                    if let ServerMessage::Joined { participant, .. } = envelope.message {
                        self.participants.insert(connection, participant);
                    }
                    if let ServerMessage::Joined { ticket, .. }
                    | ServerMessage::Ticket { ticket, .. } = envelope.message
                    {
                        self.tickets.insert(connection, ticket);
                    }
                }
                Output::Close { connection, .. } => {
                    assert!(
                        ![ANN, BOB].contains(&connection),
                        "a stranger closed a door of others"
                    );
                }
                Output::Ask { connection, room, .. } => {
                    let role = if connection == ANN { RoomRole::Owner } else { RoomRole::Guest };
                    let admission = if room.as_str() == "jam" {
                        Admission::Owned(Standing { role, account: None }, Privacy::Open)
                    } else {
                        Admission::Unowned
                    };
                    self.core.handle_admission(self.now, connection, admission);
                }
                Output::Sfu(command) => self.note(&command),
                Output::Tell { .. } | Output::Take(_) | Output::Happened(_) => {}
            }
        }
    }

    /// What the SFU was told so far, and that no packet would leave its room.
    fn note(&mut self, command: &Command) {
        match command {
            Command::OpenLink { participant, room, .. } => {
                assert!(self.rooms.insert(*participant, room.clone()).is_none(), "opened twice");
                self.links += 1;
            }
            Command::CloseLink { participant } => {
                assert!(self.rooms.remove(participant).is_some(), "closed without being open");
                self.subscriptions.retain(|(subscriber, _), publisher| {
                    *subscriber != *participant && *publisher != *participant
                });
            }
            Command::Subscribe { subscriber, stream, publisher, .. } => {
                assert_ne!(subscriber, publisher, "nobody hears themselves");
                let room = self.rooms.get(subscriber);
                assert!(room.is_some() && room == self.rooms.get(publisher), "rooms are apart");
                self.subscriptions.insert((*subscriber, stream.0), *publisher);
            }
            Command::Unsubscribe { subscriber, stream } => {
                self.subscriptions.remove(&(*subscriber, stream.0));
            }
            Command::RestartIce { .. }
            | Command::AddSource { .. }
            | Command::RemoveSource { .. }
            | Command::SetRedundancy { .. } => {}
            Command::SetMuted { participant, .. } => {
                let of = |connection| self.participants.get(&connection) == Some(participant);
                assert!(!of(ANN) && !of(BOB), "a stranger silenced {participant}");
            }
        }
    }

    /// Ann and Bob still hear each other.
    fn must_be_whole(&self) {
        let (ann, bob) = (self.participants[&ANN], self.participants[&BOB]);
        for (subscriber, publisher) in [(ann, bob), (bob, ann)] {
            let hears = |(key, from): (&(ParticipantId, u32), &ParticipantId)| {
                key.0 == subscriber && *from == publisher
            };
            assert!(self.subscriptions.iter().any(hears), "{subscriber} lost {publisher}");
        }
    }
}

fn direct_connect(ticket: &str) -> serde_json::Value {
    json!({
        "type": "connect", "ticket": ticket,
        "description": {
            "kind": "direct", "candidates": [],
            "link": {
                "ice_ufrag": "abcd", "ice_pwd": "abcdefghijklmnopqrstuvwx",
                "fingerprint": (["CD"; 32].join(":")),
            },
        },
    })
}
