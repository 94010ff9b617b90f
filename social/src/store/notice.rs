//! What people are told in the app.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::{AccountId, MessageId, NoticeId, ReportId};
use crate::people::NoticeKind;

/// Something that somebody is told.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// Who is told.
    pub account_id: AccountId,
    /// What.
    pub kind: NoticeKind,
    /// Of whom.
    pub other_id: Option<AccountId>,
    /// Of which report.
    pub report_id: Option<ReportId>,
    /// Of which message.
    pub message_id: Option<MessageId>,
    /// Why, where the notice itself says so.
    pub explanation: Option<String>,
    /// When.
    pub created_at: UnixMs,
    /// When they read it.
    pub read_at: Option<UnixMs>,
}

type Row = (
    NoticeId,
    String,
    Option<AccountId>,
    Option<ReportId>,
    Option<MessageId>,
    Option<String>,
    UnixMs,
    Option<UnixMs>,
);

impl Conn {
    /// What an account was told, the latest first, before one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notices(
        &mut self,
        account: AccountId,
        before: NoticeId,
        limit: i64,
    ) -> Result<Vec<Notice>, StoreError> {
        let sql =
            "SELECT id, kind, other_id, report_id, message_id, explanation, created_at, read_at
                   FROM notices WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).bind(before).bind(limit)
            .fetch_all(&mut *c).await)?;
        let notice = |row: Row| {
            let (id, kind, other_id, report_id, message_id, explanation, created_at, read_at) = row;
            let kind = kind.parse().map_err(|_| unknown_word("notices.kind", &kind))?;
            let account_id = account;
            Ok(Notice {
                id,
                account_id,
                kind,
                other_id,
                report_id,
                message_id,
                explanation,
                created_at,
                read_at,
            })
        };
        rows.into_iter().map(notice).collect()
    }
}

impl Tx {
    /// Tells somebody something. Of an account that was told as much as is kept, the oldest goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_notice(&mut self, new: &Notice, notices_max: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO notices (id, account_id, kind, other_id, report_id, message_id,
                   created_at, read_at, explanation)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        on!(self, c => query(sql).bind(new.id).bind(new.account_id).bind(new.kind.word())
            .bind(new.other_id).bind(new.report_id).bind(new.message_id).bind(new.created_at)
            .bind(new.read_at).bind(&new.explanation)
            .execute(&mut *c).await.map(drop))?;
        let sql = "DELETE FROM notices WHERE account_id = $1 AND id NOT IN
                   (SELECT id FROM notices WHERE account_id = $1 ORDER BY id DESC LIMIT $2)";
        on!(self, c => query(sql).bind(new.account_id).bind(notices_max)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes back what an account was told of messages, but the latest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_calls(&mut self, account: AccountId, but: i64) -> Result<(), StoreError> {
        let sql = "DELETE FROM notices WHERE account_id = $1 AND message_id IS NOT NULL
                   AND id NOT IN (SELECT id FROM notices WHERE account_id = $1
                                  AND message_id IS NOT NULL ORDER BY id DESC LIMIT $2)";
        on!(self, c => query(sql).bind(account).bind(but).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Notes that an account read what it was told, up to one and that too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_notices(
        &mut self,
        account: AccountId,
        up_to: NoticeId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE notices SET read_at = $3
                   WHERE account_id = $1 AND id <= $2 AND read_at IS NULL";
        on!(self, c => query(sql).bind(account).bind(up_to).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes back what two accounts were told of each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_notices_between(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM notices WHERE (account_id = $1 AND other_id = $2)
                   OR (account_id = $2 AND other_id = $1)";
        on!(self, c => query(sql).bind(one).bind(other).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes back what two accounts were told of each other, but not of their messages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_friend_notices(
        &mut self,
        one: AccountId,
        other: AccountId,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM notices WHERE message_id IS NULL
                   AND ((account_id = $1 AND other_id = $2)
                   OR (account_id = $2 AND other_id = $1))";
        on!(self, c => query(sql).bind(one).bind(other).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
