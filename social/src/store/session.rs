//! Devices that are signed in.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, Driver, StoreError, Tx, on, unknown_word};
use crate::account::Role;
use crate::clock::UnixMs;
use crate::id::{AccountId, IdentityId, SessionId};

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who is signed in.
    pub account_id: AccountId,
    /// From which device, as a keyed hash.
    pub device_hash: Vec<u8>,
    /// What its owner calls the device.
    pub device_name: String,
    /// When it began.
    pub created_at: UnixMs,
    /// When it was last used, to the hour.
    pub last_used_at: UnixMs,
    /// When the password was last given in it.
    pub proven_at: UnixMs,
    /// When it ends.
    pub expires_at: UnixMs,
    /// With which sign-in of a provider it began.
    pub identity_id: Option<IdentityId>,
}

type Row =
    (SessionId, AccountId, Vec<u8>, String, UnixMs, UnixMs, UnixMs, UnixMs, Option<IdentityId>);

fn session(row: Row) -> Session {
    let (id, account_id, device_hash, device_name, created_at, last_used_at, ..) = row;
    let (.., proven_at, expires_at, identity_id) = row;
    Session {
        id,
        account_id,
        device_hash,
        device_name,
        created_at,
        last_used_at,
        proven_at,
        expires_at,
        identity_id,
    }
}

impl Conn {
    /// The session of a token, with its account's role.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_by_token(
        &mut self,
        token_hash: &[u8],
        now: UnixMs,
    ) -> Result<Option<(Session, Role)>, StoreError> {
        let sql = "SELECT s.id, s.account_id, s.device_hash, s.device_name, s.created_at,
                   s.last_used_at, s.proven_at, s.expires_at, s.identity_id, a.role
                   FROM sessions s JOIN accounts a ON a.id = s.account_id
                   WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.hidden_at IS NULL";
        type RowAndRole = (
            SessionId,
            AccountId,
            Vec<u8>,
            String,
            UnixMs,
            UnixMs,
            UnixMs,
            UnixMs,
            Option<IdentityId>,
            String,
        );
        let row: Option<RowAndRole> = on!(self, c => query_as(sql).bind(token_hash).bind(now)
            .fetch_optional(&mut *c).await)?;
        let Some((id, account, device, name, created, used, proven, expires, identity, role)) = row
        else {
            return Ok(None);
        };
        let role = role.parse().map_err(|_| unknown_word("accounts.role", &role))?;
        let row = (id, account, device, name, created, used, proven, expires, identity);
        Ok(Some((session(row), role)))
    }

    /// The sessions of an account, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions(
        &mut self,
        account: AccountId,
        now: UnixMs,
    ) -> Result<Vec<Session>, StoreError> {
        let sql = "SELECT id, account_id, device_hash, device_name, created_at, last_used_at,
                   proven_at, expires_at, identity_id FROM sessions
                   WHERE account_id = $1 AND expires_at > $2 ORDER BY id";
        let rows = on!(self, c => query_as(sql).bind(account).bind(now).fetch_all(&mut *c).await)?;
        Ok(rows.into_iter().map(session).collect())
    }
}

impl Tx {
    /// Adds a session. Of an account that has as many as it may, the ones used least recently end; whether
    /// any did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(
        &mut self,
        new: &Session,
        token_hash: &[u8],
        sessions_max: i64,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO sessions (id, account_id, token_hash, device_hash, device_name,
                   created_at, last_used_at, proven_at, expires_at, identity_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        on!(self, c => query(sql).bind(new.id).bind(new.account_id).bind(token_hash)
            .bind(&new.device_hash).bind(&new.device_name).bind(new.created_at)
            .bind(new.last_used_at).bind(new.proven_at).bind(new.expires_at).bind(new.identity_id)
            .execute(&mut *c).await.map(drop))?;
        let sql = "DELETE FROM sessions WHERE account_id = $1 AND id NOT IN
                   (SELECT id FROM sessions WHERE account_id = $1
                    ORDER BY last_used_at DESC, id DESC LIMIT $2)";
        let ended = on!(self, c => query(sql).bind(new.account_id).bind(sessions_max)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(ended != 0)
    }

    /// Notes that a session was used, and until when it lasts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(
        &mut self,
        id: SessionId,
        used_at: UnixMs,
        expires_at: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET last_used_at = $2, expires_at = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(used_at).bind(expires_at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Notes that the password was given in a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prove_session(&mut self, id: SessionId, at: UnixMs) -> Result<(), StoreError> {
        let sql = "UPDATE sessions SET proven_at = $2 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Whether a session of an account is still there. Until the transaction ends, nobody ends it, or
    /// gives the account another password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds_session(
        &mut self,
        account: AccountId,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        self.lock_account(account).await?;
        let sql = "SELECT id FROM sessions WHERE account_id = $1 AND id = $2";
        let found: Option<SessionId> = match self.driver() {
            Driver::Sqlite(c) => query_scalar(sql).bind(account).bind(id).fetch_optional(c).await?,
            Driver::Pg(c) => {
                // Locked too: somebody else may be signing it out.
                let sql = "SELECT id FROM sessions WHERE account_id = $1 AND id = $2 FOR UPDATE";
                query_scalar(sql).bind(account).bind(id).fetch_optional(c).await?
            }
        };
        Ok(found.is_some())
    }

    /// Ends a session of an account; whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(
        &mut self,
        account: AccountId,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE account_id = $1 AND id = $2";
        let removed = on!(self, c => query(sql).bind(account).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Ends all sessions of an account but one, or all; how many ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_sessions(
        &mut self,
        account: AccountId,
        except: Option<SessionId>,
    ) -> Result<u64, StoreError> {
        let ended = match except {
            Some(except) => {
                let sql = "DELETE FROM sessions WHERE account_id = $1 AND id <> $2";
                on!(self, c => query(sql).bind(account).bind(except)
                    .execute(&mut *c).await.map(|done| done.rows_affected()))?
            }
            None => {
                let sql = "DELETE FROM sessions WHERE account_id = $1";
                on!(self, c => query(sql).bind(account)
                    .execute(&mut *c).await.map(|done| done.rows_affected()))?
            }
        };
        Ok(ended)
    }
}
