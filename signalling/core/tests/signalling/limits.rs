//! Every limit, reached.

use std::time::Duration;

use protocol::limits::{PARTICIPANT_TRACKS_MAX, ROOM_PARTICIPANTS_MAX};
use protocol::signal::{ByeReason, ClientMessage, EngineKind, ErrorCode, ServerMessage};
use signalling::limits::{CHAT_HISTORY_BYTES_MAX, CHAT_HISTORY_MESSAGES_MAX, Limits};

use crate::desk::{AUTO, Desk, link};
use crate::offers::OfferPlan;

fn join(desk: &mut Desk, room: &str) -> Option<ErrorCode> {
    desk.join_as(room, "Somebody", EngineKind::Native, &[], None).err()
}

#[test]
fn participants_of_a_room() {
    let mut desk = Desk::new();
    for _ in 0..ROOM_PARTICIPANTS_MAX {
        assert_eq!(join(&mut desk, "r"), None);
    }
    assert_eq!(join(&mut desk, "r"), Some(ErrorCode::RoomFull));
    assert_eq!(join(&mut desk, "another"), None);
}

#[test]
fn rooms() {
    let mut desk = Desk::with_limits(Limits { rooms_max: 2, ..Limits::default() });
    assert_eq!(join(&mut desk, "a"), None);
    assert_eq!(join(&mut desk, "b"), None);
    assert_eq!(join(&mut desk, "c"), Some(ErrorCode::ServerFull));
    assert_eq!(join(&mut desk, "a"), None);
}

#[test]
fn participants_of_the_server_kept_seats_included() {
    let mut desk = Desk::with_limits(Limits { participants_max: 2, ..Limits::default() });
    let ana = desk.join("a", "Ana");
    assert_eq!(join(&mut desk, "b"), None);
    desk.drop_connection(ana.connection);
    assert_eq!(join(&mut desk, "c"), Some(ErrorCode::ServerFull));
    let native = EngineKind::Native;
    assert!(desk.join_as("a", "Ana", native, &[], Some(&ana.seat)).is_ok(), "the seat is hers");
    desk.wait_alive(16);
    assert_eq!(join(&mut desk, "c"), Some(ErrorCode::ServerFull));
}

#[test]
fn connections() {
    let mut desk = Desk::with_limits(Limits { connections_max: 2, ..Limits::default() });
    let first = desk.open();
    desk.open();
    let third = desk.open();
    assert_eq!(desk.errors(third), [ErrorCode::ServerFull]);
    assert_eq!(desk.closed.get(&third), Some(&4004));
    desk.drop_connection(first);
    let fourth = desk.open();
    assert!(!desk.closed.contains_key(&fourth));
}

#[test]
fn messages_a_second() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.wait(Duration::from_secs(5));
    desk.received(ana.connection);
    let ping = r#"{"type":"ping"}"#;
    for _ in 0..60 {
        desk.send_text(ana.connection, ping);
    }
    assert_eq!(desk.errors(ana.connection), []);
    desk.send_text(ana.connection, ping);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast]);
    desk.wait(Duration::from_millis(60));
    desk.send_text(ana.connection, ping);
    assert_eq!(desk.errors(ana.connection), [], "a little later it is fine");
    for _ in 0..100 {
        desk.send_text(ana.connection, ping);
    }
    assert_eq!(desk.closed.get(&ana.connection), Some(&ByeReason::Misbehaved.close_code()));
}

#[test]
fn chat_messages_a_second() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    let chat = r#"{"type":"chat","text":"la"}"#;
    for _ in 0..11 {
        desk.send_text(ana.connection, chat);
    }
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast]);
}

#[test]
fn malformed_messages() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    for _ in 0..10 {
        desk.send_text(ana.connection, "{");
    }
    assert_eq!(desk.errors(ana.connection), [ErrorCode::Malformed; 10]);
    assert!(desk.closed.is_empty());
    desk.wait(Duration::from_secs(11));
    desk.send_text(ana.connection, "{");
    assert!(desk.closed.is_empty(), "one is forgiven");
    desk.send_text(ana.connection, "{");
    assert_eq!(desk.closed.get(&ana.connection), Some(&4002));
}

#[test]
fn new_links() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    for number in 0..10 {
        desk.connect_direct(&ana, &link(number));
    }
    assert_eq!(desk.errors(ana.connection), []);
    desk.connect_direct(&ana, &link(10));
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast]);
    let restart = protocol::signal::LinkParameters { ice_ufrag: "other".into(), ..link(9) };
    desk.connect_direct(&ana, &restart);
    assert_eq!(desk.errors(ana.connection), [], "a restart is no new link");
}

#[test]
fn tracks() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    for number in 0..PARTICIPANT_TRACKS_MAX {
        let ssrc = 10 * (u32::try_from(number).expect("few") + 1);
        assert!(desk.publish(&ana, &format!("track {number}"), AUTO, AUTO, ssrc).is_some());
    }
    desk.received(ana.connection);
    desk.publish(&ana, "one more", AUTO, AUTO, 1000);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooMany]);
    desk.publish(&ana, "track 0", AUTO, AUTO, 2000);
    assert_eq!(desk.errors(ana.connection), []);
}

#[test]
fn m_lines() {
    let mut desk = Desk::new();
    let page = desk.join_as("r", "Page", EngineKind::Standard, &[], None).expect("let in");
    assert_eq!(desk.connect_sdp(&page, &OfferPlan { slots: 200, ..OfferPlan::default() }), None);
    assert_eq!(desk.errors(page.connection), [ErrorCode::TooMany]);
    let most = OfferPlan { slots: 126, ..OfferPlan::default() };
    assert!(desk.connect_sdp(&page, &most).is_some());
}

#[test]
fn chat_history() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    let newest = |desk: &mut Desk| {
        let late = desk.join("r", "Late");
        let joined = desk.received(late.connection).remove(0).message;
        desk.send(late.connection, ClientMessage::Leave {});
        let ServerMessage::Joined { chat, .. } = joined else { panic!("{joined:?}") };
        chat
    };
    for number in 0..CHAT_HISTORY_MESSAGES_MAX + 5 {
        desk.wait(Duration::from_millis(500));
        desk.send(ana.connection, ClientMessage::Chat { text: format!("{number}") });
    }
    let chat = newest(&mut desk);
    assert_eq!(chat.len(), CHAT_HISTORY_MESSAGES_MAX);
    assert_eq!(chat[0].text, "5");
    for _ in 0..40 {
        desk.wait(Duration::from_millis(500));
        desk.send(ana.connection, ClientMessage::Chat { text: "é".repeat(2000) });
    }
    let chat = newest(&mut desk);
    assert!(chat.iter().map(|message| message.text.len()).sum::<usize>() <= CHAT_HISTORY_BYTES_MAX);
    assert_eq!(chat.len(), 16, "of 4,000 bytes each");
}

#[test]
fn what_a_subscriber_receives_is_bounded_however_often_tracks_change() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.connect(&ana);
    let ben = desk.join("r", "Ben");
    desk.connect(&ben);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        desk.wait_alive(1);
        let track = desk.publish(&ben, "mic", AUTO, AUTO, 10).expect("published");
        seen.extend(desk.sfu.links[&ana.id].streams.keys().copied());
        desk.send(ben.connection, ClientMessage::Unpublish { track });
    }
    assert_eq!(seen.len(), protocol::limits::SUBSCRIBER_STREAMS_MAX);
}
