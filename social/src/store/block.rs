//! Who wants nothing to do with whom.

use sqlx::{query, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::AccountId;

impl Conn {
    /// Whether one of two accounts blocked the other: neither reaches the other then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_blocked_between(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM blocks WHERE (blocker_id = $1 AND blocked_id = $2)
                   OR (blocker_id = $2 AND blocked_id = $1)";
        let count: i64 = on!(self, c => query_scalar(sql).bind(one).bind(other)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// Everybody whom an account blocked or who blocked it: for each of them it is not there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blocked_either_way(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT blocked_id FROM blocks WHERE blocker_id = $1
                   UNION SELECT blocker_id FROM blocks WHERE blocked_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_all(&mut *c).await)?)
    }
}

impl Tx {
    /// Blocks an account, if it is not blocked yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn block(
        &mut self,
        blocker: AccountId,
        blocked: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES ($1, $2, $3)
                   ON CONFLICT (blocker_id, blocked_id) DO NOTHING";
        on!(self, c => query(sql).bind(blocker).bind(blocked).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes a block back; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unblock(
        &mut self,
        blocker: AccountId,
        blocked: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2";
        let removed = on!(self, c => query(sql).bind(blocker).bind(blocked)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }
}
