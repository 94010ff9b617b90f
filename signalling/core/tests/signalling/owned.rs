//! Rooms that an account owns: who is let in, who may do what, and what becomes of whom.

use std::time::Duration;

use protocol::codec::Codec;
use protocol::control::Command;
use protocol::id::{ParticipantId, RoomId};
use protocol::signal::{
    ByeReason, Capabilities, ClientMessage, EngineKind, ErrorCode, LeaveReason, Participant,
    RoomRole, ServerMessage, VERSION,
};
use signalling::limits::{JOIN_DEADLINE, REMOVED_FOR, SEAT_KEPT};
use signalling::{AddressBlock, Admission, ConnectionId, Privacy, RoomNews, Standing};

use crate::desk::{AUTO, App, Desk};

const HOME: AddressBlock = AddressBlock::V4([203, 0, 113, 5]);

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("a room's name")
}

fn knock(desk: &mut Desk, from: Option<AddressBlock>, pass: Option<&str>) -> ConnectionId {
    let connection = desk.open_from(from);
    ask(desk, connection, pass);
    connection
}

fn ask(desk: &mut Desk, connection: ConnectionId, pass: Option<&str>) {
    let capabilities = Capabilities { engine: EngineKind::Native, decodes: Codec::ALL.to_vec() };
    let (name, pass) = ("Somebody".into(), pass.map(Into::into));
    let (version, room) = (VERSION, room("r"));
    desk.send(
        connection,
        ClientMessage::Join { version, room, name, capabilities, seat: None, pass },
    );
}

fn answer(desk: &mut Desk, connection: ConnectionId, admission: Admission) {
    desk.core.handle_admission(desk.now, connection, admission);
    desk.drain();
}

pub(crate) fn owned(role: RoomRole, account: Option<&str>) -> Admission {
    let standing = Standing { role, account: account.map(Into::into) };
    Admission::Owned(standing, Privacy::Open)
}

/// Somebody who comes in, or why not.
pub(crate) fn comes(
    desk: &mut Desk,
    from: Option<AddressBlock>,
    pass: Option<&str>,
    admission: Admission,
) -> Result<App, ErrorCode> {
    let connection = knock(desk, from, pass);
    answer(desk, connection, admission);
    desk.admitted(connection)
}

fn guest(desk: &mut Desk) -> App {
    comes(desk, None, None, owned(RoomRole::Guest, None)).expect("let in")
}

/// Owner, moderator and guest, all playing.
pub(crate) fn trio(desk: &mut Desk) -> [App; 3] {
    [RoomRole::Owner, RoomRole::Moderator, RoomRole::Guest].map(|role| {
        let account = Some(role.word()).filter(|_| role != RoomRole::Guest);
        let app = comes(desk, None, account, owned(role, account)).expect("let in");
        desk.connect(&app);
        desk.publish(&app, "mic", AUTO, AUTO, 100 * app.id.0).expect("published");
        app
    })
}

pub(crate) fn described(desk: &mut Desk, app: &App, whom: ParticipantId) -> Option<Participant> {
    let found = desk.find(app.connection, |message| match message {
        ServerMessage::Participant { participant } => Some(participant),
        _ => None,
    });
    found.into_iter().rfind(|participant| participant.id == whom)
}

pub(crate) fn silence(desk: &mut Desk, by: &App, whom: &App, on: bool) -> Vec<ErrorCode> {
    desk.received(by.connection);
    desk.send(by.connection, ClientMessage::Silence { participant: whom.id, on });
    let sent = desk.received(by.connection);
    let errors = sent.into_iter().filter_map(|envelope| match envelope.message {
        ServerMessage::Error { code, .. } => Some(code),
        _ => None,
    });
    errors.collect()
}

pub(crate) fn remove(desk: &mut Desk, by: &App, whom: ParticipantId) -> Vec<ErrorCode> {
    desk.received(by.connection);
    desk.send(by.connection, ClientMessage::Remove { participant: whom });
    desk.errors(by.connection)
}

/// Whose sources the SFU holds back.
pub(crate) fn muted(desk: &Desk, app: &App) -> bool {
    let source = format!("participant: {:?}, ssrc", app.id);
    let last =
        desk.transcript.iter().rfind(|line| line.contains("SetMuted") && line.contains(&source));
    last.is_some_and(|line| line.contains("muted: true"))
}

#[test]
fn a_join_waits_for_its_answer_and_nothing_goes_past_it() {
    let mut desk = Desk::with_doorkeeper();
    let connection = knock(&mut desk, None, Some("a pass"));
    assert_eq!(desk.asked, [(connection, room("r"), Some("a pass".into()))]);
    assert_eq!(desk.core.participants(), 0, "nobody is in yet");
    // Neither a second join nor anything else helps.
    ask(&mut desk, connection, None);
    desk.send(connection, ClientMessage::Chat { text: "let me in".into() });
    assert_eq!(desk.errors(connection), [ErrorCode::OutOfOrder, ErrorCode::OutOfOrder]);
    assert_eq!(desk.asked.len(), 1);
    answer(&mut desk, connection, owned(RoomRole::Guest, None));
    let joined = desk.received(connection).remove(0);
    assert_eq!(joined.request, Some(9), "the answer repeats the number");
    let ServerMessage::Joined { participants, .. } = joined.message else { panic!("{joined:?}") };
    assert_eq!(participants[0].role, Some(RoomRole::Guest));
    // An answer to nothing does nothing.
    answer(&mut desk, connection, owned(RoomRole::Owner, None));
    assert_eq!(desk.received(connection), []);
}

#[test]
fn a_refused_join_says_why_and_can_be_tried_again_on_the_same_connection() {
    let mut desk = Desk::with_doorkeeper();
    let connection = knock(&mut desk, None, None);
    let (code, text) = (ErrorCode::PassWanted, "it is private".to_owned());
    answer(&mut desk, connection, Admission::Refused { code, text });
    assert_eq!(desk.errors(connection), [ErrorCode::PassWanted]);
    assert_eq!(desk.core.rooms(), 0, "no room was made");
    ask(&mut desk, connection, Some("a pass"));
    answer(&mut desk, connection, owned(RoomRole::Guest, None));
    assert!(desk.admitted(connection).is_ok());
}

#[test]
fn a_connection_asks_so_often_and_no_more() {
    let mut desk = Desk::with_doorkeeper();
    let connection = desk.open();
    for _ in 0..8 {
        ask(&mut desk, connection, None);
        let (code, text) = (ErrorCode::PassWanted, "it is private".to_owned());
        answer(&mut desk, connection, Admission::Refused { code, text });
    }
    assert_eq!(desk.asked.len(), 5);
    assert_eq!(desk.errors(connection).iter().filter(|c| **c == ErrorCode::TooFast).count(), 3);
}

#[test]
fn an_answer_that_may_be_older_than_the_news_is_asked_for_again() {
    let account = || "ada".to_owned();
    let all_news = [
        RoomNews::Banned { account: account() },
        RoomNews::Role { account: account(), role: RoomRole::Guest },
        RoomNews::Privacy(Privacy::Private),
        RoomNews::Disowned,
    ];
    for news in all_news {
        for somebody_plays in [false, true] {
            let mut desk = Desk::with_doorkeeper();
            if somebody_plays {
                guest(&mut desk);
            }
            let connection = knock(&mut desk, None, Some("a pass"));
            desk.asked.clear();
            desk.core.handle_room_news(desk.now, &room("elsewhere"), news.clone());
            desk.core.handle_room_news(desk.now, &room("r"), news.clone());
            let old = owned(RoomRole::Moderator, Some("ada"));
            let inside = desk.core.participants();
            answer(&mut desk, connection, old);
            assert_eq!(desk.asked, [(connection, room("r"), Some("a pass".into()))], "{news:?}");
            assert_eq!(desk.core.participants(), inside, "{news:?}");
            let (code, text) = (ErrorCode::Banned, "banned".to_owned());
            answer(&mut desk, connection, Admission::Refused { code, text });
            assert_eq!(desk.errors(connection), [ErrorCode::Banned]);
            assert_eq!(desk.asked.len(), 1, "once");
            // News of another room change nothing.
            ask(&mut desk, connection, None);
            desk.core.handle_room_news(desk.now, &room("elsewhere"), news.clone());
            answer(&mut desk, connection, owned(RoomRole::Guest, None));
            assert!(desk.admitted(connection).is_ok(), "{news:?}");
        }
    }
}

#[test]
fn a_seat_needs_no_answer_and_keeps_the_role() {
    let mut desk = Desk::with_doorkeeper();
    let owner = comes(&mut desk, None, None, owned(RoomRole::Owner, Some("ada"))).expect("let in");
    desk.drop_connection(owner.connection);
    let asked = desk.asked.len();
    let back = desk.join_as("r", "Ada", EngineKind::Native, AUTO, Some(&owner.seat));
    let back = back.expect("the seat is hers");
    assert_eq!(desk.asked.len(), asked);
    let seen = described(&mut desk, &back, owner.id).expect("told");
    assert_eq!((seen.role, seen.account.as_deref()), (Some(RoomRole::Owner), Some("ada")));
}

#[test]
fn where_nobody_owns_the_room_nobody_has_a_role_or_removes_anybody() {
    for mut desk in [Desk::new(), Desk::with_doorkeeper()] {
        let mut come = || {
            let connection = knock(&mut desk, None, None);
            answer(&mut desk, connection, Admission::Unowned);
            desk.admitted(connection).expect("let in")
        };
        let (ana, ben) = (come(), come());
        let seen = described(&mut desk, &ana, ben.id).expect("told");
        assert_eq!((seen.role, seen.account, seen.silenced), (None, None, false));
        assert_eq!(silence(&mut desk, &ana, &ben, true), [ErrorCode::NotAllowed]);
        assert_eq!(remove(&mut desk, &ana, ben.id), [ErrorCode::NotAllowed]);
        assert_eq!(desk.core.participants(), 2);
    }
}

#[test]
fn the_owner_is_over_all_others_a_moderator_over_guests_and_nobody_over_themselves() {
    let mut desk = Desk::with_doorkeeper();
    let people = trio(&mut desk);
    let other = guest(&mut desk);
    let [owner, moderator, guest] = &people;
    for (by, allowed) in
        [(owner, vec![moderator, guest]), (moderator, vec![guest]), (guest, vec![])]
    {
        for whom in [owner, moderator, guest, &other] {
            let may = allowed.iter().any(|allowed| allowed.id == whom.id)
                || (whom.id == other.id && by.id != guest.id);
            let errors = silence(&mut desk, by, whom, true);
            assert_eq!(errors.is_empty(), may, "{} silences {}: {errors:?}", by.id, whom.id);
            if !may {
                assert_eq!(remove(&mut desk, by, whom.id), [ErrorCode::NotAllowed]);
            }
            silence(&mut desk, owner, whom, false);
        }
    }
    assert_eq!(desk.core.participants(), 4, "nobody was taken out");
    let nobody = remove(&mut desk, owner, ParticipantId(99));
    assert_eq!(nobody, [ErrorCode::NoSuchParticipant]);
}

#[test]
fn somebody_in_another_room_is_not_there() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, ..] = trio(&mut desk);
    let connection = desk.open();
    let capabilities = Capabilities { engine: EngineKind::Native, decodes: Vec::new() };
    let (version, elsewhere, name) = (VERSION, room("elsewhere"), "Eve".into());
    let (seat, pass) = (None, None);
    let join = ClientMessage::Join { version, room: elsewhere, name, capabilities, seat, pass };
    desk.send(connection, join);
    answer(&mut desk, connection, owned(RoomRole::Guest, None));
    let eve = desk.admitted(connection).expect("let in");
    assert_eq!(silence(&mut desk, &owner, &eve, true), [ErrorCode::NoSuchParticipant]);
    assert_eq!(remove(&mut desk, &owner, eve.id), [ErrorCode::NoSuchParticipant]);
}

#[test]
fn a_silenced_participant_is_muted_in_the_sfu_whatever_they_do_themselves() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, guest] = trio(&mut desk);
    assert!(!muted(&desk, &guest));
    assert_eq!(silence(&mut desk, &moderator, &guest, true), []);
    assert!(muted(&desk, &guest) && !muted(&desk, &moderator));
    for listener in [&owner, &guest] {
        assert!(described(&mut desk, listener, guest.id).expect("told").silenced);
    }
    // A track of theirs that is published anew, or that they unmute, stays silent.
    let track = desk.publish(&guest, "second", AUTO, AUTO, 7000).expect("published");
    desk.send(guest.connection, ClientMessage::Mute { track, muted: false });
    let mut added = desk.transcript.iter().filter(|line| line.contains("AddSource"));
    assert!(added.next_back().is_some_and(|line| line.contains("ssrc: Ssrc(700")), "it is known");
    assert!(muted(&desk, &guest));
    assert_eq!(silence(&mut desk, &owner, &guest, false), []);
    assert!(!muted(&desk, &guest));
}

#[test]
fn who_comes_back_is_still_silenced() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, ..] = trio(&mut desk);
    let loud = comes(&mut desk, Some(HOME), Some("p1"), owned(RoomRole::Guest, None));
    let loud = loud.expect("let in");
    assert_eq!(silence(&mut desk, &owner, &loud, true), []);
    desk.send(loud.connection, ClientMessage::Leave {});
    let again = comes(&mut desk, Some(HOME), Some("p2"), owned(RoomRole::Guest, None));
    let again = again.expect("let in");
    assert!(described(&mut desk, &owner, again.id).expect("told").silenced);
    assert_eq!(silence(&mut desk, &owner, &again, false), []);
    desk.send(again.connection, ClientMessage::Leave {});
    let third = comes(&mut desk, Some(HOME), None, owned(RoomRole::Guest, None)).expect("let in");
    assert!(!described(&mut desk, &owner, third.id).expect("told").silenced, "it was lifted");
}

/// A guest who plays and is silenced.
fn silenced_guest(desk: &mut Desk, owner: &App, from: AddressBlock, pass: &str) -> App {
    let loud = comes(desk, Some(from), Some(pass), owned(RoomRole::Guest, None)).expect("let in");
    assert_eq!(silence(desk, owner, &loud, true), []);
    loud
}

#[test]
fn a_second_window_of_who_is_silenced_is_silent_too() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, ..] = trio(&mut desk);
    let come = |desk: &mut Desk| {
        let guest = owned(RoomRole::Guest, None);
        let app = comes(desk, Some(HOME), None, guest).expect("let in");
        let seen = described(desk, &owner, app.id).expect("told");
        (app, seen.silenced)
    };
    let loud = silenced_guest(&mut desk, &owner, HOME, "p1");
    let (second, is_silenced) = come(&mut desk);
    assert!(is_silenced, "the first is still here");
    for app in [&loud, &second] {
        desk.send(app.connection, ClientMessage::Leave {});
    }
    let (third, is_silenced) = come(&mut desk);
    assert!(is_silenced, "they came back");
    assert!(come(&mut desk).1, "and a second time, beside it");
    assert_eq!(silence(&mut desk, &owner, &third, false), []);
    let owners = owned(RoomRole::Owner, Some("ada"));
    let ada = comes(&mut desk, Some(HOME), None, owners).expect("let in");
    assert!(!described(&mut desk, &owner, ada.id).expect("told").silenced, "an owner never is");
}

#[test]
fn a_lifted_silence_is_over_though_the_seat_before_it_ended_later() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, ..] = trio(&mut desk);
    let loud = silenced_guest(&mut desk, &owner, HOME, "p1");
    // The program is killed and started again before the seat is given up.
    desk.drop_connection(loud.connection);
    let guest = || owned(RoomRole::Guest, None);
    let again = comes(&mut desk, Some(HOME), Some("p2"), guest()).expect("let in");
    assert!(described(&mut desk, &owner, again.id).expect("told").silenced);
    desk.wait_alive(SEAT_KEPT.as_secs() + 1);
    assert_eq!(desk.core.participants(), 4, "the seat is given up");
    assert_eq!(silence(&mut desk, &owner, &again, false), []);
    let other = comes(&mut desk, Some(HOME), Some("p3"), guest()).expect("let in");
    assert!(!described(&mut desk, &owner, other.id).expect("told").silenced, "nobody is");
}

#[test]
fn who_is_taken_out_is_told_why_and_stays_out_for_ten_minutes() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, _] = trio(&mut desk);
    let comer = |desk: &mut Desk, from, pass, account| {
        comes(desk, from, pass, owned(RoomRole::Guest, account))
    };
    let loud = comer(&mut desk, Some(HOME), Some("p1"), None).expect("let in");
    let bo = comer(&mut desk, Some(HOME), Some("p2"), Some("bo")).expect("let in");
    desk.connect(&loud);
    desk.received(owner.connection);
    desk.send(moderator.connection, ClientMessage::Remove { participant: loud.id });
    let answered = desk.received(moderator.connection);
    assert!(answered.iter().any(|envelope| envelope.request == Some(9)), "{answered:?}");
    let left = desk.find(owner.connection, |message| match message {
        ServerMessage::ParticipantLeft { participant, reason } => Some((participant, reason)),
        _ => None,
    });
    assert_eq!(left, [(loud.id, LeaveReason::Removed)]);
    let bye = desk.find(loud.connection, |message| match message {
        ServerMessage::Bye { reason, text } => Some((reason, text)),
        _ => None,
    });
    assert_eq!(bye, [(ByeReason::Removed, "Somebody took you out of the room".to_owned())]);
    assert_eq!(desk.closed[&loud.connection], 4006);
    assert!(!desk.sfu.links.contains_key(&loud.id), "the link is closed");
    assert!(desk.transcript.iter().any(|line| {
        line.contains(&format!("{:?}", Command::CloseLink { participant: loud.id }))
    }));
    let seat = desk.join_as("r", "Loud", EngineKind::Native, AUTO, Some(&loud.seat));
    assert_eq!(seat.err(), Some(ErrorCode::SeatGone), "the seat is void");
    // By pass, by address, by account; others of the same address who have one are others.
    assert_eq!(remove(&mut desk, &owner, bo.id), []);
    let out = Some(ErrorCode::Removed);
    assert_eq!(comer(&mut desk, None, Some("p1"), None).err(), out);
    assert_eq!(comer(&mut desk, Some(HOME), Some("p3"), None).err(), out);
    assert_eq!(comer(&mut desk, None, Some("p4"), Some("bo")).err(), out);
    assert!(comer(&mut desk, Some(HOME), Some("p5"), Some("cleo")).is_ok());
    // An owner cannot be kept out.
    let owners = comes(&mut desk, Some(HOME), Some("p6"), owned(RoomRole::Owner, Some("bo")));
    assert!(owners.is_ok());
    desk.wait_alive(REMOVED_FOR.as_secs() + 1);
    assert!(comer(&mut desk, Some(HOME), Some("p7"), None).is_ok(), "the time is over");
}

#[test]
fn a_ban_that_is_taken_back_is_over_at_once_but_not_for_a_guest() {
    let mut desk = Desk::with_doorkeeper();
    let come = |desk: &mut Desk, account| {
        comes(desk, Some(HOME), Some("p1"), owned(RoomRole::Guest, account))
    };
    let [owner, ..] = trio(&mut desk);
    let ada = come(&mut desk, Some("ada")).expect("let in");
    desk.core.handle_room_news(desk.now, &room("r"), RoomNews::Banned { account: "ada".into() });
    desk.drain();
    assert_eq!(desk.closed[&ada.connection], 4006);
    // While she is banned, whoever is asked says no; signed out she is known by her address.
    assert_eq!(come(&mut desk, None).err(), Some(ErrorCode::Removed));
    let ada = come(&mut desk, Some("ada")).expect("the ban was taken back");
    assert_eq!(remove(&mut desk, &owner, ada.id), []);
    assert_eq!(come(&mut desk, Some("ada")).err(), Some(ErrorCode::Removed), "that holds longer");
}

#[test]
fn whoever_is_in_a_room_when_it_gets_an_owner_is_a_guest_of_theirs() {
    let mut desk = Desk::with_doorkeeper();
    let early = comes(&mut desk, None, None, Admission::Unowned).expect("let in");
    let owner = comes(&mut desk, None, None, owned(RoomRole::Owner, Some("ada"))).expect("let in");
    assert_eq!(remove(&mut desk, &owner, early.id), [ErrorCode::NotAllowed]);
    desk.core.handle_room_news(desk.now, &room("r"), RoomNews::Privacy(Privacy::Open));
    desk.drain();
    for app in [&early, &owner] {
        let told = described(&mut desk, app, early.id).expect("told");
        assert_eq!(told.role, Some(RoomRole::Guest));
    }
    assert_eq!(remove(&mut desk, &owner, early.id), []);
    assert_eq!(desk.core.participants(), 1);
}

#[test]
fn whoever_inherits_a_room_is_heard() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, _] = trio(&mut desk);
    assert_eq!(silence(&mut desk, &owner, &moderator, true), []);
    assert!(muted(&desk, &moderator));
    for (account, role) in [("moderator", RoomRole::Owner), ("owner", RoomRole::Guest)] {
        let news = RoomNews::Role { account: account.into(), role };
        desk.core.handle_room_news(desk.now, &room("r"), news);
        desk.drain();
    }
    assert!(!muted(&desk, &moderator));
    assert_eq!(silence(&mut desk, &moderator, &owner, true), [], "the room is theirs");
}

#[test]
fn a_join_that_nobody_answers_ends_and_says_why() {
    let mut desk = Desk::with_doorkeeper();
    let (asked, silent) = (knock(&mut desk, None, None), desk.open());
    desk.wait(JOIN_DEADLINE + Duration::from_secs(1));
    for (connection, why) in [(asked, "who may come in"), (silent, "no join came")] {
        let said = desk.find(connection, |message| match message {
            ServerMessage::Bye { text, .. } => Some(text),
            _ => None,
        });
        assert!(matches!(&said[..], [text] if text.contains(why)), "{said:?}");
    }
}

#[test]
fn news_change_roles_close_the_door_and_end_it_all() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, guest] = trio(&mut desk);
    let news = |desk: &mut Desk, news| {
        desk.received(owner.connection);
        desk.core.handle_room_news(desk.now, &room("r"), news);
        desk.drain();
    };
    let account = || "moderator".to_owned();
    news(&mut desk, RoomNews::Role { account: account(), role: RoomRole::Guest });
    let told = described(&mut desk, &owner, moderator.id).expect("told");
    assert_eq!(told.role, Some(RoomRole::Guest));
    assert_eq!(silence(&mut desk, &moderator, &guest, true), [ErrorCode::NotAllowed]);
    let looker = desk.open();
    let look = || ClientMessage::Look { room: room("r") };
    desk.send(looker, look());
    assert_eq!(desk.errors(looker), []);
    news(&mut desk, RoomNews::Privacy(Privacy::Private));
    desk.send(looker, look());
    assert_eq!(desk.errors(looker), [ErrorCode::PassWanted]);
    news(&mut desk, RoomNews::Banned { account: account() });
    assert_eq!(desk.closed[&moderator.connection], 4006);
    assert_eq!(silence(&mut desk, &owner, &guest, true), []);
    assert!(muted(&desk, &guest));
    news(&mut desk, RoomNews::Disowned);
    assert!(!muted(&desk, &guest), "nobody is silenced any more");
    assert_eq!(remove(&mut desk, &owner, guest.id), [ErrorCode::NotAllowed]);
    desk.send(looker, look());
    assert_eq!(desk.errors(looker), []);
    // Of a room that nobody is in, there is nothing to change.
    desk.core.handle_room_news(desk.now, &room("empty"), RoomNews::Disowned);
    assert_eq!(desk.core.participants_in(&[room("r"), room("empty")]), [2, 0]);
    desk.wait(Duration::from_secs(1));
}
