//! A look at a room before joining.

use core::time::Duration;

use protocol::id::{RoomId, TrackId};
use protocol::signal::{ClientMessage, ErrorCode, ServerMessage, TrackHearing};
use signalling::ConnectionId;

use crate::desk::{App, Desk};

/// Who is seen in a room from outside, and what their sound takes around.
type Seen = Vec<(String, Option<u32>)>;

fn ask(desk: &mut Desk, connection: ConnectionId, room: &str) {
    let room = RoomId::parse(room).expect("a room's name");
    desk.send(connection, ClientMessage::Look { room });
}

fn look(desk: &mut Desk, connection: ConnectionId, room: &str) -> Option<Seen> {
    ask(desk, connection, room);
    let seen = desk.find(connection, |message| match message {
        ServerMessage::Seen { participants, .. } => {
            Some(participants.into_iter().map(|seen| (seen.name, seen.around_us)).collect())
        }
        _ => None,
    });
    seen.into_iter().next()
}

/// The track of somebody, as somebody else is told.
fn track_of(desk: &mut Desk, of: &App, told: &App) -> TrackId {
    let tracks = desk.find(told.connection, |message| match message {
        ServerMessage::Participant { participant } if participant.id == of.id => {
            Some(participant.tracks.first()?.id)
        }
        _ => None,
    });
    *tracks.last().expect("they have published")
}

fn hears(desk: &mut Desk, listener: &App, track: TrackId, delay_us: u32) {
    let delay_us = Some(delay_us);
    let (lost_permille, concealed_permille) = (0, 0);
    let (padding_us, network_us, spare_us) = (None, None, None);
    let hearing = TrackHearing {
        track,
        delay_us,
        padding_us,
        lost_permille,
        concealed_permille,
        network_us,
        spare_us,
    };
    let (tracks, device, network) = (vec![hearing], None, None);
    desk.send(listener.connection, ClientMessage::Hearing { tracks, device, network });
}

#[test]
fn who_is_there_is_seen_from_outside_and_nobody_notices() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let outside = desk.open();
    assert_eq!(look(&mut desk, outside, "r"), Some(vec![("Ana".to_owned(), None)]));
    assert_eq!(look(&mut desk, outside, "elsewhere"), Some(vec![]), "and it is not made");
    assert_eq!(desk.core.rooms(), 1);
    desk.send(ana.connection, ClientMessage::Around { delay_us: 21_000 });
    assert_eq!(look(&mut desk, outside, "r"), Some(vec![("Ana".to_owned(), Some(21_000))]));
    let told = desk.find(ana.connection, |message| match message {
        ServerMessage::Participant { participant } => Some(participant.id),
        _ => None,
    });
    assert!(told.iter().all(|id| *id == ana.id), "{told:?}");
}

#[test]
fn who_does_not_say_is_as_far_as_the_others_hear() {
    let mut desk = Desk::new();
    let [ana, ben] = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    let of_ben = track_of(&mut desk, &ben, &ana);
    hears(&mut desk, &ana, of_ben, 30_000);
    let outside = desk.open();
    let both = |ana, ben| Some(vec![("Ana".to_owned(), ana), ("Ben".to_owned(), ben)]);
    assert_eq!(look(&mut desk, outside, "r"), both(Some(30_000), Some(30_000)));
    desk.send(ana.connection, ClientMessage::Around { delay_us: 12_000 });
    assert_eq!(look(&mut desk, outside, "r"), both(Some(12_000), Some(30_000)));
    desk.send(ben.connection, ClientMessage::Leave {});
    assert_eq!(look(&mut desk, outside, "r"), Some(vec![("Ana".to_owned(), Some(12_000))]));
}

#[test]
fn a_look_is_for_those_outside_and_not_for_ever() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    ask(&mut desk, ana.connection, "r");
    assert_eq!(desk.errors(ana.connection), [ErrorCode::OutOfOrder]);
    let outside = desk.open();
    for _ in 0..8 {
        ask(&mut desk, outside, "r");
    }
    assert_eq!(desk.errors(outside), [ErrorCode::TooFast; 3]);
    desk.send(outside, ClientMessage::Around { delay_us: 1 });
    assert_eq!(desk.errors(outside), [ErrorCode::OutOfOrder], "join first");
    desk.wait(Duration::from_secs(10));
    assert!(desk.closed.contains_key(&outside), "who only looks is not kept");
    for _ in 0..6 {
        desk.send(ana.connection, ClientMessage::Around { delay_us: 1 });
    }
    assert_eq!(desk.errors(ana.connection), [ErrorCode::TooFast; 2]);
}
