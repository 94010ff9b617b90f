//! Who is here, on which sockets, and what each chat was handed out up to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::id::RoomId;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::bus::ServerId;
use super::seat::{CLOSE_GOING_AWAY, CLOSE_SIGNED_OUT, CLOSE_TOO_SLOW};
use super::{Jam, Presence, Standing};
use crate::id::{AccountId, ChatId, SessionId};
use crate::limits::{LIVE_QUEUE_MAX, LIVE_SOCKETS_MAX, PRESENCE_LIFE};
use crate::problem::{Problem, ProblemCode};

/// Everything that is known here.
#[derive(Default)]
pub(super) struct Table {
    accounts: BTreeMap<AccountId, Seated>,
    feeds: BTreeMap<ChatId, Feed>,
    elsewhere: BTreeMap<(AccountId, ServerId), (Standing, Instant)>,
    /// How those who are there were told to be.
    told: BTreeMap<AccountId, Standing>,
    next_number: u64,
    is_closed: bool,
}

/// Somebody who is here.
#[derive(Default)]
struct Seated {
    sockets: Vec<Outlet>,
    chats: BTreeSet<ChatId>,
}

struct Outlet {
    number: u64,
    session: SessionId,
    frames: mpsc::Sender<Frame>,
    closing: watch::Sender<Option<u16>>,
    standing: Standing,
}

/// What is written to a socket.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) text: Arc<str>,
    /// Of a message: which change of which chat.
    pub(super) change: Option<(ChatId, i64)>,
}

/// A chat that somebody here is in.
pub(super) struct Feed {
    /// How many.
    accounts: usize,
    /// What was handed out.
    pub(super) delivered: i64,
    /// What is known to be there.
    pub(super) wanted: i64,
    /// Whether somebody is at it.
    pub(super) is_running: bool,
    /// Tells it from one of the same chat before it, that somebody may still be at.
    pub(super) number: u64,
}

/// What a socket gets for its place.
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) frames: mpsc::Receiver<Frame>,
    pub(super) closing: watch::Receiver<Option<u16>>,
}

impl Table {
    /// A place for a socket.
    pub(super) fn add(&mut self, account: AccountId, session: SessionId) -> Result<Place, Problem> {
        if self.is_closed {
            return Err(Problem::new(ProblemCode::Busy, "the server is stopping; come again"));
        }
        let number = self.next_number();
        let seated = self.accounts.entry(account).or_default();
        if LIVE_SOCKETS_MAX <= seated.sockets.len() {
            let text = "there are too many live connections of this account; close one first";
            return Err(Problem::new(ProblemCode::TooMany, text));
        }
        let (frames, to_write) = mpsc::channel(LIVE_QUEUE_MAX);
        let (closing, is_closing) = watch::channel(None);
        let standing = Standing::OFFLINE;
        seated.sockets.push(Outlet { number, session, frames, closing, standing });
        Ok(Place { number, frames: to_write, closing: is_closing })
    }

    /// Gives a place up.
    pub(super) fn remove(&mut self, account: AccountId, number: u64) {
        let Some(seated) = self.accounts.get_mut(&account) else { return };
        seated.sockets.retain(|socket| socket.number != number);
        if seated.sockets.is_empty() {
            let gone = self.accounts.remove(&account);
            for chat in gone.map(|gone| gone.chats).unwrap_or_default() {
                self.release(chat);
            }
        }
    }

    /// Says whether somebody is there on one socket.
    pub(super) fn set_presence(&mut self, account: AccountId, number: u64, state: Presence) {
        if let Some(standing) = self.standing_at(account, number) {
            standing.state = state;
        }
    }

    /// Says whether somebody plays, on one socket.
    pub(super) fn set_jam(&mut self, account: AccountId, number: u64, jam: Option<Jam>) {
        if let Some(standing) = self.standing_at(account, number) {
            standing.jam = jam;
        }
    }

    /// Forgets the name of a room, wherever somebody is known to play in it; who does.
    pub(super) fn hide_room(&mut self, room: &RoomId) -> BTreeSet<AccountId> {
        let here = self.accounts.iter_mut().flat_map(|(account, seated)| {
            let account = *account;
            seated.sockets.iter_mut().map(move |socket| (account, &mut socket.standing))
        });
        let elsewhere = self.elsewhere.iter_mut();
        let elsewhere = elsewhere.map(|((account, _), (standing, _))| (*account, standing));
        let mut players = BTreeSet::new();
        for (account, standing) in here.chain(elsewhere) {
            let jam = standing.jam.as_mut().filter(|jam| jam.room.as_ref() == Some(room));
            if let Some(jam) = jam {
                jam.room = None;
                players.insert(account);
            }
        }
        players
    }

    fn standing_at(&mut self, account: AccountId, number: u64) -> Option<&mut Standing> {
        let sockets = &mut self.accounts.get_mut(&account)?.sockets;
        let socket = sockets.iter_mut().find(|socket| socket.number == number)?;
        Some(&mut socket.standing)
    }

    /// Says how somebody is on another server; whether that makes a difference.
    pub(super) fn is_elsewhere(
        &mut self,
        account: AccountId,
        server: ServerId,
        standing: Standing,
    ) -> bool {
        let before = self.standing(account);
        if standing.state.is_there() {
            self.elsewhere.insert((account, server), (standing, Instant::now()));
        } else {
            self.elsewhere.remove(&(account, server));
        }
        self.standing(account) != before
    }

    /// Whether nobody told yet how somebody is by now; from here on, somebody did.
    pub(super) fn is_untold(&mut self, account: AccountId) -> bool {
        let standing = self.standing(account);
        if standing.state.is_there() {
            let told = self.told.insert(account, standing.clone());
            told.as_ref() != Some(&standing)
        } else {
            self.told.remove(&account).is_some()
        }
    }

    /// Has it told anew how somebody is.
    pub(super) fn forget_told(&mut self, account: AccountId) {
        self.told.remove(&account);
    }

    /// Forgets those of whom another server has said nothing for long: it may have died. Who is gone of those
    /// that were told to be there.
    pub(super) fn expire(&mut self) -> Vec<AccountId> {
        let now = Instant::now();
        self.elsewhere.retain(|_, (_, told)| now - *told < PRESENCE_LIFE);
        let told = self.told.keys().copied();
        told.filter(|account| !self.standing(*account).state.is_there()).collect()
    }

    /// Tells all sockets to end, and lets nobody in any more.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
        for socket in self.accounts.values().flat_map(|seated| &seated.sockets) {
            socket.closing.send_replace(Some(CLOSE_GOING_AWAY));
        }
    }

    /// Tells those sockets of somebody to end whose session is not among these.
    pub(super) fn close_others(&self, account: AccountId, sessions: &[SessionId]) {
        let sockets = self.accounts.get(&account).into_iter().flat_map(|seated| &seated.sockets);
        for socket in sockets.filter(|socket| !sessions.contains(&socket.session)) {
            socket.closing.send_replace(Some(CLOSE_SIGNED_OUT));
        }
    }

    /// Everybody who is here.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.accounts.keys().copied().collect()
    }

    /// Every chat that somebody here is in.
    pub(super) fn chats(&self) -> Vec<ChatId> {
        self.feeds.keys().copied().collect()
    }

    /// How many sockets there are.
    pub(super) fn sockets(&self) -> usize {
        self.accounts.values().map(|seated| seated.sockets.len()).sum()
    }

    /// Whether somebody is here.
    pub(super) fn is_here(&self, account: AccountId) -> bool {
        self.accounts.contains_key(&account)
    }

    /// Wants a chat handed out up to a rev; the number of its feed, where somebody is to begin.
    pub(super) fn want(&mut self, chat: ChatId, rev: i64) -> Option<u64> {
        let feed = self.feeds.get_mut(&chat)?;
        feed.wanted = feed.wanted.max(rev);
        let begins = feed.delivered < feed.wanted && !feed.is_running;
        feed.is_running |= begins;
        begins.then_some(feed.number)
    }

    /// What is handed out of a chat, if it is still the same.
    pub(super) fn feed(&mut self, chat: ChatId, number: u64) -> Option<&mut Feed> {
        self.feeds.get_mut(&chat).filter(|feed| feed.number == number)
    }

    /// Follows a chat for somebody who is here: from a rev on, where nobody did.
    pub(super) fn follow(&mut self, account: AccountId, chat: ChatId, from: i64) {
        let number = self.next_number();
        let Some(seated) = self.accounts.get_mut(&account) else { return };
        if seated.chats.insert(chat) {
            let fresh =
                Feed { accounts: 0, delivered: from, wanted: from, is_running: false, number };
            self.feeds.entry(chat).or_insert(fresh).accounts += 1;
        }
    }

    /// Follows a chat no more for somebody.
    pub(super) fn unfollow(&mut self, account: AccountId, chat: ChatId) {
        let followed = self.accounts.get_mut(&account);
        if followed.is_some_and(|seated| seated.chats.remove(&chat)) {
            self.release(chat);
        }
    }

    fn next_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn release(&mut self, chat: ChatId) {
        if let Some(feed) = self.feeds.get_mut(&chat) {
            feed.accounts -= 1;
            if feed.accounts == 0 {
                self.feeds.remove(&chat);
            }
        }
    }

    /// Writes something to all sockets of somebody.
    pub(super) fn write(&self, account: AccountId, frame: &Frame) {
        for socket in self.accounts.get(&account).into_iter().flat_map(|seated| &seated.sockets) {
            if let Err(mpsc::error::TrySendError::Full(_)) = socket.frames.try_send(frame.clone()) {
                socket.closing.send_replace(Some(CLOSE_TOO_SLOW));
            }
        }
    }

    /// How somebody is, on any server.
    pub(super) fn standing(&self, account: AccountId) -> Standing {
        let elsewhere = self.elsewhere.range((account, ServerId::MIN)..=(account, ServerId::MAX));
        let elsewhere = elsewhere.map(|(_, (standing, _))| standing);
        elsewhere.fold(self.standing_here(account), Standing::and)
    }

    /// How somebody is on this server.
    pub(super) fn standing_here(&self, account: AccountId) -> Standing {
        let sockets = self.accounts.get(&account).map(|seated| seated.sockets.as_slice());
        let sockets = sockets.unwrap_or_default().iter();
        sockets.map(|socket| &socket.standing).fold(Standing::OFFLINE, Standing::and)
    }
}

impl Standing {
    /// Of whoever is not there.
    pub(super) const OFFLINE: Self = Self { state: Presence::Offline, jam: None };

    /// The same with how somebody is elsewhere: there as much as anywhere. Of two rooms, the one that
    /// was there first is told.
    fn and(self, elsewhere: &Self) -> Self {
        let state = self.state.max(elsewhere.state);
        Self { state, jam: self.jam.or_else(|| elsewhere.jam.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;

    #[test]
    fn a_chat_is_handed_out_by_one_at_a_time_from_where_it_was_followed() {
        let now = UnixMs(1);
        let (ada, session, chat) =
            (AccountId::fresh(now), SessionId::fresh(now), ChatId::fresh(now));
        let mut table = Table::default();
        let place = table.add(ada, session).expect("a place");
        assert_eq!(table.want(chat, 5), None, "nobody here is in it");
        table.follow(ada, chat, 3);
        assert_eq!(table.want(chat, 3), None, "that was there before");
        let number = table.want(chat, 5).expect("somebody has to begin");
        assert_eq!(table.want(chat, 6), None, "somebody is at it");
        let feed = table.feed(chat, number).expect("it is followed");
        assert_eq!((feed.delivered, feed.wanted), (3, 6));
        // Followed already, it goes on from where it is.
        table.follow(ada, chat, 9);
        assert_eq!(table.feed(chat, number).map(|feed| feed.delivered), Some(3));
        table.remove(ada, place.number);
        assert!(table.feed(chat, number).is_none());
        // Whoever was at it finds another one in its place, and leaves it alone.
        table.add(ada, session).expect("a place");
        table.follow(ada, chat, 6);
        assert!(table.feed(chat, number).is_none());
        assert_eq!(table.chats(), [chat]);
    }

    #[test]
    fn somebody_is_there_as_much_as_on_any_of_their_sockets_and_servers() {
        let now = UnixMs(1);
        let (ada, session) = (AccountId::fresh(now), SessionId::fresh(now));
        let mut table = Table::default();
        let places = [(); 2].map(|()| table.add(ada, session).expect("a place").number);
        let is = |state| Standing { state, jam: None };
        assert_eq!(table.standing(ada), Standing::OFFLINE, "until they have said what they know");
        table.set_presence(ada, places[0], Presence::Away);
        table.set_presence(ada, places[1], Presence::Online);
        assert_eq!(table.standing(ada), is(Presence::Online));
        table.remove(ada, places[1]);
        assert_eq!(table.standing(ada), is(Presence::Away));
        assert!(table.is_elsewhere(ada, 7, is(Presence::Online)), "that is news");
        assert!(!table.is_elsewhere(ada, 8, is(Presence::Away)), "that is none");
        table.remove(ada, places[0]);
        assert_eq!(
            (table.standing(ada), table.standing_here(ada)),
            (is(Presence::Online), Standing::OFFLINE)
        );
        assert!(table.is_elsewhere(ada, 7, Standing::OFFLINE));
        assert_eq!(table.standing(ada), is(Presence::Away));
    }

    #[test]
    fn how_somebody_is_is_told_once_until_it_changes() {
        let now = UnixMs(1);
        let (ada, session) = (AccountId::fresh(now), SessionId::fresh(now));
        let mut table = Table::default();
        let place = table.add(ada, session).expect("a place");
        assert!(!table.is_untold(ada), "they have not said yet that they are there");
        table.set_presence(ada, place.number, Presence::Online);
        assert!(table.is_untold(ada));
        assert!(!table.is_untold(ada));
        table.set_jam(ada, place.number, Some(Jam { room: None }));
        assert!(table.is_untold(ada));
        table.forget_told(ada);
        assert!(table.is_untold(ada), "they show more of it, or less");
        table.remove(ada, place.number);
        assert!(table.is_untold(ada), "they are gone");
        assert!(!table.is_untold(ada));
        assert!(table.told.is_empty());
    }

    #[test]
    fn somebody_plays_who_plays_on_any_of_their_sockets_until_that_is_gone() {
        let now = UnixMs(1);
        let (ada, session) = (AccountId::fresh(now), SessionId::fresh(now));
        let mut table = Table::default();
        let places = [(); 2].map(|()| table.add(ada, session).expect("a place").number);
        let jam =
            |room: &str| Some(Jam { room: Some(room.to_owned().try_into().expect("a room")) });
        table.set_presence(ada, places[0], Presence::Away);
        table.set_jam(ada, places[1], jam("attic"));
        assert_eq!(table.standing(ada), Standing { state: Presence::Away, jam: jam("attic") });
        let elsewhere = Standing { state: Presence::Online, jam: jam("cellar") };
        assert!(table.is_elsewhere(ada, 7, elsewhere.clone()));
        assert_eq!(table.standing(ada).jam, jam("attic"), "the first");
        table.remove(ada, places[1]);
        assert_eq!(table.standing(ada), elsewhere);
        assert!(table.is_elsewhere(ada, 7, Standing { jam: None, ..elsewhere }), "that is news");
        assert_eq!(table.standing(ada).jam, None);
    }

    #[test]
    fn a_room_that_is_hidden_is_named_nowhere_and_its_players_play_on() {
        let now = UnixMs(1);
        let [ada, bo, cleo] = [(); 3].map(|()| AccountId::fresh(now));
        let mut table = Table::default();
        let room = |name: &str| RoomId::parse(name).expect("a room");
        let jam = |name: &str| Some(Jam { room: Some(room(name)) });
        for (account, name) in [(ada, "attic"), (cleo, "cellar")] {
            let place = table.add(account, SessionId::fresh(now)).expect("a place");
            table.set_jam(account, place.number, jam(name));
        }
        table.is_elsewhere(bo, 7, Standing { state: Presence::Online, jam: jam("attic") });
        assert_eq!(table.hide_room(&room("attic")), BTreeSet::from([ada, bo]));
        let nameless = Some(Jam { room: None });
        assert_eq!(
            [ada, bo].map(|account| table.standing(account).jam),
            [(); 2].map(|()| nameless.clone())
        );
        assert_eq!(table.standing(cleo).jam, jam("cellar"));
        assert!(table.hide_room(&room("attic")).is_empty());
    }
}
