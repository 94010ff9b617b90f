//! Accounts that nobody signs in to for a while, or for good.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::AccountId;

/// That nobody signs in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Why, for its owner.
    pub reason: String,
    /// Until when; none where it has no end.
    pub until: Option<UnixMs>,
}

impl Conn {
    /// Why nobody signs in to an account at that moment, if nobody does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspension(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<Option<Suspension>, StoreError> {
        let sql = "SELECT suspension_reason, suspended_until FROM accounts
                   WHERE id = $1 AND suspension_reason IS NOT NULL
                   AND (suspended_until IS NULL OR suspended_until > $2)";
        let row: Option<(String, Option<UnixMs>)> = on!(self, c => query_as(sql).bind(account)
            .bind(now).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(reason, until)| Suspension { reason, until }))
    }
}

impl Tx {
    /// Lets nobody sign in to an account, and ends all its sessions. Whoever signs in at that moment
    /// locks the account too, so nobody slips through.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn suspend(
        &mut self,
        account: AccountId,
        suspension: &Suspension,
    ) -> Result<(), StoreError> {
        self.lock_account(account).await?;
        let sql = "UPDATE accounts SET suspension_reason = $2, suspended_until = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(account).bind(&suspension.reason).bind(suspension.until)
            .execute(&mut *c).await.map(drop))?;
        self.end_sessions(account, None).await?;
        self.void_codes(account).await
    }

    /// Suspends an account without end, of somebody who may not have one. It waits to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn freeze(&mut self, account: AccountId) -> Result<(), StoreError> {
        self.suspend(account, &Suspension { reason: String::new(), until: None }).await
    }

    /// Lets an account be signed in to again; whether it was suspended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_suspension(&mut self, account: AccountId) -> Result<bool, StoreError> {
        let sql = "UPDATE accounts SET suspension_reason = NULL, suspended_until = NULL
                   WHERE id = $1 AND suspension_reason IS NOT NULL";
        let changed = on!(self, c => query(sql).bind(account)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }
}
