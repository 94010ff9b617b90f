//! Who is told that a message calls them.

use std::collections::BTreeSet;

use sqlx::{query, query_scalar};

use super::{Conn, Message, StoreError, Tx, on};
use crate::id::AccountId;

impl Conn {
    /// Who may be told that a message calls them: everybody who sees it and whom its author reaches, but
    /// its author, whoever muted the chat, and whoever wants no such notices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn callable(
        &mut self,
        message: &Message,
        author: AccountId,
    ) -> Result<BTreeSet<AccountId>, StoreError> {
        let sql = "SELECT v.account_id FROM chat_members v
                   JOIN accounts a ON a.id = v.account_id AND a.hidden_at IS NULL
                   LEFT JOIN preferences p ON p.account_id = v.account_id
                   WHERE v.chat_id = $1 AND v.account_id <> $2 AND v.joined_seq < $3
                   AND v.left_at IS NULL AND v.muted = 0 AND coalesce(p.mentions, 1) = 1
                   AND NOT EXISTS (SELECT 1 FROM blocks b
                       WHERE (b.blocker_id = $2 AND b.blocked_id = v.account_id)
                       OR (b.blocker_id = v.account_id AND b.blocked_id = $2))";
        let found: Vec<AccountId> = on!(self, c => query_scalar(sql).bind(message.chat_id)
            .bind(author).bind(message.seq).fetch_all(&mut *c).await)?;
        Ok(found.into_iter().collect())
    }
}

impl Tx {
    /// Takes back what somebody was told of a message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn uncall(
        &mut self,
        message: &Message,
        account: AccountId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM notices WHERE message_id = $1 AND account_id = $2";
        on!(self, c => query(sql).bind(message.id).bind(account)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
