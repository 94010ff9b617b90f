//! Messages: chats of two, of groups and of rooms, on one model.
//!
//! Whoever is in a chat sees what came since they joined it. A message is acknowledged when it is
//! committed, and sent once however often it is tried, by its author's own name for it. What surprises:
//! there is no log of what happened. Every change gives its message the chat's next `rev`, so that a
//! client which knows a rev asks for what changed since and gets each message as it stands
//! (`docs/chat.md`).

mod call;
mod chats;
mod gif;
mod members;
mod mentions;
mod messages;
mod rates;
mod reactions;
mod search;
mod send;
pub(crate) mod view;
mod words;

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::account::UnknownWord;
use crate::http::Actor;
use crate::id::ChatId;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Chat, Conn, Member, Tx};

pub(crate) use messages::{clean_later, readable_message, remove_message};
pub use rates::Rates;
pub(crate) use view::PersonBody;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(chats::routes())
        .merge(members::routes())
        .merge(messages::routes())
        .merge(send::routes())
        .merge(reactions::routes())
        .merge(search::routes())
}

/// Whose a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatKind {
    /// Of two.
    Direct,
    /// Of whoever was let into it.
    Group,
    /// Of a room, for those who may be there.
    Room,
}

impl ChatKind {
    /// As it stands in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group => "group",
            Self::Room => "room",
        }
    }
}

impl FromStr for ChatKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Direct, Self::Group, Self::Room];
        all.into_iter().find(|known| known.word() == text).ok_or(UnknownWord)
    }
}

/// What somebody may do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// Says who is in it, and what it is called.
    Owner,
    /// Reads and writes.
    Member,
}

impl MemberRole {
    /// As it stands in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }
}

impl FromStr for MemberRole {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Owner, Self::Member]
            .into_iter()
            .find(|known| known.word() == text)
            .ok_or(UnknownWord)
    }
}

/// A chat and whoever asks, who is in it.
struct Seat {
    chat: Chat,
    member: Member,
}

/// A chat of whoever asks. One that they are not in is not there for them.
async fn seat(conn: &mut Conn, id: ChatId, actor: Actor) -> Result<Seat, Problem> {
    let chat = conn.chat(id).await?.ok_or_else(no_chat)?;
    let member = conn.member(id, actor.account).await?.ok_or_else(no_chat)?;
    Ok(Seat { chat, member })
}

/// The same, and until the transaction ends nobody else changes anything in it.
async fn locked_seat(tx: &mut Tx, id: ChatId, actor: Actor) -> Result<Seat, Problem> {
    tx.lock_chat(id).await?.ok_or_else(no_chat)?;
    seat(tx, id, actor).await
}

impl Seat {
    /// That whoever asks owns the group.
    fn owned(self) -> Result<Self, Problem> {
        if self.chat.kind != ChatKind::Group {
            let text = "only a group has a title and members that can be changed";
            return Err(Problem::new(ProblemCode::Conflict, text));
        }
        if self.member.role != MemberRole::Owner {
            let text = "only an owner of the group can do this; ask one";
            return Err(Problem::new(ProblemCode::Forbidden, text));
        }
        Ok(self)
    }

    /// That something new may be said here: not to somebody with whom one has nothing to do, who is
    /// answered for like somebody who is not there.
    async fn open(self, conn: &mut Conn) -> Result<Self, Problem> {
        if self.chat.kind != ChatKind::Direct {
            return Ok(self);
        }
        let (own, mut other) = (self.member.account_id, None);
        for member in conn.members(self.chat.id).await? {
            if member.account_id != own {
                other = Some(member.account_id);
            }
        }
        // Somebody who is hidden has no name.
        let other = other.ok_or_else(no_person)?;
        if conn.usernames(&[other]).await?.is_empty() || conn.is_blocked_between(own, other).await?
        {
            return Err(no_person());
        }
        Ok(self)
    }
}

fn no_chat() -> Problem {
    Problem::not_found("chat")
}

/// The same for somebody who is not there and for somebody who is blocked: nobody learns which.
fn no_person() -> Problem {
    let text = "there is nobody of this name whom you can reach";
    Problem::new(ProblemCode::NotFound, text)
}
