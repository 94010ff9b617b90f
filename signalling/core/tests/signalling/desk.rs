//! A server in virtual time, and apps at its desk.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use protocol::codec::Codec;
use protocol::control::{Event, SfuDescription, WorkerDescription};
use protocol::id::{ParticipantId, RoomId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    Capabilities, ClientEnvelope, ClientMessage, Description, EngineKind, ErrorCode,
    LinkParameters, ServerEnvelope, ServerMessage, Source, Stream, VERSION,
};
use protocol::time::Instant;
use signalling::limits::Limits;
use signalling::{
    AddressBlock, Config, ConnectionId, Output, RoomNews, Signalling, TakeEvent, TakesKept,
    TicketKey,
};

use crate::offers::{OfferPlan, offer};
use crate::sfu::PaperSfu;

/// The server, its SFU, and all that was said.
pub(crate) struct Desk {
    pub(crate) core: Signalling,
    pub(crate) now: Instant,
    pub(crate) sfu: PaperSfu,
    inboxes: BTreeMap<ConnectionId, Vec<ServerEnvelope>>,
    pub(crate) closed: BTreeMap<ConnectionId, u16>,
    last_connection: u64,
    pub(crate) takes: Vec<TakeEvent>,
    /// What was asked about whoever joins, and is not answered.
    pub(crate) asked: Vec<(ConnectionId, RoomId, Option<String>)>,
    /// What was told to whoever has the same rooms elsewhere.
    pub(crate) told: Vec<(RoomId, RoomNews)>,
    /// Every output as text, to compare two runs.
    pub(crate) transcript: Vec<String>,
}

/// What an app knows after `joined`.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) connection: ConnectionId,
    pub(crate) id: ParticipantId,
    pub(crate) ticket: String,
    pub(crate) seat: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::with_workers(limits, &[u32::MAX])
    }

    /// With workers that take so many packets per second.
    pub(crate) fn with_workers(limits: Limits, packets_per_second: &[u32]) -> Self {
        let worker = |(port, packets_per_second_max): (u16, &u32)| WorkerDescription {
            candidates: vec![SocketAddr::from(([127, 0, 0, 1], port))],
            packets_per_second_max: *packets_per_second_max,
        };
        let core = Signalling::new(Config {
            limits,
            sfu: SfuDescription {
                fingerprint: vec!["AB"; 32].join(":"),
                workers: (7882..).zip(packets_per_second).map(worker).collect(),
            },
            ticket_key: TicketKey::new([1; 32]),
            seed: [2; 32],
            epoch_unix_ms: 1_790_000_000_000,
            takes: TakesKept::Yes,
        });
        Self {
            core,
            now: Instant::from_ns(1),
            sfu: PaperSfu::default(),
            inboxes: BTreeMap::new(),
            closed: BTreeMap::new(),
            last_connection: 0,
            takes: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
            transcript: Vec::new(),
        }
    }

    /// With somebody who is asked about each who joins.
    pub(crate) fn with_doorkeeper() -> Self {
        let desk = Self::new();
        Self { core: desk.core.with_doorkeeper(), ..desk }
    }

    /// Opens a WebSocket.
    pub(crate) fn open(&mut self) -> ConnectionId {
        self.open_from(None)
    }

    /// Opens a WebSocket from somewhere.
    pub(crate) fn open_from(&mut self, from: Option<AddressBlock>) -> ConnectionId {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.core.handle_connected(self.now, connection, from);
        self.drain();
        connection
    }

    /// Lets time pass, waking the core when it wants.
    pub(crate) fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some((at, _)) = self.core.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.core.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Lets time pass while every open connection answers pings.
    pub(crate) fn wait_alive(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.wait(Duration::from_secs(1));
            for connection in self.inboxes.keys().copied().collect::<Vec<_>>() {
                self.core.handle_alive(self.now, connection);
            }
        }
    }

    /// The network takes a WebSocket away.
    pub(crate) fn drop_connection(&mut self, connection: ConnectionId) {
        self.core.handle_disconnected(self.now, connection);
        self.inboxes.remove(&connection);
        self.drain();
    }

    /// Sends text as it is.
    pub(crate) fn send_text(&mut self, connection: ConnectionId, text: &str) {
        self.core.handle_message(self.now, connection, text);
        self.drain();
    }

    /// Sends a message, without waiting for the bucket to fill again: a tenth of a second passes.
    pub(crate) fn send(&mut self, connection: ConnectionId, message: ClientMessage) {
        self.wait(Duration::from_millis(100));
        let envelope = ClientEnvelope { request: Some(9), message };
        let text = serde_json::to_string(&envelope).expect("messages serialize");
        self.send_text(connection, &text);
    }

    pub(crate) fn sfu_event(&mut self, event: &Event) {
        self.core.handle_sfu_event(self.now, event);
        self.drain();
    }

    /// Everything sent to a connection since this was asked last.
    pub(crate) fn received(&mut self, connection: ConnectionId) -> Vec<ServerEnvelope> {
        self.inboxes.get_mut(&connection).map(std::mem::take).unwrap_or_default()
    }

    /// The messages of one kind among them; the others are gone.
    pub(crate) fn find<T>(
        &mut self,
        connection: ConnectionId,
        pick: impl Fn(ServerMessage) -> Option<T>,
    ) -> Vec<T> {
        let received = self.received(connection).into_iter();
        received.filter_map(|envelope| pick(envelope.message)).collect()
    }

    /// The codes of the errors among them.
    pub(crate) fn errors(&mut self, connection: ConnectionId) -> Vec<ErrorCode> {
        self.find(connection, |message| match message {
            ServerMessage::Error { code, .. } => Some(code),
            _ => None,
        })
    }

    /// The newest list of streams.
    pub(crate) fn streams(&mut self, app: &App) -> Option<Vec<Stream>> {
        let lists = self.find(app.connection, |message| match message {
            ServerMessage::Streams { streams } => Some(streams),
            _ => None,
        });
        lists.into_iter().next_back()
    }

    /// The newest choice of encodings, with the reason.
    pub(crate) fn encodings(&mut self, app: &App) -> Option<(Vec<Codec>, Option<String>)> {
        let choices = self.find(app.connection, |message| match message {
            ServerMessage::EncodingsWanted { codecs, reason, .. } => Some((codecs, reason)),
            _ => None,
        });
        choices.into_iter().next_back()
    }

    /// Joins with an engine of ours that decodes everything.
    pub(crate) fn join(&mut self, room: &str, name: &str) -> App {
        self.join_as(room, name, EngineKind::Native, &Codec::ALL, None).expect("let in")
    }

    pub(crate) fn join_as(
        &mut self,
        room: &str,
        name: &str,
        engine: EngineKind,
        decodes: &[Codec],
        seat: Option<&str>,
    ) -> Result<App, ErrorCode> {
        let connection = self.open();
        self.join_on(connection, room, name, engine, decodes, seat)
    }

    pub(crate) fn join_on(
        &mut self,
        connection: ConnectionId,
        room: &str,
        name: &str,
        engine: EngineKind,
        decodes: &[Codec],
        seat: Option<&str>,
    ) -> Result<App, ErrorCode> {
        self.send(
            connection,
            ClientMessage::Join {
                version: VERSION,
                room: RoomId::parse(room).expect("a room's name"),
                name: name.into(),
                capabilities: Capabilities { engine, decodes: decodes.to_vec() },
                seat: seat.map(Into::into),
                pass: None,
            },
        );
        self.admitted(connection)
    }

    /// Whether a connection has joined, or why not.
    pub(crate) fn admitted(&self, connection: ConnectionId) -> Result<App, ErrorCode> {
        let inbox = self.inboxes.get(&connection).map(Vec::as_slice).unwrap_or_default();
        for envelope in inbox {
            match &envelope.message {
                ServerMessage::Joined { participant, ticket, seat, .. } => {
                    let (id, ticket, seat) = (*participant, ticket.clone(), seat.clone());
                    return Ok(App { connection, id, ticket, seat });
                }
                ServerMessage::Error { code, .. } => return Err(*code),
                _ => {}
            }
        }
        panic!("join was not answered: {inbox:?}");
    }

    /// Opens a link as our native engine does.
    pub(crate) fn connect(&mut self, app: &App) {
        self.connect_direct(app, &link(app.id.0));
    }

    pub(crate) fn connect_direct(&mut self, app: &App, link: &LinkParameters) {
        let description = Description::Direct { link: link.clone(), candidates: Vec::new() };
        let ticket = app.ticket.clone();
        self.send(app.connection, ClientMessage::Connect { ticket, description });
    }

    /// Opens a link as a browser does; gives the answer.
    pub(crate) fn connect_sdp(&mut self, app: &App, plan: &OfferPlan) -> Option<String> {
        self.received(app.connection);
        let description = Description::Sdp { sdp: offer(plan) };
        let ticket = app.ticket.clone();
        self.send(app.connection, ClientMessage::Connect { ticket, description });
        let inbox = self.inboxes.get(&app.connection)?;
        inbox.iter().find_map(|envelope| match &envelope.message {
            ServerMessage::Connected { description: Description::Sdp { sdp } } => Some(sdp.clone()),
            _ => None,
        })
    }

    /// Publishes; the SSRC of the n-th source is `ssrc + n`.
    pub(crate) fn publish(
        &mut self,
        app: &App,
        label: &str,
        codecs: &[Codec],
        sources: &[Codec],
        ssrc: u32,
    ) -> Option<TrackId> {
        let source = |(codec, ssrc): (&Codec, u32)| Source { codec: *codec, ssrc: Ssrc(ssrc) };
        self.send(
            app.connection,
            ClientMessage::Publish {
                label: label.into(),
                channels: 1,
                codecs: codecs.to_vec(),
                sources: sources.iter().zip(ssrc..).map(source).collect(),
            },
        );
        let inbox = self.inboxes.get(&app.connection)?;
        inbox.iter().rev().find_map(|envelope| match &envelope.message {
            ServerMessage::Published { track, .. } => Some(*track),
            _ => None,
        })
    }

    /// Joined, connected and publishing both Opus codecs.
    pub(crate) fn musician(&mut self, room: &str, name: &str) -> App {
        let app = self.join(room, name);
        self.connect(&app);
        let ssrc = 100 * app.id.0;
        self.publish(&app, "mic", AUTO, AUTO, ssrc).expect("published");
        app
    }

    /// Takes what the core wants done.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            self.transcript.push(format!("{output:?}"));
            match output {
                Output::Message { connection, text } => {
                    assert!(!self.closed.contains_key(&connection), "said after goodbye: {text}");
                    let message = serde_json::from_str(&text).expect("the server writes JSON");
                    self.inboxes.entry(connection).or_default().push(message);
                }
                Output::Close { connection, code } => {
                    assert!(self.closed.insert(connection, code).is_none(), "closed twice");
                }
                Output::Ask { connection, room, pass } => {
                    self.asked.push((connection, room, pass));
                }
                Output::Tell { room, news } => self.told.push((room, news)),
                Output::Sfu(command) => self.sfu.carry_out(command),
                Output::Take(event) => self.takes.push(event),
                Output::Happened(_) => {}
            }
        }
    }
}

/// What `auto` publishes.
pub(crate) const AUTO: &[Codec] = &[Codec::Opus64, Codec::Opus];

/// A native app's end of a link.
pub(crate) fn link(number: u32) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("ufrag{number}"),
        ice_pwd: format!("APasswordOfSomeLength{number}"),
        fingerprint: vec![format!("{:02X}", number % 256); 32].join(":"),
    }
}
