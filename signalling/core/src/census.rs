//! How many there are of what, for whoever watches the server or lists its rooms.

use protocol::id::RoomId;

use crate::signalling::Signalling;

impl Signalling {
    /// How many WebSockets there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// How many rooms have at least one seat.
    #[must_use]
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many seats there are in all rooms, kept ones included.
    #[must_use]
    pub fn participants(&self) -> usize {
        self.members.len()
    }

    /// Whether somebody would be let into a room of their own.
    #[must_use]
    pub fn takes_rooms(&self) -> bool {
        self.rooms.len() < self.limits.rooms_max
            && self.members.len() < self.limits.participants_max
            && self.placement.takes_rooms()
    }

    /// Seats in each of these rooms, kept ones included.
    #[must_use]
    pub fn participants_in(&self, rooms: &[RoomId]) -> Vec<usize> {
        let count = |room| self.rooms.get(room).map_or(0, |room| room.members.len());
        rooms.iter().map(count).collect()
    }
}
