//! One participant of a room as the router knows it: its link, its addresses, its streams.

use core::hash::{BuildHasherDefault, Hasher};
use core::net::SocketAddr;
use std::collections::HashMap;

use protocol::id::{ParticipantId, RoomId};
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use crate::limits::{
    ADDRESS_HELD, ADDRESSES_PER_LINK_MAX, CONTROL_DATAGRAMS_PER_SECOND_MAX,
    RTCP_PACKETS_PER_SECOND_MAX, SOURCES_PER_LINK_MAX, STRANGER_STUN_PER_LINK_PER_SECOND_MAX,
};
use crate::publisher::Source;
use crate::rate::Bucket;
use crate::slab::Key;
use crate::subscriber::Stream;

/// Tells keys of members from other keys, whatever the type of their links.
pub(crate) enum MemberKind {}

pub(crate) type MemberKey = Key<MemberKind>;

pub(crate) struct Member<L> {
    pub(crate) participant: ParticipantId,
    pub(crate) room: RoomId,
    pub(crate) link: L,
    /// Keys are there and the participant is heard: packets may be sent.
    pub(crate) up: bool,
    /// Stands in the router's list of links that have control datagrams to send.
    pub(crate) queued: bool,
    pub(crate) ufrag: String,
    pub(crate) control_rate: Bucket,
    /// STUN for this link from addresses that are not its own.
    pub(crate) stranger_rate: Bucket,
    pub(crate) rtcp_rate: Bucket,
    /// Sorted by SSRC.
    pub(crate) sources: Vec<(Ssrc, Key<Source>)>,
    /// Sorted by SSRC; carrying or not.
    pub(crate) streams: Vec<(Ssrc, Key<Stream>)>,
    /// Where authentic STUN came from, and when it last did.
    addresses: Vec<(SocketAddr, Instant)>,
}

impl<L> Member<L> {
    pub(crate) fn new(
        participant: ParticipantId,
        room: RoomId,
        link: L,
        ufrag: String,
        now: Instant,
    ) -> Self {
        let rate = CONTROL_DATAGRAMS_PER_SECOND_MAX;
        let strangers = STRANGER_STUN_PER_LINK_PER_SECOND_MAX;
        Self {
            participant,
            room,
            link,
            up: false,
            queued: false,
            ufrag,
            control_rate: Bucket::new(rate, rate, now),
            stranger_rate: Bucket::new(strangers, strangers, now),
            rtcp_rate: Bucket::new(RTCP_PACKETS_PER_SECOND_MAX, RTCP_PACKETS_PER_SECOND_MAX, now),
            sources: Vec::with_capacity(SOURCES_PER_LINK_MAX),
            streams: Vec::new(),
            addresses: Vec::with_capacity(ADDRESSES_PER_LINK_MAX),
        }
    }

    /// Notes authentic STUN from an address; gives the address that had to be forgotten for it.
    pub(crate) fn hold(&mut self, address: SocketAddr, now: Instant) -> Option<SocketAddr> {
        if let Some(held) = self.addresses.iter_mut().find(|held| held.0 == address) {
            held.1 = now;
            return None;
        }
        let forgotten = if ADDRESSES_PER_LINK_MAX <= self.addresses.len() {
            let silent = (0..self.addresses.len()).min_by_key(|at| self.addresses[*at].1);
            silent.map(|at| self.addresses.swap_remove(at).0)
        } else {
            None
        };
        self.addresses.push((address, now));
        forgotten
    }

    pub(crate) fn release(&mut self, address: SocketAddr) {
        self.addresses.retain(|held| held.0 != address);
    }

    /// Whether authentic STUN came from an address lately.
    pub(crate) fn holds(&self, address: SocketAddr, now: Instant) -> bool {
        let held = self.addresses.iter().find(|held| held.0 == address);
        held.is_some_and(|held| now.saturating_since(held.1) < ADDRESS_HELD)
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.addresses.iter().map(|held| held.0)
    }

    pub(crate) fn source(&self, ssrc: Ssrc) -> Option<Key<Source>> {
        find(&self.sources, ssrc).ok().map(|at| self.sources[at].1)
    }

    pub(crate) fn stream(&self, ssrc: Ssrc) -> Option<Key<Stream>> {
        find(&self.streams, ssrc).ok().map(|at| self.streams[at].1)
    }
}

/// Where an SSRC stands in a sorted list, or would.
pub(crate) fn find<K>(list: &[(Ssrc, Key<K>)], ssrc: Ssrc) -> Result<usize, usize> {
    list.binary_search_by_key(&ssrc, |entry| entry.0)
}

/// Whose an address is.
pub(crate) type AddressTable = HashMap<SocketAddr, MemberKey, BuildHasherDefault<AddressHasher>>;

/// Mixes the few bytes of an address, the same way in every run. Only authenticated participants
/// put addresses into the table, and no more than [`ADDRESSES_PER_LINK_MAX`] each, so nobody can
/// make it slow by choosing colliding ones.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        // The golden ratio in 64 bits, as in Fibonacci hashing.
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value.cast_unsigned() as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], port))
    }

    fn at_s(s: u64) -> Instant {
        Instant::from_ns(s * 1_000_000_000)
    }

    fn member() -> Member<()> {
        let room = RoomId::parse("r").expect("a name");
        Member::new(ParticipantId(1), room, (), "ufrag".into(), at_s(0))
    }

    #[test]
    fn an_address_is_held_for_a_while() {
        let mut member = member();
        member.hold(address(1), at_s(0));
        assert!(member.holds(address(1), at_s(6)));
        assert!(!member.holds(address(1), at_s(7)));
        assert!(!member.holds(address(2), at_s(0)));
    }

    #[test]
    fn the_address_that_was_silent_longest_is_forgotten_first() {
        let mut member = member();
        for port in 1..=8 {
            assert_eq!(member.hold(address(port), at_s(u64::from(port))), None);
        }
        member.hold(address(1), at_s(10));
        assert_eq!(member.hold(address(9), at_s(11)), Some(address(2)));
        assert_eq!(member.addresses().count(), ADDRESSES_PER_LINK_MAX);
    }

    #[test]
    fn neighbouring_addresses_hash_apart() {
        use core::hash::BuildHasher;
        let hasher = BuildHasherDefault::<AddressHasher>::default();
        let mut buckets = [0_u32; 64];
        for port in 40_000..44_096 {
            buckets[usize::try_from(hasher.hash_one(address(port)) >> 58).expect("6 bits")] += 1;
        }
        assert!(buckets.iter().all(|count| (16..=160).contains(count)), "{buckets:?}");
    }
}
