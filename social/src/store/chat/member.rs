//! Who is in a chat.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, LIST_MAX, StoreError, Tx, on, unknown_word, with_list};
use crate::chat::MemberRole;
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId};

/// Somebody in a chat.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub account_id: AccountId,
    /// What they may do there.
    pub role: MemberRole,
    /// Since when.
    pub joined_at: UnixMs,
    /// What is not after this is not theirs to see.
    pub joined_seq: i64,
    /// The last change before they came.
    pub joined_rev: i64,
    /// The last message that they have read.
    pub read_seq: i64,
    /// Whether they want no notices of it.
    pub is_muted: bool,
}

type Row = (AccountId, String, UnixMs, i64, i64, i64, i64);

fn member(row: Row) -> Result<Member, StoreError> {
    let (account_id, role, joined_at, joined_seq, joined_rev, read_seq, muted) = row;
    let role = role.parse().map_err(|_| unknown_word("chat_members.role", &role))?;
    let is_muted = muted != 0;
    Ok(Member { account_id, role, joined_at, joined_seq, joined_rev, read_seq, is_muted })
}

impl Conn {
    /// Somebody in a chat, if they are in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn member(
        &mut self,
        chat: ChatId,
        account: AccountId,
    ) -> Result<Option<Member>, StoreError> {
        let sql = "SELECT account_id, role, joined_at, joined_seq, joined_rev, read_seq, muted
                   FROM chat_members
                   WHERE chat_id = $1 AND account_id = $2 AND left_at IS NULL";
        let row = on!(self, c => query_as(sql).bind(chat).bind(account)
            .fetch_optional(&mut *c).await)?;
        row.map(member).transpose()
    }

    /// Everybody in a chat, in the order in which they came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&mut self, chat: ChatId) -> Result<Vec<Member>, StoreError> {
        let sql = "SELECT account_id, role, joined_at, joined_seq, joined_rev, read_seq, muted
                   FROM chat_members WHERE chat_id = $1 AND left_at IS NULL
                   ORDER BY joined_at, account_id";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(chat).fetch_all(&mut *c).await)?;
        rows.into_iter().map(member).collect()
    }

    /// Of how many chats somebody is in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn number_of_chats(&mut self, account: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM chat_members WHERE account_id = $1 AND left_at IS NULL";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_one(&mut *c).await)?)
    }

    /// The chats that somebody is in, each with its last change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chat_revs(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<(ChatId, i64)>, StoreError> {
        let sql = "SELECT c.id, c.last_rev FROM chat_members m JOIN chats c ON c.id = m.chat_id
                   WHERE m.account_id = $1 AND m.left_at IS NULL";
        Ok(on!(self, c => query_as(sql).bind(account).fetch_all(&mut *c).await)?)
    }

    /// The last change of each of these chats.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_revs(&mut self, chats: &[ChatId]) -> Result<Vec<(ChatId, i64)>, StoreError> {
        let mut revs = Vec::with_capacity(chats.len());
        for part in chats.chunks(LIST_MAX) {
            let before = "SELECT id, last_rev FROM chats WHERE id IN";
            let rows: Vec<(ChatId, i64)> = with_list!(self, before, part, "");
            revs.extend(rows);
        }
        Ok(revs)
    }

    /// Everybody with whom somebody has a direct chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn correspondents(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT o.account_id FROM chat_members m
                   JOIN chats c ON c.id = m.chat_id AND c.kind = 'direct'
                   JOIN chat_members o ON o.chat_id = c.id AND o.account_id <> $1
                   WHERE m.account_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_all(&mut *c).await)?)
    }
}

impl Tx {
    /// Lets somebody into a chat, whose lock this transaction has; whether they were not in it. They see
    /// what comes from here on, also where they were in it before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join_chat(
        &mut self,
        chat: ChatId,
        account: AccountId,
        role: MemberRole,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO chat_members (chat_id, account_id, role, joined_at, joined_seq,
                   joined_rev, read_seq, muted)
                   SELECT id, $2, $3, $4, last_seq, last_rev, last_seq, 0 FROM chats WHERE id = $1
                   ON CONFLICT (chat_id, account_id) DO UPDATE SET role = excluded.role,
                   joined_at = excluded.joined_at, joined_seq = excluded.joined_seq,
                   joined_rev = excluded.joined_rev, read_seq = excluded.read_seq, left_at = NULL
                   WHERE chat_members.left_at IS NOT NULL";
        let joined = on!(self, c => query(sql).bind(chat).bind(account).bind(role.word())
            .bind(now).execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(joined == 1)
    }

    /// Notes that somebody left a chat; whether they were in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave_chat(
        &mut self,
        chat: ChatId,
        account: AccountId,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE chat_members SET left_at = $3, role = 'member', muted = 0
                   WHERE chat_id = $1 AND account_id = $2 AND left_at IS NULL";
        let left = on!(self, c => query(sql).bind(chat).bind(account).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(left == 1)
    }

    /// Gives a group that nobody owns to whoever has been in it for longest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_over_group(&mut self, chat: ChatId) -> Result<(), StoreError> {
        let sql = "UPDATE chat_members SET role = 'owner' WHERE chat_id = $1 AND account_id =
                   (SELECT account_id FROM chat_members WHERE chat_id = $1 AND left_at IS NULL
                    ORDER BY joined_at, account_id LIMIT 1)
                   AND EXISTS (SELECT 1 FROM chats WHERE id = $1 AND kind = 'group')
                   AND NOT EXISTS (SELECT 1 FROM chat_members
                    WHERE chat_id = $1 AND left_at IS NULL AND role = 'owner')";
        on!(self, c => query(sql).bind(chat).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives somebody in a chat another role.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_member_role(
        &mut self,
        chat: ChatId,
        account: AccountId,
        role: MemberRole,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE chat_members SET role = $3 WHERE chat_id = $1 AND account_id = $2";
        on!(self, c => query(sql).bind(chat).bind(account).bind(role.word())
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Whether somebody wants notices of a chat.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_muted(
        &mut self,
        chat: ChatId,
        account: AccountId,
        is_muted: bool,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE chat_members SET muted = $3 WHERE chat_id = $1 AND account_id = $2";
        on!(self, c => query(sql).bind(chat).bind(account).bind(i64::from(is_muted))
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Notes how far somebody has read, which is never less than before nor more than there is; how far
    /// that is, where it is more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_up_to(
        &mut self,
        chat: ChatId,
        account: AccountId,
        seq: i64,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "UPDATE chat_members SET read_seq = $3
                   WHERE chat_id = $1 AND account_id = $2 AND left_at IS NULL AND read_seq < $3
                   AND $3 <= (SELECT last_seq FROM chats WHERE id = $1) RETURNING read_seq";
        Ok(on!(self, c => query_scalar(sql).bind(chat).bind(account).bind(seq)
            .fetch_optional(&mut *c).await)?)
    }
}
