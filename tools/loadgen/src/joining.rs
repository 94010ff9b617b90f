//! Joins a room as a native musician does: WebSocket, publication, ICE, DTLS.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use protocol::codec::Codec;
use protocol::id::RoomId;
use protocol::rtp::Ssrc;
use protocol::signal::{
    Capabilities, ClientEnvelope, ClientMessage, Description, EngineKind, ErrorCode,
    LinkParameters, ServerMessage, Source, VERSION,
};
use protocol::time::Instant;
use signalling_client::{Received, RoomLink, Signalling, SignallingError};
use thiserror::Error;
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkState, Role};

use crate::{clock, socket};

/// Why a participant did not come in.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The WebSocket could not be made, or went away.
    #[error(transparent)]
    Signalling(#[from] SignallingError),
    /// The server has too many rooms, participants or connections.
    #[error(
        "{0}. The server's settings connections_max, participants_max, rooms_max, \
         worker_packets_max and per_address_max (VJAM_PER_ADDRESS_MAX, since all of this load comes \
         from one address) say how many it takes"
    )]
    Full(String),
    /// The server does not want us; in its words.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// An answer did not come in time.
    #[error("the server did not answer `{request}` within {} s", ANSWER_MAX.as_secs())]
    Silent {
        /// What was asked.
        request: &'static str,
    },
    /// The server answered something else.
    #[error("the server answered with an unexpected `{0}`")]
    Unexpected(&'static str),
    /// No way to the server's media port, or no handshake on it.
    #[error(
        "the media link to {candidates:?} did not come up within {} s; is the UDP port open?",
        LINK_MAX.as_secs()
    )]
    Unreachable {
        /// Where the server said that it takes media.
        candidates: Vec<SocketAddr>,
    },
    /// The system gives no socket.
    #[error("no socket: {0}")]
    Socket(#[from] io::Error),
    /// The server's half of the link cannot be used.
    #[error("the server's half of the link cannot be used: {0}")]
    Link(#[from] transport::LinkError),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A participant that is in.
pub(crate) struct Joined {
    pub(crate) signalling: Signalling,
    pub(crate) socket: UdpSocket,
    pub(crate) link: Link,
    pub(crate) source: Ssrc,
}

/// Joins; takes some 10 ms on loopback, and half a minute at worst.
pub(crate) fn join(
    server: &RoomLink,
    room: &RoomId,
    name: &str,
    certificate: &Certificate,
) -> Result<Joined, JoinError> {
    let mut signalling = Signalling::connect(server)?;
    let join = ClientMessage::Join {
        version: VERSION,
        room: room.clone(),
        name: name.to_owned(),
        capabilities: Capabilities { engine: EngineKind::Native, decodes: vec![Codec::Opus] },
        seat: None,
        pass: None,
    };
    let ticket = ask(&mut signalling, 1, "join", join, |message| {
        if let ServerMessage::Joined { ticket, .. } = message { Some(ticket) } else { None }
    })?;
    // Below 2³¹, so that it cannot be zero with its first bit set.
    let source = Ssrc(getrandom::u32()? >> 1 | 1);
    let publish = ClientMessage::Publish {
        label: "load".to_owned(),
        channels: 1,
        codecs: vec![Codec::Opus],
        sources: vec![Source { codec: Codec::Opus, ssrc: source }],
    };
    ask(&mut signalling, 2, "publish", publish, |message| {
        matches!(message, ServerMessage::Published { .. }).then_some(())
    })?;
    let local = LinkParameters {
        ice_ufrag: word(1)?,
        ice_pwd: word(3)?,
        fingerprint: certificate.fingerprint().to_owned(),
    };
    let description = Description::Direct { link: local.clone(), candidates: Vec::new() };
    let connect = ClientMessage::Connect { ticket, description };
    let description = ask(&mut signalling, 3, "connect", connect, |message| {
        if let ServerMessage::Connected { description } = message {
            Some(description)
        } else {
            None
        }
    })?;
    let Description::Direct { link: remote, candidates } = description else {
        return Err(JoinError::Unexpected("sdp"));
    };
    let config = LinkConfig {
        role: Role::Client,
        certificate: certificate.clone(),
        local: IceCredentials::from(&local),
        remote,
        remote_candidates: candidates,
        data_channel: false,
    };
    let (socket, link) = open_link(&config)?;
    signalling.stop_waiting()?;
    Ok(Joined { signalling, socket, link, source })
}

/// Sends a request and waits for its answer; what else comes meanwhile is of no interest.
fn ask<T>(
    signalling: &mut Signalling,
    request: u32,
    name: &'static str,
    message: ClientMessage,
    find: impl Fn(ServerMessage) -> Option<T>,
) -> Result<T, JoinError> {
    signalling.send(&ClientEnvelope { request: Some(request), message })?;
    let end = clock::now() + ANSWER_MAX;
    while clock::now() < end {
        let Received::Message(envelope) = signalling.receive()? else { continue };
        let is_answer = envelope.request == Some(request);
        let message = envelope.message;
        if let ServerMessage::Error { code: ErrorCode::ServerFull, text } = message {
            return Err(JoinError::Full(text));
        }
        if let ServerMessage::Error { text, .. } | ServerMessage::Bye { text, .. } = message {
            return Err(JoinError::Refused(text));
        }
        if is_answer {
            return find(message).ok_or(JoinError::Unexpected(name));
        }
    }
    Err(JoinError::Silent { request: name })
}

fn open_link(config: &LinkConfig) -> Result<(UdpSocket, Link), JoinError> {
    let unreachable = || JoinError::Unreachable { candidates: config.remote_candidates.clone() };
    let first = *config.remote_candidates.first().ok_or_else(unreachable)?;
    let socket = socket::open(first)?;
    socket.set_read_timeout(Some(Duration::from_millis(2)))?;
    let started = clock::now();
    let mut link = Link::new(config, started)?;
    while link.state() != LinkState::Up {
        let now = clock::now();
        if link.state() == LinkState::Closed || started + LINK_MAX < now {
            return Err(unreachable());
        }
        drive(&socket, &mut link, now);
    }
    let address = link.address().ok_or_else(unreachable)?;
    socket.connect(address)?;
    socket.set_nonblocking(true)?;
    Ok((socket, link))
}

fn drive(socket: &UdpSocket, link: &mut Link, now: Instant) {
    let mut buffer = [0; 2048];
    if link.poll_timeout().is_some_and(|due| due <= now) {
        link.handle_timeout(now);
    }
    while let Some(transmit) = link.poll_transmit(&mut buffer) {
        // Not every candidate can be reached; one is enough.
        let _ = socket.send_to(&buffer[..transmit.len], transmit.to);
    }
    if let Ok((len, from)) = socket.recv_from(&mut buffer) {
        link.handle_datagram(clock::now(), from, &buffer[..len]);
    }
    while link.poll_event().is_some() {}
}

/// Eight characters that ICE allows for each random number.
fn word(numbers: usize) -> Result<String, getrandom::Error> {
    (0..numbers).map(|_| Ok(format!("{:08x}", getrandom::u32()?))).collect()
}

/// How long a request may take: a server that is busy with other joins is asked to be patient with.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long ICE and DTLS may take, with some retransmissions.
const LINK_MAX: Duration = Duration::from_secs(15);
