//! Moderators of rooms, who is banned from them, and the invites that let in.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, InviteId};

/// What lets whoever has it into a room.
#[derive(Debug, Clone)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// Who made it; none where they are gone.
    pub made_by: Option<AccountId>,
    /// When it was made.
    pub created_at: UnixMs,
    /// Until when it lets in.
    pub expires_at: UnixMs,
}

type Row = (InviteId, Option<AccountId>, UnixMs, UnixMs);

fn invite((id, made_by, created_at, expires_at): Row) -> Invite {
    Invite { id, made_by, created_at, expires_at }
}

impl Conn {
    /// The moderators of a room, who has been it for longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room_moderators(&mut self, room: &str) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT account_id FROM room_moderators WHERE room = $1
                   ORDER BY since, account_id";
        Ok(on!(self, c => query_scalar(sql).bind(room).fetch_all(&mut *c).await)?)
    }

    /// Whether an account moderates a room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_room_moderator(
        &mut self,
        room: &str,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM room_moderators WHERE room = $1 AND account_id = $2";
        let count: i64 = on!(self, c => query_scalar(sql).bind(room).bind(account)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// Who is banned from a room and since when, the last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room_bans(&mut self, room: &str) -> Result<Vec<(AccountId, UnixMs)>, StoreError> {
        let sql = "SELECT account_id, banned_at FROM room_bans WHERE room = $1
                   ORDER BY banned_at DESC, account_id";
        Ok(on!(self, c => query_as(sql).bind(room).fetch_all(&mut *c).await)?)
    }

    /// Whether an account is banned from a room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_room_banned(
        &mut self,
        room: &str,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM room_bans WHERE room = $1 AND account_id = $2";
        let count: i64 = on!(self, c => query_scalar(sql).bind(room).bind(account)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// The invites to a room that let in, the last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room_invites(
        &mut self,
        room: &str,
        now: UnixMs,
    ) -> Result<Vec<Invite>, StoreError> {
        let sql = "SELECT id, made_by, created_at, expires_at FROM room_invites
                   WHERE room = $1 AND expires_at > $2 ORDER BY id DESC";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(room).bind(now)
            .fetch_all(&mut *c).await)?;
        Ok(rows.into_iter().map(invite).collect())
    }

    /// Whether this lets into a room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_room_invite(
        &mut self,
        room: &str,
        token_hash: &[u8],
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM room_invites
                   WHERE room = $1 AND token_hash = $2 AND expires_at > $3";
        let count: i64 = on!(self, c => query_scalar(sql).bind(room).bind(token_hash).bind(now)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Makes an account a moderator of a room, if it is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_room_moderator(
        &mut self,
        room: &str,
        account: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO room_moderators (room, account_id, since) VALUES ($1, $2, $3)
                   ON CONFLICT (room, account_id) DO NOTHING";
        on!(self, c => query(sql).bind(room).bind(account).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Ends that; whether it was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_room_moderator(
        &mut self,
        room: &str,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM room_moderators WHERE room = $1 AND account_id = $2";
        let removed = on!(self, c => query(sql).bind(room).bind(account)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Bans an account from a room, if it is not yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ban_from_room(
        &mut self,
        room: &str,
        account: AccountId,
        by: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO room_bans (room, account_id, banned_by, banned_at)
                   VALUES ($1, $2, $3, $4) ON CONFLICT (room, account_id) DO NOTHING";
        on!(self, c => query(sql).bind(room).bind(account).bind(by).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes a ban back; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unban_from_room(
        &mut self,
        room: &str,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM room_bans WHERE room = $1 AND account_id = $2";
        let removed = on!(self, c => query(sql).bind(room).bind(account)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Adds an invite to a room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_room_invite(
        &mut self,
        room: &str,
        token_hash: &[u8],
        new: &Invite,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO room_invites (id, room, token_hash, made_by, created_at, expires_at)
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on!(self, c => query(sql).bind(new.id).bind(room).bind(token_hash).bind(new.made_by)
            .bind(new.created_at).bind(new.expires_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes an invite to a room back; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_room_invite(
        &mut self,
        room: &str,
        id: InviteId,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM room_invites WHERE room = $1 AND id = $2";
        let removed = on!(self, c => query(sql).bind(room).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }
}
