//! What a recorded take is: everybody in a room records their own dry input on their own machine, without loss and
//! stamped in the room's time, and from those stems come files that start together and stay together.
//!
//! [`stem`] is the file that is recorded, which is good after being cut off anywhere. [`align`] says when each of
//! its frames was played in the room's time, and puts them on one grid. [`export`] writes what is downloaded.
//!
//! No file, clock, thread or randomness here: bytes come from `std::io::Read` and go to `std::io::Write` that the
//! caller opened. What surprises: a stem is read twice, because what its clock says late in the take dates what was
//! played early.

pub mod align;
pub mod export;
mod flac;
mod id;
pub mod limits;
mod pcm;
pub mod stem;
#[cfg(test)]
mod virtual_musician;

pub use id::{MalformedId, StemId, TakeId};

/// Frames per second of everything that is recorded and exported.
pub const SAMPLE_RATE: u32 = 48_000;

/// Bits of each sample that is recorded and exported.
pub const SAMPLE_BITS: u8 = 24;
