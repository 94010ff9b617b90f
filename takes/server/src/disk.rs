//! Files that are whole or not there, and how much the disk still takes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::limits::{READ_BYTES, RECORD_BYTES_MAX};

/// The end of the name of a file that is being written; whoever finds one may delete it.
pub(crate) const UNFINISHED: &str = ".tmp";

/// Makes a folder that is its owner's alone, and those above it.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file of its owner's alone to be written to at its end; makes it if it is not there.
pub(crate) fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Makes a file of its owner's alone, empty.
pub(crate) fn make_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes a record so that, whenever the power fails, there is the old one or the new one.
pub(crate) fn write_record(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(record)?;
    let unfinished = path.with_added_extension(UNFINISHED.trim_start_matches('.'));
    let written = make_file(&unfinished).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written.and_then(|()| rename(&unfinished, path)).inspect_err(|_| {
        // What is left over is found and deleted at the next start, too.
        let _ = fs::remove_file(&unfinished);
    })
}

/// Reads a record.
pub(crate) fn read_record<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    let mut bytes = Vec::new();
    File::open(path)?.take(RECORD_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Renames, and has the folder remember it across a power failure.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Bytes that may still be written on the disk of a folder.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// SHA-256 of the first bytes of a file, read in pieces.
pub(crate) fn hash(path: &Path, length: u64) -> io::Result<Sha256> {
    let mut file = File::open(path)?.take(length);
    let mut piece = vec![0; READ_BYTES];
    let mut hash = Sha256::new();
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

/// Deletes a file, whether it is there or not.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("take.json");
        write_record(&path, &1).expect("written");
        // A folder stands where the new one would be written first.
        let unfinished = folder.path().join("take.json.tmp");
        fs::create_dir(&unfinished).expect("made");
        write_record(&path, &2).expect_err("there is a folder");
        assert_eq!(read_record::<u8>(&path).expect("there"), 1);
        fs::remove_dir(&unfinished).expect("empty");
        write_record(&path, &2).expect("written");
        assert_eq!(read_record::<u8>(&path).expect("there"), 2);
        assert!(!unfinished.exists());
    }
}
