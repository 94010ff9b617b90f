//! Makes the file that is downloaded, from stems that lie on the disk.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::record::TakeRecord;

/// What is in an export: the take as it was when the export began.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    pub(crate) record: TakeRecord,
    /// Stems in the order of their coming, each with the bytes of it that belong in.
    pub(crate) stems: Vec<(PathBuf, u64)>,
    /// Bytes of all of them.
    pub(crate) bytes: u64,
}

/// Writes a zip; `progress` is told how many bytes of stems were read, and ends it with an error.
pub(crate) fn write(
    _contents: &Contents,
    _out: &mut impl Write,
    _progress: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
