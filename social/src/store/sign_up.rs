//! Sign-ups that wait for their e-mail to be verified.

use sqlx::{query, query_as};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::account::Region;
use crate::clock::UnixMs;
use crate::id::SignUpId;

/// A sign-up.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Its id.
    pub id: SignUpId,
    /// Where the account will be kept.
    pub region: Region,
    /// Its address.
    pub email: String,
    /// The address in lower case.
    pub email_key: String,
    /// The name that is reserved for it.
    pub username: String,
    /// The hash of its password, if it has one.
    pub password_hash: Option<String>,
    /// The language of its mails.
    pub language: String,
    /// The device on which the question for the birth date was answered.
    pub device_hash: Vec<u8>,
    /// When it was made.
    pub created_at: UnixMs,
    /// When it is deleted.
    pub expires_at: UnixMs,
}

type Row =
    (SignUpId, String, String, String, String, Option<String>, String, Vec<u8>, UnixMs, UnixMs);

impl Conn {
    /// A sign-up that has not expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_up(
        &mut self,
        id: SignUpId,
        now: UnixMs,
    ) -> Result<Option<SignUp>, StoreError> {
        let sql = "SELECT id, region, email, email_key, username, password_hash, language,
                   device_hash, created_at, expires_at
                   FROM sign_ups WHERE id = $1 AND expires_at > $2";
        let row: Option<Row> =
            on!(self, c => query_as(sql).bind(id).bind(now).fetch_optional(&mut *c).await)?;
        let Some(row) = row else { return Ok(None) };
        let (id, region, email, email_key, username, password_hash, language, ..) = row;
        let (device_hash, created_at, expires_at) = (row.7, row.8, row.9);
        let region = region.parse().map_err(|_| unknown_word("sign_ups.region", &region))?;
        Ok(Some(SignUp {
            id,
            region,
            email,
            email_key,
            username,
            password_hash,
            language,
            device_hash,
            created_at,
            expires_at,
        }))
    }
}

impl Tx {
    /// Adds a sign-up. Its name is reserved by [`Tx::reserve_username`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_sign_up(&mut self, new: &SignUp) -> Result<(), StoreError> {
        let sql = "INSERT INTO sign_ups (id, region, email, email_key, username, password_hash,
                   language, device_hash, created_at, expires_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        on!(self, c => query(sql).bind(new.id).bind(new.region.word()).bind(&new.email)
            .bind(&new.email_key).bind(&new.username).bind(&new.password_hash)
            .bind(&new.language).bind(&new.device_hash).bind(new.created_at).bind(new.expires_at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Removes what waits of a device, as [`Tx::remove_sign_up`] does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_sign_ups_of_device(
        &mut self,
        device_hash: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM sign_ups WHERE device_hash = $1";
        on!(self, c => query(sql).bind(device_hash).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Removes a sign-up, with its code, its mails and, unless it was handed over, its name; whether
    /// it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_sign_up(&mut self, id: SignUpId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sign_ups WHERE id = $1";
        let removed = on!(self, c => query(sql).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed == 1)
    }
}
