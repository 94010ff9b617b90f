//! What reaches clients at once: messages, and what is never kept, over a WebSocket.
//!
//! Whatever changed is told as a [`Note`]: which chat, and up to which rev. The hub loads what it is, once
//! for all sockets of this server, and hands each message to the members who are here, in the order of
//! the revs. A note may come late, twice or out of order, or be lost with a server; whoever loads takes
//! everything since the last rev that was handed out, so none is missed and none comes twice. What
//! surprises: nobody here waits for a client. A socket that does not keep up is told to come again and
//! say which rev it knows (`docs/chat.md`).

mod bus;
mod deliver;
mod ended;
mod ephemeral;
mod hub;
mod resume;
mod seat;
mod socket;
mod stage;
mod table;

use protocol::id::RoomId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::id::{AccountId, ChatId};
use crate::problem::Problem;
use crate::rooms::StageNews;
use crate::store::{StoreError, Tx};

pub use hub::Live;

pub(crate) fn routes() -> OpenApiRouter<Social> {
    socket::routes()
}

/// Something that happened, told to every server of the database. It holds ids and numbers, and the name of
/// a room where its player lets friends see it, or that turned private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Note {
    /// Messages of a chat changed, up to this rev.
    Changed {
        /// Which chat.
        chat: ChatId,
        /// The last change.
        rev: i64,
    },
    /// A chat has other members, or another title.
    Chat {
        /// Which chat.
        chat: ChatId,
        /// Who is no longer in it.
        also: Option<AccountId>,
    },
    /// Somebody has read a chat so far.
    Read {
        /// Which chat.
        chat: ChatId,
        /// Who.
        account: AccountId,
        /// Up to which message.
        seq: i64,
    },
    /// Somebody is writing.
    Typing {
        /// In which chat.
        chat: ChatId,
        /// Who.
        account: AccountId,
    },
    /// Somebody came, went, or looks elsewhere.
    Presence {
        /// Who.
        account: AccountId,
        /// How they are on the server that tells.
        #[serde(flatten)]
        standing: Standing,
    },
    /// Somebody lets others see more of how they are, or less.
    Preferences {
        /// Who.
        account: AccountId,
    },
    /// A room is private: nobody is told its name any more.
    RoomHidden {
        /// Which room.
        room: RoomId,
    },
    /// Sessions of an account ended.
    SignedOut {
        /// Whose.
        account: AccountId,
    },
    /// Something about a room that an account owns changed, or was done there.
    Stage {
        /// Which room.
        room: RoomId,
        /// What.
        news: StageNews,
    },
}

/// Whether somebody is there. It is never kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// They are not.
    Offline,
    /// They are, and look elsewhere.
    Away,
    /// They are.
    Online,
}

/// How somebody is: whether they are there, and whether they play. It is never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether they are there.
    pub state: Presence,
    /// That they play.
    #[serde(default)]
    pub jam: Option<Jam>,
}

/// That somebody plays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jam {
    /// In which room, where friends may see it.
    pub room: Option<RoomId>,
}

impl Social {
    /// Commits, and then tells what happened, also where whoever asked for it hung up meanwhile.
    pub(crate) async fn commit_and_tell(&self, tx: Tx, notes: Vec<Note>) -> Result<(), Problem> {
        let live = self.live().clone();
        // A task of its own: what is dropped here while it commits would be committed and not told.
        let committed = tokio::spawn(async move {
            tx.commit().await?;
            for note in notes {
                live.tell(note);
            }
            Ok::<(), StoreError>(())
        });
        Ok(committed.await.map_err(|_| Problem::internal())??)
    }
}
