//! What people say of themselves, their photos, and who sees it.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on, unknown_word};
use crate::id::AccountId;
use crate::people::Audience;

/// What somebody says of themselves, and who sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who they are, in a few sentences.
    pub bio: String,
    /// What they are up to.
    pub status: String,
    /// What they play.
    pub instruments: Vec<String>,
    /// Who sees the bio.
    pub bio_for: Audience,
    /// Who sees the status.
    pub status_for: Audience,
    /// Who sees the instruments.
    pub instruments_for: Audience,
    /// Who sees the photo.
    pub photo_for: Audience,
}

impl Default for Profile {
    /// Of whoever said nothing.
    fn default() -> Self {
        Self {
            bio: String::new(),
            status: String::new(),
            instruments: Vec::new(),
            bio_for: Audience::Everybody,
            status_for: Audience::Everybody,
            instruments_for: Audience::Everybody,
            photo_for: Audience::Everybody,
        }
    }
}

/// A photo in one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// How many pixels it is wide and high.
    pub size: i64,
    /// A JPEG.
    pub bytes: Vec<u8>,
    /// The hash of the bytes.
    pub hash: Vec<u8>,
}

impl Conn {
    /// What an account says of itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn profile(&mut self, account: AccountId) -> Result<Profile, StoreError> {
        type Row = (String, String, String, String, String, String, String);
        let sql = "SELECT bio, status, instruments, bio_for, status_for, instruments_for, photo_for
                   FROM profiles WHERE account_id = $1";
        let row: Option<Row> =
            on!(self, c => query_as(sql).bind(account).fetch_optional(&mut *c).await)?;
        let Some((bio, status, instruments, for_bio, for_status, for_instruments, for_photo)) = row
        else {
            return Ok(Profile::default());
        };
        let instruments = serde_json::from_str(&instruments)
            .map_err(|_| unknown_word("profiles.instruments", &instruments))?;
        Ok(Profile {
            bio,
            status,
            instruments,
            bio_for: audience("profiles.bio_for", &for_bio)?,
            status_for: audience("profiles.status_for", &for_status)?,
            instruments_for: audience("profiles.instruments_for", &for_instruments)?,
            photo_for: audience("profiles.photo_for", &for_photo)?,
        })
    }

    /// The photo of an account in a size.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photo(
        &mut self,
        account: AccountId,
        size: i64,
    ) -> Result<Option<Photo>, StoreError> {
        let sql = "SELECT bytes, hash FROM photos WHERE account_id = $1 AND size = $2";
        let row: Option<(Vec<u8>, Vec<u8>)> =
            on!(self, c => query_as(sql).bind(account).bind(size).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(bytes, hash)| Photo { size, bytes, hash }))
    }

    /// The hash of the smallest photo of an account, which changes when the photo does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photo_hash(&mut self, account: AccountId) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT hash FROM photos WHERE account_id = $1 ORDER BY size LIMIT 1";
        Ok(on!(self, c => query_scalar(sql).bind(account).fetch_optional(&mut *c).await)?)
    }

    /// Accounts whose names in lower case begin with a text, in the order of those names: neither
    /// whoever looks nor anybody who blocked them or whom they blocked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn accounts_by_prefix(
        &mut self,
        prefix: &str,
        asker: AccountId,
        limit: i64,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = "SELECT u.account_id FROM usernames u
                   WHERE u.account_id IS NOT NULL AND u.account_id <> $2
                   AND u.name_key LIKE $1 ESCAPE '\\' AND NOT EXISTS (
                       SELECT 1 FROM blocks b
                       WHERE (b.blocker_id = u.account_id AND b.blocked_id = $2)
                       OR (b.blocker_id = $2 AND b.blocked_id = u.account_id))
                   ORDER BY u.name_key LIMIT $3";
        // Of what stands for other letters in a pattern, only this one may be in a name.
        let pattern = format!("{}%", prefix.replace('_', "\\_"));
        Ok(on!(self, c => query_scalar(sql).bind(&pattern).bind(asker).bind(limit)
            .fetch_all(&mut *c).await)?)
    }
}

impl Tx {
    /// Changes what an account says of itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_profile(
        &mut self,
        account: AccountId,
        profile: &Profile,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO profiles (account_id, bio, status, instruments, bio_for, status_for,
                   instruments_for, photo_for) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                   ON CONFLICT (account_id) DO UPDATE SET bio = $2, status = $3, instruments = $4,
                   bio_for = $5, status_for = $6, instruments_for = $7, photo_for = $8";
        let instruments = serde_json::json!(profile.instruments).to_string();
        on!(self, c => query(sql).bind(account).bind(&profile.bio).bind(&profile.status)
            .bind(&instruments).bind(profile.bio_for.word()).bind(profile.status_for.word())
            .bind(profile.instruments_for.word()).bind(profile.photo_for.word())
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives an account a photo, in place of the one that it has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_photo(
        &mut self,
        account: AccountId,
        sizes: &[Photo],
    ) -> Result<(), StoreError> {
        self.remove_photo(account).await?;
        let sql = "INSERT INTO photos (account_id, size, bytes, hash) VALUES ($1, $2, $3, $4)";
        for photo in sizes {
            on!(self, c => query(sql).bind(account).bind(photo.size).bind(&photo.bytes)
                .bind(&photo.hash).execute(&mut *c).await.map(drop))?;
        }
        Ok(())
    }

    /// Removes the photo of an account; whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_photo(&mut self, account: AccountId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM photos WHERE account_id = $1";
        let removed = on!(self, c => query(sql).bind(account)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(removed != 0)
    }
}

fn audience(column: &'static str, word: &str) -> Result<Audience, StoreError> {
    word.parse().map_err(|_| unknown_word(column, word))
}
