//! A program that speaks to a `vjam serve` of a test over its WebSockets.

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

use crate::serving::Serve;

/// An app at the WebSocket of rooms.
pub(crate) struct App(WebSocket<MaybeTlsStream<std::net::TcpStream>>);

impl App {
    pub(crate) fn open(serve: &Serve) -> Self {
        let url = format!("{}/api/v1/ws", serve.url.replacen("http", "ws", 1));
        Self(connect(url).expect("a WebSocket").0)
    }

    pub(crate) fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).expect("open");
    }

    pub(crate) fn join(&mut self, name: &str, pass: Option<&str>) {
        let capabilities = json!({ "engine": "native", "decodes": [] });
        let mut join = json!({ "type": "join", "version": 1, "room": "attic", "name": name });
        join["capabilities"] = capabilities;
        if let Some(pass) = pass {
            join["pass"] = json!(pass);
        }
        self.say(&join);
    }

    /// The next message of a type.
    pub(crate) fn find(&mut self, kind: &str) -> Value {
        loop {
            let Message::Text(text) = self.0.read().expect("open") else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["type"] == kind {
                return message;
            }
            assert_ne!(message["type"], "bye", "before a {kind}");
        }
    }
}
