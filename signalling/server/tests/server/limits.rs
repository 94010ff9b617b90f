//! What is bounded here, reached. Where a limit is a time, time is virtual and jumps.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use protocol::id::RoomId;
use protocol::limits::SIGNAL_MESSAGE_BYTES_MAX;
use protocol::signal::{ByeReason, ErrorCode, Presence, ServerMessage};
use signalling::limits::{JOIN_DEADLINE, Limits};
use signalling::{Admission, RoomNews, TakeEvent};
use signalling_server::limits::{
    ADMISSION_WAIT_MAX, CLOSE_PATIENCE, PING_INTERVAL, QUIET_MAX, SFU_COMMANDS_MAX,
};
use signalling_server::{Config, Doorkeeper, TakeKeeper, rooms};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::app::{PATIENCE, Received, TestServer, config, error, join, joined};

/// A WebSocket over a socket of one's own.
async fn open_over(server: &TestServer, stream: TcpStream) -> WebSocketStream<TcpStream> {
    let url = format!("ws://{}/api/v1/ws", server.http);
    client_async(url, stream).await.expect("a WebSocket").0
}

/// What comes until the server hangs up.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // However it ends: what came counts.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it hangs up");
    String::from_utf8_lossy(&answer).into_owned()
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
async fn a_message_without_end_is_not_waited_for() {
    let server = TestServer::start().await;
    let stream = TcpStream::connect(server.http).await.expect("it listens");
    let mut socket = open_over(&server, stream).await;
    // The header of a text frame of 13 MB (RFC 6455 §5.2), and the first few bytes.
    let mut frame = vec![0x81, 0x80 | 127];
    frame.extend(13_000_000_u64.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(b"{\"type\":");
    socket.get_mut().write_all(&frame).await.expect("open");
    let answer = read_to_end(socket.get_mut()).await;
    assert!(answer.contains("too_large") && answer.contains("refused"), "{answer}");
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
async fn pings_without_end_end_the_connection() {
    let server = TestServer::start().await;
    let mut eve = server.join("r", "Eve").await;
    joined(&mut eve).await;
    for _ in 0..200 {
        if eve.socket.send(Message::Ping(Vec::new().into())).await.is_err() {
            break;
        }
    }
    assert_eq!(eve.find(error).await, ErrorCode::TooFast);
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
    let stream = TcpStream::from_std(socket.into()).expect("a stream");
    let mut slow = open_over(&server, stream).await;
    slow.send(Message::text(join("r", "Slow", None))).await.expect("open");

    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let slow_is_away = ana.find(|message| match message {
        ServerMessage::Participant { participant } => {
            (participant.name == "Slow" && participant.presence == Presence::Away).then_some(())
        }
        _ => None,
    });
    // Whoever talks reads, too; ever new ones talk, since each may only say so much at once.
    let talking = async {
        let text = "\u{1f3b5}".repeat(2000);
        let chat = serde_json::json!({"type": "chat", "text": text}).to_string();
        // 80 kB each: many times what may wait, here and in the system.
        for _ in 0..1000 {
            let mut talker = server.join("r", "Talker").await;
            for _ in 0..10 {
                talker.send(&chat).await;
            }
            talker.send(r#"{"type":"leave"}"#).await;
            assert_eq!(talker.farewell().await.0, Some(ByeReason::Left));
        }
        panic!("80 MB wait for an app that does not read");
    };
    // It lives: silence is not what ends it.
    let living = async {
        let mut beats = interval(Duration::from_secs(2));
        loop {
            beats.tick().await;
            slow.send(Message::Ping(Vec::new().into())).await.expect("open");
        }
    };
    tokio::select! {
        () = slow_is_away => {}
        () = talking => {}
        () = living => {}
    }
    // What was written before comes first; the rest of the queue does not.
    let code = loop {
        match timeout(PATIENCE, slow.next()).await.expect("in time") {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break None,
        }
    };
    assert_eq!(code, Some(4005));
}

#[tokio::test(start_paused = true)]
async fn a_websocket_is_pinged() {
    let server = TestServer::start().await;
    let mut ana = server.join("r", "Ana").await;
    joined(&mut ana).await;
    let mut pings = Vec::new();
    while pings.len() < 5 {
        let message = timeout(PATIENCE, ana.socket.next()).await.expect("in time");
        if let Message::Ping(_) = message.expect("open").expect("open") {
            pings.push(Instant::now());
        }
    }
    // The first of them may have waited until `joined` was looked for.
    for pair in pings[1..].windows(2) {
        assert_eq!((pair[1] - pair[0]).as_secs(), PING_INTERVAL.as_secs());
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_nothing_is_hung_up_on_even_if_bytes_trickle_in() {
    let server = TestServer::start().await;
    for request in ["", "GET / HTTP/1.1\r\nHost: a\r\nA-header-without-end: "] {
        let start = Instant::now();
        let mut stream = TcpStream::connect(server.http).await.expect("it listens");
        stream.write_all(request.as_bytes()).await.expect("open");
        let (mut reader, mut writer) = stream.split();
        let trickling = async {
            let mut beats = interval(QUIET_MAX / 5);
            loop {
                beats.tick().await;
                if !request.is_empty() && writer.write_all(b"x").await.is_err() {
                    core::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            _ = reader.read_to_end(&mut answer) => {}
            () = trickling => {}
        }
        assert_eq!(start.elapsed().as_secs(), QUIET_MAX.as_secs(), "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_the_farewell_is_cut_off() {
    let server = TestServer::start().await;
    let stream = TcpStream::connect(server.http).await.expect("it listens");
    let mut socket = open_over(&server, stream).await;
    socket.send(Message::text(join("r", "Eve", None))).await.expect("open");
    socket.send(Message::text(r#"{"type":"leave"}"#)).await.expect("open");
    let start = Instant::now();
    // Not as a WebSocket: the close frame is read and not answered.
    let answer = read_to_end(socket.get_mut()).await;
    assert!(answer.contains("bye"), "{answer}");
    assert_eq!(start.elapsed().as_secs(), CLOSE_PATIENCE.as_secs());
}

/// Never finds out who may come in.
struct Asleep;

impl Doorkeeper for Asleep {
    fn admit(
        &self,
        _room: RoomId,
        _pass: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Admission> + Send + '_>> {
        Box::pin(core::future::pending())
    }

    fn tell_elsewhere(&self, _room: RoomId, _news: RoomNews) {}
}

#[tokio::test(start_paused = true)]
async fn a_join_waits_so_long_for_whoever_knows_the_room_and_no_longer() {
    let (_rooms, errands) = rooms();
    let asleep: Arc<dyn Doorkeeper> = Arc::new(Asleep);
    let config = Config { rooms: Some((asleep, errands)), ..config() };
    let server = TestServer::with_config(config, SFU_COMMANDS_MAX).await;
    let start = Instant::now();
    let mut ana = server.join("r", "Ana").await;
    assert_eq!(ana.find(error).await, ErrorCode::TryAgain);
    let waited = start.elapsed();
    assert!((ADMISSION_WAIT_MAX..JOIN_DEADLINE).contains(&waited), "{waited:?}");
}

/// Keeps takes, but for one room's.
struct AllButOne;

impl TakeKeeper for AllButOne {
    fn admit(&self, room: Option<&RoomId>) -> Result<(), String> {
        let is_full = room.is_some_and(|room| room.to_string() == "full");
        if is_full { Err("this room has 50 takes already".to_owned()) } else { Ok(()) }
    }

    fn handle(&self, _: TakeEvent) {}
}

#[tokio::test]
async fn a_room_that_may_have_no_more_takes_hears_so_before_one_begins() {
    let config = Config { takes: Some(Arc::new(AllButOne)), ..config() };
    let server = TestServer::with_config(config, SFU_COMMANDS_MAX).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
    let start = serde_json::json!({
        "type": "start_take", "title": "", "start_us": i64::try_from(now.as_micros()).expect("small"),
    });
    for (room, begins) in [("full", false), ("other", true)] {
        let mut ana = server.join(room, "Ana").await;
        joined(&mut ana).await;
        ana.send(&start.to_string()).await;
        let answer = ana.find(|message| match message {
            ServerMessage::Error { text, .. } => Some(Err(text.clone())),
            ServerMessage::Room { state } if !state.takes.is_empty() => Some(Ok(())),
            _ => None,
        });
        match answer.await {
            Ok(()) => assert!(begins, "{room}"),
            Err(text) => assert!(!begins && text.contains("50 takes"), "{room}: {text}"),
        }
    }
}
