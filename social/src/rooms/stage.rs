//! Where people play, as accounts see it: told of what changes there, asked who is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use protocol::id::RoomId;

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
}

/// What comes when whoever plays has been told or asked.
pub type Coming<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What changed about a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageNews {
    /// An account may do this there.
    Role(AccountId, RoomRole),
    /// An account may not be there any more.
    Banned(AccountId),
    /// Who finds it, and who may come.
    Visibility(Visibility),
    /// Nobody owns it any more.
    Disowned,
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
    /// Tells those who play in a room, where anybody does.
    pub(crate) async fn tell(&self, room: &Room, news: StageNews) {
        // What stands in the table was read as a name before.
        if let (Some(stage), Ok(name)) = (self.0.get(), RoomId::parse(&room.name)) {
            stage.tell(name, news).await;
        }
    }
}

impl Social {
    /// Says where people play. The first word counts.
    pub fn set_stage(&self, stage: Arc<dyn Stage>) {
        let _ = self.stage().0.set(stage);
    }

    /// How many are in each of these rooms; nobody where nothing is said.
    pub(super) async fn playing(&self, rooms: Vec<RoomId>) -> Vec<usize> {
        match self.stage().0.get() {
            Some(stage) => stage.playing(rooms).await,
            None => vec![0; rooms.len()],
        }
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
        let (social, room) = (self.clone(), room.clone());
        let done = tokio::spawn(async move {
            tx.commit().await?;
            for note in notes {
                social.live().tell(note);
            }
            social.stage().tell(&room, news).await;
            Ok::<(), StoreError>(())
        });
        Ok(done.await.map_err(|_| Problem::internal())??)
    }
}
