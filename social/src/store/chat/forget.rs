//! Takes everything out of chats that was somebody's.

use sqlx::{query, query_scalar};

use uuid::Uuid;

use super::{StoreError, Tx, on, safe};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId};

/// Messages that are somebody's, that they reacted to, or that name them.
const TOUCHED: &str = "(SELECT id FROM messages WHERE author_id = $1
    UNION SELECT message_id FROM reactions WHERE account_id = $1
    UNION SELECT message_id FROM mentions WHERE account_id = $1)";

impl Tx {
    /// Takes everything out of chats that was this account's, also what others see: what its messages
    /// say, its reactions, where it is named, and that it was there. A place without a text and
    /// without an author stays where a message was, so an answer to it answers to that. A group that it
    /// owned is handed over; a chat that nobody is in goes. Done again, it changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_chats(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        self.give_revs(TOUCHED, account.uuid()).await?;
        for sql in [
            "DELETE FROM reactions WHERE account_id = $1
             OR message_id IN (SELECT id FROM messages WHERE author_id = $1)",
            "DELETE FROM mentions WHERE account_id = $1
             OR message_id IN (SELECT id FROM messages WHERE author_id = $1)",
            "DELETE FROM message_files WHERE account_id = $1",
            "DELETE FROM notices
             WHERE message_id IN (SELECT id FROM messages WHERE author_id = $1)",
        ] {
            on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        }
        let sql = "UPDATE messages SET body = NULL, author_id = NULL, client_id = NULL,
                   gif_provider = NULL, gif_id = NULL, edited_at = NULL, deleted_at = coalesce(deleted_at, $2) WHERE author_id = $1";
        on!(self, c => query(sql).bind(account).bind(now).execute(&mut *c).await.map(drop))?;
        let sql = "SELECT chat_id FROM chat_members WHERE account_id = $1";
        let chats: Vec<ChatId> =
            on!(self, c => query_scalar(sql).bind(account).fetch_all(&mut *c).await)?;
        let sql = "DELETE FROM chat_members WHERE account_id = $1";
        on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        for chat in chats {
            // Its key holds the id.
            let sql = "UPDATE chats SET direct_key = NULL WHERE id = $1";
            on!(self, c => query(sql).bind(chat).execute(&mut *c).await.map(drop))?;
            self.hand_over_group(chat).await?;
            self.delete_empty_chat(chat).await?;
        }
        Ok(())
    }

    /// Gives each of these messages a rev of its own, in the order of the messages, so that whoever has a
    /// chat open sees each change. `touched` selects their ids by `$1`.
    pub(super) async fn give_revs(
        &mut self,
        touched: &'static str,
        by: Uuid,
    ) -> Result<(), StoreError> {
        let counted = format!(
            "UPDATE chats SET last_rev = last_rev + touched.count FROM
             (SELECT chat_id, count(*) AS count FROM messages WHERE id IN {touched}
              GROUP BY chat_id) touched WHERE chats.id = touched.chat_id"
        );
        let changed = format!(
            "UPDATE messages SET rev = touched.rev FROM
             (SELECT m.id, 1 + c.last_rev - row_number()
              OVER (PARTITION BY m.chat_id ORDER BY m.seq DESC) AS rev
              FROM messages m JOIN chats c ON c.id = m.chat_id WHERE m.id IN {touched}) touched
             WHERE messages.id = touched.id"
        );
        for sql in [counted, changed] {
            on!(self, c => query(safe(sql)).bind(by).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }
}
