//! Coming, talking, dropping out, coming back, leaving.

use std::time::Duration;

use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::signal::{
    ClientMessage, EngineKind, ErrorCode, LeaveReason, Participant, Presence, ServerMessage,
};

use crate::desk::{AUTO, App, Desk};

/// How somebody was last described to an app.
fn described(desk: &mut Desk, app: &App, whom: ParticipantId) -> Option<Participant> {
    let participants = desk.find(app.connection, |message| match message {
        ServerMessage::Participant { participant } => Some(participant),
        _ => None,
    });
    participants.into_iter().rfind(|participant| participant.id == whom)
}

fn left(desk: &mut Desk, app: &App) -> Vec<(ParticipantId, LeaveReason)> {
    desk.find(app.connection, |message| match message {
        ServerMessage::ParticipantLeft { participant, reason } => Some((participant, reason)),
        _ => None,
    })
}

#[test]
fn a_newcomer_sees_everybody_and_everybody_sees_the_newcomer() {
    let mut desk = Desk::new();
    let ana = desk.musician("blue-note", "Ana");
    desk.received(ana.connection);
    let ben = desk.join("blue-note", "  Ben ");
    let joined = desk.received(ben.connection).remove(0);
    assert_eq!(joined.request, Some(9), "the answer repeats the number");
    let ServerMessage::Joined { participants, resumed: false, seat_seconds: 15, .. } =
        joined.message
    else {
        panic!("{joined:?}");
    };
    let names: Vec<_> = participants.iter().map(|p| (p.name.as_str(), p.tracks.len())).collect();
    assert_eq!(names, [("Ana", 1), ("Ben", 0)]);
    let seen = described(&mut desk, &ana, ben.id).expect("Ana is told");
    assert_eq!((seen.name.as_str(), seen.presence), ("Ben", Presence::Online));
}

#[test]
fn rooms_do_not_see_each_other() {
    let mut desk = Desk::new();
    let ana = desk.musician("one", "Ana");
    desk.received(ana.connection);
    let ben = desk.musician("two", "Ben");
    desk.send(ben.connection, ClientMessage::Chat { text: "hello".into() });
    assert_eq!(desk.received(ana.connection), []);
    assert!(desk.sfu.links[&ana.id].streams.is_empty());
}

#[test]
fn what_is_said_reaches_everybody_and_those_who_come_later() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    let ben = desk.join("r", "Ben");
    desk.received(ana.connection);
    desk.send(ben.connection, ClientMessage::Chat { text: " from the top? ".into() });
    let chat = |message| match message {
        ServerMessage::Chat { message } => Some(message),
        _ => None,
    };
    let heard = desk.find(ana.connection, chat);
    assert_eq!((heard[0].text.as_str(), heard[0].name.as_str()), ("from the top?", "Ben"));
    assert!(1_790_000_000_000 <= heard[0].at_unix_ms);
    let own: Vec<_> = desk.received(ben.connection);
    assert!(own.iter().any(|e| e.request == Some(9) && chat(e.message.clone()).is_some()));
    let late = desk.join("r", "Cleo");
    let ServerMessage::Joined { chat, .. } = desk.received(late.connection).remove(0).message
    else {
        panic!("the first message is joined");
    };
    assert_eq!(chat, heard);
}

#[test]
fn a_dropped_participant_is_away_then_lost() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    desk.received(ana.connection);
    desk.drop_connection(ben.connection);
    let seen = described(&mut desk, &ana, ben.id).expect("Ana is told");
    assert_eq!(seen.presence, Presence::Away);
    assert_eq!(desk.sfu.links[&ana.id].streams.len(), 1, "sound goes on");
    desk.wait(Duration::from_millis(14_900));
    assert_eq!(left(&mut desk, &ana), []);
    desk.wait(Duration::from_millis(200));
    assert_eq!(left(&mut desk, &ana), [(ben.id, LeaveReason::Lost)]);
    assert!(!desk.sfu.links.contains_key(&ben.id));
    let gone = desk.join_as("r", "Ben", EngineKind::Native, &[], Some(&ben.seat));
    assert_eq!(gone.err(), Some(ErrorCode::SeatGone));
}

#[test]
fn a_seat_is_come_back_into_with_tracks_and_link() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    let streams = desk.streams(&ana).expect("Ana hears Ben");
    desk.drop_connection(ben.connection);
    desk.wait(Duration::from_secs(14));
    let commands = desk.sfu.commands.len();
    let back = desk
        .join_as("r", "Benjamin", EngineKind::Native, &Codec::ALL, Some(&ben.seat))
        .expect("in time");
    assert_eq!((back.id, &back.seat), (ben.id, &ben.seat));
    assert_eq!(desk.sfu.commands.len(), commands, "nothing changes for the media");
    let received = desk.received(back.connection);
    let is_told = |pick: fn(&ServerMessage) -> bool| received.iter().any(|e| pick(&e.message));
    assert!(is_told(|m| matches!(m, ServerMessage::Joined { resumed: true, .. })));
    assert!(is_told(|m| matches!(m, ServerMessage::EncodingsWanted { .. })));
    assert!(is_told(|m| matches!(m, ServerMessage::Streams { .. })));
    let seen = described(&mut desk, &ana, ben.id).expect("Ana is told");
    assert_eq!((seen.name.as_str(), seen.presence), ("Benjamin", Presence::Online));
    assert_eq!(seen.tracks.len(), 1);
    assert_eq!(desk.streams(&ana), None, "{streams:?} still holds");
    desk.wait_alive(60);
    assert_eq!(left(&mut desk, &ana), []);
}

#[test]
fn a_newer_connection_takes_the_seat_from_an_older_one() {
    let mut desk = Desk::new();
    let ben = desk.musician("r", "Ben");
    let back = desk.join_as("r", "Ben", EngineKind::Native, &[], Some(&ben.seat)).expect("taken");
    assert_eq!(back.id, ben.id);
    assert_eq!(desk.closed.get(&ben.connection), Some(&4001));
    // What the old connection still does has no effect.
    desk.core.handle_disconnected(desk.now, ben.connection);
    desk.send(ben.connection, ClientMessage::Leave {});
    desk.wait_alive(40);
    assert!(desk.sfu.links.contains_key(&ben.id));
}

#[test]
fn a_seat_needs_its_secret_and_its_room() {
    let mut desk = Desk::new();
    let ben = desk.musician("r", "Ben");
    let mut wrong = ben.seat.clone();
    let last = if wrong.pop() == Some('0') { '1' } else { '0' };
    wrong.push(last);
    for seat in [wrong.as_str(), "", ".", "1.", "x.00", "99.00000000000000000000000000000000"] {
        let refused = desk.join_as("r", "Eve", EngineKind::Native, &[], Some(seat));
        assert_eq!(refused.err(), Some(ErrorCode::SeatGone), "{seat}");
    }
    let elsewhere = desk.join_as("other", "Eve", EngineKind::Native, &[], Some(&ben.seat));
    assert_eq!(elsewhere.err(), Some(ErrorCode::SeatGone));
    assert!(!desk.closed.contains_key(&ben.connection));
}

#[test]
fn after_seat_gone_the_same_connection_joins_anew() {
    let mut desk = Desk::new();
    let connection = desk.open();
    let native = EngineKind::Native;
    let gone = desk.join_on(connection, "r", "Ana", native, &[], Some("1.00"));
    assert_eq!(gone.err(), Some(ErrorCode::SeatGone));
    desk.received(connection);
    assert!(desk.join_on(connection, "r", "Ana", native, &[], None).is_ok());
}

#[test]
fn who_leaves_is_gone_at_once() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.musician("r", "Ben");
    desk.received(ana.connection);
    desk.send(ben.connection, ClientMessage::Leave {});
    let bye = desk.received(ben.connection).pop().expect("an answer");
    assert_eq!(bye.request, Some(9));
    assert!(matches!(bye.message, ServerMessage::Bye { .. }));
    assert_eq!(desk.closed.get(&ben.connection), Some(&1000));
    assert_eq!(left(&mut desk, &ana), [(ben.id, LeaveReason::Left)]);
    let back = desk.join_as("r", "Ben", EngineKind::Native, &[], Some(&ben.seat));
    assert_eq!(back.err(), Some(ErrorCode::SeatGone));
}

#[test]
fn an_empty_room_forgets() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    desk.send(ana.connection, ClientMessage::Chat { text: "secret".into() });
    desk.send(ana.connection, ClientMessage::Leave {});
    let ben = desk.join("r", "Ben");
    let joined = desk.received(ben.connection).remove(0).message;
    assert!(matches!(joined, ServerMessage::Joined { chat, .. } if chat.is_empty()));
    assert_ne!(ana.id, ben.id, "ids are never given twice");
}

#[test]
fn tracks_come_change_and_go() {
    let mut desk = Desk::new();
    let ana = desk.join("r", "Ana");
    let ben = desk.join("r", "Ben");
    let track = desk.publish(&ana, " guitar ", AUTO, AUTO, 10).expect("published");
    let seen = described(&mut desk, &ben, ana.id).expect("Ben is told").tracks;
    assert_eq!((seen[0].id, seen[0].label.as_str(), seen[0].muted), (track, "guitar", false));
    desk.send(ana.connection, ClientMessage::Mute { track, muted: true });
    let own = desk.received(ana.connection);
    let answer = own.iter().find(|e| e.request == Some(9) && is_participant(&e.message));
    assert!(answer.is_some(), "mute is answered: {own:?}");
    assert!(described(&mut desk, &ben, ana.id).expect("told").tracks[0].muted);
    let again = desk.publish(&ana, "guitar", AUTO, AUTO, 20).expect("published again");
    assert_eq!(again, track, "the same label is the same track");
    assert!(described(&mut desk, &ben, ana.id).expect("told").tracks[0].muted, "and stays muted");
    desk.send(ana.connection, ClientMessage::Unpublish { track });
    assert!(described(&mut desk, &ben, ana.id).expect("told").tracks.is_empty());
    desk.received(ana.connection);
    for message in [
        ClientMessage::Unpublish { track },
        ClientMessage::Mute { track: TrackId(77), muted: true },
    ] {
        desk.send(ana.connection, message);
        assert_eq!(desk.errors(ana.connection), [ErrorCode::NoSuchTrack]);
    }
}

fn is_participant(message: &ServerMessage) -> bool {
    matches!(message, ServerMessage::Participant { .. })
}

#[test]
fn one_cannot_mute_or_take_away_somebody_elses_track() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let ben = desk.join("r", "Ben");
    let track = TrackId(1);
    desk.send(ben.connection, ClientMessage::Mute { track, muted: true });
    desk.send(ben.connection, ClientMessage::Unpublish { track });
    assert_eq!(desk.errors(ben.connection), [ErrorCode::NoSuchTrack; 2]);
    assert!(desk.sfu.links[&ana.id].sources.values().all(|source| !source.muted));
}

#[test]
fn tickets_are_renewed_and_old_ones_refused() {
    let mut desk = Desk::new();
    let mut ana = desk.join("r", "Ana");
    let ben = desk.join("r", "Ben");
    desk.wait_alive(65);
    let tickets = desk.find(ana.connection, |message| match message {
        ServerMessage::Ticket { ticket, .. } => Some(ticket),
        _ => None,
    });
    assert_eq!(tickets.len(), 3, "one each 20 s");
    desk.connect(&ana);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::BadTicket], "65 s old");
    ana.ticket.clone_from(&ben.ticket);
    desk.connect(&ana);
    assert_eq!(desk.errors(ana.connection), [ErrorCode::BadTicket], "somebody else's");
    ana.ticket = tickets.into_iter().next_back().expect("three");
    desk.connect(&ana);
    assert_eq!(desk.errors(ana.connection), []);
    assert!(desk.sfu.links.contains_key(&ana.id));
}
