//! Takes without a server, or beside one that runs: what `vjam take` lists, exports and deletes.
//!
//! Nothing here changes a take; deleting moves it out of the way first, which a running server
//! notices.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::disk;
use crate::limits::Limits;
use crate::making::{self, Contents, Workshop};
use crate::refused::TakeError;
use crate::status::Status;
use crate::take::Take;
use takes::TakeId;

/// Where takes lie in a data folder.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("takes")
}

/// Every take in a data folder, the oldest first; none where there is no such folder.
pub fn list(data: &Path, limits: &Limits, now: SystemTime) -> io::Result<Vec<Status>> {
    let mut all = Vec::new();
    for (id, folder) in folders(&folder(data))? {
        match Take::load(id, &folder) {
            Ok(take) => all.push(Status::of(&take, limits, now)),
            // It may have been deleted a moment ago, or not have quite begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%id, %error, "a take cannot be read"),
        }
    }
    all.sort_by_key(|status| status.started_unix_ms);
    Ok(all)
}

/// Writes what can be downloaded of a take into a file, which must not be there yet. `progress` is
/// told how much is done, 0 to 100.
pub fn export(
    data: &Path,
    limits: &Limits,
    take: TakeId,
    to: &Path,
    mut progress: impl FnMut(u8),
) -> Result<(), TakeError> {
    let contents = Contents::of(&Take::load(take, &folder(data).join(take.to_string()))?);
    let beside = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = beside.unwrap_or(Path::new("."));
    let workshop = Workshop { folder, free_bytes_min: limits.free_bytes_min };
    let mut out = fs::File::create_new(to)?;
    let written = making::write(&contents, workshop, &mut out, &mut |done| {
        progress(done);
        ControlFlow::Continue(())
    });
    Ok(written.inspect_err(|_| {
        let _ = fs::remove_file(to);
    })?)
}

/// Deletes a take and everything of it, also while a server runs.
pub fn delete_take(data: &Path, take: TakeId) -> io::Result<()> {
    delete(&folder(data).join(take.to_string()))
}

/// Deletes the folder of a take: it is out of the way at once, whatever happens then.
pub(crate) fn delete(folder: &Path) -> io::Result<()> {
    let name = folder.file_name().unwrap_or_default();
    let mut deleted = std::ffi::OsString::from(DELETED);
    deleted.push(name);
    let deleted = folder.with_file_name(deleted);
    // An earlier one may not have come to its end.
    let _ = fs::remove_dir_all(&deleted);
    disk::rename(folder, &deleted)?;
    fs::remove_dir_all(&deleted)
}

/// Comes to the end of what an earlier process was deleting.
pub(crate) fn clear_deleted(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let is_deleted = entry.file_name().to_str().is_some_and(|name| name.starts_with(DELETED));
        if is_deleted && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!(%error, "a take that was deleted still takes room on the disk");
        }
    }
    Ok(())
}

/// The folders that are takes by their names.
pub(crate) fn folders(root: &Path) -> io::Result<Vec<(TakeId, PathBuf)>> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(id), true) = (id, entry.file_type()?.is_dir()) {
            folders.push((id, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

const DELETED: &str = ".deleted-";
