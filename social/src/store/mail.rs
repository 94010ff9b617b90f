//! Mails on their way.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, CodeId, MailId, SignUpId};

/// A mail on its way: deleted when it is delivered, or when it is too late for it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its id.
    pub id: MailId,
    /// Whom it is about.
    pub account_id: Option<AccountId>,
    /// The sign-up that it is about.
    pub sign_up_id: Option<SignUpId>,
    /// The code that it carries. A mail whose code is gone is gone too.
    pub code_id: Option<CodeId>,
    /// Where it goes.
    pub address: String,
    /// In which language.
    pub language: String,
    /// What it says.
    pub template: String,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it is too late for it.
    pub expires_at: UnixMs,
}

type Row = (
    MailId,
    Option<AccountId>,
    Option<SignUpId>,
    Option<CodeId>,
    String,
    String,
    String,
    UnixMs,
    UnixMs,
);

impl Conn {
    /// A mail that is on its way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mail(&mut self, id: MailId) -> Result<Option<Mail>, StoreError> {
        let sql = "SELECT id, account_id, sign_up_id, code_id, address, language, template,
                   created_at, expires_at FROM mails WHERE id = $1";
        let row: Option<Row> =
            on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        Ok(row.map(
            |(
                id,
                account_id,
                sign_up_id,
                code_id,
                address,
                language,
                template,
                created_at,
                expires_at,
            )| Mail {
                id,
                account_id,
                sign_up_id,
                code_id,
                address,
                language,
                template,
                created_at,
                expires_at,
            },
        ))
    }
}

impl Tx {
    /// Adds a mail. A job delivers it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_mail(&mut self, new: &Mail) -> Result<(), StoreError> {
        let sql = "INSERT INTO mails (id, account_id, sign_up_id, code_id, address, language,
                   template, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        on!(self, c => query(sql).bind(new.id).bind(new.account_id).bind(new.sign_up_id)
            .bind(new.code_id).bind(&new.address).bind(&new.language).bind(&new.template)
            .bind(new.created_at).bind(new.expires_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Removes a mail that is delivered, or never will be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_mail(&mut self, id: MailId) -> Result<(), StoreError> {
        let sql = "DELETE FROM mails WHERE id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
