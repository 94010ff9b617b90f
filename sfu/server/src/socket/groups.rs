//! Which queued datagrams have one address and one size: those may leave in one message.
//!
//! A table that never grows and never allocates: open addressing over the groups of one batch, and a
//! list through the members of each.

use std::net::SocketAddr;

use crate::limits::SEND_BATCH_DATAGRAMS;

/// The groups of one batch, in the order of their first members.
pub(crate) struct Groups {
    /// Group numbers and one, by hash; 0 for none.
    table: Box<[u16; TABLE_SLOTS]>,
    groups: Vec<Group>,
    /// For each datagram the next one of its group.
    next: Box<[u16; SEND_BATCH_DATAGRAMS]>,
    datagrams: u16,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    to: SocketAddr,
    len: usize,
    first: u16,
    last: u16,
    slot: usize,
}

impl Groups {
    pub(crate) fn new() -> Self {
        Self {
            table: Box::new([0; TABLE_SLOTS]),
            groups: Vec::with_capacity(SEND_BATCH_DATAGRAMS),
            next: Box::new([NONE; SEND_BATCH_DATAGRAMS]),
            datagrams: 0,
        }
    }

    /// Adds the next datagram.
    pub(crate) fn add(&mut self, to: SocketAddr, len: usize) {
        let datagram = self.datagrams;
        self.datagrams += 1;
        self.next[usize::from(datagram)] = NONE;
        let mut slot = hash(to, len) % TABLE_SLOTS;
        // There are twice as many slots as groups, so an empty one is met.
        while let Some(at) = usize::from(self.table[slot]).checked_sub(1) {
            let group = &mut self.groups[at];
            if group.to == to && group.len == len {
                self.next[usize::from(group.last)] = datagram;
                group.last = datagram;
                return;
            }
            slot = (slot + 1) % TABLE_SLOTS;
        }
        self.groups.push(Group { to, len, first: datagram, last: datagram, slot });
        self.table[slot] = u16::try_from(self.groups.len()).unwrap_or(0);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// The datagrams of a group, oldest first, numbered as they were added.
    pub(crate) fn members(&self, group: &Group) -> impl Iterator<Item = usize> + '_ {
        let following = |at: &u16| Some(self.next[usize::from(*at)]).filter(|next| *next != NONE);
        std::iter::successors(Some(group.first), following).map(usize::from)
    }

    pub(crate) fn clear(&mut self) {
        for group in self.groups.drain(..) {
            self.table[group.slot] = 0;
        }
        self.datagrams = 0;
    }
}

/// Participants choose their addresses, but a batch holds no more than 256 of them.
fn hash(to: SocketAddr, len: usize) -> usize {
    let address = match to {
        SocketAddr::V4(v4) => u64::from(v4.ip().to_bits()),
        SocketAddr::V6(v6) => {
            let segments = v6.ip().segments().into_iter();
            segments.fold(0_u64, |mixed, segment| mixed.rotate_left(13) ^ u64::from(segment))
        }
    };
    let mixed = address ^ u64::from(to.port()) << 32 ^ (len as u64) << 52;
    // The golden ratio in 64 bits, as in Fibonacci hashing.
    usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48).unwrap_or(0)
}

const TABLE_SLOTS: usize = 2 * SEND_BATCH_DATAGRAMS;
const NONE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn members(groups: &Groups) -> Vec<Vec<usize>> {
        groups.iter().map(|group| groups.members(group).collect()).collect()
    }

    #[test]
    fn one_address_and_one_size_are_one_group() {
        let to = |port| SocketAddr::from(([192, 0, 2, 1], port));
        let mut groups = Groups::new();
        for (port, len) in [(1, 100), (2, 100), (1, 100), (1, 80), (2, 100), (1, 100)] {
            groups.add(to(port), len);
        }
        assert_eq!(members(&groups), [vec![0, 2, 5], vec![1, 4], vec![3]]);
        groups.clear();
        assert!(members(&groups).is_empty());
        groups.add(to(2), 100);
        assert_eq!(members(&groups), [[0]]);
    }

    #[test]
    fn a_full_batch_of_strangers_is_as_many_groups() {
        let mut groups = Groups::new();
        for round in 0..2 {
            for port in 0..SEND_BATCH_DATAGRAMS {
                let port = u16::try_from(port).expect("small");
                groups.add(SocketAddr::from(([127, 0, 0, 1], 1000 * round + port)), 100);
            }
            assert_eq!(members(&groups).len(), SEND_BATCH_DATAGRAMS);
            groups.clear();
        }
    }
}
