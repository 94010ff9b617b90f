//! Whoever keeps takes, as signalling sees them.

use protocol::id::RoomId;
use signalling::TakeEvent;

/// Keeps takes. Called on the task that owns the rooms: no method may wait.
pub trait TakeKeeper: Send + Sync {
    /// Whether a take could be begun now in this room, or in any; an error says why not, in words for the
    /// musicians.
    fn admit(&self, room: Option<&RoomId>) -> Result<(), String>;

    /// What becomes of a take; in order.
    fn handle(&self, event: TakeEvent);
}
