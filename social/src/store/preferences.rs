//! What somebody lets others see of what they do.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::AccountId;

/// What somebody lets others see of what they do, and of what they want to be told. What is off is
/// neither told nor kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// That they are online, and to friends that they jam.
    pub presence: bool,
    /// To friends, in which room they jam.
    pub room: bool,
    /// What they have read.
    pub read_receipts: bool,
    /// That they are typing.
    pub typing: bool,
    /// Whether they are told that a message names them or answers theirs.
    pub mentions: bool,
}

impl Default for Preferences {
    /// Of whoever never said otherwise.
    fn default() -> Self {
        Self { presence: true, room: false, read_receipts: true, typing: true, mentions: true }
    }
}

impl Conn {
    /// What an account lets others see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn preferences(&mut self, account: AccountId) -> Result<Preferences, StoreError> {
        let sql = "SELECT presence, room, read_receipts, typing, mentions FROM preferences
                   WHERE account_id = $1";
        let row: Option<(i64, i64, i64, i64, i64)> =
            on!(self, c => query_as(sql).bind(account).fetch_optional(&mut *c).await)?;
        let preferences = |(presence, room, read_receipts, typing, mentions)| Preferences {
            presence: presence != 0,
            room: room != 0,
            read_receipts: read_receipts != 0,
            typing: typing != 0,
            mentions: mentions != 0,
        };
        Ok(row.map(preferences).unwrap_or_default())
    }

    /// When an account agreed that its app asks the service that has GIFs, if it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gifs_agreed_at(
        &mut self,
        account: AccountId,
    ) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT gifs_agreed_at FROM preferences WHERE account_id = $1";
        let at: Option<Option<UnixMs>> =
            on!(self, c => query_scalar(sql).bind(account).fetch_optional(&mut *c).await)?;
        Ok(at.flatten())
    }
}

impl Tx {
    /// Changes what an account lets others see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_preferences(
        &mut self,
        account: AccountId,
        preferences: Preferences,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO preferences
                     (account_id, presence, room, read_receipts, typing, mentions)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id) DO UPDATE
                   SET presence = $2, room = $3, read_receipts = $4, typing = $5, mentions = $6";
        let Preferences { presence, room, read_receipts, typing, mentions } = preferences;
        on!(self, c => query(sql).bind(account).bind(i64::from(presence)).bind(i64::from(room))
            .bind(i64::from(read_receipts)).bind(i64::from(typing)).bind(i64::from(mentions))
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Notes when an account agreed that its app asks the service that has GIFs, or that it does not. Who
    /// agreed before agreed then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agree_to_gifs(
        &mut self,
        account: AccountId,
        at: Option<UnixMs>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO preferences (account_id, presence, read_receipts, typing,
                   gifs_agreed_at) VALUES ($1, 1, 1, 1, $2) ON CONFLICT (account_id) DO UPDATE
                   SET gifs_agreed_at = CASE WHEN $2 IS NULL THEN NULL
                   ELSE coalesce(preferences.gifs_agreed_at, $2) END";
        on!(self, c => query(sql).bind(account).bind(at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
