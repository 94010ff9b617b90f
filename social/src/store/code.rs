//! Codes that were mailed to somebody.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::{AccountId, CodeId, SignUpId};

/// A code. Its digits are computed from its id.
#[derive(Debug, Clone)]
pub struct Code {
    /// Its id.
    pub id: CodeId,
    /// What it proves.
    pub purpose: CodePurpose,
    /// Whose it is; nobody's where the address is no account's.
    pub account_id: Option<AccountId>,
    /// The sign-up that it verifies.
    pub sign_up_id: Option<SignUpId>,
    /// The address that it gives the account, and the same in lower case.
    pub new_email: Option<(String, String)>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it is worth nothing any more.
    pub expires_at: UnixMs,
}

/// What a code proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePurpose {
    /// That the address of a sign-up is theirs.
    SignUp,
    /// That whoever forgot a password reads the account's mail.
    ResetPassword,
    /// That the new address of an account is theirs.
    ChangeEmail,
}

impl CodePurpose {
    const ALL: [Self; 3] = [Self::SignUp, Self::ResetPassword, Self::ChangeEmail];

    const fn word(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail => "change_email",
        }
    }
}

type Row = (
    CodeId,
    String,
    Option<AccountId>,
    Option<SignUpId>,
    Option<String>,
    Option<String>,
    i64,
    UnixMs,
    UnixMs,
);

fn code(row: Row) -> Result<Code, StoreError> {
    let (id, purpose, account_id, sign_up_id, email, key, attempts, created_at, expires_at) = row;
    let known = CodePurpose::ALL.into_iter().find(|known| known.word() == purpose);
    let purpose = known.ok_or_else(|| unknown_word("codes.purpose", &purpose))?;
    let new_email = email.zip(key);
    Ok(Code { id, purpose, account_id, sign_up_id, new_email, attempts, created_at, expires_at })
}

impl Conn {
    /// A code, expired or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code(&mut self, id: CodeId) -> Result<Option<Code>, StoreError> {
        let sql = "SELECT id, purpose, account_id, sign_up_id, new_email, new_email_key, attempts,
                   created_at, expires_at FROM codes WHERE id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(code).transpose()
    }

    /// The code of a sign-up, expired or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn code_of_sign_up(&mut self, id: SignUpId) -> Result<Option<Code>, StoreError> {
        let sql = "SELECT id, purpose, account_id, sign_up_id, new_email, new_email_key, attempts,
                   created_at, expires_at FROM codes WHERE sign_up_id = $1";
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(code).transpose()
    }
}

impl Tx {
    /// Adds a code; an earlier one of the same account or sign-up for the same purpose is gone, unless it
    /// resets the password: anybody can ask for one of those, and must not take the owner's away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_code(&mut self, new: &Code) -> Result<(), StoreError> {
        let sql = "DELETE FROM codes WHERE purpose = $1 AND (account_id = $2 OR sign_up_id = $3)";
        if new.purpose != CodePurpose::ResetPassword {
            on!(self, c => query(sql).bind(new.purpose.word()).bind(new.account_id)
                .bind(new.sign_up_id).execute(&mut *c).await.map(drop))?;
        }
        let sql = "INSERT INTO codes (id, purpose, account_id, sign_up_id, new_email,
                   new_email_key, attempts, created_at, expires_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let (email, key) = new.new_email.as_ref().map(|(email, key)| (email, key)).unzip();
        on!(self, c => query(sql).bind(new.id).bind(new.purpose.word()).bind(new.account_id)
            .bind(new.sign_up_id).bind(email).bind(key).bind(new.attempts).bind(new.created_at)
            .bind(new.expires_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Counts an attempt at a code, before it is looked at; whether one was left and it is still
    /// worth something. However many try at once, each counts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_attempt(
        &mut self,
        id: CodeId,
        attempts_max: i64,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE codes SET attempts = attempts + 1
                   WHERE id = $1 AND attempts < $2 AND expires_at > $3";
        let counted = on!(self, c => query(sql).bind(id).bind(attempts_max).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(counted == 1)
    }

    /// Uses up a code, with its mail; whether nobody else has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_code(&mut self, id: CodeId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM codes WHERE id = $1";
        let removed = on!(self, c => query(sql).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }

    /// Uses up every code of an account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn void_codes(&mut self, account: AccountId) -> Result<(), StoreError> {
        let sql = "DELETE FROM codes WHERE account_id = $1";
        on!(self, c => query(sql).bind(account).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
