//! The file in which it is written down whose account was erased.
//!
//! It lies beside the database and in no backup of it, so that no backup brings an account back: when
//! one is restored, what stands here is erased again. A line has a keyed hash of the account's id and
//! the time, and tells nobody whose it was. What surprises: a line that makes no sense is passed over
//! and never a reason to stop, because a crash may have cut one off; the next line begins anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::clock::UnixMs;
use crate::secret::{Hash, hex, unhex};

/// The file.
#[derive(Debug, Clone)]
pub struct Ledger {
    folder: PathBuf,
}

/// A line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenErasure {
    /// Whose account, as a keyed hash of its id.
    pub hash: Hash,
    /// When.
    pub erased_at: UnixMs,
}

impl Ledger {
    /// The one of this folder. It is made when the first account is erased.
    #[must_use]
    pub const fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// All lines.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read(&self) -> io::Result<Vec<WrittenErasure>> {
        self.locked(|path| Ok(lines(&read(path)?))).await
    }

    /// Adds what is not there yet. When this returns, all of it is on the disk.
    ///
    /// # Errors
    /// When it is not.
    pub async fn write(&self, new: Vec<WrittenErasure>) -> io::Result<()> {
        self.locked(move |path| {
            let text = read(path)?;
            let known = lines(&text);
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
            let mut added = String::new();
            if !text.is_empty() && !text.ends_with('\n') {
                added.push('\n');
            }
            let is_new = |line: &&WrittenErasure| known.iter().all(|one| one.hash != line.hash);
            added.extend(new.iter().filter(is_new).map(line));
            file.write_all(added.as_bytes())?;
            // Also where nothing was added: whoever wrote it may have been killed before this.
            file.sync_all()
        })
        .await
    }

    /// Removes what is older.
    ///
    /// # Errors
    /// When the file cannot be written anew; then it is as it was.
    pub async fn purge(&self, before: UnixMs) -> io::Result<()> {
        self.locked(move |path| {
            let known = lines(&read(path)?);
            let kept: Vec<_> = known.iter().filter(|line| before < line.erased_at).collect();
            if kept.len() == known.len() {
                return Ok(());
            }
            let fresh = path.with_extension("fresh");
            let mut file = OpenOptions::new();
            let file = file.write(true).create(true).truncate(true).mode(0o600);
            let mut file = file.open(&fresh)?;
            file.write_all(kept.into_iter().map(line).collect::<String>().as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, path)
        })
        .await
    }

    /// Does something to the file on a thread that may wait for the disk, while nobody else does; the
    /// folder, too, is on the disk afterwards.
    async fn locked<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = self.folder.clone();
        let work = move || {
            // The folder's lock and not the file's: `purge` puts another file in its place.
            let lock = File::open(&folder)?;
            lock.lock()?;
            let done = work(&folder.join(NAME))?;
            lock.sync_all()?;
            Ok(done)
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

fn lines(text: &str) -> Vec<WrittenErasure> {
    let parse = |line: &str| {
        let (hash, at) = line.split_once(' ')?;
        let hash = unhex(hash)?.try_into().ok()?;
        Some(WrittenErasure { hash, erased_at: UnixMs(at.parse().ok()?) })
    };
    text.lines().filter_map(parse).collect()
}

fn line(erasure: &WrittenErasure) -> String {
    format!("{} {}\n", hex(&erasure.hash), erasure.erased_at.0)
}

/// The file's name in its folder.
const NAME: &str = "erasures.ledger";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_that_a_crash_cut_off_costs_no_other() {
        let name = hex(&crate::secret::random()[..8]);
        let folder = std::env::temp_dir().join(format!("vjam-ledger-{name}"));
        fs::create_dir(&folder).expect("a folder");
        let ledger = Ledger::of(folder.clone());
        assert_eq!(ledger.read().await.expect("reads"), []);
        assert!(!folder.join(NAME).exists(), "nothing is made for nothing");
        let one = |number| WrittenErasure { hash: [number; 32], erased_at: UnixMs(number.into()) };
        ledger.write(vec![one(1), one(2)]).await.expect("written");
        let whole = fs::read(folder.join(NAME)).expect("there");
        fs::write(folder.join(NAME), &whole[..whole.len() - 30]).expect("ours");
        ledger.write(vec![one(1), one(3)]).await.expect("written");
        ledger.write(vec![one(3)]).await.expect("written");
        assert_eq!(ledger.read().await.expect("reads"), [one(1), one(3)]);
        ledger.purge(UnixMs(1)).await.expect("purged");
        assert_eq!(ledger.read().await.expect("reads"), [one(3)]);
        fs::remove_dir_all(folder).expect("ours");
    }
}
