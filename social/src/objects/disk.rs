//! Objects as files of a folder that is the server's only.
//!
//! By hand rather than through the crate that talks to S3: what is acknowledged has to be on the disk
//! when the power goes, and nobody else on the machine reads it.

use std::io::{Error, ErrorKind, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use super::{ObjectKey, ObjectKind, ObjectStream, ObjectsError};

#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    pub(super) fn open(folder: PathBuf) -> Result<Self, ObjectsError> {
        make_folder(&folder).map_err(|error| failed("making the folder", &error))?;
        Ok(Self { folder })
    }

    fn path(&self, key: ObjectKey) -> PathBuf {
        self.folder.join(key.to_string())
    }

    pub(super) async fn put(
        &self,
        key: ObjectKey,
        mut bytes: ObjectStreamOf<'_>,
    ) -> Result<u64, ObjectsError> {
        let unfinished = self.path(ObjectKey::new(ObjectKind::Unfinished, key.id()));
        let written = async {
            let mut file = create(&unfinished).await.map_err(|e| failed("writing", &e))?;
            let mut written = 0;
            while let Some(piece) = bytes.try_next().await? {
                file.write_all(&piece).await.map_err(|error| failed("writing", &error))?;
                written += piece.len() as u64;
            }
            file.sync_all().await.map_err(|error| failed("writing", &error))?;
            Ok(written)
        };
        let written = match written.await {
            Ok(written) => written,
            Err(error) => {
                let _ = fs::remove_file(&unfinished).await;
                return Err(error);
            }
        };
        let path = self.path(key);
        self.keep(&unfinished, &path).await.map_err(|error| failed("writing", &error))?;
        Ok(written)
    }

    /// Gives a file its name, and returns when it has it for good.
    async fn keep(&self, unfinished: &Path, path: &Path) -> Result<(), Error> {
        let folder = path.parent().unwrap_or(&self.folder);
        make_folder(folder)?;
        fs::rename(unfinished, path).await?;
        // The folders above too: each may be new.
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.folder))
        {
            File::open(folder).await?.sync_all().await?;
        }
        Ok(())
    }

    pub(super) async fn read(
        &self,
        key: ObjectKey,
        range: Range<u64>,
    ) -> Result<ObjectStream, ObjectsError> {
        let mut file = File::open(self.path(key)).await.map_err(|e| failed("reading", &e))?;
        file.seek(SeekFrom::Start(range.start)).await.map_err(|e| failed("reading", &e))?;
        let left = range.end.saturating_sub(range.start);
        let pieces = stream::try_unfold((file, left), |(mut file, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
            let mut piece = vec![0; wanted];
            let read = file.read(&mut piece).await.map_err(|error| failed("reading", &error))?;
            if read == 0 {
                let error = Error::from(ErrorKind::UnexpectedEof);
                return Err(failed("reading", &error));
            }
            piece.truncate(read);
            Ok(Some((Bytes::from(piece), (file, left - read as u64))))
        });
        Ok(pieces.boxed())
    }

    pub(super) async fn is_there(&self, key: ObjectKey) -> Result<bool, ObjectsError> {
        fs::try_exists(self.path(key)).await.map_err(|error| failed("looking", &error))
    }

    pub(super) async fn remove(&self, key: ObjectKey) -> Result<(), ObjectsError> {
        match fs::remove_file(self.path(key)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("deleting", &error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn list(&self) -> BoxStream<'_, Result<ObjectKey, ObjectsError>> {
        let folders = ObjectKind::ALL.into_iter().flat_map(move |kind| {
            (0..=u8::MAX).map(move |byte| self.folder.join(format!("{}/{byte:02x}", kind.prefix())))
        });
        stream::iter(folders).then(|folder| self.names(folder)).try_flatten().boxed()
    }

    /// The objects of one folder, which are few.
    async fn names(
        &self,
        folder: PathBuf,
    ) -> Result<BoxStream<'_, Result<ObjectKey, ObjectsError>>, ObjectsError> {
        let mut keys = Vec::new();
        match fs::read_dir(&folder).await {
            Ok(mut entries) => {
                while let Some(entry) =
                    entries.next_entry().await.map_err(|error| failed("listing", &error))?
                {
                    let path = entry.path();
                    let name = path.strip_prefix(&self.folder).ok().and_then(Path::to_str);
                    keys.extend(name.and_then(|name| name.parse().ok()).map(Ok));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("listing", &error)),
        }
        Ok(stream::iter(keys).boxed())
    }
}

/// What is to be written.
type ObjectStreamOf<'a> = BoxStream<'a, Result<Bytes, ObjectsError>>;

async fn create(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await
}

/// Makes a folder for its owner only, with those above it.
fn make_folder(folder: &Path) -> Result<(), Error> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn failed(doing: &'static str, error: &Error) -> ObjectsError {
    if error.kind() == ErrorKind::NotFound && doing == "reading" {
        ObjectsError::Gone
    } else {
        ObjectsError::Failed { doing, why: error.to_string() }
    }
}

/// Bytes that are read at once.
const PIECE_BYTES: usize = 128 * 1024;
