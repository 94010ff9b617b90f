//! What is too large for the database: files of people, on the local disk or in a bucket of S3.
//!
//! An object is written once, under a name that nothing had before, and never changed; which there
//! are is what the database says. What surprises: the time in an object's name is when it was begun,
//! by the clock of this crate, so that whoever looks for what no row names can tell what is still
//! being written, on any store.

mod aftermath;
mod disk;
mod key;
mod s3;

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};

use crate::clock::UnixMs;
use crate::id::ObjectId;
use crate::problem::{Problem, ProblemCode};

use disk::Disk;
use s3::S3;

pub use key::{NotAKey, ObjectKey, ObjectKind};
pub use s3::{Encryption, S3Config, WrongEncryption};

/// Where objects are.
#[derive(Debug, Clone)]
pub enum ObjectsConfig {
    /// In a folder of this machine.
    Disk(PathBuf),
    /// In a bucket.
    S3(S3Config),
}

impl fmt::Display for ObjectsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(folder) => write!(f, "the folder {}", folder.display()),
            Self::S3(config) => write!(f, "the bucket {}", config.bucket),
        }
    }
}

/// An object is not read, written or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// It is not there.
    #[error("there is no such object")]
    Gone,
    /// The disk or the bucket failed.
    #[error("{doing} failed: {why}")]
    Failed {
        /// At what.
        doing: &'static str,
        /// What it says.
        why: String,
    },
    /// What is configured cannot be.
    #[error("{0}")]
    Config(String),
    /// Nothing can be kept there.
    #[error("{place} cannot keep files: {source}; {hint}")]
    Probe {
        /// Where.
        place: String,
        /// What went wrong.
        source: Box<Self>,
        /// What may help.
        hint: &'static str,
    },
    /// What was to be written did not come.
    #[error("what was to be written ended early")]
    Source,
}

impl From<ObjectsError> for Problem {
    fn from(error: ObjectsError) -> Self {
        if matches!(error, ObjectsError::Gone) {
            tracing::warn!("an object that a row names is not there");
            let text = "the server knows of this and no longer has what is in it, as may be after a \
                        restore from a backup; send the file anew if you have it";
            return Self::new(ProblemCode::Gone, text);
        }
        tracing::error!(%error, "an object failed");
        let text = "the files of this server cannot be reached; try again in a moment";
        Self::new(ProblemCode::ObjectsUnavailable, text)
    }
}

/// What comes of an object, in pieces.
pub type ObjectStream = BoxStream<'static, Result<Bytes, ObjectsError>>;

/// All objects. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Objects(Arc<Backend>);

#[derive(Debug)]
enum Backend {
    Disk(Disk),
    S3(S3),
}

impl Objects {
    /// Opens the folder or the bucket, and sees whether it keeps what it is given.
    ///
    /// # Errors
    /// When it does not, with what may help.
    pub async fn open(config: &ObjectsConfig, now: UnixMs) -> Result<Self, ObjectsError> {
        let hint = match config {
            ObjectsConfig::Disk(_) => "the folder must be this user's, with room left on its disk",
            ObjectsConfig::S3(_) => {
                "endpoint, region, bucket and keys must be right, the bucket must be there, and the \
                 keys must allow to put, get, list and delete objects with server-side encryption"
            }
        };
        let place = config.to_string();
        let probe = |error| ObjectsError::Probe { place, source: Box::new(error), hint };
        let backend = match config {
            ObjectsConfig::Disk(folder) => {
                Backend::Disk(Disk::open(folder.clone()).map_err(probe.clone())?)
            }
            ObjectsConfig::S3(config) => Backend::S3(S3::open(config)?),
        };
        let objects = Self(Arc::new(backend));
        objects.probe(now).await.map_err(probe)?;
        objects.check_aftermath().await?;
        Ok(objects)
    }

    /// Sees whether copies of what is deleted would stay for longer than people are promised.
    ///
    /// # Errors
    /// When they would. Where a bucket does not say, that is written to the log.
    pub async fn check_aftermath(&self) -> Result<(), ObjectsError> {
        match &*self.0 {
            Backend::Disk(_) => Ok(()),
            Backend::S3(s3) => s3.check_aftermath().await,
        }
    }

    /// Writes, reads and deletes something.
    async fn probe(&self, now: UnixMs) -> Result<(), ObjectsError> {
        let key = ObjectKey::new(ObjectKind::Probe, ObjectId::fresh(now));
        let bytes = Bytes::from_static(PROBE);
        let written = self.put_bytes(key, "text/plain", bytes).await?;
        let read = self.read_all(key, 0..written).await?;
        if read != PROBE {
            let why = "what is read is not what was written".to_owned();
            return Err(ObjectsError::Failed { doing: "reading", why });
        }
        self.remove(key).await
    }

    /// Writes an object; how many bytes it has. It is there whole, also after a crash, or not at all.
    ///
    /// This is the one way in which anything is written, so nothing is without encryption.
    ///
    /// # Errors
    /// When the store fails, or what is to be written.
    pub async fn put(
        &self,
        key: ObjectKey,
        media_type: &'static str,
        bytes: impl Stream<Item = Result<Bytes, ObjectsError>> + Send,
    ) -> Result<u64, ObjectsError> {
        let bytes = bytes.boxed();
        match &*self.0 {
            Backend::Disk(disk) => disk.put(key, bytes).await,
            Backend::S3(s3) => s3.put(key, media_type, bytes).await,
        }
    }

    /// The same of what is in memory.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_bytes(
        &self,
        key: ObjectKey,
        media_type: &'static str,
        bytes: Bytes,
    ) -> Result<u64, ObjectsError> {
        self.put(key, media_type, stream::iter([Ok(bytes)])).await
    }

    /// Some bytes of an object, none of which is behind its end.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn read(
        &self,
        key: ObjectKey,
        range: Range<u64>,
    ) -> Result<ObjectStream, ObjectsError> {
        match &*self.0 {
            Backend::Disk(disk) => disk.read(key, range).await,
            Backend::S3(s3) => s3.read(key, range).await,
        }
    }

    /// The same at once, for what is known to be small.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn read_all(
        &self,
        key: ObjectKey,
        range: Range<u64>,
    ) -> Result<Vec<u8>, ObjectsError> {
        let mut pieces = self.read(key, range).await?;
        let mut all = Vec::new();
        while let Some(piece) = pieces.try_next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    /// Whether an object is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_there(&self, key: ObjectKey) -> Result<bool, ObjectsError> {
        match &*self.0 {
            Backend::Disk(disk) => disk.is_there(key).await,
            Backend::S3(s3) => s3.is_there(key).await,
        }
    }

    /// Deletes an object, if it is there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, key: ObjectKey) -> Result<(), ObjectsError> {
        match &*self.0 {
            Backend::Disk(disk) => disk.remove(key).await,
            Backend::S3(s3) => s3.remove(key).await,
        }
    }

    /// All that are there, in any order, and what an attempt to write one left.
    #[must_use]
    pub fn list(&self) -> BoxStream<'_, Result<ObjectKey, ObjectsError>> {
        match &*self.0 {
            Backend::Disk(disk) => disk.list(),
            Backend::S3(s3) => s3.list(),
        }
    }

    /// A link to an object that holds for so long without any header; none where only this server can
    /// read it.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub async fn signed_url(
        &self,
        key: ObjectKey,
        life: Duration,
    ) -> Result<Option<String>, ObjectsError> {
        match &*self.0 {
            Backend::Disk(_) => Ok(None),
            Backend::S3(s3) => s3.signed_url(key, life).await.map(Some),
        }
    }
}

/// What is written to see whether it can be read.
const PROBE: &[u8] = b"vjam keeps files here";
