//! The bytes of an account's files, copied to where they go, and compared there.
//!
//! A copy has a name of its own, of the moment in which it is made: one that is left behind by whoever was
//! killed is swept a day later by the server there, like everything that no row names.

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use super::{Copies, MoveError, Mover, Progress};
use crate::files::THUMBNAIL_TYPE;
use crate::id::{AccountId, ObjectId};
use crate::objects::{ObjectKey, ObjectKind, ObjectsError};
use crate::store::{StoreError, StoredFile};

/// A file that is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    /// It is there.
    There {
        /// Where.
        object: ObjectId,
        /// Where its small picture is.
        thumbnail: Option<ObjectId>,
    },
    /// Its bytes were lost before.
    Lost,
}

impl Mover<'_> {
    /// What an earlier move copied, whose account nobody has used.
    pub(super) async fn copies_before(&self, account: AccountId) -> Result<Copies, StoreError> {
        let files = self.to.files_of(self.id_there(account)).await?;
        let of = files.into_iter().map(|file| {
            let thumbnail = file.thumbnail.map(|(id, _)| id);
            (file.id, Copied::There { object: file.object, thumbnail })
        });
        Ok(Copies { of: of.collect(), made: Vec::new() })
    }

    /// Copies those files that are not copied yet.
    pub(super) async fn copy(
        &self,
        files: &[StoredFile],
        copies: &mut Copies,
        told: &mut impl FnMut(Progress),
    ) -> Result<(), MoveError> {
        for file in files {
            if copies.of.contains_key(&file.id) {
                continue;
            }
            let size = u64::try_from(file.size_bytes).unwrap_or(0);
            let media_type = file.kind.media_type();
            let object = self.copy_one(file.key(), size, media_type, &mut copies.made).await?;
            let copied = match object {
                Some(object) => {
                    Copied::There { object, thumbnail: self.copy_small(file, copies).await? }
                }
                None => Copied::Lost,
            };
            copies.of.insert(file.id, copied);
            told(Progress::Copied(copies.of.len()));
        }
        Ok(())
    }

    async fn copy_small(
        &self,
        of: &StoredFile,
        copies: &mut Copies,
    ) -> Result<Option<ObjectId>, MoveError> {
        let Some((id, bytes)) = of.thumbnail else { return Ok(None) };
        let key = ObjectKey::new(ObjectKind::Thumbnail, id);
        let size = u64::try_from(bytes).unwrap_or(0);
        self.copy_one(key, size, THUMBNAIL_TYPE, &mut copies.made).await
    }

    /// Copies an object, and reads the copy: what it is copied from is deleted for good. None where there is
    /// nothing to copy.
    async fn copy_one(
        &self,
        from: ObjectKey,
        size: u64,
        media_type: &'static str,
        made: &mut Vec<ObjectKey>,
    ) -> Result<Option<ObjectId>, MoveError> {
        let pieces = match self.from.objects.read(from, 0..size).await {
            Ok(pieces) => pieces,
            Err(ObjectsError::Gone) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let to = ObjectKey::new(from.kind(), ObjectId::fresh(self.to.clock.now()));
        made.push(to);
        let mut sent = Sha256::new();
        let pieces = pieces.inspect_ok(|piece| sent.update(piece));
        let written = self.to.objects.put(to, media_type, pieces).await?;
        let mut back = self.to.objects.read(to, 0..written).await?;
        let mut read = Sha256::new();
        while let Some(piece) = back.try_next().await? {
            read.update(&piece);
        }
        if written != size || sent.finalize() != read.finalize() {
            return Err(MoveError::Differs);
        }
        Ok(Some(to.id()))
    }

    /// Deletes the copies that no row there names. What it cannot delete is swept by the server there.
    pub(super) async fn remove_unused(&self, copies: &Copies) {
        for key in &copies.made {
            let removed = async {
                // Also where it is not known whether they were committed: then the rows say.
                if !self.to.db.read().await?.is_object_named(key.id()).await? {
                    self.to.objects.remove(*key).await?;
                }
                Ok::<(), MoveError>(())
            };
            if let Err(error) = removed.await {
                tracing::warn!(%error, "a copy that is of no use is swept in a day");
            }
        }
    }
}
