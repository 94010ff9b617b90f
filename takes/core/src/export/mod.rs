//! What is downloaded of a take: one zip archive with every stem as FLAC from the same moment on, a click, a mix,
//! markers, projects that a workstation opens, and a page that says what is missing and why.
//!
//! All stems are read at the same time and side by side, a block of each after the other, so that the mix is made
//! as they go and nothing is held but what a block needs; encoded sound waits in scratch files until its length and
//! digest are known, since FLAC and zip say both before the sound. A stem that cannot be read costs that stem, and
//! the page says so.

mod archive;
mod click;
mod date;
mod dawproject;
mod driver;
mod flac_file;
mod mix;
mod names;
mod readme;
mod report;
mod rpp;
mod take;
#[cfg(test)]
mod tests;

pub use driver::{ExportError, Host, Scratch, export};
pub use report::{Report, StemReport};
pub use take::{Marker, StemEntry, Take, TakeRefused, TempoChange};
