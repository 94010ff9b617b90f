//! Rooms that an account owns.
//!
//! What surprises: whoever changes a room locks accounts first, then the room, then its chat, so that no
//! two wait for each other.

mod people;

use sqlx::{query, query_as, query_scalar};

use super::{Conn, Driver, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId};
use crate::rooms::Visibility;

pub use people::Invite;

/// A room that an account owns.
#[derive(Debug, Clone)]
pub struct Room {
    /// As it stands in the link.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Whose it is.
    pub owner_id: AccountId,
    /// Who finds it, and who may come.
    pub visibility: Visibility,
    /// The hash of the password, where one lets in.
    pub password_hash: Option<String>,
    /// Its chat.
    pub chat_id: ChatId,
    /// When it was made.
    pub created_at: UnixMs,
}

type Row = (String, String, AccountId, String, Option<String>, ChatId, UnixMs);

fn room(row: Row) -> Result<Room, StoreError> {
    let (name, title, owner_id, visibility, password_hash, chat_id, created_at) = row;
    let visibility =
        visibility.parse().map_err(|_| unknown_word("rooms.visibility", &visibility))?;
    Ok(Room { name, title, owner_id, visibility, password_hash, chat_id, created_at })
}

impl Conn {
    /// A room, if an account owns it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room(&mut self, name: &str) -> Result<Option<Room>, StoreError> {
        let sql = "SELECT name, title, owner_id, visibility, password_hash, chat_id, created_at
                   FROM rooms WHERE name = $1";
        let row = on!(self, c => query_as(sql).bind(name).fetch_optional(&mut *c).await)?;
        row.map(room).transpose()
    }

    /// The rooms that an account owns, then those that it moderates, each by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rooms_of(
        &mut self,
        account: AccountId,
        limit: i64,
    ) -> Result<Vec<Room>, StoreError> {
        let sql = "SELECT name, title, owner_id, visibility, password_hash, chat_id, created_at
                   FROM rooms WHERE owner_id = $1
                   OR name IN (SELECT room FROM room_moderators WHERE account_id = $1)
                   ORDER BY CASE WHEN owner_id = $1 THEN 0 ELSE 1 END, name LIMIT $2";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).bind(limit)
            .fetch_all(&mut *c).await)?;
        rows.into_iter().map(room).collect()
    }

    /// Rooms that everybody may find, by name and after a name: not those of whoever blocked the asker or
    /// was blocked, nor of somebody who is hidden.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn public_rooms(
        &mut self,
        after: &str,
        asker: AccountId,
        limit: i64,
    ) -> Result<Vec<Room>, StoreError> {
        let sql = "SELECT name, title, owner_id, visibility, r.password_hash, chat_id, r.created_at
                   FROM rooms r JOIN accounts a ON a.id = r.owner_id AND a.hidden_at IS NULL
                   WHERE visibility = 'public' AND name > $1
                   AND owner_id NOT IN (SELECT blocked_id FROM blocks WHERE blocker_id = $2
                                        UNION SELECT blocker_id FROM blocks WHERE blocked_id = $2)
                   ORDER BY name LIMIT $3";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(after).bind(asker).bind(limit)
            .fetch_all(&mut *c).await)?;
        rows.into_iter().map(room).collect()
    }

    /// How many rooms an account owns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_rooms(&mut self, owner: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM rooms WHERE owner_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(owner).fetch_one(&mut *c).await)?)
    }
}

impl Tx {
    /// Keeps everybody else from changing a room until the transaction ends; none where nobody owns it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_room(&mut self, name: &str) -> Result<Option<Room>, StoreError> {
        // On SQLite whoever has a transaction is the only one who writes.
        if let Driver::Pg(c) = self.driver() {
            let sql = "SELECT name FROM rooms WHERE name = $1 FOR UPDATE";
            query(sql).bind(name).fetch_optional(c).await?;
        }
        self.room(name).await
    }

    /// Makes a room.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody owns it.
    pub async fn add_room(&mut self, new: &Room) -> Result<(), StoreError> {
        let sql = "INSERT INTO rooms (name, title, owner_id, visibility, password_hash, chat_id,
                   created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        on!(self, c => query(sql).bind(&new.name).bind(&new.title).bind(new.owner_id)
            .bind(new.visibility.word()).bind(&new.password_hash).bind(new.chat_id)
            .bind(new.created_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives a room, whose lock this transaction has, another title, visibility and password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_room(&mut self, room: &Room) -> Result<(), StoreError> {
        let sql = "UPDATE rooms SET title = $2, visibility = $3, password_hash = $4
                   WHERE name = $1";
        on!(self, c => query(sql).bind(&room.name).bind(&room.title).bind(room.visibility.word())
            .bind(&room.password_hash).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes a room, with all that was said in its chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_room(&mut self, room: &Room) -> Result<(), StoreError> {
        let sql = "DELETE FROM rooms WHERE name = $1";
        on!(self, c => query(sql).bind(&room.name).execute(&mut *c).await.map(drop))?;
        let sql = "DELETE FROM chats WHERE id = $1";
        on!(self, c => query(sql).bind(room.chat_id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Hands each room of an account that is erased over to whoever has been a moderator for longest, or
    /// deletes it with its chat, where there is none. Done again, it changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_rooms(&mut self, account: AccountId) -> Result<(), StoreError> {
        let sql = "SELECT name FROM rooms WHERE owner_id = $1 ORDER BY name";
        let names: Vec<String> =
            on!(self, c => query_scalar(sql).bind(account).fetch_all(&mut *c).await)?;
        for name in names {
            let Some(room) = self.lock_room(&name).await? else { continue };
            let sql = "SELECT m.account_id FROM room_moderators m
                       JOIN accounts a ON a.id = m.account_id AND a.hidden_at IS NULL
                       WHERE m.room = $1 ORDER BY m.since, m.account_id LIMIT 1";
            let heir: Option<AccountId> =
                on!(self, c => query_scalar(sql).bind(&name).fetch_optional(&mut *c).await)?;
            let Some(heir) = heir else {
                self.remove_room(&room).await?;
                continue;
            };
            self.remove_room_moderator(&name, heir).await?;
            let sql = "UPDATE rooms SET owner_id = $2 WHERE name = $1";
            on!(self, c => query(sql).bind(&name).bind(heir).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }
}
