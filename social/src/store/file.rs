//! Files, and who may read them.

use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use super::{Conn, StoreError, Tx, on, unknown_word, upload};
use crate::clock::UnixMs;
use crate::files::{MediaKind, Remove};
use crate::id::{AccountId, ChatId, FileId, ObjectId};
use crate::objects::{ObjectKey, ObjectKind};

/// A file.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// What it is.
    pub kind: MediaKind,
    /// Bytes that it has.
    pub size_bytes: i64,
    /// Where it is.
    pub object: ObjectId,
    /// Where a small picture of it is, and how many bytes that has.
    pub thumbnail: Option<(ObjectId, i64)>,
    /// How wide and high it is, of a picture.
    pub size_px: Option<(i64, i64)>,
    /// Whether it was looked through, of sound.
    pub analysis: Analysis,
    /// How long it sounds, once that is known.
    pub duration_ms: Option<i64>,
    /// When it came.
    pub created_at: UnixMs,
}

impl StoredFile {
    /// Where it is.
    #[must_use]
    pub const fn key(&self) -> ObjectKey {
        ObjectKey::new(ObjectKind::File, self.object)
    }

    /// All its objects.
    #[must_use]
    pub fn keys(&self) -> Vec<ObjectKey> {
        let thumbnail = self.thumbnail.map(|(id, _)| ObjectKey::new(ObjectKind::Thumbnail, id));
        [self.key()].into_iter().chain(thumbnail).collect()
    }
}

/// Whether sound was looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = FileAnalysis)]
pub enum Analysis {
    /// It is a picture.
    None,
    /// It will be.
    Waiting,
    /// It was.
    Done,
    /// It cannot be: what it holds is not what it says, or takes too long.
    Failed,
}

impl Analysis {
    const ALL: [Self; 4] = [Self::None, Self::Waiting, Self::Done, Self::Failed];

    const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

pub(super) type Row = (
    FileId,
    AccountId,
    String,
    String,
    i64,
    ObjectId,
    Option<ObjectId>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    String,
    Option<i64>,
    UnixMs,
);

pub(super) fn file(row: Row) -> Result<StoredFile, StoreError> {
    let (
        id,
        account,
        name,
        media_type,
        size_bytes,
        object,
        thumbnail,
        thumbnail_bytes,
        width,
        height,
        word,
        duration_ms,
        created_at,
    ) = row;
    let kind = media_type.parse().map_err(|_| unknown_word("files.media_type", &media_type))?;
    let analysis = Analysis::ALL.into_iter().find(|known| known.word() == word);
    let analysis = analysis.ok_or_else(|| unknown_word("files.analysis", &word))?;
    Ok(StoredFile {
        id,
        account,
        name,
        kind,
        size_bytes,
        object,
        thumbnail: thumbnail.zip(thumbnail_bytes),
        size_px: width.zip(height),
        analysis,
        duration_ms,
        created_at,
    })
}

impl Conn {
    /// A file by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file(&mut self, id: FileId) -> Result<Option<StoredFile>, StoreError> {
        let sql = "SELECT id, account_id, name, media_type, size_bytes, object_id, thumbnail_id,
                   thumbnail_bytes, width_px, height_px, analysis, duration_ms, created_at
                   FROM files WHERE id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(file).transpose()
    }

    /// Somebody's files from before another, or the newest, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_of(
        &mut self,
        account: AccountId,
        before: Option<FileId>,
        count: i64,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let sql = "SELECT id, account_id, name, media_type, size_bytes, object_id, thumbnail_id,
                   thumbnail_bytes, width_px, height_px, analysis, duration_ms, created_at
                   FROM files WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let before = before.map_or(Uuid::max(), FileId::uuid);
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).bind(before).bind(count)
            .fetch_all(&mut *c).await)?;
        rows.into_iter().map(file).collect()
    }

    /// Everybody's files from behind another, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files_after(
        &mut self,
        after: FileId,
        count: i64,
    ) -> Result<Vec<StoredFile>, StoreError> {
        let sql = "SELECT id, account_id, name, media_type, size_bytes, object_id, thumbnail_id,
                   thumbnail_bytes, width_px, height_px, analysis, duration_ms, created_at
                   FROM files WHERE id > $1 ORDER BY id LIMIT $2";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(after).bind(count)
            .fetch_all(&mut *c).await)?;
        rows.into_iter().map(file).collect()
    }

    /// Whether somebody may read a file: it is theirs, or its owner gave it to them and neither blocked
    /// the other, or sent it in a message that they see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_read_file(
        &mut self,
        id: FileId,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM files f WHERE f.id = $1 AND (f.account_id = $2
                   OR (EXISTS (SELECT 1 FROM file_grants g
                               WHERE g.file_id = f.id AND g.account_id = $2)
                       AND NOT EXISTS (SELECT 1 FROM blocks b
                               WHERE (b.blocker_id = $2 AND b.blocked_id = f.account_id)
                               OR (b.blocker_id = f.account_id AND b.blocked_id = $2)))
                   OR EXISTS (SELECT 1 FROM file_grants g
                              JOIN message_files s
                              ON s.file_id = g.file_id AND s.chat_id = g.chat_id
                              JOIN messages m ON m.id = s.message_id
                              JOIN chat_members v ON v.chat_id = s.chat_id AND v.account_id = $2
                              AND v.left_at IS NULL AND v.joined_seq < m.seq
                              WHERE g.file_id = f.id))";
        let count: i64 = on!(self, c => query_scalar(sql).bind(id).bind(account)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// The chats in which everybody may read a file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chats_of_file(&mut self, id: FileId) -> Result<Vec<Uuid>, StoreError> {
        let sql = "SELECT chat_id FROM file_grants WHERE file_id = $1 AND chat_id IS NOT NULL";
        Ok(on!(self, c => query_scalar(sql).bind(id).fetch_all(&mut *c).await)?)
    }

    /// How a file sounds at a glance: the lowest and the highest of each point, one after the other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_peaks(&mut self, id: FileId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT peaks FROM files WHERE id = $1";
        let peaks: Option<Option<Vec<u8>>> =
            on!(self, c => query_scalar(sql).bind(id).fetch_optional(&mut *c).await)?;
        Ok(peaks.flatten())
    }
}

impl Tx {
    /// Adds a file.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when it is there already.
    pub async fn add_file(&mut self, new: &StoredFile) -> Result<(), StoreError> {
        let sql = "INSERT INTO files (id, account_id, name, media_type, size_bytes, object_id,
                   thumbnail_id, thumbnail_bytes, width_px, height_px, analysis, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        on!(self, c => query(sql).bind(new.id).bind(new.account).bind(&new.name)
            .bind(new.kind.media_type()).bind(new.size_bytes).bind(new.object)
            .bind(new.thumbnail.map(|(id, _)| id)).bind(new.thumbnail.map(|(_, bytes)| bytes))
            .bind(new.size_px.map(|(width, _)| width)).bind(new.size_px.map(|(_, high)| high))
            .bind(new.analysis.word()).bind(new.created_at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Says what was found in a file's sound; the chats in which messages carry it, which show that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_analysis(
        &mut self,
        id: FileId,
        analysis: Analysis,
        duration_ms: Option<i64>,
        peaks: Option<&[u8]>,
    ) -> Result<Vec<ChatId>, StoreError> {
        let sql = "UPDATE files SET analysis = $2, duration_ms = $3, peaks = $4 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(analysis.word()).bind(duration_ms).bind(peaks)
            .execute(&mut *c).await.map(drop))?;
        self.touch_messages_with(id).await
    }

    /// Deletes a file, and has its objects deleted; whether it was there. Messages that carry it show that
    /// it is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_file(&mut self, id: FileId, now: UnixMs) -> Result<bool, StoreError> {
        let Some(file) = self.file(id).await? else { return Ok(false) };
        self.take_out_of_messages(id).await?;
        let sql = "DELETE FROM files WHERE id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Remove::schedule(self, &file.keys(), now).await?;
        Ok(true)
    }

    /// Lets everybody in a chat read a file of somebody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_file(
        &mut self,
        id: FileId,
        by: AccountId,
        chat: Uuid,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO file_grants (file_id, granted_by, chat_id, created_at)
                   VALUES ($1, $2, $3, $4) ON CONFLICT (file_id, chat_id) DO NOTHING";
        on!(self, c => query(sql).bind(id).bind(by).bind(chat).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Lets somebody read a file of somebody else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant_file_to_account(
        &mut self,
        id: FileId,
        by: AccountId,
        to: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO file_grants (file_id, granted_by, account_id, created_at)
                   VALUES ($1, $2, $3, $4) ON CONFLICT (file_id, account_id) DO NOTHING";
        on!(self, c => query(sql).bind(id).bind(by).bind(to).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes everything of somebody that is about files, and has the objects deleted. What they said
    /// of others' recordings leaves an empty place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_files(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "SELECT p.object_id FROM upload_parts p JOIN uploads u ON u.id = p.upload_id
                   WHERE u.account_id = $1";
        let parts: Vec<ObjectId> =
            on!(self, c => query_scalar(sql).bind(account).fetch_all(&mut *c).await)?;
        let sql = "SELECT object_id, thumbnail_id FROM files WHERE account_id = $1";
        let files: Vec<(ObjectId, Option<ObjectId>)> =
            on!(self, c => query_as(sql).bind(account).fetch_all(&mut *c).await)?;
        let mut keys: Vec<_> = parts.into_iter().map(upload::part_key).collect();
        for (object, thumbnail) in files {
            keys.push(ObjectKey::new(ObjectKind::File, object));
            keys.extend(thumbnail.map(|id| ObjectKey::new(ObjectKind::Thumbnail, id)));
        }
        Remove::schedule(self, &keys, now).await?;
        for sql in [
            "DELETE FROM uploads WHERE account_id = $1",
            "DELETE FROM files WHERE account_id = $1",
            "DELETE FROM file_grants WHERE account_id = $1 OR granted_by = $1",
            "UPDATE file_comments SET body = '', account_id = NULL WHERE account_id = $1",
        ] {
            on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }
}
