//! Archives of what is kept of somebody: which there are, and the links to them.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, ExportId};

/// An archive, or one that is to be.
#[derive(Debug, Clone)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Of whom.
    pub account_id: AccountId,
    /// How large it is; none until it is there.
    pub bytes: Option<i64>,
    /// When it was asked for.
    pub created_at: UnixMs,
    /// When it is deleted.
    pub expires_at: UnixMs,
}

type Row = (ExportId, AccountId, Option<i64>, UnixMs, UnixMs);

fn export((id, account_id, bytes, created_at, expires_at): Row) -> Export {
    Export { id, account_id, bytes, created_at, expires_at }
}

impl Conn {
    /// An archive.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&mut self, id: ExportId) -> Result<Option<Export>, StoreError> {
        let sql = "SELECT id, account_id, bytes, created_at, expires_at FROM exports WHERE id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        Ok(row.map(export))
    }

    /// The archives of an account that have not expired, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exports(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<Vec<Export>, StoreError> {
        let sql = "SELECT id, account_id, bytes, created_at, expires_at FROM exports
                   WHERE account_id = $1 AND expires_at > $2 ORDER BY id";
        let rows = on!(self, c => query_as(sql).bind(account).bind(now)
            .fetch_all(&mut *c).await)?;
        Ok(rows.into_iter().map(export).collect())
    }

    /// The archives whose time is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expired_exports(&mut self, now: UnixMs) -> Result<Vec<ExportId>, StoreError> {
        let sql = "SELECT id FROM exports WHERE expires_at <= $1 ORDER BY id";
        Ok(on!(self, c => query_scalar(sql).bind(now).fetch_all(&mut *c).await)?)
    }
}

impl Tx {
    /// Adds an archive that is to be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_export(&mut self, new: &Export) -> Result<(), StoreError> {
        let sql = "INSERT INTO exports (id, account_id, created_at, expires_at)
                   VALUES ($1, $2, $3, $4)";
        on!(self, c => query(sql).bind(new.id).bind(new.account_id).bind(new.created_at)
            .bind(new.expires_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Notes that an archive is there; whether it is still wanted, and nobody noted it before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_export(&mut self, id: ExportId, bytes: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE exports SET bytes = $2 WHERE id = $1 AND bytes IS NULL";
        let changed = on!(self, c => query(sql).bind(id).bind(bytes)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Gives an archive of an account that is there a link; an earlier one leads nowhere then. Whether
    /// there is such an archive.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn link_export(
        &mut self,
        account: AccountId,
        id: ExportId,
        link_hash: &[u8],
        link_expires_at: UnixMs,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE exports SET link_hash = $3, link_expires_at = $4
                   WHERE account_id = $1 AND id = $2 AND bytes IS NOT NULL AND expires_at > $5";
        let changed = on!(self, c => query(sql).bind(account).bind(id).bind(link_hash)
            .bind(link_expires_at).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Uses up a link; the archive that it led to, if nobody else used it. That of an account that is to
    /// be erased leads nowhere.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_link(
        &mut self,
        link_hash: &[u8],
        now: UnixMs,
    ) -> Result<Option<Export>, StoreError> {
        let sql = "UPDATE exports SET link_hash = NULL, link_expires_at = NULL
                   WHERE link_hash = $1 AND link_expires_at > $2 AND expires_at > $2
                   AND account_id IN (SELECT id FROM accounts WHERE hidden_at IS NULL)
                   RETURNING id, account_id, bytes, created_at, expires_at";
        let row = on!(self, c => query_as(sql).bind(link_hash).bind(now)
            .fetch_optional(&mut *c).await)?;
        Ok(row.map(export))
    }

    /// Forgets an archive. The archive itself is removed before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_export(&mut self, id: ExportId) -> Result<(), StoreError> {
        let sql = "DELETE FROM exports WHERE id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
