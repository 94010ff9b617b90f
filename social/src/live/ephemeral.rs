//! What is told and never kept: that somebody writes, has read, is there; and that a chat changed.
//!
//! Whoever blocked somebody, or was blocked, neither tells them anything nor is told anything of them;
//! whoever hides something does not see it of others.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::id::RoomId;
use serde::Serialize;

use super::hub::Live;
use super::table::Frame;
use super::{Presence, Standing};
use crate::id::{AccountId, ChatId};
use crate::store::{Conn, Member, Preferences, StoreError};

/// Something on a socket beside messages.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    /// The chat is to be asked for again; or is no longer theirs.
    Chat { chat: ChatId, member: bool },
    /// Somebody has read so far.
    Read { chat: ChatId, account: AccountId, seq: i64 },
    /// Somebody writes.
    Typing { chat: ChatId, account: AccountId },
    /// How somebody is.
    Presence {
        account: AccountId,
        state: Presence,
        /// Whether they play; to friends.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        jamming: bool,
        /// In which room.
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomId>,
    },
}

impl Event {
    fn frame(&self) -> Frame {
        let text = serde_json::to_string(self).unwrap_or_default();
        Frame { text: Arc::from(text), change: None }
    }
}

impl Live {
    /// A chat has other members or another title: whoever came follows it from here on.
    pub(super) async fn chat_changed(
        &self,
        chat: ChatId,
        also: Option<AccountId>,
    ) -> Result<(), StoreError> {
        let mut conn = self.db().read().await?;
        let members = conn.members(chat).await?;
        drop(conn);
        self.tell_members(chat, &members, also);
        let last = self.db().read().await?.chat(chat).await?;
        if let Some(last) = last {
            self.take(super::Note::Changed { chat, rev: last.last_rev });
        }
        Ok(())
    }

    fn tell_members(&self, chat: ChatId, members: &[Member], also: Option<AccountId>) {
        let event = Event::Chat { chat, member: true }.frame();
        let mut table = self.table();
        for member in members {
            // From before the first change that they may see.
            table.follow(member.account_id, chat, member.joined_rev);
            table.write(member.account_id, &event);
        }
        if let Some(gone) = also.filter(|gone| members.iter().all(|m| m.account_id != *gone)) {
            table.unfollow(gone, chat);
            table.write(gone, &Event::Chat { chat, member: false }.frame());
        }
    }

    pub(super) async fn was_read(
        &self,
        chat: ChatId,
        account: AccountId,
        seq: i64,
    ) -> Result<(), StoreError> {
        let event = Event::Read { chat, account, seq }.frame();
        // Their own devices are told always.
        self.table().write(account, &event);
        let mut conn = self.db().read().await?;
        if !conn.preferences(account).await?.read_receipts {
            return Ok(());
        }
        let others = self.others(&mut conn, chat, account).await?;
        self.write_to(&mut conn, others, &event, |others| others.read_receipts).await
    }

    pub(super) async fn is_typing(
        &self,
        chat: ChatId,
        account: AccountId,
    ) -> Result<(), StoreError> {
        let mut conn = self.db().read().await?;
        if conn.member(chat, account).await?.is_none() || !conn.preferences(account).await?.typing {
            return Ok(());
        }
        let others = self.others(&mut conn, chat, account).await?;
        let event = Event::Typing { chat, account }.frame();
        self.write_to(&mut conn, others, &event, |others| others.typing).await
    }

    pub(super) async fn presence_changed(&self, account: AccountId) -> Result<(), StoreError> {
        let mut conn = self.db().read().await?;
        let own = conn.preferences(account).await?;
        if !own.presence {
            return Ok(());
        }
        if !self.table().is_untold(account) {
            return Ok(());
        }
        let friends = friends(&mut conn, account).await?;
        for other in self.onlookers(&mut conn, account, &friends).await? {
            if conn.preferences(other).await?.presence {
                // As it is by now: of two who tell, the one that looked first may write last.
                let table = self.table();
                let standing = table.standing(account);
                let event = shown(account, &standing, own, friends.contains(&other));
                table.write(other, &event.frame());
            }
        }
        Ok(())
    }

    /// Somebody lets others see more of how they are, or less. Whoever is hidden from here on looks like
    /// somebody who went.
    pub(super) async fn preferences_changed(&self, account: AccountId) -> Result<(), StoreError> {
        let mut conn = self.db().read().await?;
        // Whatever was told, less of it may be shown from here on, or more.
        self.table().forget_told(account);
        if conn.preferences(account).await?.presence {
            drop(conn);
            return self.presence_changed(account).await;
        }
        let friends = friends(&mut conn, account).await?;
        let others = self.onlookers(&mut conn, account, &friends).await?;
        let gone =
            Event::Presence { account, state: Presence::Offline, jamming: false, room: None };
        self.write_to(&mut conn, others, &gone.frame(), |others| others.presence).await
    }

    /// How those are with whom somebody has a chat and who are their friends, as it is written to a socket.
    pub(super) async fn who_is_there(&self, account: AccountId) -> Result<Vec<Frame>, StoreError> {
        let mut conn = self.db().read().await?;
        if !conn.preferences(account).await?.presence {
            return Ok(Vec::new());
        }
        let blocked: BTreeSet<_> = conn.blocked_either_way(account).await?.into_iter().collect();
        let friends = friends(&mut conn, account).await?;
        let mut others = friends.clone();
        others.extend(conn.correspondents(account).await?);
        let mut frames = Vec::new();
        for other in others.difference(&blocked) {
            let standing = self.table().standing(*other);
            if !standing.state.is_there() {
                continue;
            }
            let theirs = conn.preferences(*other).await?;
            if theirs.presence {
                let is_friend = friends.contains(other);
                frames.push(shown(*other, &standing, theirs, is_friend).frame());
            }
        }
        Ok(frames)
    }

    /// Those who are here and may see how somebody is.
    async fn onlookers(
        &self,
        conn: &mut Conn,
        account: AccountId,
        friends: &BTreeSet<AccountId>,
    ) -> Result<Vec<AccountId>, StoreError> {
        let mut others = friends.clone();
        others.extend(conn.correspondents(account).await?);
        self.here_and_open_to(conn, others.into_iter().collect(), account).await
    }

    /// The others of a chat who are here, and have something to do with somebody.
    async fn others(
        &self,
        conn: &mut Conn,
        chat: ChatId,
        account: AccountId,
    ) -> Result<Vec<AccountId>, StoreError> {
        let members = conn.members(chat).await?;
        let others = members.into_iter().map(|member| member.account_id);
        let others = others.filter(|other| *other != account).collect();
        self.here_and_open_to(conn, others, account).await
    }

    async fn here_and_open_to(
        &self,
        conn: &mut Conn,
        others: Vec<AccountId>,
        account: AccountId,
    ) -> Result<Vec<AccountId>, StoreError> {
        let mut here = Vec::new();
        for other in others {
            if self.table().is_here(other) {
                here.push(other);
            }
        }
        if !here.is_empty() {
            let blocked = conn.blocked_either_way(account).await?;
            here.retain(|other| !blocked.contains(other));
        }
        Ok(here)
    }

    async fn write_to(
        &self,
        conn: &mut Conn,
        accounts: Vec<AccountId>,
        event: &Frame,
        shows: impl Fn(Preferences) -> bool,
    ) -> Result<(), StoreError> {
        for account in accounts {
            if shows(conn.preferences(account).await?) {
                self.table().write(account, event);
            }
        }
        Ok(())
    }
}

async fn friends(conn: &mut Conn, account: AccountId) -> Result<BTreeSet<AccountId>, StoreError> {
    Ok(conn.friend_ids(account).await?.into_iter().collect())
}

/// How somebody is, as far as they let whoever looks see it: that they play is for friends.
fn shown(account: AccountId, standing: &Standing, own: Preferences, is_friend: bool) -> Event {
    let jam = standing.jam.as_ref().filter(|_| is_friend && standing.state.is_there());
    let room = jam.and_then(|jam| jam.room.clone()).filter(|_| own.room);
    Event::Presence { account, state: standing.state, jamming: jam.is_some(), room }
}
