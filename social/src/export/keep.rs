//! Where archives lie until they are fetched.

use std::fmt;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use tokio::fs;
use tokio::io::AsyncRead;

use crate::id::ExportId;

/// Keeps archives.
pub trait Archives: fmt::Debug + Send + Sync {
    /// The file in which one is made, before it is kept.
    fn draft(&self, id: ExportId) -> PathBuf;

    /// Keeps the one that was made.
    fn keep(&self, id: ExportId) -> Waiting<'_, ()>;

    /// Opens one.
    fn open(&self, id: ExportId) -> Waiting<'_, Opened>;

    /// Removes one and what is made of it, if it is there.
    fn remove(&self, id: ExportId) -> Waiting<'_, ()>;

    /// All that there are, those that are being made too.
    fn all(&self) -> Waiting<'_, Vec<ExportId>>;
}

/// What comes when the disk, or another machine, has answered.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// An archive that can be read.
pub type Opened = Box<dyn AsyncRead + Send + Unpin>;

/// Keeps them in a folder of this machine.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// One below the folder of the server. It is made when the first archive is.
    #[must_use]
    pub fn below(folder: &Path) -> Self {
        Self(folder.join("exports"))
    }

    fn file(&self, id: ExportId) -> PathBuf {
        self.0.join(format!("{id}.{KEPT}"))
    }
}

impl Archives for Folder {
    fn draft(&self, id: ExportId) -> PathBuf {
        self.0.join(format!("{id}.{DRAFT}"))
    }

    fn keep(&self, id: ExportId) -> Waiting<'_, ()> {
        Box::pin(async move {
            fs::rename(self.draft(id), self.file(id)).await?;
            fs::File::open(&self.0).await?.sync_all().await
        })
    }

    fn open(&self, id: ExportId) -> Waiting<'_, Opened> {
        Box::pin(async move { Ok(Box::new(fs::File::open(self.file(id)).await?) as Opened) })
    }

    fn remove(&self, id: ExportId) -> Waiting<'_, ()> {
        Box::pin(async move {
            for file in [self.draft(id), self.file(id)] {
                match fs::remove_file(file).await {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            Ok(())
        })
    }

    fn all(&self) -> Waiting<'_, Vec<ExportId>> {
        Box::pin(async move {
            let mut entries = match fs::read_dir(&self.0).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut all = Vec::new();
            while let Some(entry) = entries.next_entry().await? {
                let name = entry.file_name();
                let name = name.to_str().and_then(|name| name.rsplit_once('.'));
                let name = name.filter(|(_, end)| [KEPT, DRAFT].contains(end));
                all.extend(name.and_then(|(id, _)| id.parse::<ExportId>().ok()));
            }
            Ok(all)
        })
    }
}

/// What the name of an archive ends with.
const KEPT: &str = "zip";

/// What the name of one ends with that is being made.
const DRAFT: &str = "part";
