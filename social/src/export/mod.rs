//! Access: an archive of everything that is kept of somebody, for them.
//!
//! What stands in it says the data map: every column that has a name for the export is in the archive of
//! the account that its row belongs to, and nobody else's, and so are its files. A job makes it, since
//! there may be much; then a link can be followed once. What surprises: the archive is itself something that is kept, and so it
//! is deleted after a week, and with the account.

mod archive;
mod contents;
mod files;
mod job;
mod keep;
mod routes;

use crate::clock::UnixMs;
use crate::erasure::{Eraser, Failed};
use crate::id::{AccountId, ExportId};
use crate::limits::EXPORTS_MAX;

pub use archive::Archive;
pub use files::schema;
pub use job::{KIND, Make};
pub use keep::{Archives, Folder, Opened, Waiting};
pub(crate) use routes::routes;

/// Removes the oldest archives of an account that are ready, so that another one has room.
pub(crate) async fn make_room(
    eraser: &Eraser,
    account: AccountId,
    now: UnixMs,
) -> Result<(), Failed> {
    let mut ready = eraser.db.read().await?.exports(account, now).await?;
    ready.retain(|export| export.bytes.is_some());
    let over = (ready.len() + 1).saturating_sub(EXPORTS_MAX);
    for export in ready.iter().take(over) {
        remove(eraser, export.id).await?;
    }
    Ok(())
}

/// Removes an archive. First the archive: whoever is killed between finds the row, and tries again.
async fn remove(eraser: &Eraser, id: ExportId) -> Result<(), Failed> {
    eraser.archives.remove(id).await?;
    let mut tx = eraser.db.begin().await?;
    tx.remove_export(id).await?;
    Ok(tx.commit().await?)
}

/// Removes the archives of an account that is erased, finished or not.
pub(crate) async fn forget(eraser: &Eraser, account: AccountId) -> Result<(), Failed> {
    let all = eraser.db.read().await?.exports(account, UnixMs(i64::MIN)).await?;
    for export in all {
        eraser.archives.remove(export.id).await?;
    }
    Ok(())
}

/// Removes archives whose time is over, and those that nobody knows of, as after a crash; whether
/// there were any.
pub(crate) async fn purge(eraser: &Eraser, now: UnixMs) -> Result<bool, Failed> {
    let expired = eraser.db.read().await?.expired_exports(now).await?;
    for id in &expired {
        remove(eraser, *id).await?;
    }
    for id in eraser.archives.all().await? {
        if eraser.db.read().await?.export(id).await?.is_none() {
            eraser.archives.remove(id).await?;
        }
    }
    Ok(!expired.is_empty())
}
