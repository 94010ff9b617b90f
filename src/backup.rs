//! `vjam backup` and `vjam restore`: the accounts of a server in one encrypted file.
//!
//! What surprises: neither is about the data folder. Its keys are not in a backup, which is worthless
//! without `social.key`; and the ledger of those who were erased must not be, or a restore would bring
//! them back.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use social::backup::{back_up, prune, restore};
use social::clock::{Clock as _, SystemClock};
use social::erasure::{Eraser, Ledger};
use social::export::Folder;
use social::secret::ServerKey;
use social::store::{DatabaseUrl, Db};

use crate::admin::Flags;
use crate::data;
use crate::serve_social::KEY;
use crate::settings::Settings;

/// Where to save to.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Backup {
    /// The file to make
    #[arg(required_unless_present = "prune")]
    file: Option<PathBuf>,

    /// Delete the backups in this folder that are older than 60 days
    #[arg(long, value_name = "DIR")]
    prune: Option<PathBuf>,

    #[command(flatten)]
    flags: Flags,
}

/// What to bring back.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Restore {
    /// A file that `vjam backup` made
    file: PathBuf,

    #[command(flatten)]
    flags: Flags,
}

/// What is said below the flags of both.
pub(crate) const HELP: &str = "\
A backup holds the accounts, consistent to one moment, from SQLite and from PostgreSQL alike, and is
restored into either. It is encrypted under social.key of the data folder: keep a copy of that key in
another place than the backups, since they are worthless without it. Everybody signs in anew after a
restore. What no backup holds is erasures.ledger, in the data folder: by it, a restore erases again
whoever was erased since, so keep that folder on another disk than the database, and never put an old
copy of the file back. No backup is restored that is older than 60 days; `vjam backup --prune DIR`
deletes those.

  vjam backup /backups/$(date +%F).vjam --prune /backups";

impl Backup {
    /// Does it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout();
        if let Some(file) = &self.file {
            let (url, key) = server(&self.flags)?;
            let rows = block_on(async {
                let now = SystemClock.now();
                let db = Db::open(&url, now).await?;
                let done = back_up(&db, &key, file, now).await;
                db.close().await;
                Ok(done?)
            })?;
            writeln!(out, "{} has {rows} rows of {url}.", file.display())?;
        }
        if let Some(folder) = &self.prune {
            for path in prune(folder, SystemClock.now())? {
                writeln!(out, "{} was older than 60 days, and is deleted.", path.display())?;
            }
        }
        Ok(())
    }
}

impl Restore {
    /// Does it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let (url, key) = server(&self.flags)?;
        let folder = self.flags.settings()?.data;
        let (rows, erased) = block_on(async {
            let db = Db::open(&url, SystemClock.now()).await?;
            let eraser = Eraser {
                db: db.clone(),
                clock: Arc::new(SystemClock),
                key,
                ledger: Ledger::of(folder.clone()),
                archives: Arc::new(Folder::below(&folder)),
            };
            let done = restore(&eraser, &url, &self.file).await;
            db.close().await;
            Ok(done?)
        })?;
        let mut out = std::io::stdout();
        writeln!(out, "{url} has {rows} rows of {}.", self.file.display())?;
        writeln!(out, "{erased} accounts that were erased since are erased again.")?;
        Ok(())
    }
}

/// Which database, and its key.
fn server(flags: &Flags) -> anyhow::Result<(DatabaseUrl, ServerKey)> {
    let settings = flags.settings()?;
    let key = key_of(&settings).context("a backup is worth nothing without its key")?;
    Ok((settings.social.database(&settings.data)?, key))
}

/// The key of a server, which must be there: a fresh one would open nothing.
pub(crate) fn key_of(settings: &Settings) -> anyhow::Result<ServerKey> {
    let path = settings.data.join(KEY);
    ensure!(
        path.exists(),
        "{} is not there, and nothing counts without the key that it was made with",
        path.display()
    );
    let key = data::key(&settings.data, KEY)?;
    Ok(ServerKey::new(key.with_context(|| format!("{} cannot be read", path.display()))?))
}

pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")?.block_on(work)
}
