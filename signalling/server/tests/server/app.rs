//! A server on a free port, and apps that talk to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::control::{Command, Event, SfuDescription, WorkerDescription};
use protocol::id::ParticipantId;
use protocol::signal::{ErrorCode, ServerEnvelope, ServerMessage};
use signalling::TicketKey;
use signalling::limits::Limits;
use signalling_server::limits::SFU_COMMANDS_MAX;
use signalling_server::{Asset, Caching, Config, Network, ServeError, Server, SfuLink};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything here takes; only a hanging test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct TestServer {
    pub(crate) http: SocketAddr,
    pub(crate) commands: mpsc::Receiver<Command>,
    pub(crate) events: mpsc::Sender<Event>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::with_config(Config { limits, ..config() }, SFU_COMMANDS_MAX).await
    }

    /// With an SFU whose queue has `commands_max` places.
    pub(crate) async fn with_config(config: Config, commands_max: usize) -> Self {
        let (commands, received) = mpsc::channel(commands_max);
        let (events, from_sfu) = mpsc::channel(16);
        let sfu = SfuLink {
            description: SfuDescription {
                fingerprint: vec!["AB"; 32].join(":"),
                workers: vec![WorkerDescription {
                    candidates: vec![SocketAddr::from(([127, 0, 0, 1], 7882))],
                    packets_per_second_max: u32::MAX,
                }],
            },
            commands,
            events: from_sfu,
        };
        let server = Server::bind(config).await.expect("a free port");
        let http = server.http();
        let (stop, stopped) = oneshot::channel();
        let stopping = async {
            // Dropped in tests that do not stop the server themselves.
            if stopped.await.is_err() {
                core::future::pending::<()>().await;
            }
        };
        let task = tokio::spawn(server.run(sfu, stopping));
        Self { http, commands: received, events, stop: Some(stop), task }
    }

    /// Tells it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().expect("stopped once").send(()).expect("the server runs");
    }

    /// How it ended.
    pub(crate) async fn ended(self) -> Result<(), ServeError> {
        drop(self.events);
        timeout(PATIENCE, self.task).await.expect("it ends").expect("it does not panic")
    }

    pub(crate) async fn next_command(&mut self) -> Command {
        timeout(PATIENCE, self.commands.recv()).await.expect("in time").expect("the server runs")
    }

    /// Opens a WebSocket.
    pub(crate) async fn open(&self) -> App {
        let url = format!("ws://{}/api/v1/ws", self.http);
        App { socket: connect_async(url).await.expect("a WebSocket").0 }
    }

    /// Opens a WebSocket and joins.
    pub(crate) async fn join(&self, room: &str, name: &str) -> App {
        let mut app = self.open().await;
        app.send(&join(room, name, None)).await;
        app
    }

    /// An HTTP request as text, and its answer.
    pub(crate) async fn request(&self, head: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(self.http).await.expect("it listens");
        let request = format!("{head}\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http);
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("in time").expect("read");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// An app's end of a WebSocket.
pub(crate) struct App {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came over a WebSocket.
#[derive(Debug)]
pub(crate) enum Received {
    Message(ServerEnvelope),
    Closed(Option<u16>),
}

impl App {
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the socket is open");
    }

    /// Sends, if the socket is still open.
    pub(crate) async fn try_send(&mut self, text: &str) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    /// The next message or the end; pings are answered in passing.
    pub(crate) async fn next(&mut self) -> Received {
        timeout(PATIENCE, self.next_at_last()).await.expect("in time")
    }

    async fn next_at_last(&mut self) -> Received {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message = serde_json::from_str(&text).expect("the protocol's JSON");
                    return Received::Message(message);
                }
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("the server sends text only, not {other:?}"),
                Some(Err(
                    tungstenite::Error::ConnectionClosed
                    | tungstenite::Error::Io(_)
                    | tungstenite::Error::Protocol(_),
                ))
                | None => return Received::Closed(None),
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }

    /// The next message that `pick` wants; others are passed over.
    pub(crate) async fn find<T>(&mut self, pick: impl Fn(&ServerMessage) -> Option<T>) -> T {
        loop {
            match self.next().await {
                Received::Message(envelope) => {
                    if let Some(found) = pick(&envelope.message) {
                        return found;
                    }
                }
                Received::Closed(code) => panic!("closed with {code:?} before it came"),
            }
        }
    }

    /// The reason of the farewell, and the close code after it.
    pub(crate) async fn farewell(&mut self) -> (Option<protocol::signal::ByeReason>, Option<u16>) {
        let mut reason = None;
        loop {
            match self.next().await {
                Received::Message(envelope) => {
                    if let ServerMessage::Bye { reason: why, .. } = envelope.message {
                        reason = Some(why);
                    }
                }
                Received::Closed(code) => return (reason, code),
            }
        }
    }
}

/// On a free port.
pub(crate) fn config() -> Config {
    Config {
        http: SocketAddr::from(([127, 0, 0, 1], 0)),
        limits: Limits::default(),
        ticket_key: TicketKey::new([1; 32]),
        seed: [2; 32],
        assets: Arc::new(asset),
        asked_elsewhere: Vec::new(),
        origins: Vec::new(),
        trusted_proxies: Network::LOOPBACK.to_vec(),
        api: Router::new()
            .route("/api/v1/other", get(async |request: Request| caller(request)))
            .route("/api/v1/open", get(async || "open").post(async || "open"))
            .route("/api/v1/strict", get(async || [("content-security-policy", "sandbox")])),
        open_api: Router::new().route("/api/v1/any", get(async || "open")),
        open_to_pages: |method, path| method == "POST" && path == "/api/v1/open",
        metrics: Arc::new(|census| format!("{census:?}")),
        takes: None,
        rooms: None,
        version: "1.2.3",
    }
}

/// A `join`.
pub(crate) fn join(room: &str, name: &str, seat: Option<&str>) -> String {
    let mut message = serde_json::json!({
        "request": 1, "type": "join", "version": 1, "room": room, "name": name,
        "capabilities": {"engine": "native", "decodes": ["opus", "opus-64"]},
    });
    if let Some(seat) = seat {
        message["seat"] = seat.into();
    }
    message.to_string()
}

fn asset(path: &str) -> Option<Asset> {
    let (bytes, caching): (&[u8], _) = match path {
        "index.html" => (b"<!doctype html>the app", Caching::AskEachTime),
        "assets/engine-abc.wasm" => (b"\0asm", Caching::Immutable),
        _ => return None,
    };
    Some(Asset { bytes: bytes.into(), caching })
}

/// The code of an error, to look for.
pub(crate) fn error(message: &ServerMessage) -> Option<ErrorCode> {
    match message {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    }
}

/// The id, the seat and the ticket of an app that has just joined.
pub(crate) async fn joined(app: &mut App) -> (ParticipantId, String, String) {
    app.find(|message| match message {
        ServerMessage::Joined { participant, seat, ticket, .. } => {
            Some((*participant, seat.clone(), ticket.clone()))
        }
        _ => None,
    })
    .await
}

/// What somebody else's route is told.
fn caller(request: Request) -> String {
    format!("from {:?}", signalling_server::caller(request.extensions()))
}
