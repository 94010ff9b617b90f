//! Who is whose friend, and who asked to be.
//!
//! What surprises: each two have two rows, one for either, which are written and deleted together.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::AccountId;
use crate::people::Friendship;

/// How one account stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Friend {
    /// The other.
    pub other_id: AccountId,
    /// How they stand to each other.
    pub state: Friendship,
    /// When one asked.
    pub asked_at: UnixMs,
    /// When the other accepted.
    pub accepted_at: Option<UnixMs>,
}

impl Conn {
    /// How an account stands to another, if at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn friendship(
        &mut self,
        account: AccountId,
        other: AccountId,
    ) -> Result<Option<Friendship>, StoreError> {
        let sql = "SELECT state FROM friendships WHERE account_id = $1 AND other_id = $2";
        let state: Option<String> = on!(self, c => query_scalar(sql).bind(account).bind(other)
            .fetch_optional(&mut *c).await)?;
        state.map(|state| friendship(&state)).transpose()
    }

    /// Everybody to whom an account stands so, after another of them, in an order that stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn friends(
        &mut self,
        account: AccountId,
        state: Friendship,
        after: AccountId,
        limit: i64,
    ) -> Result<Vec<Friend>, StoreError> {
        let sql = "SELECT other_id, state, asked_at, accepted_at FROM friendships
                   WHERE account_id = $1 AND state = $2 AND other_id > $3
                   ORDER BY other_id LIMIT $4";
        let rows: Vec<(AccountId, String, UnixMs, Option<UnixMs>)> = on!(self, c => query_as(sql)
            .bind(account).bind(state.word()).bind(after).bind(limit).fetch_all(&mut *c).await)?;
        let friend = |(other_id, state, asked_at, accepted_at): (_, String, _, _)| {
            Ok(Friend { other_id, state: friendship(&state)?, asked_at, accepted_at })
        };
        rows.into_iter().map(friend).collect()
    }

    /// Everybody who is a friend of an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn friend_ids(&mut self, account: AccountId) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT other_id FROM friendships WHERE account_id = $1 AND state = $2";
        Ok(on!(self, c => query_scalar(sql).bind(account).bind(Friendship::Friends.word())
            .fetch_all(&mut *c).await)?)
    }

    /// To how many an account stands so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_friends(
        &mut self,
        account: AccountId,
        state: Friendship,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM friendships WHERE account_id = $1 AND state = $2";
        Ok(on!(self, c => query_scalar(sql).bind(account).bind(state.word())
            .fetch_one(&mut *c).await)?)
    }

    /// Whom an account blocked, after another of them, in an order that stays, and when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn blocks(
        &mut self,
        account: AccountId,
        after: AccountId,
        limit: i64,
    ) -> Result<Vec<(AccountId, UnixMs)>, StoreError> {
        let sql = "SELECT blocked_id, created_at FROM blocks
                   WHERE blocker_id = $1 AND blocked_id > $2 ORDER BY blocked_id LIMIT $3";
        Ok(on!(self, c => query_as(sql).bind(account).bind(after).bind(limit)
            .fetch_all(&mut *c).await)?)
    }

    /// Whether an account blocked another, whatever the other did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_blocked(
        &mut self,
        account: AccountId,
        other: AccountId,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM blocks WHERE blocker_id = $1 AND blocked_id = $2";
        let count: i64 = on!(self, c => query_scalar(sql).bind(account).bind(other)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// How many an account blocked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_blocks(&mut self, account: AccountId) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM blocks WHERE blocker_id = $1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_one(&mut *c).await)?)
    }
}

impl Tx {
    /// Keeps everybody else from changing some accounts until the transaction ends, and so how they
    /// stand to each other. In the order of their ids: two who lock the same do not wait for each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_accounts(&mut self, mut accounts: Vec<AccountId>) -> Result<(), StoreError> {
        accounts.sort();
        accounts.dedup();
        for account in accounts {
            self.lock_account(account).await?;
        }
        Ok(())
    }

    /// Lets an account ask another to be friends. Nothing is between them yet.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when something is.
    pub async fn ask_friend(
        &mut self,
        asker: AccountId,
        other: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO friendships (account_id, other_id, state, asked_at)
                   VALUES ($1, $2, $3, $4)";
        for (account, other, state) in
            [(asker, other, Friendship::Outgoing), (other, asker, Friendship::Incoming)]
        {
            on!(self, c => query(sql).bind(account).bind(other).bind(state.word()).bind(now)
                .execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// Makes two accounts friends, one of which asked the other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accept_friend(
        &mut self,
        one: AccountId,
        other: AccountId,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE friendships SET state = $3, accepted_at = $4
                   WHERE (account_id = $1 AND other_id = $2)
                   OR (account_id = $2 AND other_id = $1)";
        on!(self, c => query(sql).bind(one).bind(other).bind(Friendship::Friends.word()).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Ends whatever is between two accounts; whether there was anything.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn part(&mut self, one: AccountId, other: AccountId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM friendships WHERE (account_id = $1 AND other_id = $2)
                   OR (account_id = $2 AND other_id = $1)";
        let removed = on!(self, c => query(sql).bind(one).bind(other)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed != 0)
    }
}

fn friendship(word: &str) -> Result<Friendship, StoreError> {
    word.parse().map_err(|_| unknown_word("friendships.state", word))
}
