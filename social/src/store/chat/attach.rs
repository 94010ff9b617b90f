//! Files that messages carry.
//!
//! What surprises: who sends a file holds its row before the chat's, as does who deletes it, so that neither
//! waits for the other for good.

use std::collections::BTreeMap;

use sqlx::{query, query_scalar};

use super::{Conn, Driver, LIST_MAX, Message, StoreError, Tx, on, with_list};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId, FileId, MessageId};
use crate::store::StoredFile;
use crate::store::file::{Row, file};

impl Conn {
    /// The files that these messages carry, in their order; none where one is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message_files(
        &mut self,
        of: &[MessageId],
    ) -> Result<Vec<(MessageId, Option<FileId>)>, StoreError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let before = "SELECT message_id, file_id FROM message_files WHERE message_id IN";
        Ok(with_list!(self, before, of, "ORDER BY message_id, place"))
    }

    /// These files, as far as they are there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn files(
        &mut self,
        ids: &[FileId],
    ) -> Result<BTreeMap<FileId, StoredFile>, StoreError> {
        let mut files = BTreeMap::new();
        for part in ids.chunks(LIST_MAX) {
            let before = "SELECT id, account_id, name, media_type, size_bytes, object_id,
                          thumbnail_id, thumbnail_bytes, width_px, height_px, analysis,
                          duration_ms, created_at FROM files WHERE id IN";
            let rows: Vec<Row> = with_list!(self, before, part, "");
            for row in rows {
                let found = file(row)?;
                files.insert(found.id, found);
            }
        }
        Ok(files)
    }
}

impl Tx {
    /// Files of somebody, as far as they are there and theirs, which nobody deletes until the transaction
    /// ends. The chat that they are sent to is locked after that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_files(
        &mut self,
        ids: &[FileId],
        of: AccountId,
    ) -> Result<BTreeMap<FileId, StoredFile>, StoreError> {
        // On SQLite whoever has a transaction is the only one who writes.
        if let Driver::Pg(c) = self.driver() {
            let mut sorted = ids.to_vec();
            sorted.sort_unstable();
            for id in sorted {
                let sql = "SELECT id FROM files WHERE id = $1 FOR KEY SHARE";
                query(sql).bind(id).fetch_optional(&mut *c).await?;
            }
        }
        let mut files = self.files(ids).await?;
        files.retain(|_, file| file.account == of);
        Ok(files)
    }

    /// Has a message carry files of its author's, which this transaction holds, with the words of their
    /// names. Whoever sees the message may read them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attach(
        &mut self,
        to: &Message,
        by: AccountId,
        files: &[(FileId, String)],
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO message_files (message_id, place, chat_id, account_id, file_id, words)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        for (place, (file, words)) in (0i64..).zip(files) {
            on!(self, c => query(sql).bind(to.id).bind(place).bind(to.chat_id).bind(by)
                .bind(*file).bind(words).execute(&mut *c).await.map(drop))?;
            self.grant_file(*file, by, to.chat_id.uuid(), now).await?;
        }
        Ok(())
    }

    /// Has every message that carries a file count as changed; in which chats.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_messages_with(&mut self, id: FileId) -> Result<Vec<ChatId>, StoreError> {
        let sql = "SELECT DISTINCT chat_id FROM message_files WHERE file_id = $1 ORDER BY chat_id";
        let chats: Vec<ChatId> =
            on!(self, c => query_scalar(sql).bind(id).fetch_all(&mut *c).await)?;
        if !chats.is_empty() {
            for chat in &chats {
                self.lock_chat(*chat).await?;
            }
            self.give_revs(CARRYING, id.uuid()).await?;
        }
        Ok(chats)
    }

    /// Has every message that carries a file show that it is gone, before it is; in which chats. Nobody
    /// sends it any more until the transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_out_of_messages(&mut self, id: FileId) -> Result<Vec<ChatId>, StoreError> {
        if let Driver::Pg(c) = self.driver() {
            let sql = "SELECT id FROM files WHERE id = $1 FOR UPDATE";
            query(sql).bind(id).fetch_optional(c).await?;
        }
        let chats = self.touch_messages_with(id).await?;
        let sql = "UPDATE message_files SET file_id = NULL, words = '' WHERE file_id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(chats)
    }

    /// Takes back that everybody in a chat may read a file, where no message there carries it any more.
    pub(super) async fn drop_idle_grants(&mut self, chat: ChatId) -> Result<(), StoreError> {
        let sql = "DELETE FROM file_grants WHERE chat_id = $1 AND NOT EXISTS
                   (SELECT 1 FROM message_files s
                    WHERE s.file_id = file_grants.file_id AND s.chat_id = $1)";
        on!(self, c => query(sql).bind(chat).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}

/// Messages that carry a file.
const CARRYING: &str = "(SELECT message_id FROM message_files WHERE file_id = $1)";
