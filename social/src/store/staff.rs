//! Accounts as admins look for them: whatever stands between them and others.

use sqlx::query_scalar;

use super::{Conn, StoreError, on};
use crate::account::Role;
use crate::id::AccountId;

impl Conn {
    /// Accounts whose names begin with something in lower case, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_named(
        &mut self,
        prefix: &str,
        limit: i64,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT account_id FROM usernames WHERE account_id IS NOT NULL
                   AND name_key LIKE $1 ESCAPE '\\' ORDER BY name_key LIMIT $2";
        // Of what stands for other letters in a pattern, only this one may be in a name.
        let pattern = format!("{}%", prefix.replace('_', "\\_"));
        Ok(on!(self, c => query_scalar(sql).bind(&pattern).bind(limit)
            .fetch_all(&mut *c).await)?)
    }

    /// Accounts that may do more than others, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff(&mut self, limit: i64) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT a.id FROM accounts a JOIN usernames u ON u.account_id = a.id
                   WHERE a.role <> $1 ORDER BY u.name_key LIMIT $2";
        Ok(on!(self, c => query_scalar(sql).bind(Role::User.word()).bind(limit)
            .fetch_all(&mut *c).await)?)
    }
}
