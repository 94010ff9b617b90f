//! Which key the hashes of the database were made with.

use sqlx::{query, query_scalar};

use super::{Conn, StoreError, Tx, on};

impl Conn {
    /// Whether the database was made with the key of this hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_server_key(&mut self, hash: &[u8]) -> Result<bool, StoreError> {
        let sql = "SELECT hash FROM server_key WHERE id = 1";
        let known: Option<Vec<u8>> =
            on!(self, c => query_scalar(sql).fetch_optional(&mut *c).await)?;
        Ok(known.is_some_and(|known| crate::secret::equal(&known, hash)))
    }
}

impl Tx {
    /// Remembers the hash of the server's key where none is known yet; whether it is the one that is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_server_key(&mut self, hash: &[u8]) -> Result<bool, StoreError> {
        // Of two servers that open a fresh database at once, the second finds the first one's.
        let sql = "INSERT INTO server_key (id, hash) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        on!(self, c => query(sql).bind(hash).execute(&mut *c).await.map(drop))?;
        let sql = "SELECT hash FROM server_key WHERE id = 1";
        let known: Vec<u8> = on!(self, c => query_scalar(sql).fetch_one(&mut *c).await)?;
        Ok(crate::secret::equal(&known, hash))
    }
}
