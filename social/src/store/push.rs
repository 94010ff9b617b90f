//! Browsers that are told what happens while no page is open, and the key that signs for that.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId, PushId, SessionId};
use crate::people::NoticeKind;

/// A browser that is told.
#[derive(Debug, Clone)]
pub struct PushSubscription {
    /// Its id.
    pub id: PushId,
    /// Whose it is.
    pub account_id: AccountId,
    /// In which session; it ends with that.
    pub session_id: SessionId,
    /// Of which push service.
    pub host: String,
    /// Its address there and its keys, encrypted.
    pub sealed: Vec<u8>,
    /// Since when.
    pub created_at: UnixMs,
}

type Row = (PushId, AccountId, SessionId, String, Vec<u8>, UnixMs);

fn subscription(row: Row) -> PushSubscription {
    let (id, account_id, session_id, host, sealed, created_at) = row;
    PushSubscription { id, account_id, session_id, host, sealed, created_at }
}

impl Conn {
    /// The browsers of an account that are told, the oldest first, with the names of their devices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn push_subscriptions(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<Vec<(PushSubscription, String)>, StoreError> {
        let sql = "SELECT p.id, p.account_id, p.session_id, p.host, p.sealed, p.created_at,
                   s.device_name
                   FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
                   WHERE p.account_id = $1 AND s.expires_at > $2 ORDER BY p.id";
        type Named = (PushId, AccountId, SessionId, String, Vec<u8>, UnixMs, String);
        let rows: Vec<Named> =
            on!(self, c => query_as(sql).bind(account).bind(now).fetch_all(&mut *c).await)?;
        let named = |(id, account, session, host, sealed, at, name)| {
            (subscription((id, account, session, host, sealed, at)), name)
        };
        Ok(rows.into_iter().map(named).collect())
    }

    /// A browser whose session has not ended, with the language of its account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn push_subscription(
        &mut self,
        id: PushId,
        now: UnixMs,
    ) -> Result<Option<(PushSubscription, String)>, StoreError> {
        let sql = "SELECT p.id, p.account_id, p.session_id, p.host, p.sealed, p.created_at,
                   a.language
                   FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id
                   JOIN accounts a ON a.id = p.account_id
                   WHERE p.id = $1 AND s.expires_at > $2 AND a.hidden_at IS NULL";
        type Spoken = (PushId, AccountId, SessionId, String, Vec<u8>, UnixMs, String);
        let row: Option<Spoken> =
            on!(self, c => query_as(sql).bind(id).bind(now).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(id, account, session, host, sealed, at, language)| {
            (subscription((id, account, session, host, sealed, at)), language)
        }))
    }

    /// Whether an account has not read something that it was told of this kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_unread_notice(
        &mut self,
        account: AccountId,
        kind: NoticeKind,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM notices
                   WHERE account_id = $1 AND kind = $2 AND read_at IS NULL";
        let count: i64 = on!(self, c => query_scalar(sql).bind(account).bind(kind.word())
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// Whether somebody else wrote into a chat what an account, which has not muted it, has not read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_unread_message(
        &mut self,
        account: AccountId,
        chat: ChatId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM chat_members v
                   WHERE v.chat_id = $1 AND v.account_id = $2 AND v.left_at IS NULL
                   AND v.muted = 0 AND EXISTS (SELECT 1 FROM messages m
                       WHERE m.chat_id = v.chat_id AND m.seq > v.read_seq
                       AND m.seq > v.joined_seq AND m.deleted_at IS NULL
                       AND m.author_id IS NOT NULL AND m.author_id <> v.account_id)";
        let count: i64 = on!(self, c => query_scalar(sql).bind(chat).bind(account)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Keeps the key that signs where none is kept yet; the one that is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn push_key(&mut self, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        // Of two servers that open a fresh database at once, the second finds the first one's.
        let sql = "INSERT INTO push_key (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        on!(self, c => query(sql).bind(fresh).execute(&mut *c).await.map(drop))?;
        let sql = "SELECT sealed FROM push_key WHERE id = 1";
        Ok(on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?)
    }

    /// Has a browser told, instead of what was known of its session and of the browser itself. Of an
    /// account with as many as it may have, the oldest goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_push_subscription(
        &mut self,
        new: &PushSubscription,
        endpoint_hash: &[u8],
        subscriptions_max: i64,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM push_subscriptions WHERE session_id = $1 OR endpoint_hash = $2";
        on!(self, c => query(sql).bind(new.session_id).bind(endpoint_hash)
            .execute(&mut *c).await.map(drop))?;
        let sql = "INSERT INTO push_subscriptions (id, account_id, session_id, host,
                   endpoint_hash, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self, c => query(sql).bind(new.id).bind(new.account_id).bind(new.session_id)
            .bind(&new.host).bind(endpoint_hash).bind(&new.sealed).bind(new.created_at)
            .execute(&mut *c).await.map(drop))?;
        let sql = "DELETE FROM push_subscriptions WHERE account_id = $1 AND id NOT IN
                   (SELECT id FROM push_subscriptions WHERE account_id = $1
                    ORDER BY id DESC LIMIT $2)";
        on!(self, c => query(sql).bind(new.account_id).bind(subscriptions_max)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Has a browser of an account told no more; whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_push_subscription(
        &mut self,
        account: AccountId,
        id: PushId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM push_subscriptions WHERE account_id = $1 AND id = $2";
        let removed = on!(self, c => query(sql).bind(account).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Has nobody's browser told any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_push_subscriptions(&mut self) -> Result<u64, StoreError> {
        let sql = "DELETE FROM push_subscriptions";
        Ok(on!(self, c => query(sql).execute(&mut *c).await.map(|done| done.rows_affected()))?)
    }
}
