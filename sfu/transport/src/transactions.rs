//! The STUN transactions that a link remembers, so that a message that somebody else repeats is
//! told from the original.

use std::net::SocketAddr;

use crate::stun::TransactionId;

/// The last transactions with the address of the other end in each: more than a minute of checks,
/// or some seconds at their fastest.
pub(crate) struct Transactions {
    ring: [Option<(TransactionId, SocketAddr)>; Self::LEN],
    next: usize,
}

/// What is known of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// Nothing so far.
    First,
    /// The same, with the same address.
    Again,
    /// The same transaction with another address.
    Elsewhere,
}

impl Transactions {
    const LEN: usize = 64;

    /// Remembers a transaction, unless it is known.
    pub(crate) fn note(&mut self, id: TransactionId, address: SocketAddr) -> Noted {
        let known = self.ring.iter().flatten().find(|(known, _)| *known == id);
        match known {
            Some((_, known)) if *known == address => Noted::Again,
            Some(_) => Noted::Elsewhere,
            None => {
                self.ring[self.next] = Some((id, address));
                self.next = (self.next + 1) % Self::LEN;
                Noted::First
            }
        }
    }

    /// Whether a transaction with this end of the other side is known.
    pub(crate) fn contains(&self, id: TransactionId, address: SocketAddr) -> bool {
        self.ring.contains(&Some((id, address)))
    }
}

impl Default for Transactions {
    fn default() -> Self {
        Self { ring: [None; Self::LEN], next: 0 }
    }
}
