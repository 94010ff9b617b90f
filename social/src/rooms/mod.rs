//! Rooms that an account owns: who finds them, who may come, who may do what there.
//!
//! Any name is a room, and whoever has the link plays there, with or without an account; that needs none
//! of this. An account can own a name: then it says whether the room is listed, or private behind a
//! password and invites, and who moderates it. What surprises: nothing here lets anybody in. A route
//! gives a [pass], and whoever keeps the door of the rooms shows it here again within a minute;
//! what an account may do is read then, so what was taken from it in between is not in the pass.

mod admit;
mod invites;
mod own;
mod pass;
mod people;
mod public;
mod rates;
mod stage;
mod words;

use std::str::FromStr;

use protocol::id::RoomId;
use protocol::signal::RoomRole as PlayingRole;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::account::UnknownWord;
use crate::http::Actor;
use crate::id::AccountId;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Conn, Room, StoreError, Tx};

pub use admit::{Entry, NoEntry};
pub(crate) use rates::RoomRates;
pub(crate) use stage::StageSlot;
pub use stage::{Coming, OnStage, Stage, StageNews};

pub(crate) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .merge(own::routes())
        .merge(public::routes())
        .merge(people::routes())
        .merge(invites::routes())
        .merge(pass::routes())
}

/// Who finds a room, and who may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody finds it in a list, and whoever does may come.
    Public,
    /// Whoever has the link may come.
    Unlisted,
    /// Whoever has the link and its password, or an invite, may come.
    Private,
}

impl Visibility {
    /// As it stands in the database and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

impl FromStr for Visibility {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let all = [Self::Public, Self::Unlisted, Self::Private];
        all.into_iter().find(|known| known.word() == text).ok_or(UnknownWord)
    }
}

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    /// Play.
    Guest,
    /// Silence guests, take them out, ban them, and invite others.
    Moderator,
    /// All of that with everybody, and change the room.
    Owner,
}

impl From<PlayingRole> for RoomRole {
    fn from(role: PlayingRole) -> Self {
        match role {
            PlayingRole::Guest => Self::Guest,
            PlayingRole::Moderator => Self::Moderator,
            PlayingRole::Owner => Self::Owner,
        }
    }
}

impl From<RoomRole> for PlayingRole {
    fn from(role: RoomRole) -> Self {
        match role {
            RoomRole::Guest => Self::Guest,
            RoomRole::Moderator => Self::Moderator,
            RoomRole::Owner => Self::Owner,
        }
    }
}

/// A room, and what whoever asks may do there.
struct Seat {
    room: Room,
    role: RoomRole,
}

impl Seat {
    /// That whoever asks owns the room.
    fn owned(self) -> Result<Self, Problem> {
        if self.role == RoomRole::Owner {
            return Ok(self);
        }
        let text = "only the owner of the room can do this";
        Err(Problem::new(ProblemCode::Forbidden, text))
    }

    /// That whoever asks owns or moderates the room.
    fn moderated(self) -> Result<Self, Problem> {
        if RoomRole::Moderator <= self.role {
            return Ok(self);
        }
        let text = "only the owner of the room and its moderators can do this";
        Err(Problem::new(ProblemCode::Forbidden, text))
    }
}

/// The room of a path. What can be no name is not there.
fn named(path: &str) -> Result<RoomId, Problem> {
    RoomId::parse(path).map_err(|_| no_room())
}

/// A room and whoever asks.
async fn seat(conn: &mut Conn, name: &RoomId, actor: Actor) -> Result<Seat, Problem> {
    let room = conn.room(name.as_str()).await?.ok_or_else(no_room)?;
    let role = role_of(conn, &room, Some(actor.account)).await?;
    Ok(Seat { room, role })
}

/// The same, and until the transaction ends nobody else changes it.
async fn locked_seat(tx: &mut Tx, name: &RoomId, actor: Actor) -> Result<Seat, Problem> {
    tx.lock_room(name.as_str()).await?.ok_or_else(no_room)?;
    seat(tx, name, actor).await
}

/// What an account may do in a room, or somebody without one.
async fn role_of(
    conn: &mut Conn,
    room: &Room,
    account: Option<AccountId>,
) -> Result<RoomRole, StoreError> {
    let Some(account) = account else { return Ok(RoomRole::Guest) };
    if room.owner_id == account {
        return Ok(RoomRole::Owner);
    }
    let moderates = conn.is_room_moderator(&room.name, account).await?;
    Ok(if moderates { RoomRole::Moderator } else { RoomRole::Guest })
}

fn no_room() -> Problem {
    let text = "nobody owns a room of this name: whoever has its link joins it, without a pass";
    Problem::new(ProblemCode::NotFound, text)
}
