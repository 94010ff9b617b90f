//! Backups: all rows of all tables, as they stood at one moment, encrypted, for either database.
//!
//! A backup is made beside a server that runs, and read into a database that has nothing in it yet,
//! perhaps of the other kind. What surprises is what no backup holds. The ledger of those who were
//! erased lies in a file outside, and a restore erases them again before it is done; one that is too old
//! is refused, so that nothing outlives what its owner asked for. And neither sessions nor codes come
//! back: a device that was signed out since would be signed in again. Everybody signs in anew.

mod read;
mod seal;
mod write;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::clock::UnixMs;
use crate::erasure;
use crate::limits::BACKUP_LIFE;
use crate::secret;
use crate::store::{DatabaseUrl, OpenError, StoreError};

pub use read::restore;
pub use write::back_up;

/// What everybody can read of a backup, and only whoever has the key could have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    created_at: UnixMs,
    salt: [u8; 32],
}

impl Header {
    fn new(created_at: UnixMs) -> Self {
        Self { created_at, salt: secret::random() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.created_at.0.to_be_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        let mut created_at = [0; 8];
        let mut salt = [0; 32];
        for part in [&mut magic[..], &mut created_at, &mut salt] {
            from.read_exact(part).map_err(|_| no_backup())?;
        }
        if magic != MAGIC {
            return Err(no_backup());
        }
        Ok(Self { created_at: UnixMs(i64::from_be_bytes(created_at)), salt })
    }

    /// Whether it is older than what is restored or kept.
    fn is_too_old(&self, now: UnixMs) -> bool {
        BACKUP_LIFE < now.since(self.created_at)
    }
}

fn no_backup() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no backup of vjam's accounts")
}

/// What a backup begins with.
const MAGIC: [u8; 14] = *b"vjam backup 1\n";

/// Tables whose rows are in no backup: those that each database makes for itself, those that would sign
/// somebody in again or write to them once more, those that stand for files beside the database, and the
/// key under which people are counted.
const LEFT_OUT: [&str; 10] = [
    "schema_migrations",
    "server_key",
    "sessions",
    "codes",
    "mails",
    "exports",
    "policies",
    "usage_keys",
    "push_key",
    "push_subscriptions",
];

/// A table as a backup has it; its rows follow.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct TableLine {
    table: String,
    columns: Vec<String>,
}

/// A backup is not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file failed.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The backup is too old.
    #[error(
        "this backup is {0} days old, and none is restored after 60 days: whoever asked to be erased \
         since was promised that nothing of them comes back; delete it"
    )]
    TooOld(u64),
    /// Something is in the database already.
    #[error(
        "{database} has something in {table} already; a backup is restored into a database that is \
         empty"
    )]
    NotEmpty {
        /// Which database.
        database: DatabaseUrl,
        /// In which table.
        table: String,
    },
    /// The backup is of other tables than those of this version.
    #[error(
        "the backup has {0}, which this version does not know: restore it with the one that made it"
    )]
    OtherVersion(String),
    /// The server's key is not the one that the database was made with.
    #[error("the database was made with another social.key than the one of this server")]
    OtherKey,
    /// Whoever was erased before is there again.
    #[error("those who were erased could not be erased again: {0}; run the restore again")]
    Replay(#[from] erasure::Failed),
}

impl BackupError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::File { path: path.clone(), source }
    }
}

/// Deletes the backups in a folder that are older than what is kept; which.
///
/// # Errors
/// When the folder cannot be read, or one of them cannot be deleted.
pub fn prune(folder: &Path, now: UnixMs) -> Result<Vec<PathBuf>, BackupError> {
    let wrong = BackupError::file(folder);
    let mut pruned = Vec::new();
    for entry in fs::read_dir(folder).map_err(&wrong)? {
        let path = entry.map_err(&wrong)?.path();
        if !path.is_file() {
            continue;
        }
        let wrong = BackupError::file(&path);
        let header = Header::read(&mut fs::File::open(&path).map_err(&wrong)?);
        // What is no backup is somebody else's.
        if header.is_ok_and(|header| header.is_too_old(now)) {
            fs::remove_file(&path).map_err(&wrong)?;
            pruned.push(path);
        }
    }
    pruned.sort();
    Ok(pruned)
}
