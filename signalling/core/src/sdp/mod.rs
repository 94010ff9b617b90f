//! As much of SDP (RFC 8866, RFC 8829) as an SFU for music needs: browsers offer, we answer.
//!
//! Reads no answers and writes no offers. What surprises: this is a line reader of our own and
//! not a library, because an offer that cannot be used must be refused with the line that is
//! wrong, and because nothing of an offer is ever repeated into an answer unless it was checked.

mod answer;
mod lines;
mod offer;

pub(crate) use answer::{Answer, write};
pub(crate) use offer::{LineKind, MLine, Offer, UnusableOffer, parse};

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
