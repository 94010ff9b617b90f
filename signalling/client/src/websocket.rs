//! The WebSocket to signalling: connect, send, receive, each with a limit in time.
//!
//! Blocking, with a short read timeout: one thread reads, writes and keeps its timers. Or never
//! waiting, for a thread that keeps many. A `wss` server is checked against the system's
//! certificates.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use protocol::limits::SIGNAL_MESSAGE_BYTES_MAX;
use protocol::signal::{ClientEnvelope, ServerEnvelope};
use thiserror::Error;
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Connector, Message, WebSocket};

use crate::room_link::{RoomLink, Scheme};

/// An open WebSocket.
pub struct Signalling {
    websocket: WebSocket<MaybeTlsStream<TcpStream>>,
}

/// Why there is no WebSocket, or none any more.
#[derive(Debug, Error)]
pub enum SignallingError {
    /// The name has no address, or nothing answers there.
    #[error("{authority} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// What was met there.
        reason: io::Error,
    },
    /// Something answers, but no vjam server.
    #[error("{authority} does not answer like a vjam server: {reason}")]
    Handshake {
        /// Host and port.
        authority: String,
        /// What was met there.
        reason: String,
    },
    /// The certificate is not trusted, or none can be.
    #[error("no secure connection to {authority}: {reason}")]
    Tls {
        /// Host and port.
        authority: String,
        /// What was met there.
        reason: String,
    },
    /// It stood, and is gone.
    #[error("the connection to the server is gone: {0}")]
    Gone(String),
}

impl Signalling {
    /// Connects; takes at most about three times [`CONNECT_TIME`].
    pub fn connect(link: &RoomLink) -> Result<Self, SignallingError> {
        let authority = link.authority();
        let stream = connect_tcp(link).map_err(|reason| SignallingError::Unreachable {
            authority: authority.clone(),
            reason,
        })?;
        let handshake =
            |reason: String| SignallingError::Handshake { authority: authority.clone(), reason };
        let request =
            link.websocket_url().into_client_request().map_err(|e| handshake(e.to_string()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(SIGNAL_MESSAGE_BYTES_MAX))
            .max_frame_size(Some(SIGNAL_MESSAGE_BYTES_MAX));
        let connector = match link.scheme {
            Scheme::Http => Connector::Plain,
            Scheme::Https => Connector::Rustls(tls_config(&authority)?),
        };
        let (websocket, _) =
            tungstenite::client_tls_with_config(request, stream, Some(config), Some(connector))
                .map_err(|error| match error {
                    tungstenite::HandshakeError::Failure(error) => match tls_reason(&error) {
                        Some(reason) => {
                            SignallingError::Tls { authority: authority.clone(), reason }
                        }
                        None => handshake(error.to_string()),
                    },
                    tungstenite::HandshakeError::Interrupted(_) => {
                        handshake("it took too long".to_owned())
                    }
                })?;
        let mut signalling = Self { websocket };
        signalling
            .tcp()
            .set_read_timeout(Some(READ_TIME))
            .map_err(|error| SignallingError::Gone(error.to_string()))?;
        Ok(signalling)
    }

    /// From now on, [`Self::receive`] gives what is there and never waits, and neither does
    /// [`Self::send`]: what the other end does not take is sent with a later call of either.
    pub fn stop_waiting(&mut self) -> Result<(), SignallingError> {
        self.tcp().set_nonblocking(true).map_err(|error| SignallingError::Gone(error.to_string()))
    }

    /// Sends a message at once.
    pub fn send(&mut self, envelope: &ClientEnvelope) -> Result<(), SignallingError> {
        let text =
            serde_json::to_string(envelope).expect("messages have no maps and no failing parts");
        match self.websocket.send(Message::text(text)) {
            // It lies in the WebSocket's buffer.
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                Ok(())
            }
            sent => sent.map_err(|error| SignallingError::Gone(error.to_string())),
        }
    }

    /// The next message, if one comes within [`READ_TIME`]; one that this version does not know
    /// is skipped, as the protocol asks.
    pub fn receive(&mut self) -> Result<Received, SignallingError> {
        match self.websocket.read() {
            Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                Ok(envelope) => Ok(Received::Message(Box::new(envelope))),
                Err(error) => {
                    tracing::debug!(%error, "a message from the server is not understood");
                    Ok(Received::Life)
                }
            },
            Ok(Message::Close(frame)) => {
                let why = frame.map_or_else(|| "closed".to_owned(), |f| format!("closed, {f}"));
                Err(SignallingError::Gone(why))
            }
            Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {
                Ok(Received::Life)
            }
            Err(tungstenite::Error::Io(error))
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                Ok(Received::Nothing)
            }
            Err(error) => Err(SignallingError::Gone(error.to_string())),
        }
    }

    /// Says goodbye to the TCP connection; whatever comes of it.
    pub fn close(mut self) {
        // The other end may be gone already, which is as good.
        drop(self.websocket.close(None));
        drop(self.websocket.flush());
    }

    fn tcp(&mut self) -> &TcpStream {
        match self.websocket.get_ref() {
            MaybeTlsStream::Plain(stream) => stream,
            MaybeTlsStream::Rustls(stream) => stream.get_ref(),
            _ => unreachable!("only these two are built in"),
        }
    }
}

impl core::fmt::Debug for Signalling {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Signalling").finish_non_exhaustive()
    }
}

/// What [`Signalling::receive`] brought.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(Box<ServerEnvelope>),
    /// Something that shows that the server lives.
    Life,
    /// Nothing in time.
    Nothing,
}

fn connect_tcp(link: &RoomLink) -> io::Result<TcpStream> {
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for address in (link.host.as_str(), link.port).to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, CONNECT_TIME);
        if result.is_ok() {
            break;
        }
    }
    let stream = result?;
    stream.set_nodelay(true)?;
    // Covers the handshakes of TLS and WebSocket; a shorter one follows.
    stream.set_read_timeout(Some(CONNECT_TIME))?;
    stream.set_write_timeout(Some(CONNECT_TIME))?;
    Ok(stream)
}

fn tls_config(authority: &str) -> Result<Arc<rustls::ClientConfig>, SignallingError> {
    let refuse = |reason: String| SignallingError::Tls { authority: authority.to_owned(), reason };
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let text = "this machine has no certificates to trust; install `ca-certificates`";
        return Err(refuse(text.to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What TLS has against the other end, where it is TLS that has.
#[expect(clippy::wildcard_enum_match_arm, reason = "rustls has dozens of them, each with words")]
fn tls_reason(error: &tungstenite::Error) -> Option<String> {
    let tungstenite::Error::Io(error) = error else { return None };
    let reason = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match reason {
        rustls::Error::InvalidCertificate(reason) => {
            format!("its certificate is not trusted ({reason:?})")
        }
        rustls::Error::InvalidMessage(_) => "it does not speak TLS; is it http://?".to_owned(),
        other => other.to_string(),
    })
}

/// For TCP, and again for what comes after it.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// How long a musician's key press may wait for the session's thread.
const READ_TIME: Duration = Duration::from_millis(20);
