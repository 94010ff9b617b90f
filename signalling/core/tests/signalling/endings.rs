//! How connections end.

use std::time::Duration;

use protocol::signal::{
    ByeReason, Capabilities, ClientMessage, EngineKind, ErrorCode, ServerMessage,
};
use signalling::Unreadable;

use crate::desk::Desk;

fn byes(desk: &mut Desk, connection: signalling::ConnectionId) -> Vec<ByeReason> {
    desk.find(connection, |message| match message {
        ServerMessage::Bye { reason, .. } => Some(reason),
        _ => None,
    })
}

#[test]
fn who_does_not_join_in_ten_seconds_is_sent_away() {
    let mut desk = Desk::new();
    let connection = desk.open();
    desk.wait_alive(9);
    assert!(desk.closed.is_empty());
    desk.wait(Duration::from_secs(2));
    assert_eq!(byes(&mut desk, connection), [ByeReason::TimedOut]);
    assert_eq!(desk.closed.get(&connection), Some(&4003));
}

#[test]
fn who_is_silent_for_thirty_seconds_is_away() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    desk.wait_alive(100);
    assert!(desk.closed.is_empty(), "pings are answered");
    desk.wait(Duration::from_secs(31));
    assert_eq!(desk.closed.get(&ana.connection), Some(&4003));
    assert!(desk.sfu.links.contains_key(&ana.id), "the seat is kept");
    desk.wait(Duration::from_secs(16));
    assert!(desk.sfu.links.is_empty());
}

#[test]
fn another_version_is_refused_and_the_connection_ends() {
    let mut desk = Desk::new();
    let connection = desk.open();
    let room = protocol::id::RoomId::parse("r").expect("a room's name");
    let capabilities = Capabilities { engine: EngineKind::Native, decodes: vec![] };
    let name = "Ana".into();
    let join = ClientMessage::Join { version: 2, room, name, capabilities, seat: None, pass: None };
    desk.send(connection, join);
    let received = desk.received(connection);
    let [error, bye] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(error.request, Some(9));
    assert!(matches!(error.message, ServerMessage::Error { code: ErrorCode::Version, .. }));
    assert!(matches!(bye.message, ServerMessage::Bye { reason: ByeReason::Refused, .. }));
    assert_eq!(desk.closed.get(&connection), Some(&4004));
}

#[test]
fn an_oversized_message_ends_the_connection() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    let text = " ".repeat(protocol::limits::SIGNAL_MESSAGE_BYTES_MAX + 1);
    desk.send_text(ana.connection, &text);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooLarge]);
    assert_eq!(desk.closed.get(&ana.connection), Some(&4004));
    let ben = desk.join("r", "Ben");
    desk.core.handle_unreadable(desk.now, ben.connection, Unreadable::TooLarge);
    desk.drain();
    assert_eq!(desk.closed.get(&ben.connection), Some(&4004));
}

#[test]
fn requests_out_of_order_are_refused() {
    let mut desk = Desk::new();
    let connection = desk.open();
    desk.send(connection, ClientMessage::Chat { text: "hi".into() });
    assert_eq!(desk.errors(connection), [ErrorCode::OutOfOrder]);
    let native = EngineKind::Native;
    desk.join_on(connection, "r", "Ana", native, &[], None).expect("let in");
    desk.received(connection);
    let second = desk.join_on(connection, "r", "Ana", native, &[], None);
    assert_eq!(second.err(), Some(ErrorCode::OutOfOrder));
    desk.send(connection, ClientMessage::Ping {});
    let pong = desk.received(connection).pop().expect("an answer");
    assert_eq!((pong.request, pong.message), (Some(9), ServerMessage::Pong {}));
}

#[test]
fn bad_names_and_texts_are_refused() {
    let mut desk = Desk::new();
    let connection = desk.open();
    let native = EngineKind::Native;
    for name in ["", "   ", "a\u{7}", &"x".repeat(49)] {
        let refused = desk.join_on(connection, "r", name, native, &[], None);
        assert_eq!(refused.err(), Some(ErrorCode::BadName));
        desk.received(connection);
    }
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    for text in ["", "\u{0}", &"x".repeat(2001)] {
        desk.send(ana.connection, ClientMessage::Chat { text: text.into() });
        assert_eq!(desk.errors(ana.connection), [ErrorCode::BadText]);
    }
}

#[test]
fn when_the_server_closes_everybody_is_told_and_every_link_closed() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("s", "Ben");
    let waiting = desk.open();
    desk.core.handle_closing();
    desk.drain();
    for connection in [ana.connection, ben.connection, waiting] {
        assert_eq!(byes(&mut desk, connection), [ByeReason::ServerClosing]);
        assert_eq!(desk.closed.get(&connection), Some(&1001));
    }
    assert!(desk.sfu.links.is_empty());
    assert_eq!(desk.core.poll_timeout(), None);
    desk.send(ana.connection, ClientMessage::Ping {});
    assert_eq!(desk.received(ana.connection), []);
}
