//! Chats, who is in them, and their messages.
//!
//! A chat counts two things: `seq` is the place of a message among its messages, `rev` rises with every
//! change of anything in it, and a message carries the rev of its last change. Both are taken in the
//! transaction that changes something, under the lock of the chat's row, so that whoever sees a rev sees
//! all below it: what changed since a rev is asked by it, and no log is kept. What surprises: names are
//! asked for in one place (`people`), so that what leaves somebody out there leaves them out here.

mod attach;
mod call;
mod forget;
mod mark;
mod member;
mod message;
mod people;
mod search;

use sqlx::{AssertSqlSafe, query, query_as};

use super::{Conn, Driver, StoreError, Tx, on, unknown_word};
use crate::chat::ChatKind;
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId};

pub use mark::Reaction;
pub use member::Member;
pub use message::{Gif, Message, NewMessage, Span};
pub use search::Search;

/// A chat.
#[derive(Debug, Clone)]
pub struct Chat {
    /// Its id.
    pub id: ChatId,
    /// Of two, of a group, or of a room.
    pub kind: ChatKind,
    /// What a group is called.
    pub title: Option<String>,
    /// Which room it is of.
    pub room: Option<String>,
    /// The number of its last message.
    pub last_seq: i64,
    /// The number of its last change.
    pub last_rev: i64,
    /// When its last message came, or it was made.
    pub active_at: UnixMs,
    /// When it was made.
    pub created_at: UnixMs,
}

type Row = (ChatId, String, Option<String>, Option<String>, i64, i64, UnixMs, UnixMs);

fn chat(row: Row) -> Result<Chat, StoreError> {
    let (id, kind, title, room, last_seq, last_rev, active_at, created_at) = row;
    let kind = kind.parse().map_err(|_| unknown_word("chats.kind", &kind))?;
    Ok(Chat { id, kind, title, room, last_seq, last_rev, active_at, created_at })
}

/// What stands for the two of a direct chat.
fn direct_key(one: AccountId, other: AccountId) -> Vec<u8> {
    let (first, second) = if one < other { (one, other) } else { (other, one) };
    [*first.uuid().as_bytes(), *second.uuid().as_bytes()].concat()
}

impl Conn {
    /// A chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chat(&mut self, id: ChatId) -> Result<Option<Chat>, StoreError> {
        let sql = "SELECT id, kind, title, room, last_seq, last_rev, active_at, created_at
                   FROM chats WHERE id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(chat).transpose()
    }

    /// The chats that an account is in, the most lively first, after one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chats_of(
        &mut self,
        account: AccountId,
        after: Option<(UnixMs, ChatId)>,
        limit: i64,
    ) -> Result<Vec<Chat>, StoreError> {
        let (at, id) = after.unzip();
        let sql = "SELECT c.id, c.kind, c.title, c.room, c.last_seq, c.last_rev, c.active_at,
                   c.created_at FROM chat_members m JOIN chats c ON c.id = m.chat_id
                   WHERE m.account_id = $1 AND m.left_at IS NULL
                   AND ($2 IS NULL OR c.active_at < $2 OR (c.active_at = $2 AND c.id < $3))
                   ORDER BY c.active_at DESC, c.id DESC LIMIT $4";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).bind(at).bind(id)
            .bind(limit).fetch_all(&mut *c).await)?;
        rows.into_iter().map(chat).collect()
    }
}

impl Tx {
    /// The direct chat of two, made if there is none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn direct_chat(
        &mut self,
        one: AccountId,
        other: AccountId,
        now: UnixMs,
    ) -> Result<ChatId, StoreError> {
        let sql = "INSERT INTO chats (id, kind, direct_key, last_seq, last_rev, active_at,
                   created_at) VALUES ($1, 'direct', $2, 0, 0, $3, $3)
                   ON CONFLICT (direct_key) DO NOTHING";
        let (id, key) = (ChatId::fresh(now), direct_key(one, other));
        let made = on!(self, c => query(sql).bind(id).bind(&key).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        if made == 0 {
            let sql = "SELECT id FROM chats WHERE direct_key = $1";
            let (id,) = on!(self, c => query_as(sql).bind(&key).fetch_one(&mut *c).await)?;
            return Ok(id);
        }
        for account in [one, other] {
            self.join_chat(id, account, crate::chat::MemberRole::Member, now).await?;
        }
        Ok(id)
    }

    /// Makes a group, with nobody in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_group(&mut self, title: &str, now: UnixMs) -> Result<ChatId, StoreError> {
        let sql = "INSERT INTO chats (id, kind, title, last_seq, last_rev, active_at, created_at)
                   VALUES ($1, 'group', $2, 0, 0, $3, $3)";
        let id = ChatId::fresh(now);
        on!(self, c => query(sql).bind(id).bind(title).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(id)
    }

    /// The chat of a room, made if there is none yet. Whoever may be in the room joins it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn room_chat(&mut self, room: &str, now: UnixMs) -> Result<ChatId, StoreError> {
        let sql = "INSERT INTO chats (id, kind, room, last_seq, last_rev, active_at, created_at)
                   VALUES ($1, 'room', $2, 0, 0, $3, $3) ON CONFLICT (room) DO NOTHING";
        on!(self, c => query(sql).bind(ChatId::fresh(now)).bind(room).bind(now)
            .execute(&mut *c).await.map(drop))?;
        let sql = "SELECT id FROM chats WHERE room = $1";
        let (id,) = on!(self, c => query_as(sql).bind(room).fetch_one(&mut *c).await)?;
        Ok(id)
    }

    /// Gives a group another title.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_title(&mut self, chat: ChatId, title: &str) -> Result<(), StoreError> {
        let sql = "UPDATE chats SET title = $2 WHERE id = $1";
        on!(self, c => query(sql).bind(chat).bind(title).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Keeps everybody else from changing anything in a chat until the transaction ends; none where
    /// there is no such chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_chat(&mut self, id: ChatId) -> Result<Option<Chat>, StoreError> {
        // On SQLite whoever has a transaction is the only one who writes.
        if let Driver::Pg(c) = self.driver() {
            let sql = "SELECT id FROM chats WHERE id = $1 FOR UPDATE";
            query(sql).bind(id).fetch_optional(c).await?;
        }
        self.chat(id).await
    }

    /// Takes the next rev of a chat, whose lock this transaction has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_rev(&mut self, chat: ChatId) -> Result<i64, StoreError> {
        let sql = "UPDATE chats SET last_rev = last_rev + 1 WHERE id = $1 RETURNING last_rev";
        let (rev,) = on!(self, c => query_as(sql).bind(chat).fetch_one(&mut *c).await)?;
        Ok(rev)
    }

    /// Deletes a chat and everything in it, if nobody is in it any more; whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_empty_chat(&mut self, chat: ChatId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM chats WHERE id = $1 AND kind <> 'room' AND NOT EXISTS
                   (SELECT 1 FROM chat_members WHERE chat_id = $1 AND left_at IS NULL)";
        let deleted = on!(self, c => query(sql).bind(chat)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        if deleted == 1 {
            self.drop_idle_grants(chat).await?;
        }
        Ok(deleted == 1)
    }
}

/// `$first, $first+1, ..` for a list of a statement: as many as a power of two that has room for
/// `count`, so that there are few different statements.
fn placeholders(first: usize, count: usize) -> (String, usize) {
    let count = count.max(1).next_power_of_two();
    let list: Vec<String> = (first..first + count).map(|number| format!("${number}")).collect();
    (list.join(", "), count)
}

/// Runs a statement with a list at its end, which is filled up with its last entry.
macro_rules! with_list {
    ($conn:expr, $before:expr, $list:expr, $after:expr) => {{
        let (names, count) = $crate::store::chat::placeholders(1, $list.len());
        let sql = format!("{} ({names}) {}", $before, $after);
        let filled = $list.iter().chain($list.last().into_iter().cycle()).take(count);
        $crate::store::on!($conn, c => {
            let mut query = sqlx::query_as($crate::store::chat::safe(sql));
            for entry in filled {
                query = query.bind(*entry);
            }
            query.fetch_all(&mut *c).await
        })?
    }};
}
use with_list;

/// A statement that was put together of our own words and numbers.
fn safe(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}

/// Ids in one statement.
const LIST_MAX: usize = 128;
