//! Joining, talking, misbehaving and saying goodbye over a WebSocket.

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::control::{Command, Event};
use protocol::id::ParticipantId;
use protocol::limits::SIGNAL_MESSAGE_BYTES_MAX;
use protocol::signal::{ByeReason, ErrorCode, Participant, Presence, ServerMessage};
use signalling::limits::Limits;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{client_async, connect_async};

use crate::app::{App, Received, TestServer, join};

fn participant(message: &ServerMessage) -> Option<Participant> {
    match message {
        ServerMessage::Participant { participant } => Some(participant.clone()),
        _ => None,
    }
}

fn error(message: &ServerMessage) -> Option<ErrorCode> {
    match message {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    }
}

/// The id, the seat and the ticket of an app that has just joined.
async fn joined(app: &mut App) -> (ParticipantId, String, String) {
    app.find(|message| match message {
        ServerMessage::Joined { participant, seat, ticket, .. } => {
            Some((*participant, seat.clone(), ticket.clone()))
        }
        _ => None,
    })
    .await
}

#[tokio::test]
async fn two_apps_meet_talk_and_mute() {
    let mut server = TestServer::start().await;
    let mut ana = server.join("r", "Ana").await;
    let (id, _, ticket) = joined(&mut ana).await;
    let mut ben = server.join("r", "Ben").await;
    joined(&mut ben).await;
    let is_ben = |m: &ServerMessage| participant(m).filter(|participant| participant.name == "Ben");
    ana.find(is_ben).await;

    let fingerprint = vec!["CD"; 32].join(":");
    let connect = serde_json::json!({"type": "connect", "ticket": ticket, "description": {
        "kind": "direct", "candidates": [],
        "link": {"ice_ufrag": "abcd", "ice_pwd": "x".repeat(22), "fingerprint": fingerprint},
    }});
    ana.send(&connect.to_string()).await;
    assert!(matches!(server.next_command().await, Command::OpenLink { .. }));
    let publish = serde_json::json!({"type": "publish", "label": "mic", "channels": 1,
        "codecs": ["opus"], "sources": [{"codec": "opus", "ssrc": 7}]});
    ana.send(&publish.to_string()).await;
    assert!(matches!(server.next_command().await, Command::AddSource { .. }));
    let has_track = |m: &ServerMessage| participant(m).filter(|p| p.id == id)?.tracks.pop();
    let track = ben.find(has_track).await;
    ana.send(&format!(r#"{{"type":"mute","track":{},"muted":true}}"#, track.id.0)).await;
    ben.find(|m| has_track(m).filter(|track| track.muted)).await;
    assert!(matches!(server.next_command().await, Command::SetMuted { muted: true, .. }));

    ben.send(r#"{"type":"chat","text":"one two"}"#).await;
    let text = ana
        .find(|message| match message {
            ServerMessage::Chat { message } => Some(message.text.clone()),
            _ => None,
        })
        .await;
    assert_eq!(text, "one two");

    let text = "no more links".to_owned();
    let refused = Event::CommandRefused { participant: id, text };
    server.events.send(refused).await.expect("the server runs");
    assert_eq!(ana.find(error).await, ErrorCode::MediaRefused);
    ana.send(r#"{"type":"leave"}"#).await;
    assert_eq!(ana.farewell().await, (Some(ByeReason::Left), Some(1000)));
}

#[tokio::test]
async fn a_dropped_app_comes_back_into_its_seat() {
    let server = TestServer::start().await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let mut ben = server.join("r", "Ben").await;
    let (id, seat, _) = joined(&mut ben).await;
    drop(ben);
    let presence = |m: &ServerMessage| participant(m).filter(|p| p.id == id).map(|p| p.presence);
    while ana.find(presence).await != Presence::Away {}
    let mut ben = server.open().await;
    ben.send(&join("r", "Ben", Some(&seat))).await;
    assert_eq!(joined(&mut ben).await.0, id);
    while ana.find(presence).await != Presence::Online {}
}

#[tokio::test]
async fn an_oversized_message_is_refused_and_ends_the_connection() {
    let server = TestServer::start().await;
    let mut app = server.join("r", "Eve").await;
    joined(&mut app).await;
    app.send(&"x".repeat(SIGNAL_MESSAGE_BYTES_MAX + 1)).await;
    assert_eq!(app.find(error).await, ErrorCode::TooLarge);
    assert_eq!(app.farewell().await, (Some(ByeReason::Refused), Some(4004)));
}

#[tokio::test]
async fn a_message_without_end_is_not_read_to_its_end() {
    let server = TestServer::start().await;
    let mut app = server.join("r", "Eve").await;
    joined(&mut app).await;
    // The server may hang up before it was given all of it; its farewell is then lost.
    let _ = app.socket.send(Message::text("x".repeat(100 * SIGNAL_MESSAGE_BYTES_MAX))).await;
    app.farewell().await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
}

#[tokio::test]
async fn binary_frames_are_malformed_and_too_many_end_the_connection() {
    let server = TestServer::start().await;
    let mut eve = server.join("r", "Eve").await;
    joined(&mut eve).await;
    for _ in 0..11 {
        eve.socket.send(Message::binary(vec![1, 2, 3])).await.expect("open");
    }
    assert_eq!(eve.find(error).await, ErrorCode::Malformed);
    assert_eq!(eve.farewell().await, (Some(ByeReason::Misbehaved), Some(4002)));
}

#[tokio::test]
async fn connections_are_limited() {
    let server = TestServer::with_limits(Limits { connections_max: 1, ..Limits::default() }).await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let mut ben = server.open().await;
    assert_eq!(ben.find(error).await, ErrorCode::ServerFull);
    assert_eq!(ben.farewell().await, (Some(ByeReason::Refused), Some(4004)));
    ana.socket.close(None).await.expect("open");
    while ana.socket.next().await.is_some() {}
    // The place is free as soon as the server has noticed.
    loop {
        let mut ben = server.join("r", "Ben").await;
        match ben.next().await {
            Received::Message(envelope) => {
                if matches!(envelope.message, ServerMessage::Joined { .. }) {
                    break;
                }
            }
            Received::Closed(_) => {}
        }
    }
}

#[tokio::test]
async fn an_app_that_does_not_read_is_cut_off_and_others_go_on() {
    let server = TestServer::start().await;
    // A small receive buffer, so that the system does not hide the slowness.
    let address = socket2::SockAddr::from(server.http);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.expect("a socket");
    socket.set_recv_buffer_size(4096).expect("set");
    socket.connect(&address).expect("it listens");
    socket.set_nonblocking(true).expect("set");
    let stream = tokio::net::TcpStream::from_std(socket.into()).expect("a stream");
    let url = format!("ws://{}/api/v1/ws", server.http);
    let (mut slow, _) = client_async(url, stream).await.expect("a WebSocket");
    slow.send(Message::text(join("r", "Slow", None))).await.expect("open");

    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let slow_is_away = ana.find(|message| {
        participant(message).filter(|p| p.name == "Slow" && p.presence == Presence::Away)
    });
    // Whoever talks reads, too; ever new ones talk, since each may only say so much at once.
    let talking = async {
        let text = "\u{1f3b5}".repeat(2000);
        let chat = serde_json::json!({"type": "chat", "text": text}).to_string();
        loop {
            let mut talker = server.join("r", "Talker").await;
            for _ in 0..10 {
                talker.send(&chat).await;
            }
            talker.send(r#"{"type":"leave"}"#).await;
            assert_eq!(talker.farewell().await.0, Some(ByeReason::Left));
        }
    };
    tokio::select! {
        _ = slow_is_away => {}
        () = talking => {}
    }
}

#[tokio::test]
async fn pages_of_other_sites_may_not_join() {
    let server = TestServer::start().await;
    let url = format!("ws://{}/api/v1/ws", server.http);
    let with_origin = |origin: &str| {
        let mut request = url.as_str().into_client_request().expect("a request");
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
        connect_async(request)
    };
    let refused = with_origin("https://elsewhere.example").await.expect_err("refused");
    assert!(matches!(refused, Error::Http(answer) if answer.status() == 403));
    let own = format!("http://{}", server.http);
    assert!(with_origin(&own).await.is_ok());
}

#[tokio::test]
async fn when_the_server_stops_everybody_is_told() {
    let mut server = TestServer::start().await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let mut waiting = server.open().await;
    waiting.send(r#"{"type":"ping"}"#).await;
    waiting.next().await;
    server.stop();
    for app in [&mut ana, &mut waiting] {
        assert_eq!(app.farewell().await, (Some(ByeReason::ServerClosing), Some(1001)));
    }
    assert!(server.ended().await.is_ok());
}

#[tokio::test]
async fn without_its_sfu_the_server_ends_and_says_so() {
    let server = TestServer::start().await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let ended = server.ended().await;
    assert!(matches!(ended, Err(signalling_server::ServeError::SfuGone)));
    assert_eq!(ana.farewell().await, (Some(ByeReason::ServerClosing), Some(1001)));
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let server = TestServer::start().await;
    let config = signalling_server::Config {
        http: server.http,
        limits: Limits::default(),
        ticket_key: signalling::TicketKey::new([1; 32]),
        seed: [2; 32],
        assets: std::sync::Arc::new(|_| None),
        version: "1",
    };
    let error = signalling_server::Server::bind(config).await.err().expect("in use").to_string();
    assert!(error.contains(&server.http.to_string()), "{error}");
}
