//! How many there are of what, for whoever watches the server or lists its rooms.

use protocol::id::RoomId;
use protocol::signal::RoomRole;

use crate::admission::Privacy;
use crate::room::Room;
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

    /// Every room that is played in, as those see it who know whose it is.
    #[must_use]
    pub fn standings(&self) -> Vec<RoomStanding> {
        let standing = |(name, room): (&RoomId, &Room)| {
            let members = room.members.iter().filter_map(|id| self.members.get(id));
            let roles: Vec<_> = members.filter_map(|member| Some((member, member.role?))).collect();
            let accounts = roles.iter().filter_map(|(member, role)| {
                let account = member.trace.account.clone()?;
                Some((account, *role))
            });
            RoomStanding {
                room: name.clone(),
                privacy: room.privacy,
                members: room.members.len(),
                with_role: roles.len(),
                accounts: accounts.collect(),
            }
        };
        self.rooms.iter().map(standing).collect()
    }
}

/// A room that is played in, as those see it who know whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomStanding {
    /// Which.
    pub room: RoomId,
    /// Whether it is joined without a pass, as far as is known here.
    pub privacy: Privacy,
    /// How many are in it.
    pub members: usize,
    /// How many of them have a role: all, where it is known here that somebody owns it.
    pub with_role: usize,
    /// Who came with an account, and what they may do.
    pub accounts: Vec<(String, RoomRole)>,
}
