//! The stem file: what one track of one participant records of a take, on their own machine.
//!
//! A file begins with [`MAGIC`] and is records from there on, each with a mark, its kind, its length and a checksum
//! (docs/takes.md has every byte). It is only ever appended to. Wherever it is cut off, all whole records before the
//! cut are good; where a program that crashed left half a record and the next one appended its own, the reader finds
//! the next mark whose checksum holds. So nothing needs to be repaired before recording goes on, and bytes that were
//! uploaded stay what they were.
//!
//! Every program that records into the file begins a **run** of its own, whose frames count from 0; a device that
//! was opened anew is a new run, too. What surprises: audio and clock are told apart. Frames are numbered by the
//! device's own clock, and [`ClockReading`]s say about once a second which frame was played when in the room; they
//! may come long after the frames that they date.

mod header;
mod inspect;
mod reader;
mod record;
#[cfg(test)]
mod tests;
mod writer;

pub use header::{Header, HeaderRefused};
pub use inspect::{RunSummary, Summary, inspect};
pub use reader::{Ending, ReadError, Reader};
pub use record::{Audio, ClockReading, Record};
#[cfg(test)]
pub(crate) use tests::{Hostile, put_hostile};
pub use writer::{Counts, Writer};

/// What a stem file begins with.
pub const MAGIC: [u8; 8] = *b"vjamstem";

/// The version of the format that is written. A reader takes this one only; kinds of records that it does not know
/// are passed over.
pub const FORMAT_VERSION: u16 = 1;
