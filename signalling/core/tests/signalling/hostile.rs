//! Messages that no honest app would send: a clear error, never a panic, and no harm to others.

use protocol::signal::{ErrorCode, ServerMessage};
use signalling::Unreadable;

use crate::desk::Desk;

/// Sends text on a fresh connection that has joined; gives the codes of the errors.
fn answers(text: &str) -> Vec<ErrorCode> {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let eve = desk.join("r", "Eve");
    desk.received(eve.connection);
    desk.send_text(eve.connection, text);
    let errors = desk.errors(eve.connection);
    assert!(!desk.closed.contains_key(&ana.connection));
    assert!(desk.sfu.links.contains_key(&ana.id), "others are not harmed");
    errors
}

#[test]
fn malformed_messages_are_refused() {
    let nested = format!("{{\"type\":\"chat\",\"text\":{}", "[".repeat(100_000));
    let nested_objects = "{\"a\":".repeat(20_000);
    for text in [
        "",
        " ",
        "null",
        "[]",
        "42",
        "\"ping\"",
        "{}",
        "{\"type\":\"ping\"",
        "{\"type\":null}",
        "{\"type\":77}",
        "{\"type\":\"fly\"}",
        "{\"type\":\"chat\"}",
        "{\"type\":\"chat\",\"text\":7}",
        "{\"type\":\"chat\",\"text\":null}",
        "{\"type\":\"mute\",\"track\":-1,\"muted\":true}",
        "{\"type\":\"mute\",\"track\":1e400,\"muted\":true}",
        "{\"type\":\"mute\",\"track\":4294967296,\"muted\":true}",
        "{\"type\":\"mute\",\"track\":1.5,\"muted\":true}",
        "{\"type\":\"mute\",\"track\":1,\"muted\":\"yes\"}",
        "{\"type\":\"ping\",\"request\":-1}",
        "{\"type\":\"ping\",\"request\":99999999999999999999999999}",
        "{\"type\":\"ping\",\"request\":\"1\"}",
        "{\"type\":\"publish\",\"label\":\"a\",\"channels\":300,\"codecs\":[],\"sources\":[]}",
        "{\"type\":\"publish\",\"label\":\"a\",\"channels\":1,\"codecs\":[\"mp3\"],\"sources\":[]}",
        "{\"type\":\"connect\",\"ticket\":\"t\",\"description\":{\"kind\":\"pigeon\"}}",
        "{\"type\":\"chat\",\"text\":\"\\ud800\"}",
        "{\"type\":\"ping\"}{\"type\":\"ping\"}",
        nested.as_str(),
        nested_objects.as_str(),
    ] {
        let shown: String = text.chars().take(80).collect();
        assert_eq!(answers(text), [ErrorCode::Malformed], "{shown}");
    }
}

#[test]
fn an_error_repeats_the_request_where_it_can_be_read() {
    let mut desk = Desk::new();
    let eve = desk.join("r", "Eve");
    desk.received(eve.connection);
    desk.send_text(eve.connection, "{\"request\":41,\"type\":\"fly\"}");
    let [error] = desk.received(eve.connection).try_into().expect("one answer");
    assert_eq!(error.request, Some(41));
}

#[test]
fn the_text_of_an_error_is_short_even_where_it_quotes() {
    let mut desk = Desk::new();
    let eve = desk.join("r", "Eve");
    desk.received(eve.connection);
    desk.send_text(eve.connection, &format!("{{\"type\":\"{}\"}}", "x".repeat(100_000)));
    let [error] = desk.received(eve.connection).try_into().expect("one answer");
    let ServerMessage::Error { text, .. } = error.message else { panic!("{error:?}") };
    assert!(text.chars().count() <= 300);
}

#[test]
fn unknown_fields_are_ignored() {
    assert_eq!(answers("{\"type\":\"ping\",\"colour\":{\"deep\":[1,2,{}]}}"), []);
}

#[test]
fn rooms_that_cannot_be_are_malformed() {
    for room in ["", "a b", "../etc", &"x".repeat(65), "é"] {
        let mut desk = Desk::new();
        let connection = desk.open();
        let join = serde_json::json!({
            "type": "join", "version": 1, "room": room, "name": "Eve",
            "capabilities": {"engine": "native", "decodes": []},
        });
        desk.send_text(connection, &join.to_string());
        assert_eq!(desk.errors(connection), [ErrorCode::Malformed], "{room}");
    }
}

#[test]
fn binary_frames_and_unknown_connections_are_harmless() {
    let mut desk = Desk::new();
    let eve = desk.join("r", "Eve");
    desk.received(eve.connection);
    desk.core.handle_unreadable(desk.now, eve.connection, Unreadable::Binary);
    desk.drain();
    assert_eq!(desk.errors(eve.connection), [ErrorCode::Malformed]);
    let nobody = signalling::ConnectionId(999);
    desk.core.handle_unreadable(desk.now, nobody, Unreadable::TooLarge);
    desk.core.handle_message(desk.now, nobody, "{\"type\":\"leave\"}");
    desk.core.handle_alive(desk.now, nobody);
    desk.core.handle_disconnected(desk.now, nobody);
    desk.drain();
    assert_eq!(desk.received(nobody), []);
}
