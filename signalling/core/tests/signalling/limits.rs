//! Every limit, reached.

use std::time::Duration;

use protocol::control::Event;
use protocol::id::WorkerId;
use protocol::limits::{PARTICIPANT_TRACKS_MAX, ROOM_PARTICIPANTS_MAX, SUBSCRIBER_STREAMS_MAX};
use protocol::signal::{
    ByeReason, ClientMessage, Description, EngineKind, ErrorCode, ServerMessage,
};
use signalling::limits::{
    CHAT_HISTORY_BYTES_MAX, CHAT_HISTORY_MESSAGES_MAX, LINK_SLOTS_EVER_MAX, Limits,
    ROOM_PACKETS_PER_SECOND_MIN,
};
use signalling::{AddressBlock, Unreadable};

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
fn participants_of_one_address_kept_seats_included() {
    let mut desk = Desk::with_limits(Limits { per_address_max: 2, ..Limits::default() });
    let join_from = |desk: &mut Desk, address: &str| {
        let from = AddressBlock::of(address.parse().expect("an address"));
        let connection = desk.open_from(from);
        desk.join_on(connection, "r", "Somebody", EngineKind::Native, &[], None)
    };
    let first = join_from(&mut desk, "203.0.113.5").expect("let in");
    assert!(join_from(&mut desk, "203.0.113.5").is_ok());
    let third = join_from(&mut desk, "203.0.113.5");
    assert_eq!(third.err(), Some(ErrorCode::ServerFull));
    desk.drop_connection(first.connection);
    let kept = join_from(&mut desk, "203.0.113.5");
    assert_eq!(kept.err(), Some(ErrorCode::ServerFull), "the seat is kept");
    assert!(join_from(&mut desk, "203.0.113.6").is_ok(), "others are not concerned");
    for _ in 0..3 {
        assert!(join_from(&mut desk, "127.0.0.1").is_ok(), "a proxy has one address for all");
    }
    desk.wait_alive(16);
    assert!(join_from(&mut desk, "203.0.113.5").is_ok());
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
fn pings_that_nobody_needs_count_as_messages() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.wait(Duration::from_secs(5));
    desk.received(ana.connection);
    let ping = |desk: &mut Desk| {
        desk.core.handle_unreadable(desk.now, ana.connection, Unreadable::Control);
        desk.drain();
    };
    for _ in 0..60 {
        ping(&mut desk);
    }
    assert_eq!(desk.errors(ana.connection), []);
    for _ in 0..51 {
        ping(&mut desk);
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
    desk.drop_connection(ana.connection);
    let native = EngineKind::Native;
    let ana = desk.join_as("r", "Ana", native, &[], Some(&ana.seat)).expect("the seat is kept");
    desk.received(ana.connection);
    desk.connect_direct(&ana, &link(11));
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast], "as before coming back");
}

#[test]
fn changes_of_tracks() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.received(ana.connection);
    // Sending takes 100 ms: in 9.9 s 39 beside the 40 at once.
    let mut taken = 0;
    for number in 0..100 {
        let published = desk.publish(&ana, "mic", AUTO, AUTO, 10 + 10 * number).is_some();
        let errors = desk.errors(ana.connection);
        assert_eq!(errors, vec![ErrorCode::TooFast; usize::from(!published)]);
        taken += u32::from(published);
    }
    assert_eq!(taken, 40 + 39);
    for _ in 0..2 {
        desk.send(ana.connection, ClientMessage::Unpublish { track: protocol::id::TrackId(1) });
    }
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast], "it counts too");
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
fn slots_of_a_link_those_of_other_names_included() {
    let mut desk = Desk::new();
    let page = desk.join_as("r", "Page", EngineKind::Standard, &[], None).expect("let in");
    let plan = |first_mid| OfferPlan { slots: 126, first_mid, ..OfferPlan::default() };
    for round in 0..LINK_SLOTS_EVER_MAX / 126 {
        assert!(desk.connect_sdp(&page, &plan(1000 * round)).is_some());
    }
    assert_eq!(desk.connect_sdp(&page, &plan(900)), None);
    assert_eq!(desk.errors(page.connection), [ErrorCode::TooMany]);
    assert!(desk.connect_sdp(&page, &plan(7000)).is_some(), "what it has may go on");
    let another = OfferPlan { session: 2, ..plan(900) };
    assert!(desk.connect_sdp(&page, &another).is_some(), "another link has its own");
}

#[test]
fn streams_of_a_link_with_sdp() {
    let mut desk = Desk::new();
    let page = desk.join_as("r", "Page", EngineKind::Standard, &[], None).expect("let in");
    desk.connect_sdp(&page, &OfferPlan::default());
    for _ in 1..ROOM_PARTICIPANTS_MAX {
        let musician = desk.join("r", "Musician");
        desk.connect(&musician);
        for track in 0..4 {
            let label = format!("track {track}");
            let ssrc = 100 * musician.id.0 + 10 * track;
            assert!(desk.publish(&musician, &label, AUTO, AUTO, ssrc).is_some());
        }
    }
    let wanted = desk.find(page.connection, |message| match message {
        ServerMessage::SlotsWanted { slots } => Some(slots),
        _ => None,
    });
    let most = u32::try_from(SUBSCRIBER_STREAMS_MAX).expect("few");
    assert_eq!(wanted.last(), Some(&most));
    desk.connect_sdp(&page, &OfferPlan { slots: SUBSCRIBER_STREAMS_MAX, ..OfferPlan::default() });
    assert_eq!(desk.sfu.links[&page.id].streams.len(), SUBSCRIBER_STREAMS_MAX);
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

#[test]
fn a_room_lives_on_the_least_loaded_worker_and_its_candidates_say_so() {
    let mut desk = Desk::with_workers(Limits::default(), &[u32::MAX, u32::MAX]);
    for (room, worker) in [("a", 0), ("b", 1), ("a", 0), ("a", 0)] {
        let app = desk.musician(room, "Ana");
        assert_eq!(desk.sfu.links[&app.id].worker, WorkerId(worker));
        desk.connect(&app);
        let candidates = desk.find(app.connection, |message| match message {
            ServerMessage::Connected { description } => Some(description),
            _ => None,
        });
        let port = 7882 + worker;
        assert!(
            candidates.iter().all(|description| matches!(
                description,
                Description::Direct { candidates, .. } if candidates[0].port() == port
            )),
            "{candidates:?}"
        );
    }
    // Three in room a, one in room b: the next goes to b's worker.
    let app = desk.musician("c", "Cid");
    assert_eq!(desk.sfu.links[&app.id].worker, WorkerId(1));
}

#[test]
fn a_full_worker_takes_no_room_and_lets_none_grow_and_harms_nobody() {
    let packets = 5 * ROOM_PACKETS_PER_SECOND_MIN;
    let mut desk = Desk::with_workers(Limits::default(), &[packets]);
    let apps = [1, 2, 3].map(|_| desk.musician("band", "Ana"));
    // Three who play and hear each other: 9 times 750. The fourth brings 7 more.
    assert!(desk.core.takes_rooms());
    assert_eq!(join(&mut desk, "band"), None);
    desk.sfu_event(&Event::WorkerLoad {
        worker: WorkerId(0),
        packets_per_second: packets,
        busy_permille: 500,
    });
    assert!(!desk.core.takes_rooms());
    assert_eq!(join(&mut desk, "another"), Some(ErrorCode::ServerFull));
    assert_eq!(join(&mut desk, "band"), Some(ErrorCode::ServerFull));
    for app in &apps {
        assert_eq!(desk.streams(app).expect("told").len(), 2, "the music goes on");
    }
    let idle = Event::WorkerLoad { worker: WorkerId(0), packets_per_second: 0, busy_permille: 0 };
    desk.sfu_event(&idle);
    assert_eq!(join(&mut desk, "another"), None);
}

#[test]
fn what_a_room_cost_is_given_back() {
    let mut desk = Desk::with_workers(Limits::default(), &[ROOM_PACKETS_PER_SECOND_MIN, 0]);
    for round in 0..3 {
        let ana = desk.musician("a", "Ana");
        assert_eq!(join(&mut desk, "b"), Some(ErrorCode::ServerFull), "round {round}");
        desk.send(ana.connection, ClientMessage::Leave {});
    }
}
