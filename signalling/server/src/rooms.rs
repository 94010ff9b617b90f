//! Rooms that accounts own: whom signalling asks about them, and what it is told of them.
//!
//! What surprises: a [`Doorkeeper`] may take its time, for it looks into a database. Each question is a task of its
//! own, of which there is one for each connection at most, and nobody else in any room waits for it. After
//! [`crate::limits::ADMISSION_WAIT_MAX`] it is dropped.

use std::pin::Pin;

use protocol::id::RoomId;
use signalling::{Admission, RoomNews, RoomStanding};
use tokio::sync::{mpsc, oneshot};

use crate::limits::ERRANDS_MAX;

/// Knows who may come into which room.
pub trait Doorkeeper: Send + Sync {
    /// Whether somebody may come who says that this lets them in.
    fn admit(
        &self,
        room: RoomId,
        pass: Option<String>,
    ) -> Pin<Box<dyn Future<Output = Admission> + Send + '_>>;

    /// Something was done in a room here to somebody with an account: whoever has the same room elsewhere is
    /// to know it. Nobody waits for that.
    fn tell_elsewhere(&self, room: RoomId, news: RoomNews);
}

/// Tells the rooms of a server what changed, and asks who plays in them. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Rooms(mpsc::Sender<Errand>);

/// What a server's rooms are told and asked; for [`Config::rooms`](crate::Config::rooms).
#[derive(Debug)]
pub struct Errands(pub(crate) mpsc::Receiver<Errand>);

#[derive(Debug)]
pub(crate) enum Errand {
    /// Something changed.
    News(RoomId, RoomNews),
    /// How many are in each of these.
    Count(Vec<RoomId>, oneshot::Sender<Vec<usize>>),
    /// How each room stands.
    Standings(oneshot::Sender<Vec<RoomStanding>>),
}

/// Both ends.
#[must_use]
pub fn rooms() -> (Rooms, Errands) {
    let (sender, receiver) = mpsc::channel(ERRANDS_MAX);
    (Rooms(sender), Errands(receiver))
}

impl Rooms {
    /// Tells what changed. Where the server has stopped, there is nobody to tell.
    pub async fn tell(&self, room: RoomId, news: RoomNews) {
        let _ = self.0.send(Errand::News(room, news)).await;
    }

    /// How many seats each of these rooms has; none where the server has stopped.
    pub async fn playing(&self, rooms: Vec<RoomId>) -> Vec<usize> {
        let nobody = vec![0; rooms.len()];
        let (answer, answered) = oneshot::channel();
        if self.0.send(Errand::Count(rooms, answer)).await.is_err() {
            return nobody;
        }
        answered.await.unwrap_or(nobody)
    }

    /// How each room stands that is played in; none where the server has stopped.
    pub async fn standings(&self) -> Vec<RoomStanding> {
        let (answer, answered) = oneshot::channel();
        if self.0.send(Errand::Standings(answer)).await.is_err() {
            return Vec::new();
        }
        answered.await.unwrap_or_default()
    }
}
