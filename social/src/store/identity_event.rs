//! What providers said by themselves of somebody who signs in with them.

use sqlx::query;

use super::{StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::IdentityId;

/// Whether a provider forwards mail to the address that it made up for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relay {
    /// It does.
    On,
    /// They had it stop: what is written to them does not reach them.
    Off,
}

impl Relay {
    const fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    pub(super) fn read(word: &str) -> Result<Self, StoreError> {
        match word {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            other => Err(unknown_word("identities.relay", other)),
        }
    }
}

impl Tx {
    /// Forgets an identity, and ends the sessions that began with it; how many ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_identity(&mut self, id: IdentityId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE identity_id = $1";
        let ended = on!(self, c => query(sql).bind(id)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        let sql = "DELETE FROM identities WHERE id = $1";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(ended)
    }

    /// Notes whether a provider forwards mail, unless it said something newer already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_relay(
        &mut self,
        id: IdentityId,
        relay: Relay,
        at: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE identities SET relay = $2, relay_at = $3
                   WHERE id = $1 AND (relay_at IS NULL OR relay_at <= $3)";
        on!(self, c => query(sql).bind(id).bind(relay.word()).bind(at)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }
}
