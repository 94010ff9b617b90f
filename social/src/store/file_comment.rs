//! What people say of moments of a recording.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, CommentId, FileId};

/// What somebody said of a moment.
#[derive(Debug, Clone)]
pub struct FileComment {
    /// Its id.
    pub id: CommentId,
    /// Who said it; nobody where they are gone.
    pub author: Option<AccountId>,
    /// Their name, which nobody sees while their account waits to be erased.
    pub author_name: Option<String>,
    /// Of which moment of the recording.
    pub at_ms: i64,
    /// What; nothing where its author is gone.
    pub body: String,
    /// When.
    pub created_at: UnixMs,
}

type Row = (CommentId, Option<AccountId>, Option<String>, i64, String, UnixMs);

impl Conn {
    /// Everything that was said of a file, in the order of the recording.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_comments(&mut self, of: FileId) -> Result<Vec<FileComment>, StoreError> {
        let sql = "SELECT k.id, k.account_id, a.username, k.at_ms, k.body, k.created_at
                   FROM file_comments k
                   LEFT JOIN accounts a ON a.id = k.account_id AND a.hidden_at IS NULL
                   WHERE k.file_id = $1 ORDER BY k.at_ms, k.id";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(of).fetch_all(&mut *c).await)?;
        let comments =
            rows.into_iter().map(|(id, author, author_name, at_ms, body, created_at)| {
                FileComment { id, author, author_name, at_ms, body, created_at }
            });
        Ok(comments.collect())
    }

    /// How much was said of a file.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn file_comments_count(&mut self, of: FileId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM file_comments WHERE file_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(of).fetch_one(&mut *c).await)?)
    }
}

impl Tx {
    /// Adds what somebody said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_file_comment(
        &mut self,
        id: CommentId,
        of: FileId,
        by: AccountId,
        (at_ms, body): (i64, &str),
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO file_comments (id, file_id, account_id, at_ms, body, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self, c => query(sql).bind(id).bind(of).bind(by).bind(at_ms).bind(body).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes what somebody said of a file, if it is theirs or the file is; whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_file_comment(
        &mut self,
        id: CommentId,
        of: FileId,
        by: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM file_comments WHERE id = $1 AND file_id = $2 AND (account_id = $3
                   OR EXISTS (SELECT 1 FROM files WHERE id = $2 AND account_id = $3))";
        let removed = on!(self, c => query(sql).bind(id).bind(of).bind(by)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }
}
