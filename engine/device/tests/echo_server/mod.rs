//! A server for one participant: signalling in a few lines, and media that comes straight back.
//!
//! It speaks the real protocol over a real WebSocket and a real media link, and lets a test take
//! either away. What the participant publishes comes back as a stream of somebody called Echo.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use engine_device::clock;
use protocol::codec::Codec;
use protocol::datagram::Kind;
use protocol::id::{ParticipantId, TrackId};
use protocol::rtp::{Packet, Ssrc};
use protocol::signal::{
    ClientEnvelope, ClientMessage, Description, EngineKind, LinkParameters, Participant, Presence,
    ServerEnvelope, ServerMessage, Stream, Track, VERSION,
};
use transport::{Certificate, IceCredentials, Link, LinkConfig, Role};
use tungstenite::{Message, WebSocket};

/// The stream that comes back.
pub(crate) const ECHO: Ssrc = Ssrc(0xec40);

/// Echo's track, until the server is [restarted](EchoServer::restart).
pub(crate) const ECHO_TRACK: TrackId = TrackId(2);

/// Echo's track afterwards.
pub(crate) const ECHO_TRACK_ANEW: TrackId = TrackId(5);

/// The server; ends with the process.
pub(crate) struct EchoServer {
    /// Where its WebSocket is.
    pub(crate) http: SocketAddr,
    shared: Arc<Shared>,
    messages: mpsc::Receiver<ClientMessage>,
}

struct Shared {
    media: UdpSocket,
    certificate: Certificate,
    link: Mutex<Option<Link>>,
    /// Counts up to make every WebSocket of an earlier count go away.
    websockets_dropped: AtomicU32,
    deaf: AtomicBool,
    holds_websockets: AtomicBool,
    /// The latest RTP timestamp, and the longest step from one to the next.
    timestamp: AtomicU32,
    longest_step: AtomicU32,
    /// Whether ids have been dealt anew.
    restarted: AtomicBool,
    /// One of so many media packets is lost on the way back; 0 loses none.
    loses_one_of: AtomicU32,
    to_say: Mutex<Vec<ServerMessage>>,
    refuse_joins_with: Mutex<Option<ServerMessage>>,
    connects: AtomicU32,
}

impl EchoServer {
    pub(crate) fn start() -> Self {
        let media = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        media.set_read_timeout(Some(Duration::from_millis(5))).expect("a positive time");
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let http = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            media,
            certificate: Certificate::generate().expect("randomness"),
            link: Mutex::new(None),
            websockets_dropped: AtomicU32::new(0),
            deaf: AtomicBool::new(false),
            holds_websockets: AtomicBool::new(false),
            timestamp: AtomicU32::new(0),
            longest_step: AtomicU32::new(0),
            restarted: AtomicBool::new(false),
            loses_one_of: AtomicU32::new(0),
            to_say: Mutex::new(Vec::new()),
            refuse_joins_with: Mutex::new(None),
            connects: AtomicU32::new(0),
        });
        let (seen, messages) = mpsc::channel();
        let for_media = Arc::clone(&shared);
        thread::spawn(move || for_media.carry_media());
        let for_websockets = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, seen) = (Arc::clone(&for_websockets), seen.clone());
                let stream = stream.expect("loopback");
                thread::spawn(move || shared.converse(stream, &seen));
            }
        });
        Self { http, shared, messages }
    }

    /// The next message that is not a ping.
    pub(crate) fn next_message(&self) -> ClientMessage {
        loop {
            let message = self.messages.recv_timeout(Duration::from_secs(20));
            match message.expect("the client says something") {
                ClientMessage::Ping {} => {}
                message => return message,
            }
        }
    }

    /// Waits for a message of a kind, skipping others.
    pub(crate) fn wait_for<T>(&self, pick: impl Fn(ClientMessage) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.next_message()) {
                return picked;
            }
        }
    }

    /// Frames from one packet's media time to the next one's, at most.
    pub(crate) fn longest_step(&self) -> u32 {
        self.shared.longest_step.load(Ordering::SeqCst)
    }

    /// Lets nobody in, or lets those in who wait.
    pub(crate) fn hold_websockets(&self, hold: bool) {
        self.shared.holds_websockets.store(hold, Ordering::SeqCst);
    }

    /// Cuts every WebSocket, without a word.
    pub(crate) fn drop_websockets(&self) {
        self.shared.websockets_dropped.fetch_add(1, Ordering::SeqCst);
    }

    /// Takes no datagrams any more, or takes them again.
    pub(crate) fn set_deaf(&self, deaf: bool) {
        self.shared.deaf.store(deaf, Ordering::SeqCst);
    }

    /// Loses one of so many media packets on their way back.
    pub(crate) fn lose_one_of(&self, packets: u32) {
        self.shared.loses_one_of.store(packets, Ordering::SeqCst);
    }

    /// Forgets seats and link and deals ids anew, as a server that was restarted does: Echo's old number
    /// goes to somebody called Dora.
    pub(crate) fn restart(&self) {
        self.shared.restarted.store(true, Ordering::SeqCst);
        *self.shared.link.lock().expect("no panic") = None;
        self.shared.websockets_dropped.fetch_add(1, Ordering::SeqCst);
    }

    /// Says something on every WebSocket.
    pub(crate) fn say(&self, message: ServerMessage) {
        self.shared.to_say.lock().expect("no panic").push(message);
    }

    /// Answers joins with this.
    pub(crate) fn refuse_joins_with(&self, message: ServerMessage) {
        *self.shared.refuse_joins_with.lock().expect("no panic") = Some(message);
    }
}

impl Shared {
    fn carry_media(&self) {
        let mut buffer = [0; 2048];
        loop {
            let received = self.media.recv_from(&mut buffer).ok();
            let now = clock::now();
            let mut link = self.link.lock().expect("no panic");
            let Some(link) = link.as_mut() else { continue };
            if let Some((len, from)) = received
                && !self.deaf.load(Ordering::SeqCst)
            {
                match Kind::of(&buffer[..len]) {
                    Kind::Rtp => self.echo(link, &mut buffer, len, from),
                    Kind::Stun | Kind::Dtls | Kind::Rtcp | Kind::Unknown => {
                        link.handle_datagram(now, from, &buffer[..len]);
                    }
                }
            }
            if link.poll_timeout().is_some_and(|due| due <= now) {
                link.handle_timeout(now);
            }
            let mut out = [0; 1500];
            while let Some(transmit) = link.poll_transmit(&mut out) {
                self.media.send_to(&out[..transmit.len], transmit.to).expect("loopback");
            }
            while link.poll_event().is_some() {}
        }
    }

    fn echo(&self, link: &mut Link, buffer: &mut [u8], len: usize, to: SocketAddr) {
        let opened = link.opener_mut().and_then(|opener| opener.open(&mut buffer[..len]).ok());
        let Some(len) = opened else { return };
        let Ok(packet) = Packet::parse(&buffer[..len]) else { return };
        let before = self.timestamp.swap(packet.timestamp, Ordering::SeqCst);
        if before != 0 {
            let step = packet.timestamp.wrapping_sub(before);
            self.longest_step.fetch_max(step, Ordering::SeqCst);
        }
        let one_of = self.loses_one_of.load(Ordering::SeqCst);
        if u32::from(packet.sequence_number).checked_rem(one_of) == Some(0) {
            return;
        }
        let mut copy = [0; 1500];
        let len = Packet { ssrc: ECHO, ..packet }.write(&mut copy).expect("it fitted before");
        let sealed = link.sealer_mut().and_then(|sealer| sealer.seal(&mut copy, len).ok());
        self.media.send_to(&copy[..sealed.expect("keys are there")], to).expect("loopback");
    }

    fn converse(&self, stream: TcpStream, seen: &mpsc::Sender<ClientMessage>) {
        while self.holds_websockets.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        let generation = self.websockets_dropped.load(Ordering::SeqCst);
        // A client that was held for too long has gone to try again.
        let Ok(mut websocket) = tungstenite::accept(stream) else { return };
        let timeout = Some(Duration::from_millis(5));
        websocket.get_ref().set_read_timeout(timeout).expect("a positive time");
        while self.websockets_dropped.load(Ordering::SeqCst) == generation {
            for message in self.to_say.lock().expect("no panic").drain(..) {
                send(&mut websocket, None, message);
            }
            match websocket.read() {
                Ok(Message::Text(text)) => {
                    let envelope: ClientEnvelope = serde_json::from_str(&text).expect("a message");
                    self.answer(&mut websocket, envelope.request, &envelope.message);
                    seen.send(envelope.message).expect("the test listens");
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(_)) => {}
                Err(_) => return,
            }
        }
    }

    fn answer(
        &self,
        websocket: &mut WebSocket<TcpStream>,
        request: Option<u32>,
        message: &ClientMessage,
    ) {
        match message {
            ClientMessage::Join { room, seat, .. } => {
                if let Some(refusal) = self.refuse_joins_with.lock().expect("no panic").clone() {
                    return send(websocket, request, refusal);
                }
                let answer = ServerMessage::Joined {
                    version: VERSION,
                    room: room.clone(),
                    participant: ParticipantId(1),
                    ticket: "ticket".into(),
                    ticket_seconds: 30,
                    seat: "seat".into(),
                    seat_seconds: 15,
                    participants: self.participants(),
                    chat: Vec::new(),
                    resumed: seat.is_some() && !self.restarted.load(Ordering::SeqCst),
                };
                send(websocket, request, answer);
            }
            ClientMessage::Connect { description: Description::Direct { link, .. }, .. } => {
                let description = self.connect(link);
                send(websocket, request, ServerMessage::Connected { description });
            }
            ClientMessage::Publish { label, codecs, .. } => {
                let (track, label) = (TrackId(1), label.clone());
                send(websocket, request, ServerMessage::Published { track, label });
                let codecs = vec![codecs[0]];
                let wanted = ServerMessage::EncodingsWanted {
                    track,
                    codecs,
                    redundant_frames: 0,
                    reason: None,
                };
                send(websocket, None, wanted);
                let stream = Stream {
                    ssrc: ECHO,
                    mid: None,
                    participant: ParticipantId(2),
                    track: self.participants()[0].tracks[0].id,
                    codec: Codec::Opus64,
                    channels: 1,
                };
                send(websocket, None, ServerMessage::Streams { streams: vec![stream] });
            }
            ClientMessage::Leave {} => {
                let (reason, text) = (protocol::signal::ByeReason::Left, "bye".into());
                send(websocket, request, ServerMessage::Bye { reason, text });
            }
            _ => {}
        }
    }

    /// Echo first.
    fn participants(&self) -> Vec<Participant> {
        if self.restarted.load(Ordering::SeqCst) {
            vec![participant(3, "Echo", ECHO_TRACK_ANEW), participant(2, "Dora", ECHO_TRACK)]
        } else {
            vec![participant(2, "Echo", ECHO_TRACK)]
        }
    }

    /// Makes or restarts the link, as the fingerprint says.
    fn connect(&self, remote: &LinkParameters) -> Description {
        let number = self.connects.fetch_add(1, Ordering::SeqCst);
        let local = IceCredentials { ufrag: format!("echo{number}"), pwd: format!("{number:024}") };
        let parameters = LinkParameters {
            ice_ufrag: local.ufrag.clone(),
            ice_pwd: local.pwd.clone(),
            fingerprint: self.certificate.fingerprint().to_owned(),
        };
        let mut link = self.link.lock().expect("no panic");
        let restarted = number != 0
            && link.as_mut().is_some_and(|link| {
                link.restart_ice(clock::now(), local.clone(), remote, &[]).is_ok()
            });
        if !restarted {
            let config = LinkConfig {
                role: Role::Server,
                certificate: self.certificate.clone(),
                local,
                remote: remote.clone(),
                remote_candidates: Vec::new(),
                data_channel: false,
            };
            *link = Some(Link::new(&config, clock::now()).expect("good parameters"));
        }
        let candidates = vec![self.media.local_addr().expect("it is bound")];
        Description::Direct { link: parameters, candidates }
    }
}

fn send(websocket: &mut WebSocket<TcpStream>, request: Option<u32>, message: ServerMessage) {
    let text = serde_json::to_string(&ServerEnvelope { request, message }).expect("plain data");
    // The client may be gone, which is its right.
    let _ = websocket.send(Message::text(text));
}

fn participant(id: u32, name: &str, track: TrackId) -> Participant {
    Participant {
        id: ParticipantId(id),
        name: name.into(),
        engine: EngineKind::Native,
        presence: Presence::Online,
        tracks: vec![Track { id: track, label: "echo".into(), channels: 1, muted: false }],
        role: None,
        account: None,
        silenced: false,
    }
}

/// Asks until there is an answer; a machine that takes half a minute is broken.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not come");
        thread::sleep(Duration::from_millis(5));
    }
}
