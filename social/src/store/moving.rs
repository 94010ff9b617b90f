//! An account that moves to the database of another region.

use sqlx::{query, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::id::{AccountId, IdentityId};

impl Conn {
    /// Whether anybody has signed in to an account, as far as is remembered.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn was_signed_in_to(&mut self, id: AccountId) -> Result<bool, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM sessions WHERE account_id = $1)
                   + (SELECT count(*) FROM devices WHERE account_id = $1)";
        let count: i64 = on!(self, c => query_scalar(sql).bind(id).fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// Whether a username in lower case is anybody else's, also somebody's who only signs up.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn is_username_taken(
        &mut self,
        key: &str,
        by_other_than: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM usernames WHERE name_key = $1
                   AND (account_id IS NULL OR account_id <> $2)";
        let count: i64 = on!(self, c => query_scalar(sql).bind(key).bind(by_other_than)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Forgets a sign-in of an account whose provider is told nothing, since it lets its owner in elsewhere.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn let_go_of_identity(
        &mut self,
        account: AccountId,
        id: IdentityId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM identities WHERE account_id = $1 AND id = $2";
        on!(self, c => query(sql).bind(account).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
