//! The states of one WebSocket.

use core::net::IpAddr;

use protocol::id::ParticipantId;
use protocol::time::Instant;

use crate::admission::Waiting;
use crate::bucket::Bucket;
use crate::limits::{
    AROUNDS, CHAT_MESSAGES, HEARINGS, HURRIED_MESSAGES, JOINS, LOOKS, MALFORMED_MESSAGES, MESSAGES,
};

/// A WebSocket, numbered by the shell; never the same number twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The addresses that one person has for nothing: an IPv4 address, or 64 bits of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressBlock {
    /// One address.
    V4([u8; 4]),
    /// The network part of many.
    V6([u8; 8]),
}

impl AddressBlock {
    /// Where an address belongs. None for this machine's own: behind a proxy everybody has it.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        match address.to_canonical() {
            ip if ip.is_loopback() => None,
            IpAddr::V4(ip) => Some(Self::V4(ip.octets())),
            IpAddr::V6(ip) => ip.octets().first_chunk().copied().map(Self::V6),
        }
    }
}

/// Why the shell could not make text out of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A binary frame.
    Binary,
    /// A ping or pong that nobody needs. It counts as a message.
    Control,
    /// More than [`protocol::limits::SIGNAL_MESSAGE_BYTES_MAX`].
    TooLarge,
}

/// One open WebSocket.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// Who it is, once joined.
    pub(crate) participant: Option<ParticipantId>,
    /// Its `join`, while somebody is asked about it.
    pub(crate) waiting: Option<Waiting>,
    /// Where it comes from, where that says something.
    pub(crate) from: Option<AddressBlock>,
    pub(crate) last_heard: Instant,
    pub(crate) messages: Bucket,
    pub(crate) hurried: Bucket,
    pub(crate) malformed: Bucket,
    pub(crate) chat: Bucket,
    pub(crate) hearings: Bucket,
    pub(crate) arounds: Bucket,
    pub(crate) looks: Bucket,
    pub(crate) joins: Bucket,
}

impl Connection {
    pub(crate) fn new(now: Instant, from: Option<AddressBlock>) -> Self {
        Self {
            participant: None,
            waiting: None,
            from,
            last_heard: now,
            messages: Bucket::new(MESSAGES),
            hurried: Bucket::new(HURRIED_MESSAGES),
            malformed: Bucket::new(MALFORMED_MESSAGES),
            chat: Bucket::new(CHAT_MESSAGES),
            hearings: Bucket::new(HEARINGS),
            arounds: Bucket::new(AROUNDS),
            looks: Bucket::new(LOOKS),
            joins: Bucket::new(JOINS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let of = |text: &str| AddressBlock::of(text.parse().expect("an address"));
        assert_eq!(of("203.0.113.5"), Some(AddressBlock::V4([203, 0, 113, 5])));
        assert_eq!(of("::ffff:203.0.113.5"), of("203.0.113.5"));
        assert_eq!(of("2001:db8:0:1::5"), of("2001:db8:0:1:ffff::"));
        assert_ne!(of("2001:db8:0:1::5"), of("2001:db8:0:2::5"));
        for own in ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(of(own), None, "{own}");
        }
    }
}
