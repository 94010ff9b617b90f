//! What a stem says of itself.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use takes::limits::RECORD_BYTES_MAX;
use takes::stem::{Ending, ReadError, Reader, Record, inspect};

/// What can be seen of a stem that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Whose it is, for people.
    pub(crate) name: String,
    /// Of the track.
    pub(crate) label: String,
    /// Frames of sound in its latest run, as far as the end that is here tells.
    pub(crate) frames: u64,
}

/// Looks at the beginning and the end of a stem that has so many bytes. None as long as too little is
/// here, or if it is no stem.
pub(crate) fn facts(stem: &Path, bytes: u64) -> Option<Facts> {
    let beginning = File::open(stem).ok()?;
    let mut end = File::open(stem).ok()?;
    end.seek(SeekFrom::Start(bytes.saturating_sub(END_BYTES).max(BEGINNING_BYTES))).ok()?;
    // What is left out between the two is damage to the reader, which goes on at the next record.
    let mut reader =
        Reader::new(beginning.take(BEGINNING_BYTES).chain(end.take(END_BYTES))).ok()?;
    let mut frames = 0;
    while let Some(record) = reader.next_record().ok()? {
        match record {
            Record::Audio(audio) => frames = audio.first_frame + u64::from(audio.frames),
            Record::Run { .. } => frames = 0,
            Record::Clock(_) | Record::End { .. } => {}
        }
    }
    let header = reader.header();
    Some(Facts { name: header.participant.clone(), label: header.label.clone(), frames })
}

/// Reads a stem to its end: frames of sound, and what is wrong with it.
pub(crate) fn read(stem: &Path) -> io::Result<(u64, Option<String>)> {
    let file = File::open(stem)?;
    let length = file.metadata()?.len();
    let summary = match inspect(file) {
        Ok(summary) => summary,
        Err(ReadError::Io(error)) => return Err(error),
        Err(error @ (ReadError::NoStem | ReadError::Damaged | ReadError::Refused(_))) => {
            return Ok((0, Some(error.to_string())));
        }
    };
    let after = match summary.ending {
        Ending::Complete | Ending::Open => 0,
        Ending::Cut { at_byte } | Ending::GivenUp { at_byte } => length.saturating_sub(at_byte),
    };
    // A recording that a crash interrupted is good: it has half a record at each such place.
    let unread = summary.damaged_bytes.saturating_add(after);
    let crashes = summary.runs_begun.max(1);
    let damage = match summary.frames() {
        0 => Some("there is no sound in it".to_owned()),
        _ if u64::from(crashes) * u64::from(RECORD_BYTES_MAX) < unread => {
            Some(format!("{unread} of its {length} bytes cannot be read, and are silent"))
        }
        _ => None,
    };
    Ok((summary.frames(), damage))
}

/// Bytes at the beginning of a stem that surely hold its header.
const BEGINNING_BYTES: u64 = 1024;

/// Bytes at its end that surely hold a whole record, of less than 49 kB.
const END_BYTES: u64 = 128 * 1024;
