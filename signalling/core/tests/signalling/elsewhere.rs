//! Rooms of one name on several servers: what is told to the others, and what they told.

use protocol::signal::{ErrorCode, RoomRole};
use signalling::{Privacy, RoomNews, RoomStanding};

use crate::desk::Desk;
use crate::owned::{comes, described, muted, owned, remove, room, silence, trio};

#[test]
fn what_is_done_to_an_account_is_told_elsewhere_and_of_a_guest_there_is_nothing_to_tell() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, nameless] = trio(&mut desk);
    let account = || "moderator".to_owned();
    silence(&mut desk, &owner, &nameless, true);
    remove(&mut desk, &owner, nameless.id);
    assert_eq!(desk.told, []);
    silence(&mut desk, &owner, &moderator, true);
    silence(&mut desk, &owner, &moderator, false);
    remove(&mut desk, &owner, moderator.id);
    let news = [
        RoomNews::Silenced { account: account(), on: true },
        RoomNews::Silenced { account: account(), on: false },
        RoomNews::Removed { account: account() },
    ];
    assert_eq!(desk.told, news.map(|news| (room("r"), news)));
    assert_eq!(remove(&mut desk, &owner, owner.id), [ErrorCode::NotAllowed]);
    assert_eq!(desk.told.len(), 3, "what is refused is not told");
}

#[test]
fn what_was_done_to_an_account_elsewhere_holds_here_and_is_not_told_on() {
    let mut desk = Desk::with_doorkeeper();
    let [owner, moderator, nameless] = trio(&mut desk);
    let hear = |desk: &mut Desk, news| {
        desk.core.handle_room_news(desk.now, &room("r"), news);
        desk.drain();
    };
    let silenced = |account: &str, on| RoomNews::Silenced { account: account.to_owned(), on };
    hear(&mut desk, silenced("moderator", true));
    assert!(muted(&desk, &moderator) && !muted(&desk, &nameless));
    assert!(described(&mut desk, &owner, moderator.id).expect("told").silenced);
    hear(&mut desk, silenced("moderator", false));
    assert!(!muted(&desk, &moderator));
    // Also of whoever comes later, until it is lifted.
    hear(&mut desk, silenced("bo", true));
    let come = |desk: &mut Desk| comes(desk, None, None, owned(RoomRole::Guest, Some("bo")));
    let bo = come(&mut desk).expect("let in");
    assert!(described(&mut desk, &owner, bo.id).expect("told").silenced);
    hear(&mut desk, silenced("bo", false));
    assert!(!described(&mut desk, &owner, bo.id).expect("told").silenced);
    hear(&mut desk, RoomNews::Removed { account: "bo".into() });
    assert_eq!(desk.closed[&bo.connection], 4006);
    assert_eq!(come(&mut desk).err(), Some(ErrorCode::Removed));
    hear(&mut desk, RoomNews::Removed { account: "cleo".into() });
    let cleo = comes(&mut desk, None, None, owned(RoomRole::Guest, Some("cleo")));
    assert_eq!(cleo.err(), Some(ErrorCode::Removed), "before she came");
    // Nobody is over an owner.
    hear(&mut desk, silenced("owner", true));
    hear(&mut desk, RoomNews::Removed { account: "owner".into() });
    assert!(!muted(&desk, &owner) && !desk.closed.contains_key(&owner.connection));
    assert_eq!(desk.told, []);
}

#[test]
fn how_a_room_stands_names_who_came_with_an_account_and_what_they_may_do() {
    let mut desk = Desk::with_doorkeeper();
    trio(&mut desk);
    let accounts = [RoomRole::Owner, RoomRole::Moderator].map(|role| (role.word().into(), role));
    let (room, privacy) = (room("r"), Privacy::Open);
    let accounts = accounts.to_vec();
    let standing = RoomStanding { room, privacy, members: 3, with_role: 3, accounts };
    assert_eq!(desk.core.standings(), [standing]);
}
