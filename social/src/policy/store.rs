//! Versions of the page, and who was told of them.

use sqlx::{query, query_as, query_scalar};

use crate::clock::UnixMs;
use crate::id::AccountId;
use crate::store::{Account, Conn, StoreError, Tx, on};

/// A version that was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// When.
    pub announced_at: UnixMs,
    /// From when on it holds.
    pub takes_effect_at: UnixMs,
}

impl Conn {
    /// When a version was announced, if it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn policy(&mut self, hash: &[u8]) -> Result<Option<Announced>, StoreError> {
        let sql = "SELECT announced_at, takes_effect_at FROM policies WHERE hash = $1";
        let row = on!(self, c => query_as(sql).bind(hash).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(announced_at, takes_effect_at)| Announced { announced_at, takes_effect_at }))
    }

    /// The version that was announced last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_policy(&mut self) -> Result<Option<Announced>, StoreError> {
        let sql = "SELECT announced_at, takes_effect_at FROM policies
                   ORDER BY announced_at DESC, takes_effect_at DESC LIMIT 1";
        let row = on!(self, c => query_as(sql).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(announced_at, takes_effect_at)| Announced { announced_at, takes_effect_at }))
    }
}

impl Tx {
    /// Announces a version; whether there was another before.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn add_policy(
        &mut self,
        hash: &[u8],
        at: Announced,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM policies";
        let before: i64 = on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?;
        let Announced { announced_at, takes_effect_at } = at;
        let effect = if before == 0 { announced_at } else { takes_effect_at };
        let sql = "INSERT INTO policies (hash, announced_at, takes_effect_at) VALUES ($1, $2, $3)";
        on!(self, c => query(sql).bind(hash).bind(announced_at).bind(effect)
            .execute(&mut *c).await.map(drop))?;
        Ok(before != 0)
    }

    /// Some of the active accounts that have not been told of a version, and were there before it.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn untold_of_policy(
        &mut self,
        hash: &[u8],
        announced_at: UnixMs,
        active_since: UnixMs,
        max: i64,
    ) -> Result<Vec<Account>, StoreError> {
        let sql = "SELECT a.id FROM accounts a WHERE a.created_at <= $2
                   AND EXISTS (SELECT 1 FROM devices d
                               WHERE d.account_id = a.id AND d.last_used_at >= $3)
                   AND NOT EXISTS (SELECT 1 FROM policy_notices n
                                   WHERE n.account_id = a.id AND n.hash = $1)
                   ORDER BY a.id LIMIT $4";
        let ids: Vec<AccountId> = on!(self, c => query_scalar(sql).bind(hash).bind(announced_at)
            .bind(active_since).bind(max).fetch_all(&mut *c).await)?;
        let mut accounts = Vec::new();
        for id in ids {
            accounts.extend(self.account(id).await?);
        }
        Ok(accounts)
    }

    /// Writes down that an account was told; whether nobody else did meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn told_of_policy(
        &mut self,
        account: AccountId,
        hash: &[u8],
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO policy_notices (account_id, hash, told_at) VALUES ($1, $2, $3)
                   ON CONFLICT (account_id, hash) DO NOTHING";
        let told = on!(self, c => query(sql).bind(account).bind(hash).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(told == 1)
    }
}
