//! What travels beside a datagram between the kernel and us (`cmsg(3)`): when it arrived, how many
//! were dropped, and into what size a message is to be cut.
//!
//! Entries are read and written as bytes: a length of a pointer's size, which counts itself, a level
//! and a type, then the data, each entry beginning where a pointer could.

use core::time::Duration;
use std::mem::size_of;

use libc::{c_int, c_long};
use rustix::time::Timespec;

/// Room for what comes with one received datagram: a time and a count, each with its header.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Ancillary([u8; 64]);

impl Ancillary {
    pub(crate) const EMPTY: Self = Self([0; 64]);

    /// The data of the first entry of a kind, of which the kernel wrote `len` bytes in all.
    fn find<const N: usize>(&self, len: usize, kind: c_int) -> Option<&[u8; N]> {
        let mut rest = self.0.get(..len)?;
        loop {
            let (entry_bytes, header) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let entry_bytes = usize::from_ne_bytes(*entry_bytes);
            let (level, header) = header.split_first_chunk()?;
            let (found, _) = header.split_first_chunk()?;
            if c_int::from_ne_bytes(*level) == libc::SOL_SOCKET
                && c_int::from_ne_bytes(*found) == kind
            {
                return rest.get(HEADER_BYTES..entry_bytes)?.first_chunk();
            }
            let step = entry_bytes.max(HEADER_BYTES).checked_next_multiple_of(LENGTH_BYTES)?;
            rest = rest.get(step..)?;
        }
    }
}

/// How long ago a datagram arrived at the socket, by the wall clock of now; `None` where the kernel
/// does not tell. A clock that was set meanwhile gives nonsense, which counts as no time.
pub(crate) fn arrival_age(ancillary: &Ancillary, len: usize, now: Timespec) -> Option<Duration> {
    let time = ancillary.find::<{ 2 * size_of::<c_long>() }>(len, libc::SCM_TIMESTAMPNS)?;
    let (seconds, rest) = time.split_first_chunk()?;
    let (seconds, ns) =
        (c_long::from_ne_bytes(*seconds), c_long::from_ne_bytes(*rest.first_chunk()?));
    let seconds = now.tv_sec.checked_sub(seconds)?;
    let ns = seconds.checked_mul(1_000_000_000)?.checked_add(now.tv_nsec.checked_sub(ns)?)?;
    let age = Duration::from_nanos(u64::try_from(ns).unwrap_or(0));
    Some(if age < AGE_BELIEVED_MAX { age } else { Duration::ZERO })
}

/// How many datagrams the socket had dropped when this one was queued; `None` where there were none
/// or the kernel does not tell.
pub(crate) fn dropped_before(ancillary: &Ancillary, len: usize) -> Option<u32> {
    ancillary.find(len, libc::SO_RXQ_OVFL).copied().map(u32::from_ne_bytes)
}

/// The order to cut a message into datagrams of one size (`UDP_SEGMENT`).
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct SegmentSize(
    [u8; (HEADER_BYTES + size_of::<u16>()).next_multiple_of(LENGTH_BYTES)],
);

impl SegmentSize {
    pub(crate) const EMPTY: Self = Self([0; size_of::<Self>()]);

    pub(crate) fn of(bytes: usize) -> Self {
        let mut order = Self::EMPTY;
        let (length, rest) = order.0.split_at_mut(LENGTH_BYTES);
        let (level, rest) = rest.split_at_mut(size_of::<c_int>());
        let (kind, data) = rest.split_at_mut(size_of::<c_int>());
        length.copy_from_slice(&(HEADER_BYTES + size_of::<u16>()).to_ne_bytes());
        level.copy_from_slice(&libc::SOL_UDP.to_ne_bytes());
        kind.copy_from_slice(&libc::UDP_SEGMENT.to_ne_bytes());
        data[..size_of::<u16>()].copy_from_slice(&u16::try_from(bytes).unwrap_or(0).to_ne_bytes());
        order
    }
}

const LENGTH_BYTES: usize = size_of::<usize>();
const HEADER_BYTES: usize = LENGTH_BYTES + 2 * size_of::<c_int>();

/// Datagrams that wait longer are an hour of change to the wall clock rather.
const AGE_BELIEVED_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_entries_end_the_search() {
        let mut ancillary = Ancillary::EMPTY;
        assert_eq!(dropped_before(&ancillary, 0), None);
        assert_eq!(dropped_before(&ancillary, 64), None, "lengths of zero");
        ancillary.0.fill(0xff);
        for len in [0, 1, 15, 16, 64, 1000] {
            assert_eq!(dropped_before(&ancillary, len), None, "{len}");
        }
    }
}
