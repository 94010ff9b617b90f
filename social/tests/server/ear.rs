//! A client of the live connection, over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::world::Person;

/// Serves routes on a port of their own.
pub(crate) async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has one");
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    address
}

/// An open connection.
pub(crate) struct Ear(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Ear {
    /// Opens one, and has said yet nothing.
    pub(crate) async fn open(at: SocketAddr, person: &Person) -> Self {
        let bearer = format!("Bearer {}", person.token.clone().expect("signed in"));
        let opened = Self::with(at, &[("authorization", &bearer)]).await;
        let mut ear = opened.expect("it opens");
        assert_eq!(ear.next().await, json!({ "type": "ready" }));
        ear
    }

    /// Opens one, and says what is known.
    pub(crate) async fn resumed(at: SocketAddr, person: &Person, chats: Value) -> Self {
        let mut ear = Self::open(at, person).await;
        ear.say(json!({ "type": "resume", "chats": chats })).await;
        ear
    }

    /// The same, and everything that was missed.
    pub(crate) async fn caught_up(at: SocketAddr, person: &Person) -> Self {
        let mut ear = Self::resumed(at, person, json!({})).await;
        assert_eq!(ear.next().await, json!({ "type": "resumed" }));
        ear
    }

    /// Opens one with these headers; the status where it does not open.
    pub(crate) async fn with(at: SocketAddr, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let url = format!("ws://{at}/api/v1/social/live");
        let mut request = url.into_client_request().expect("a request");
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn say(&mut self, what: Value) {
        self.0.send(Message::text(what.to_string())).await.expect("it is there");
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Value {
        let frame = self.frame().await;
        let Message::Text(text) = frame else { panic!("{frame:?}") };
        serde_json::from_str(&text).expect("JSON")
    }

    /// What comes next of a kind, whatever comes before.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The code that the server closes it with.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            let frame = self.frame().await;
            if let Message::Close(reason) = frame {
                return reason.expect("a code").code.into();
            }
            assert!(frame.is_text(), "{frame:?}");
        }
    }

    async fn frame(&mut self) -> Message {
        loop {
            let next = timeout(Duration::from_secs(20), self.0.next()).await.expect("in time");
            let frame = next.expect("it is open").expect("a frame");
            if !frame.is_ping() && !frame.is_pong() {
                return frame;
            }
        }
    }
}
