//! The STUN transactions that a link remembers, so that a message that somebody else repeats is
//! told from the original.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::limits::{ADDRESSES_MAX, TRANSACTIONS_MAX};
use crate::stun::TransactionId;

/// The last transactions, and the address of the other end in each.
#[derive(Default)]
pub(crate) struct Transactions {
    /// Every address so far, each once.
    addresses: Vec<SocketAddr>,
    ring: VecDeque<Transaction>,
}

/// Thirteen bytes, because there are thousands.
struct Transaction {
    id: TransactionId,
    /// Which of the addresses.
    address: u8,
}

const _: () = assert!(ADDRESSES_MAX <= 1 << u8::BITS, "an address has one byte");

/// What is known of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// Nothing so far.
    First,
    /// The same, with the same address.
    Again,
    /// The same transaction with another address.
    Elsewhere,
    /// Nothing, and it stays so: the address is one too many.
    Exhausted,
}

impl Transactions {
    /// Remembers a transaction, unless it is known.
    pub(crate) fn note(&mut self, id: TransactionId, address: SocketAddr) -> Noted {
        if let Some(known) = self.ring.iter().find(|known| known.id == id) {
            let same = self.addresses.get(usize::from(known.address)) == Some(&address);
            return if same { Noted::Again } else { Noted::Elsewhere };
        }
        let Some(address) = self.address(address) else { return Noted::Exhausted };
        if TRANSACTIONS_MAX <= self.ring.len() {
            self.ring.pop_front();
        }
        self.ring.push_back(Transaction { id, address });
        Noted::First
    }

    /// Whether a transaction with this end of the other side is known.
    pub(crate) fn contains(&self, id: TransactionId, address: SocketAddr) -> bool {
        let known = self.ring.iter().find(|known| known.id == id);
        known.is_some_and(|known| self.addresses.get(usize::from(known.address)) == Some(&address))
    }

    /// Forgets all transactions: with other credentials none of them is authentic any more.
    pub(crate) fn clear(&mut self) {
        self.ring.clear();
    }

    /// The place of an address, made where it is missing.
    fn address(&mut self, address: SocketAddr) -> Option<u8> {
        let known = self.addresses.iter().position(|known| *known == address);
        let at = known.unwrap_or(self.addresses.len());
        if ADDRESSES_MAX <= at {
            return None;
        }
        if known.is_none() {
            self.addresses.push(address);
        }
        u8::try_from(at).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> TransactionId {
        let mut id = [0; 12];
        id[..8].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], port))
    }

    #[test]
    fn a_transaction_is_first_again_or_elsewhere() {
        let mut transactions = Transactions::default();
        assert_eq!(transactions.note(id(1), address(1)), Noted::First);
        assert_eq!(transactions.note(id(1), address(1)), Noted::Again);
        assert_eq!(transactions.note(id(1), address(2)), Noted::Elsewhere);
        assert!(transactions.contains(id(1), address(1)));
        assert!(!transactions.contains(id(1), address(2)));
        transactions.clear();
        assert_eq!(transactions.note(id(1), address(2)), Noted::First);
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut transactions = Transactions::default();
        let limit = u64::try_from(TRANSACTIONS_MAX).expect("small");
        for number in 0..=limit {
            assert_eq!(transactions.note(id(number), address(1)), Noted::First);
        }
        assert!(!transactions.contains(id(0), address(1)));
        assert!(transactions.contains(id(1), address(1)));
        assert_eq!(transactions.note(id(limit), address(2)), Noted::Elsewhere);
    }

    #[test]
    fn copies_from_elsewhere_take_no_address() {
        let mut transactions = Transactions::default();
        transactions.note(id(0), address(0));
        for port in 1..1000 {
            assert_eq!(transactions.note(id(0), address(port)), Noted::Elsewhere);
        }
        let limit = u16::try_from(ADDRESSES_MAX).expect("small");
        for port in 1..limit {
            assert_eq!(transactions.note(id(u64::from(port)), address(port)), Noted::First);
        }
        assert_eq!(transactions.note(id(9999), address(limit)), Noted::Exhausted);
        assert!(!transactions.contains(id(9999), address(limit)));
    }
}
