//! Accounts, and the names that they and sign-ups have.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, Driver, StoreError, Tx, on, unknown_word};
use crate::account::{Region, Role};
use crate::clock::UnixMs;
use crate::id::{AccountId, SignUpId};

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Where it is kept.
    pub region: Region,
    /// Its address, verified.
    pub email: String,
    /// Its name.
    pub username: String,
    /// The hash of its password, if it has one.
    pub password_hash: Option<String>,
    /// What it may do.
    pub role: Role,
    /// The language of its mails.
    pub language: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it is erased, if its owner asked for that. Nobody sees it meanwhile.
    pub erase_at: Option<UnixMs>,
}

/// An account that is to be.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Its id.
    pub id: AccountId,
    /// Where it is kept.
    pub region: Region,
    /// Its address, verified.
    pub email: &'a str,
    /// The address in lower case.
    pub email_key: &'a str,
    /// Its name.
    pub username: &'a str,
    /// The hash of its password, if it has one.
    pub password_hash: Option<&'a str>,
    /// The language of its mails.
    pub language: &'a str,
}

pub(super) type Row =
    (AccountId, String, String, String, Option<String>, String, String, UnixMs, Option<UnixMs>);

pub(super) fn account(row: Row) -> Result<Account, StoreError> {
    let (id, region, email, username, password_hash, role, language, created_at, erase_at) = row;
    let region = region.parse().map_err(|_| unknown_word("accounts.region", &region))?;
    let role = role.parse().map_err(|_| unknown_word("accounts.role", &role))?;
    Ok(Account { id, region, email, username, password_hash, role, language, created_at, erase_at })
}

impl Conn {
    /// An account by its id. What is to be erased is not found: only
    /// [`Conn::account_or_hidden`] and its like see it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account(&mut self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts WHERE id = $1 AND hidden_at IS NULL";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// An account by its address in lower case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_email(&mut self, key: &str) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts WHERE email_key = $1 AND hidden_at IS NULL";
        let row = on!(self, c => query_as(sql).bind(key).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// An account by its name in lower case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn account_by_username(&mut self, key: &str) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT a.id, region, email, username, password_hash, role, language, created_at,
                   erase_at FROM accounts a JOIN usernames u ON u.account_id = a.id
                   WHERE u.name_key = $1 AND hidden_at IS NULL";
        let row = on!(self, c => query_as(sql).bind(key).fetch_optional(&mut *c).await)?;
        row.map(account).transpose()
    }

    /// The highest cost that the hash of a password has, if there is any: `$2b$12$...` says 12.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_cost_max(&mut self) -> Result<Option<u32>, StoreError> {
        let sql = "SELECT max(substr(password_hash, 5, 2)) FROM accounts";
        let cost: Option<String> = on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?;
        Ok(cost.and_then(|cost| cost.parse().ok()))
    }

    /// Whether an account signed in from a device before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_known_device(
        &mut self,
        account: AccountId,
        device_hash: &[u8],
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM devices WHERE account_id = $1 AND device_hash = $2";
        let count: i64 = on!(self, c => query_scalar(sql).bind(account).bind(device_hash)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }

    /// Whether nobody may sign up on a device for a while.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_refused_device(
        &mut self,
        device_hash: &[u8],
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM age_refusals WHERE device_hash = $1 AND expires_at > $2";
        let count: i64 = on!(self, c => query_scalar(sql).bind(device_hash).bind(now)
            .fetch_one(&mut *c).await)?;
        Ok(count != 0)
    }
}

impl Tx {
    /// Adds an account.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has the address.
    pub async fn add_account(
        &mut self,
        new: &NewAccount<'_>,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO accounts (id, region, email, email_key, username, password_hash,
                   role, language, created_at, password_changed_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
        on!(self, c => query(sql).bind(new.id).bind(new.region.word()).bind(new.email)
            .bind(new.email_key).bind(new.username).bind(new.password_hash)
            .bind(Role::User.word()).bind(new.language).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Reserves a name in lower case for a sign-up.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has it.
    pub async fn reserve_username(&mut self, key: &str, of: SignUpId) -> Result<(), StoreError> {
        let sql = "INSERT INTO usernames (name_key, sign_up_id) VALUES ($1, $2)";
        on!(self, c => query(sql).bind(key).bind(of).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives the name that a sign-up reserved to the account that it becomes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hand_over_username(
        &mut self,
        of: SignUpId,
        to: AccountId,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE usernames SET account_id = $2, sign_up_id = NULL WHERE sign_up_id = $1";
        on!(self, c => query(sql).bind(of).bind(to).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has it.
    pub async fn rename_account(
        &mut self,
        id: AccountId,
        username: &str,
        key: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE usernames SET name_key = $2 WHERE account_id = $1";
        on!(self, c => query(sql).bind(id).bind(key).execute(&mut *c).await.map(drop))?;
        let sql = "UPDATE accounts SET username = $2 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(username).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Whether the hash of an account's password is still this one, and until the transaction ends
    /// nobody changes it. Whoever compared a password did so before, since that takes long; what they
    /// do with the answer asks once more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holds_password(
        &mut self,
        id: AccountId,
        hash: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.lock_account(id).await?;
        let account = self.account_or_hidden(id).await?;
        Ok(account.is_some_and(|account| account.password_hash.as_deref() == hash))
    }

    /// Keeps everybody else from changing an account until the transaction ends. Whoever locks more
    /// locks the account first: two who wait for each other would both fail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lock_account(&mut self, id: AccountId) -> Result<(), StoreError> {
        // On SQLite whoever has a transaction is the only one who writes.
        if let Driver::Pg(c) = self.driver() {
            let sql = "SELECT id FROM accounts WHERE id = $1 FOR UPDATE";
            query(sql).bind(id).fetch_optional(c).await?;
        }
        Ok(())
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password_hash(
        &mut self,
        id: AccountId,
        hash: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET password_hash = $2, password_changed_at = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(hash).bind(now).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Replaces the hash of the same password by one that costs more, if it is still that password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn strengthen_password_hash(
        &mut self,
        id: AccountId,
        old: &str,
        new: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
        on!(self, c => query(sql).bind(id).bind(old).bind(new).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account another address, which is verified.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has it.
    pub async fn set_email(
        &mut self,
        id: AccountId,
        email: &str,
        key: &str,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET email = $2, email_key = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(email).bind(key).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account another language.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_language(&mut self, id: AccountId, language: &str) -> Result<(), StoreError> {
        let sql = "UPDATE accounts SET language = $2 WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(language).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account another role; whether there is such an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_role(&mut self, id: AccountId, role: Role) -> Result<bool, StoreError> {
        let sql = "UPDATE accounts SET role = $2 WHERE id = $1 AND hidden_at IS NULL";
        let changed = on!(self, c => query(sql).bind(id).bind(role.word())
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(changed == 1)
    }

    /// Remembers that an account signed in from a device.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_device(
        &mut self,
        account: AccountId,
        device_hash: &[u8],
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO devices (account_id, device_hash, last_used_at) VALUES ($1, $2, $3)
                   ON CONFLICT (account_id, device_hash) DO UPDATE SET last_used_at = $3";
        on!(self, c => query(sql).bind(account).bind(device_hash).bind(now)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Lets nobody sign up on a device until then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse_device(
        &mut self,
        device_hash: &[u8],
        until: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO age_refusals (device_hash, expires_at) VALUES ($1, $2)
                   ON CONFLICT (device_hash) DO UPDATE SET expires_at = $2";
        on!(self, c => query(sql).bind(device_hash).bind(until).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
