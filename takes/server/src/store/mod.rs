//! Takes on the disk, for the server that owns them: every method may wait for the disk, so none is
//! called on an async thread or on one that carries media.
//!
//! Whatever moment the process ends at, the next one finds each take as it was told or as it was
//! before: records are replaced whole, and stems only grow, so that their length says where the next
//! byte belongs. What surprises: another process may delete a take at any time (`vjam take delete`),
//! which is noticed when the take is next looked for.

mod events;
mod jobs;
mod space;
mod uploads;
mod work;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use events::Begin;
pub(crate) use space::Standing;
pub use uploads::Completion;
pub use work::ExportAnswer;

use crate::disk;
use crate::export;
use crate::id::TakeKey;
use crate::limits::Limits;
use crate::offline;
use crate::refused::TakeError;
use crate::status::Status;
use crate::take::Take;
use jobs::{Job, Jobs};
use takes::TakeId;

/// The takes of one folder, which no other process may write to meanwhile.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    limits: Limits,
    takes: Mutex<BTreeMap<TakeId, Arc<Mutex<Take>>>>,
    /// Bytes of all stems and exports.
    used: AtomicU64,
    jobs: Jobs,
    /// Tells other servers that the folder is taken.
    _lock: File,
}

impl Store {
    /// Opens the takes in `<data>/takes` and puts right what an unexpected end left. Fails where the
    /// folder cannot be written, or another server has it.
    pub fn open(data: &Path, limits: Limits) -> io::Result<Self> {
        let root = offline::folder(data);
        disk::make_folder(&root)?;
        let lock = disk::make_file(&root.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::other("another vjam keeps its takes there; choose another --data")
            }
            TryLockError::Error(error) => error,
        })?;
        let jobs = Jobs::default();
        let mut takes = BTreeMap::new();
        let mut used = 0_u64;
        for (id, folder) in offline::folders(&root)? {
            match recover(id, &folder) {
                Ok(Some(take)) => {
                    used = used.saturating_add(take.bytes());
                    for (stem, _) in take.stems.iter().filter(|(_, stem)| stem.is_to_be_checked()) {
                        jobs.push(Job::Check(id, *stem));
                    }
                    takes.insert(id, Arc::new(Mutex::new(take)));
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%id, %error, "a take cannot be read and is left alone")
                }
            }
        }
        offline::clear_deleted(&root)?;
        let (takes, used) = (Mutex::new(takes), AtomicU64::new(used));
        Ok(Self { root, limits, takes, used, jobs, _lock: lock })
    }

    /// Whether the key opens the take.
    pub fn try_key(&self, id: TakeId, key: &TakeKey) -> Result<(), TakeError> {
        self.opened(id, key).map(drop)
    }

    /// What is to be said of a take to whoever has its key.
    pub fn status(&self, id: TakeId, key: &TakeKey, now: SystemTime) -> Result<Status, TakeError> {
        Ok(Status::of(&lock(&*self.opened(id, key)?), &self.limits, now))
    }

    /// Every take, the oldest first.
    pub fn list(&self, now: SystemTime) -> Vec<Status> {
        let mut all: Vec<_> =
            self.all().iter().map(|take| Status::of(&lock(take), &self.limits, now)).collect();
        all.sort_by_key(|status| status.started_unix_ms);
        all
    }

    /// Deletes a take and everything of it. Downloads that are under way end well.
    pub fn delete(&self, id: TakeId) -> Result<(), TakeError> {
        let take = self.found(id)?;
        let take = lock(&take);
        offline::delete(&take.folder)?;
        self.forget(&take);
        Ok(())
    }

    /// The take, if the key is its own.
    fn opened(&self, id: TakeId, key: &TakeKey) -> Result<Arc<Mutex<Take>>, TakeError> {
        let take = self.found(id)?;
        let is_opened = lock(&take).is_opened_by(key);
        if is_opened { Ok(take) } else { Err(TakeError::WrongKey) }
    }

    fn found(&self, id: TakeId) -> Result<Arc<Mutex<Take>>, TakeError> {
        let take = lock(&self.takes).get(&id).cloned().ok_or(TakeError::NoTake)?;
        let held = lock(&take);
        if held.is_there() {
            drop(held);
            return Ok(take);
        }
        self.forget(&held);
        Err(TakeError::NoTake)
    }

    fn all(&self) -> Vec<Arc<Mutex<Take>>> {
        lock(&self.takes).values().cloned().collect()
    }

    /// The take is gone from the disk.
    fn forget(&self, take: &Take) {
        if lock(&self.takes).remove(&take.id).is_some() {
            self.release(take.bytes());
        }
    }
}

/// Reads a take as an earlier process left it; none where it had not quite begun.
fn recover(id: TakeId, folder: &Path) -> io::Result<Option<Take>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_str().is_some_and(|path| path.ends_with(disk::UNFINISHED)) {
            disk::remove_file(&path)?;
        }
    }
    export::clear_unfinished(folder)?;
    // Succeeds only where the process ended before the record was written.
    if fs::remove_dir(folder).is_ok() {
        return Ok(None);
    }
    let mut take = Take::load(id, folder)?;
    if take.record.stop_room_ns.is_none() && !take.record.interrupted {
        take.record.interrupted = true;
        take.write_record()?;
    }
    Ok(Some(take))
}

/// A panic elsewhere leaves what the mutex guards as whole as the disk does.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const LOCK: &str = "lock";
