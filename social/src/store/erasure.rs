//! Accounts that are to be erased, what goes with them, and what is remembered of those that were.

use sqlx::{query, query_as, query_scalar};

use super::account::account;
use super::{Account, Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::AccountId;

impl Conn {
    /// An account by its id, also one that is to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_or_hidden(
        &mut self,
        id: AccountId,
    ) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts WHERE id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// An account by its address in lower case, also one that is to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_email_or_hidden(
        &mut self,
        key: &str,
    ) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts WHERE email_key = $1";
        let row = on!(self, c => query_as(sql).bind(key).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// An account by its name in lower case, also one that is to be erased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_username_or_hidden(
        &mut self,
        key: &str,
    ) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT a.id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts a JOIN usernames u ON u.account_id = a.id
                   WHERE u.name_key = $1";
        let row = on!(self, c => query_as(sql).bind(key).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// The accounts whose time has come, those that waited longest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_to_erase(
        &mut self,
        now: UnixMs,
        count_max: i64,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT id FROM accounts WHERE erase_at <= $1 ORDER BY erase_at, id LIMIT $2";
        Ok(on!(self, c => query_scalar(sql).bind(now).bind(count_max).fetch_all(&mut *c).await)?)
    }

    /// When the first of the accounts is to be erased, if any is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_erasure(&mut self) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT min(erase_at) FROM accounts";
        Ok(on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?)
    }

    /// The ids of all accounts, hidden ones included, in their order: those after one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_ids(
        &mut self,
        after: AccountId,
        count_max: i64,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT id FROM accounts WHERE id > $1 ORDER BY id LIMIT $2";
        Ok(on!(self, c => query_scalar(sql).bind(after).bind(count_max).fetch_all(&mut *c).await)?)
    }

    /// Which accounts were erased, as hashes, and when.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erasures(&mut self) -> Result<Vec<(Vec<u8>, UnixMs)>, StoreError> {
        let sql = "SELECT account_hash, erased_at FROM erasures ORDER BY erased_at, account_hash";
        Ok(on!(self, c => query_as(sql).fetch_all(&mut *c).await)?)
    }

    /// Whether the erasure of an account has begun, so that nobody takes it back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_erasure(&mut self, account_hash: &[u8]) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM erasures WHERE account_hash = $1";
        let count: i64 =
            on!(self, c => query_scalar(sql).bind(account_hash).fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Hides an account until it is erased, with its sessions, its devices and its codes gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hide_account(
        &mut self,
        id: AccountId,
        now: UnixMs,
        erase_at: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET hidden_at = $2, erase_at = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(now).bind(erase_at)
            .execute(&mut *c).await.map(drop))?;
        self.end_sessions(id, None).await?;
        self.void_codes(id).await?;
        let sql = "DELETE FROM devices WHERE account_id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Shows an account again whose time has not come; whether it was so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn show_account(&mut self, id: AccountId, now: UnixMs) -> Result<bool, StoreError> {
        let sql = "UPDATE accounts SET hidden_at = NULL, erase_at = NULL
                   WHERE id = $1 AND erase_at > $2";
        let shown = on!(self, c => query(sql).bind(id).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(shown == 1)
    }

    /// Remembers that an account is erased, if that is not known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_erasure(
        &mut self,
        account_hash: &[u8],
        at: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO erasures (account_hash, erased_at) VALUES ($1, $2)
                   ON CONFLICT (account_hash) DO NOTHING";
        on!(self, c => query(sql).bind(account_hash).bind(at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes what names an account or its address where no key leads to the account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let email_key = account.email.to_lowercase();
        for sql in [
            "DELETE FROM sign_ups WHERE email_key = $1",
            "DELETE FROM codes WHERE new_email_key = $1",
            "DELETE FROM mails WHERE lower(address) = $1",
        ] {
            on!(self, c => query(sql).bind(&email_key).execute(&mut *c).await.map(drop))?;
        }
        // What is to be done of theirs says so by their id.
        let sql = "DELETE FROM jobs WHERE payload LIKE $1 OR once_key LIKE $1";
        let named = format!("%{}%", account.id);
        on!(self, c => query(sql).bind(&named).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Deletes an account, with all rows that are only its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_account(&mut self, id: AccountId) -> Result<(), StoreError> {
        let sql = "DELETE FROM accounts WHERE id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Forgets which accounts were erased before a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_erasures(&mut self, before: UnixMs) -> Result<(), StoreError> {
        let sql = "DELETE FROM erasures WHERE erased_at <= $1";
        on!(self, c => query(sql).bind(before).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
