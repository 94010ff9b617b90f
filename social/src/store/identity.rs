//! With whom somebody signs in: identities that providers vouch for.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, Relay, StoreError, Tx, on, unknown_word};
use crate::clock::UnixMs;
use crate::id::{AccountId, IdentityId, SignUpId};

/// Somebody as a provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What the settings call the provider.
    pub provider: String,
    /// Who the provider says that it is.
    pub issuer: String,
    /// Who it says that they are.
    pub subject: String,
    /// What it is shown when it is over, encrypted.
    pub token: Option<Vec<u8>>,
    /// When it last vouched for them, by its own clock, where that is known.
    pub vouched_at: Option<UnixMs>,
}

/// What became of telling a provider that it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was told.
    Told,
    /// Nothing can be told; whoever it is about ends it there.
    Theirs,
}

impl Ending {
    const fn word(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Theirs => "theirs",
        }
    }
}

/// An identity that is linked to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Who the provider says that they are.
    pub shown: Shown,
    /// When it was linked.
    pub linked_at: UnixMs,
    /// When it was unlinked; nobody signs in with it from then on.
    pub ended_at: Option<UnixMs>,
    /// What became of telling the provider.
    pub ending: Option<Ending>,
    /// Whether the provider forwards mail to the address that it made up for them, if it said so.
    pub relay: Option<Relay>,
    /// Since when it says so.
    pub relay_at: Option<UnixMs>,
}

type Row = (
    IdentityId,
    AccountId,
    String,
    String,
    String,
    Option<Vec<u8>>,
    UnixMs,
    Option<UnixMs>,
    Option<String>,
    Option<UnixMs>,
    Option<String>,
    Option<UnixMs>,
);

/// The columns of a row.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, provider, issuer, subject, token, linked_at, ended_at, outcome,
             vouched_at, relay, relay_at FROM identities ",
            $rest
        )
    };
}

fn identity(row: Row) -> Result<Identity, StoreError> {
    let (id, account_id, provider, issuer, subject, token, linked_at, ended_at, ..) = row;
    let (.., outcome, vouched_at, relay, relay_at) = row;
    let ending = match outcome.as_deref() {
        None => None,
        Some("told") => Some(Ending::Told),
        Some("theirs") => Some(Ending::Theirs),
        Some(other) => return Err(unknown_word("identities.outcome", other)),
    };
    let relay = relay.as_deref().map(Relay::read).transpose()?;
    let shown = Shown { provider, issuer, subject, token, vouched_at };
    Ok(Identity { id, account_id, shown, linked_at, ended_at, ending, relay, relay_at })
}

impl Conn {
    /// An identity by its id, also one that ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identity(&mut self, id: IdentityId) -> Result<Option<Identity>, StoreError> {
        let sql = select!("WHERE id = $1");
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        row.map(identity).transpose()
    }

    /// An identity as its provider knows it, also one that ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identity_of(
        &mut self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<Identity>, StoreError> {
        let sql = select!("WHERE issuer = $1 AND subject = $2");
        let row =
            on!(self, c => query_as(sql).bind(issuer).bind(subject).fetch_optional(&mut *c).await)?;
        row.map(identity).transpose()
    }

    /// The identities of an account that nobody ended, those first that were linked first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identities(&mut self, account: AccountId) -> Result<Vec<Identity>, StoreError> {
        let sql = select!("WHERE account_id = $1 AND ended_at IS NULL ORDER BY id");
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).fetch_all(&mut *c).await)?;
        rows.into_iter().map(identity).collect()
    }

    /// The identities of an account whose providers are still to be told, those included that were unlinked
    /// and have something to be told with.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn identities_to_end(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<Identity>, StoreError> {
        let sql = select!(
            "WHERE account_id = $1 AND outcome IS NULL AND (ended_at IS NULL OR token IS NOT NULL)
             ORDER BY id"
        );
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(account).fetch_all(&mut *c).await)?;
        rows.into_iter().map(identity).collect()
    }

    /// Whom a sign-up was begun as, if with a provider.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_up_identity(&mut self, of: SignUpId) -> Result<Option<Shown>, StoreError> {
        let sql = "SELECT provider, issuer, subject, token FROM sign_up_identities
                   WHERE sign_up_id = $1";
        let row: Option<(String, String, String, Option<Vec<u8>>)> =
            on!(self, c => query_as(sql).bind(of).fetch_optional(&mut *c).await)?;
        Ok(row.map(|(provider, issuer, subject, token)| Shown {
            provider,
            issuer,
            subject,
            token,
            vouched_at: None,
        }))
    }

    /// When the owner of an account asked for its erasure, if they did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hidden_at(&mut self, account: AccountId) -> Result<Option<UnixMs>, StoreError> {
        let sql = "SELECT hidden_at FROM accounts WHERE id = $1";
        let found: Option<Option<UnixMs>> =
            on!(self, c => query_scalar(sql).bind(account).fetch_optional(&mut *c).await)?;
        Ok(found.flatten())
    }
}

impl Tx {
    /// Links somebody to an account. One that was unlinked, of whichever account, is forgotten first.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when an account has it.
    pub async fn link_identity(
        &mut self,
        id: IdentityId,
        account: AccountId,
        shown: &Shown,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM identities
                   WHERE issuer = $1 AND subject = $2 AND ended_at IS NOT NULL";
        on!(self, c => query(sql).bind(&shown.issuer).bind(&shown.subject)
            .execute(&mut *c).await.map(drop))?;
        let sql = "INSERT INTO identities (id, account_id, provider, issuer, subject, token,
                   linked_at, vouched_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on!(self, c => query(sql).bind(id).bind(account).bind(&shown.provider)
            .bind(&shown.issuer).bind(&shown.subject).bind(&shown.token).bind(now)
            .bind(shown.vouched_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Keeps what the provider gave last; it has to be told anew when it is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_identity(
        &mut self,
        id: IdentityId,
        shown: &Shown,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE identities SET provider = $2, outcome = NULL, outcome_at = NULL,
                   token = coalesce($3, token), vouched_at = coalesce($4, vouched_at)
                   WHERE id = $1";
        on!(self, c => query(sql).bind(id).bind(&shown.provider).bind(&shown.token)
            .bind(shown.vouched_at).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Keeps what the provider gave for somebody who was written down already, or whose sign-up was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_identity_token(
        &mut self,
        issuer: &str,
        subject: &str,
        token: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "UPDATE identities SET token = $3, outcome = NULL, outcome_at = NULL
                   WHERE issuer = $1 AND subject = $2 AND ended_at IS NULL";
        on!(self, c => query(sql).bind(issuer).bind(subject).bind(token)
            .execute(&mut *c).await.map(drop))?;
        let sql = "UPDATE sign_up_identities SET token = $3 WHERE issuer = $1 AND subject = $2";
        on!(self, c => query(sql).bind(issuer).bind(subject).bind(token)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Lets nobody sign in with an identity any more; whether it was an account's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_identity(
        &mut self,
        account: AccountId,
        id: IdentityId,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE identities SET ended_at = $3
                   WHERE account_id = $1 AND id = $2 AND ended_at IS NULL";
        let ended = on!(self, c => query(sql).bind(account).bind(id).bind(now)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(ended == 1)
    }

    /// Notes what became of telling a provider that it is over, unless it gave another token since what
    /// it was told of was read; whether it had not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_ending(
        &mut self,
        told: &Identity,
        ending: Ending,
        now: UnixMs,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE identities SET outcome = $2, outcome_at = $3, token = NULL
                   WHERE id = $1 AND (token = $4 OR (token IS NULL AND $5))";
        let token = told.shown.token.as_deref();
        let noted = on!(self, c => query(sql).bind(told.id).bind(ending.word()).bind(now)
            .bind(token).bind(token.is_none())
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(noted == 1)
    }

    /// Forgets an identity that was unlinked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_ended_identity(&mut self, id: IdentityId) -> Result<(), StoreError> {
        let sql = "DELETE FROM identities WHERE id = $1 AND ended_at IS NOT NULL";
        on!(self, c => query(sql).bind(id).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Keeps whom a sign-up was begun as.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_sign_up_identity(
        &mut self,
        of: SignUpId,
        shown: &Shown,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO sign_up_identities (sign_up_id, provider, issuer, subject, token)
                   VALUES ($1, $2, $3, $4, $5)";
        on!(self, c => query(sql).bind(of).bind(&shown.provider).bind(&shown.issuer)
            .bind(&shown.subject).bind(&shown.token).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Gives a name in lower case to an account that has none.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when somebody has it.
    pub async fn take_username(&mut self, key: &str, account: AccountId) -> Result<(), StoreError> {
        let sql = "INSERT INTO usernames (name_key, account_id) VALUES ($1, $2)";
        on!(self, c => query(sql).bind(key).bind(account).execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Uses up what counts once; whether nobody had. What is used up is remembered until then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_once(&mut self, hash: &[u8], until: UnixMs) -> Result<bool, StoreError> {
        let sql = "INSERT INTO identity_used (hash, expires_at) VALUES ($1, $2)
                   ON CONFLICT (hash) DO NOTHING";
        let used = on!(self, c => query(sql).bind(hash).bind(until)
            .execute(&mut *c).await.map(|done| done.rows_affected()))?;
        Ok(used == 1)
    }
}
