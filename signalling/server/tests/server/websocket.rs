//! Joining, talking, misbehaving and saying goodbye over a WebSocket.

use protocol::control::{Command, Event};
use protocol::rtp::Ssrc;
use protocol::signal::{ByeReason, ErrorCode, Participant, Presence, ServerMessage};
use signalling_server::limits::SFU_COMMANDS_MAX;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::app::{TestServer, config, error, join, joined};

fn participant(message: &ServerMessage) -> Option<Participant> {
    match message {
        ServerMessage::Participant { participant } => Some(participant.clone()),
        _ => None,
    }
}

fn connect(ticket: &str) -> String {
    let fingerprint = vec!["CD"; 32].join(":");
    let link = serde_json::json!(
        {"ice_ufrag": "abcd", "ice_pwd": "x".repeat(22), "fingerprint": fingerprint}
    );
    let description = serde_json::json!({"kind": "direct", "candidates": [], "link": link});
    serde_json::json!({"type": "connect", "ticket": ticket, "description": description}).to_string()
}

fn publish(ssrc: u32) -> String {
    let sources = serde_json::json!([{"codec": "opus", "ssrc": ssrc}]);
    serde_json::json!({"type": "publish", "label": "mic", "channels": 1, "codecs": ["opus"],
        "sources": sources})
    .to_string()
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

    ana.send(&connect(&ticket)).await;
    let opened = server.next_command().await;
    assert!(matches!(opened, Command::OpenLink { .. }));
    ana.send(&publish(7)).await;
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
    let refused = Event::CommandRefused { participant: id, command: Box::new(opened), text };
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
async fn pages_of_other_sites_may_not_join() {
    let origins = vec!["https://jam.example".into()];
    let config = signalling_server::Config { origins, ..config() };
    let server = TestServer::with_config(config, SFU_COMMANDS_MAX).await;
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
    assert!(with_origin("https://jam.example").await.is_ok(), "it is named");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_something_while_the_server_stops_is_told_too() {
    for _ in 0..20 {
        let mut server = TestServer::start().await;
        let mut apps = Vec::new();
        for number in 0..10 {
            let mut app = server.join("r", &format!("App {number}")).await;
            joined(&mut app).await;
            apps.push(tokio::spawn(async move {
                // As fast as is allowed: some of it comes when nobody listens any more.
                for _ in 0..40 {
                    if !app.try_send(r#"{"type":"ping"}"#).await {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                app.farewell().await
            }));
        }
        server.stop();
        for app in apps {
            let farewell = app.await.expect("no panic");
            assert_eq!(farewell, (Some(ByeReason::ServerClosing), Some(1001)));
        }
        assert!(server.ended().await.is_ok());
    }
}

#[tokio::test]
async fn while_the_sfu_is_busy_apps_wait_and_nothing_is_lost() {
    let mut server = TestServer::with_config(config(), 1).await;
    let mut ana = server.join("r", "Ana").await;
    let (_, _, ticket) = joined(&mut ana).await;
    ana.send(&connect(&ticket)).await;
    for ssrc in 1..10 {
        ana.send(&publish(ssrc)).await;
    }
    // More than the core's own queue holds: the apps are not read.
    let mut others = Vec::new();
    for number in 0..30 {
        let mut app = server.open().await;
        for _ in 0..40 {
            app.send(r#"{"type":"ping"}"#).await;
        }
        app.send(&join("s", &format!("App {number}"), None)).await;
        others.push(app);
    }
    assert!(matches!(server.next_command().await, Command::OpenLink { .. }));
    for ssrc in 1..10 {
        if 1 < ssrc {
            let removed = server.next_command().await;
            assert!(
                matches!(removed, Command::RemoveSource { ssrc: Ssrc(it), .. } if it == ssrc - 1)
            );
        }
        let added = server.next_command().await;
        assert!(matches!(added, Command::AddSource { ssrc: Ssrc(it), .. } if it == ssrc));
    }
    for app in &mut others {
        joined(app).await;
    }
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
    let config = signalling_server::Config { http: server.http, ..config() };
    let error = signalling_server::Server::bind(config).await.err().expect("in use").to_string();
    assert!(error.contains(&server.http.to_string()), "{error}");
}
