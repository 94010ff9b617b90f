//! Files on their way, and the objects that no row names.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::files::MediaKind;
use crate::id::{AccountId, ObjectId, UploadId};
use crate::objects::{ObjectKey, ObjectKind};

/// A file on its way.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// Bytes that it will have.
    pub size_bytes: i64,
    /// Bytes that are here.
    pub received_bytes: i64,
    /// What it is, once its first bytes are here.
    pub kind: Option<MediaKind>,
    /// When it is deleted, unless it is complete.
    pub expires_at: UnixMs,
}

/// A part of a file on its way.
#[derive(Debug, Clone, Copy)]
pub struct NewPart {
    /// The byte of the file that it begins with.
    pub start_bytes: i64,
    /// Bytes that it has.
    pub size_bytes: i64,
    /// Where it is.
    pub object: ObjectId,
    /// What the file is.
    pub kind: MediaKind,
}

type Row = (UploadId, AccountId, String, i64, i64, Option<String>, UnixMs);

fn upload(row: Row) -> Result<Upload, StoreError> {
    let (id, account, name, size_bytes, received_bytes, kind, expires_at) = row;
    let kind = kind.map(|word| word.parse().map_err(|_| unknown_word("uploads.media_type", &word)));
    let kind = kind.transpose()?;
    Ok(Upload { id, account, name, size_bytes, received_bytes, kind, expires_at })
}

impl Conn {
    /// A file on its way, of its owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upload(
        &mut self,
        id: UploadId,
        of: AccountId,
        now: UnixMs,
    ) -> Result<Option<Upload>, StoreError> {
        let sql = "SELECT id, account_id, name, size_bytes, received_bytes, media_type, expires_at
                   FROM uploads WHERE id = $1 AND account_id = $2 AND expires_at > $3";
        let row = on!(self, c => query_as(sql).bind(id).bind(of).bind(now)
            .fetch_optional(&mut *c).await)?;
        row.map(upload).transpose()
    }

    /// The parts of a file on its way, in order: bytes, and where they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upload_parts(&mut self, id: UploadId) -> Result<Vec<(i64, ObjectId)>, StoreError> {
        let sql = "SELECT size_bytes, object_id FROM upload_parts WHERE upload_id = $1
                   ORDER BY start_bytes";
        Ok(on!(self, c => query_as(sql).bind(id).fetch_all(&mut *c).await)?)
    }

    /// How many files of somebody are on their way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uploads_of(&mut self, account: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM uploads WHERE account_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_one(&mut *c).await)?)
    }

    /// Bytes that somebody's files have, and will have that are on their way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bytes_of(&mut self, account: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM
                   (SELECT size_bytes FROM files WHERE account_id = $1
                    UNION ALL SELECT size_bytes FROM uploads WHERE account_id = $1) AS kept";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_one(&mut *c).await)?)
    }

    /// Whether any row names an object.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_object_named(&mut self, id: ObjectId) -> Result<bool, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM upload_parts WHERE object_id = $1)
                   + (SELECT count(*) FROM files WHERE object_id = $1)
                   + (SELECT count(*) FROM files WHERE thumbnail_id = $1)";
        let count: i64 = on!(self, c => query_scalar(sql).bind(id).fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Begins a file on its way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_upload(&mut self, new: &Upload, now: UnixMs) -> Result<(), StoreError> {
        let sql = "INSERT INTO uploads (id, account_id, name, size_bytes, received_bytes,
                   created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self, c => query(sql).bind(new.id).bind(new.account).bind(&new.name)
            .bind(new.size_bytes).bind(new.received_bytes).bind(now).bind(new.expires_at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Adds a part, if the file is still as long as where it begins; whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_part(&mut self, to: UploadId, part: &NewPart) -> Result<bool, StoreError> {
        let sql = "UPDATE uploads SET received_bytes = $3, media_type = $4
                   WHERE id = $1 AND received_bytes = $2";
        let end = part.start_bytes.saturating_add(part.size_bytes);
        let changed = on!(self, c => query(sql).bind(to).bind(part.start_bytes).bind(end)
            .bind(part.kind.media_type()).execute(&mut *c).await
            .map(|done| done.rows_affected()))?;
        if changed != 1 {
            return Ok(false);
        }
        let sql = "INSERT INTO upload_parts (upload_id, start_bytes, size_bytes, object_id)
                   VALUES ($1, $2, $3, $4)";
        on!(self, c => query(sql).bind(to).bind(part.start_bytes).bind(part.size_bytes)
            .bind(part.object).execute(&mut *c).await.map(drop))?;
        Ok(true)
    }

    /// Ends a file on its way; its parts, or none where somebody else ended it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_upload(&mut self, id: UploadId) -> Result<Option<Vec<ObjectKey>>, StoreError> {
        let parts = self.upload_parts(id).await?;
        let sql = "DELETE FROM uploads WHERE id = $1";
        let removed = on!(self, c => query(sql).bind(id).execute(&mut *c).await
            .map(|done| done.rows_affected()))?;
        Ok((removed == 1).then(|| parts.into_iter().map(|(_, object)| part_key(object)).collect()))
    }

    /// Ends every file on its way that took too long; their parts, and whether there was any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_uploads(&mut self, now: UnixMs) -> Result<Option<Vec<ObjectKey>>, StoreError> {
        let sql = "SELECT object_id FROM upload_parts
                   WHERE upload_id IN (SELECT id FROM uploads WHERE expires_at <= $1)";
        let parts: Vec<ObjectId> =
            on!(self, c => query_scalar(sql).bind(now).fetch_all(&mut *c).await)?;
        let sql = "DELETE FROM uploads WHERE expires_at <= $1";
        let removed = on!(self, c => query(sql).bind(now).execute(&mut *c).await
            .map(|done| done.rows_affected()))?;
        Ok((removed != 0).then(|| parts.into_iter().map(part_key).collect()))
    }

    /// Whether it is time to look for objects that no row names: the last time was before that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_sweep(
        &mut self,
        now: UnixMs,
        last_before: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO object_sweeps (id, at) VALUES (1, $1)
                   ON CONFLICT (id) DO UPDATE SET at = $1 WHERE object_sweeps.at <= $2";
        let changed = on!(self, c => query(sql).bind(now).bind(last_before).execute(&mut *c).await
            .map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}

pub(super) const fn part_key(object: ObjectId) -> ObjectKey {
    ObjectKey::new(ObjectKind::Part, object)
}
