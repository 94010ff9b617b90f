//! Where people play, as accounts see it: told of what changes there, asked who is there.
//!
//! What surprises: a room of one name is another room on each server of a database, since nobody hears
//! anybody across two. What an owner does holds for all of them, so each is told.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use protocol::id::RoomId;
use serde::{Deserialize, Serialize};

use super::{RoomRole, Visibility};
use crate::Social;
use crate::id::AccountId;
use crate::live::Note;
use crate::problem::Problem;
use crate::store::{Room, StoreError, Tx};

/// The rooms that are played in on this server.
pub trait Stage: Send + Sync {
    /// Tells that something about a room changed.
    fn tell(&self, room: RoomId, news: StageNews) -> Coming<'_, ()>;

    /// How many are in each of these rooms.
    fn playing(&self, rooms: Vec<RoomId>) -> Coming<'_, Vec<usize>>;

    /// How each room stands that is played in.
    fn standings(&self) -> Coming<'_, Vec<OnStage>>;
}

/// What comes when whoever plays has been told or asked.
pub type Coming<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What changed about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageNews {
    /// An account may do this there.
    Role(AccountId, RoomRole),
    /// An account may not be there any more.
    Banned(AccountId),
    /// Nobody is to hear an account, or they may again.
    Silenced(AccountId, bool),
    /// An account was taken out, for a while.
    Removed(AccountId),
    /// Who finds it, and who may come.
    Visibility(Visibility),
    /// Nobody owns it any more.
    Disowned,
}

/// A room that is played in, as it is known there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnStage {
    /// Which.
    pub room: RoomId,
    /// Whether nobody comes without a pass.
    pub is_private: bool,
    /// Whether anybody has a role.
    pub has_roles: bool,
    /// Whether somebody has none.
    pub lacks_roles: bool,
    /// Who came with an account, and what they may do.
    pub accounts: Vec<(AccountId, RoomRole)>,
}

/// Where people play, once that is said. Cloning it is cheap.
#[derive(Clone, Default)]
pub(crate) struct StageSlot(Arc<OnceLock<Arc<dyn Stage>>>);

impl core::fmt::Debug for StageSlot {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StageSlot(..)")
    }
}

impl StageSlot {
    /// Tells those who play in a room on this server, where anybody does.
    pub(crate) async fn tell(&self, room: RoomId, news: StageNews) {
        if let Some(stage) = self.0.get() {
            stage.tell(room, news).await;
        }
    }

    /// How each room stands that is played in on this server.
    pub(crate) async fn standings(&self) -> Vec<OnStage> {
        match self.0.get() {
            Some(stage) => stage.standings().await,
            None => Vec::new(),
        }
    }
}

impl Social {
    /// Says where people play. The first word counts.
    pub fn set_stage(&self, stage: Arc<dyn Stage>) {
        let _ = self.live().stage().0.set(stage);
    }

    /// How many are in each of these rooms; nobody where nothing is said.
    pub(super) async fn playing(&self, rooms: Vec<RoomId>) -> Vec<usize> {
        match self.live().stage().0.get() {
            Some(stage) => stage.playing(rooms).await,
            None => vec![0; rooms.len()],
        }
    }

    /// Tells the other servers what was done where people play on this one.
    pub fn tell_stages_elsewhere(&self, room: RoomId, news: StageNews) {
        self.live().pass_on(Note::Stage { room, news });
    }

    /// Commits, and then tells those who chat and those who play, also where whoever asked for it hung up
    /// meanwhile.
    pub(super) async fn commit_and_stage(
        &self,
        tx: Tx,
        notes: Vec<Note>,
        room: &Room,
        news: StageNews,
    ) -> Result<(), Problem> {
        let (live, room) = (self.live().clone(), room.clone());
        let done = tokio::spawn(async move {
            tx.commit().await?;
            for note in notes {
                live.tell(note);
            }
            live.tell_stages(&room, news).await;
            Ok::<(), StoreError>(())
        });
        Ok(done.await.map_err(|_| Problem::internal())??)
    }
}
