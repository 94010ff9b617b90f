//! What is done about rooms, told to those who play in them on any server.
//!
//! What surprises: whoever did it waits until those who play here know it, and for no other server. One that
//! heard nothing looks now and then how its rooms stand, and finds all but who was silenced or taken out
//! for a while, which is kept nowhere.

use std::collections::BTreeMap;

use protocol::id::RoomId;
use tokio::sync::mpsc;

use super::Note;
use super::hub::Live;
use crate::id::AccountId;
use crate::rooms::{OnStage, RoomRole, StageNews, StageSlot, Visibility};
use crate::store::{Conn, Room, StoreError};

impl Live {
    /// Tells those who play in a room, on every server.
    pub(crate) async fn tell_stages(&self, room: &Room, news: StageNews) {
        // What stands in the table was read as a name before.
        let Ok(room) = RoomId::parse(&room.name) else { return };
        self.pass_on(Note::Stage { room: room.clone(), news });
        self.stage().tell(room, news).await;
    }

    /// Tells those who play here what another server told, after what it told before.
    pub(super) fn stage_soon(&self, room: RoomId, news: StageNews) {
        if self.to_stage().try_send((room, news)).is_err() {
            tracing::warn!("too much is told of rooms at once; it is looked how they stand");
        }
    }

    /// Compares the rooms that are played in with the database, and tells those who play the difference.
    pub(super) async fn look_at_stage(&self) -> Result<(), StoreError> {
        for on_stage in self.stage().standings().await {
            let news = missed(&mut self.db().read().await?, &on_stage).await?;
            for news in news {
                self.stage().tell(on_stage.room.clone(), news).await;
            }
        }
        Ok(())
    }
}

/// Tells those who play, in order, as long as anybody could tell anything.
pub(super) async fn tell_in_order(stage: StageSlot, mut news: mpsc::Receiver<(RoomId, StageNews)>) {
    while let Some((room, news)) = news.recv().await {
        stage.tell(room, news).await;
    }
}

/// What those who play in a room were not told.
async fn missed(conn: &mut Conn, known: &OnStage) -> Result<Vec<StageNews>, StoreError> {
    let Some(room) = conn.room(known.room.as_str()).await? else {
        return Ok(if known.has_roles { vec![StageNews::Disowned] } else { Vec::new() });
    };
    let mut news = Vec::new();
    if known.lacks_roles || known.is_private != (room.visibility == Visibility::Private) {
        news.push(StageNews::Visibility(room.visibility));
    }
    if known.accounts.is_empty() {
        return Ok(news);
    }
    let bans: BTreeMap<AccountId, _> = conn.room_bans(&room.name).await?.into_iter().collect();
    let moderators = conn.room_moderators(&room.name).await?;
    for (account, role) in &known.accounts {
        let is = if room.owner_id == *account {
            RoomRole::Owner
        } else if moderators.contains(account) {
            RoomRole::Moderator
        } else {
            RoomRole::Guest
        };
        if bans.contains_key(account) {
            news.push(StageNews::Banned(*account));
        } else if is != *role {
            news.push(StageNews::Role(*account, is));
        }
    }
    Ok(news)
}
