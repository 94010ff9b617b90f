//! What belongs to a message beside its text: reactions, and whom it names.

use sqlx::{query, query_scalar};

use super::{Conn, Message, StoreError, Tx, on, with_list};
use crate::clock::UnixMs;
use crate::id::{AccountId, MessageId};

/// What somebody said to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// To which message.
    pub message_id: MessageId,
    /// Who.
    pub account_id: AccountId,
    /// With what.
    pub emoji: String,
}

impl Conn {
    /// The reactions to these messages, in the order in which they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reactions(&mut self, to: &[MessageId]) -> Result<Vec<Reaction>, StoreError> {
        if to.is_empty() {
            return Ok(Vec::new());
        }
        let before = "SELECT message_id, account_id, emoji FROM reactions WHERE message_id IN";
        let after = "ORDER BY message_id, created_at, account_id, emoji";
        let rows: Vec<(MessageId, AccountId, String)> = with_list!(self, before, to, after);
        let reaction = |(message_id, account_id, emoji)| Reaction { message_id, account_id, emoji };
        Ok(rows.into_iter().map(reaction).collect())
    }

    /// Whom these messages name, each at the place where the text has its number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mentions(
        &mut self,
        of: &[MessageId],
    ) -> Result<Vec<(MessageId, i64, AccountId)>, StoreError> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let before = "SELECT message_id, place, account_id FROM mentions WHERE message_id IN";
        Ok(with_list!(self, before, of, "ORDER BY message_id, place"))
    }
}

impl Tx {
    /// Notes whom a message names, in the order of their numbers, instead of whom it named before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_mentions(
        &mut self,
        of: MessageId,
        accounts: &[AccountId],
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM mentions WHERE message_id = $1";
        on!(self, c => query(sql).bind(of).execute(&mut *c).await.map(drop))?;
        let sql = "INSERT INTO mentions (message_id, place, account_id) VALUES ($1, $2, $3)";
        for (place, account) in (0i64..).zip(accounts) {
            on!(self, c => query(sql).bind(of).bind(place).bind(*account)
                .execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// Adds a reaction, in a chat whose lock this transaction has; whether it was not there, and none
    /// where somebody has as many as they may.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn react(
        &mut self,
        to: &Message,
        account: AccountId,
        emoji: &str,
        max: i64,
        now: UnixMs,
    ) -> Result<Option<bool>, StoreError> {
        let sql = "SELECT emoji FROM reactions WHERE message_id = $1 AND account_id = $2";
        let own: Vec<String> = on!(self, c => query_scalar(sql).bind(to.id).bind(account)
            .fetch_all(&mut *c).await)?;
        if own.iter().any(|own| own == emoji) {
            return Ok(Some(false));
        }
        if i64::try_from(own.len()).is_ok_and(|count| max <= count) {
            return Ok(None);
        }
        let sql = "INSERT INTO reactions (message_id, account_id, emoji, created_at)
                   VALUES ($1, $2, $3, $4)";
        on!(self, c => query(sql).bind(to.id).bind(account).bind(emoji).bind(now)
            .execute(&mut *c).await.map(drop))?;
        self.touch_message(to).await?;
        Ok(Some(true))
    }

    /// Takes a reaction back, in a chat whose lock this transaction has; whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_reaction_back(
        &mut self,
        to: &Message,
        account: AccountId,
        emoji: &str,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM reactions WHERE message_id = $1 AND account_id = $2 AND emoji = $3";
        let removed = on!(self, c => query(sql).bind(to.id).bind(account).bind(emoji)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        if removed == 1 {
            self.touch_message(to).await?;
        }
        Ok(removed == 1)
    }

    async fn touch_message(&mut self, of: &Message) -> Result<(), StoreError> {
        let rev = self.next_rev(of.chat_id).await?;
        let sql = "UPDATE messages SET rev = $2 WHERE id = $1";
        on!(self, c => query(sql).bind(of.id).bind(rev).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
