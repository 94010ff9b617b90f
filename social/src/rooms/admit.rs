//! The door of the rooms: what is said of somebody who wants to come in.

use protocol::id::RoomId;

use super::pass::{BANNED, Pass};
use super::{RoomRole, Visibility, role_of};
use crate::Social;
use crate::chat::MemberRole;
use crate::id::AccountId;
use crate::limits::{CHAT_MEMBERS_MAX, CHATS_MAX};
use crate::live::Note;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Room, StoreError};

/// What is said of somebody who wants to come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Nobody owns the room.
    Unowned,
    /// They may.
    Owned {
        /// What they may do.
        role: RoomRole,
        /// With which account they come.
        account: Option<AccountId>,
        /// Who finds the room, and who may come.
        visibility: Visibility,
    },
    /// They may not: for programs, and for people.
    Refused(NoEntry, &'static str),
}

/// Why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEntry {
    /// The room is private, and they have no pass.
    PassWanted,
    /// The pass is forged, of another room or too old.
    BadPass,
    /// Their account is banned.
    Banned,
}

impl Social {
    /// Whether somebody may come into a room who shows this pass, or none. Whoever comes with an account
    /// is in the room's chat soon after: whoever is at the door waits for no transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn admit(&self, name: &RoomId, pass: Option<&str>) -> Result<Entry, StoreError> {
        let mut conn = self.db().read().await?;
        let Some(room) = conn.room(name.as_str()).await? else { return Ok(Entry::Unowned) };
        let Some(pass) = pass else {
            if room.visibility == Visibility::Private {
                let text = "this room is private: it wants its password, or an invite";
                return Ok(Entry::Refused(NoEntry::PassWanted, text));
            }
            let (role, visibility) = (RoomRole::Guest, room.visibility);
            return Ok(Entry::Owned { role, account: None, visibility });
        };
        let pass = Pass::read(self.key(), pass);
        let Some(pass) = pass.filter(|pass| pass.room == *name && self.now() < pass.end) else {
            let text = "the pass is for another room, or too old; join again";
            return Ok(Entry::Refused(NoEntry::BadPass, text));
        };
        if let Some(account) = pass.account {
            if conn.account(account).await?.is_none() {
                let text = "the account is gone; join without it";
                return Ok(Entry::Refused(NoEntry::BadPass, text));
            }
            if conn.is_room_banned(&room.name, account).await? {
                return Ok(Entry::Refused(NoEntry::Banned, BANNED));
            }
        }
        let role = role_of(&mut conn, &room, pass.account).await?;
        let visibility = room.visibility;
        drop(conn);
        if let Some(account) = pass.account {
            let social = self.clone();
            // Of its own: they came to play. It ends by itself where the database does not answer, and a
            // server that stops meanwhile leaves nothing undone that their next visit would not do.
            tokio::spawn(async move {
                if let Err(problem) = social.enter_chat(&room, account).await {
                    let code = problem.code().word();
                    tracing::warn!(code, "somebody is not in the room's chat");
                }
            });
        }
        Ok(Entry::Owned { role, account: pass.account, visibility })
    }

    /// Puts somebody into the room's chat, if they are not in it.
    async fn enter_chat(&self, room: &Room, account: AccountId) -> Result<(), Problem> {
        let chat = room.chat_id;
        if self.db().read().await?.member(chat, account).await?.is_some() {
            return Ok(());
        }
        let mut tx = self.db().begin().await?;
        tx.lock_account(account).await?;
        // It may have been deleted meanwhile, or they banned.
        if tx.lock_chat(chat).await?.is_none() || tx.is_room_banned(&room.name, account).await? {
            return Ok(());
        }
        let is_full = CHAT_MEMBERS_MAX <= tx.members(chat).await?.len();
        if is_full || CHATS_MAX <= tx.number_of_chats(account).await? {
            return Err(Problem::new(ProblemCode::Full, "there is no more room in the chat"));
        }
        tx.join_chat(chat, account, MemberRole::Member, self.now()).await?;
        self.commit_and_tell(tx, vec![Note::Chat { chat, also: None }]).await
    }
}
