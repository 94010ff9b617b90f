//! Somebody whom a provider vouches for, however that came here.

use sha2::{Digest as _, Sha256};

use super::provider::{Held, Provider};
use super::token::Claims;
use crate::Social;
use crate::account::sign_in::suspended;
use crate::clock::UnixMs;
use crate::http::Caller;
use crate::limits::{PROOF_LIFE, PROVIDER_TOKEN_BYTES_MAX};
use crate::mail::Template;
use crate::problem::{Problem, ProblemCode};
use crate::seal::{open, seal};
use crate::secret::{Hash, ServerKey};
use crate::store::{Account, Identity, Shown, StoreError, Tx};

/// Somebody whom a provider vouches for.
#[derive(Debug, Clone)]
pub(super) struct Vouched {
    /// What the settings call the provider.
    pub(super) provider: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    /// Whether the provider has seen that mail to it reaches them.
    pub(super) is_verified: bool,
    /// What the provider is shown when it is over.
    pub(super) held: Option<Held>,
    /// A code that the provider gives that for, with the client that it was given to.
    pub(super) code: Option<Held>,
    /// When they proved to the provider who they are, as far as is known.
    pub(super) proven_at: Option<UnixMs>,
    /// When the provider said so, by its own clock.
    pub(super) said_at: UnixMs,
    /// What is used up where this does something.
    pub(super) once: Hash,
    /// Until when that has to be remembered.
    pub(super) until: UnixMs,
}

impl Vouched {
    pub(super) fn new(
        provider: &Provider,
        claims: Claims,
        refresh_token: Option<String>,
        token: &str,
    ) -> Self {
        let kept = refresh_token.filter(|token| is_kept(token));
        let client_id = claims.audience;
        // What is signed alone: who has one signature of ES256 can write another that is as good.
        let said = token.rsplit_once('.').map_or(token, |(said, _)| said);
        Self {
            provider: provider.config.id.clone(),
            issuer: claims.issuer,
            subject: claims.subject,
            email: claims.email,
            is_verified: claims.is_verified,
            held: kept.map(|token| Held { token, client_id }),
            code: None,
            proven_at: claims.proven_at,
            said_at: claims.said_at,
            once: Sha256::digest(said).into(),
            until: claims.expires_at.after(REMEMBERED_LONGER),
        }
    }

    /// As it is kept.
    pub(super) fn shown(&self, key: &ServerKey) -> Shown {
        let token = self.held.as_ref().map(|held| sealed(key, held));
        let Self { provider, issuer, subject, said_at, .. } = self.clone();
        Shown { provider, issuer, subject, token, vouched_at: Some(said_at) }
    }

    /// Since when a session counts as proven that begins so: for nothing, where the provider may just have
    /// remembered them.
    pub(super) fn session_proven_at(&self, now: UnixMs) -> UnixMs {
        let too_long_ago = now.before(PROOF_LIFE);
        self.proven_at.unwrap_or(too_long_ago).clamp(too_long_ago, now)
    }

    /// Uses up what vouched for them.
    pub(super) async fn used(&self, tx: &mut Tx) -> Result<(), Problem> {
        if tx.use_once(&self.once, self.until).await? {
            return Ok(());
        }
        let text = "this sign-in was used already; begin again";
        Err(Problem::new(ProblemCode::IdentityRefused, text))
    }

    /// Their account, and a transaction in which nobody takes it from them: what they may see of it,
    /// also where it is suspended or to be erased, says [`Vouched::enters`].
    pub(super) async fn account(
        &self,
        social: &Social,
    ) -> Result<Option<(Account, Identity, Tx)>, StoreError> {
        account_of(social, &self.issuer, &self.subject).await
    }

    /// Lets them in, as far as nothing is in the way; a session is begun in the transaction.
    pub(super) async fn enters(
        &self,
        social: &Social,
        caller: &Caller,
    ) -> Result<(Identity, Tx), Problem> {
        let found = self.account(social).await?;
        let (account, mut identity, mut tx) = found.ok_or_else(unknown)?;
        let now = social.now();
        if let Some(suspension) = tx.suspension(account.id, now).await? {
            return Err(suspended(&suspension));
        }
        if account.erase_at.is_some() {
            let text = "this account is to be erased, as its owner asked; take that back first, and \
                        sign in then";
            return Err(Problem::new(ProblemCode::ErasurePending, text));
        }
        self.used(&mut tx).await?;
        let shown = self.shown(social.key());
        tx.renew_identity(identity.id, &shown).await?;
        identity.shown.token = shown.token.or(identity.shown.token);
        let device = caller.device.as_ref().map(|device| social.device_hash(device));
        let is_known = match device {
            Some(hash) => tx.is_known_device(account.id, &hash).await?,
            None => false,
        };
        if !is_known {
            social.mailer().to_account(&mut tx, &account, Template::NewDevice, now).await?;
        }
        Ok((identity, tx))
    }

    /// Shows the provider the code that an app sent along, and keeps what comes for it with whom it vouches
    /// for. It counts once, so it is not shown before nothing can refuse them any more: an app that is told
    /// that there is no account makes one with the same. Without it they are let in all the same, since it is
    /// only for the end.
    pub(super) async fn redeem(&self, social: &Social) {
        let Some(code) = &self.code else { return };
        let Ok(provider) = social.providers().find(&self.provider) else { return };
        let token = match provider.exchange(&code.token, None, &code.client_id).await {
            Ok(tokens) => tokens.refresh_token.filter(|token| is_kept(token)),
            Err(why) => {
                let provider = &self.provider;
                tracing::warn!(provider, %why, "an app's code is worth nothing");
                return;
            }
        };
        let Some(token) = token else { return };
        let held = Held { token, client_id: code.client_id.clone() };
        if let Err(error) = self.keep(social, &sealed(social.key(), &held)).await {
            tracing::error!(%error, "what a provider gave is not kept");
        }
    }

    async fn keep(&self, social: &Social, token: &[u8]) -> Result<(), StoreError> {
        let mut tx = social.db().begin().await?;
        tx.give_identity_token(&self.issuer, &self.subject, token).await?;
        tx.commit().await
    }
}

/// The account of somebody as a provider knows them, in a transaction in which nobody takes it from them.
pub(super) async fn account_of(
    social: &Social,
    issuer: &str,
    subject: &str,
) -> Result<Option<(Account, Identity, Tx)>, StoreError> {
    let found = social.db().read().await?.identity_of(issuer, subject).await?;
    let Some(found) = found else { return Ok(None) };
    let mut tx = social.db().begin().await?;
    tx.lock_account(found.account_id).await?;
    let identity = tx.identity_of(issuer, subject).await?;
    let is_same = |of: &Identity| of.account_id == found.account_id && of.ended_at.is_none();
    let Some(identity) = identity.filter(is_same) else { return Ok(None) };
    let account = tx.account_or_hidden(identity.account_id).await?;
    Ok(account.map(|account| (account, identity, tx)))
}

/// Whether a token is kept. One that is longer than any that is known is not, and whoever it is about ends
/// it there.
const fn is_kept(token: &str) -> bool {
    token.len() <= PROVIDER_TOKEN_BYTES_MAX
}

/// What is to be shown to the provider, as it is kept.
pub(super) fn sealed(key: &ServerKey, held: &Held) -> Vec<u8> {
    // A client's id holds no line break, whatever a token does.
    seal(key, HELD, format!("{}\n{}", held.client_id, held.token).as_bytes())
}

/// What was kept to show the provider.
pub(super) fn held(key: &ServerKey, token: &[u8]) -> Option<Held> {
    let text = String::from_utf8(open(key, HELD, token)?).ok()?;
    let (client_id, token) = text.split_once('\n')?;
    Some(Held { token: token.to_owned(), client_id: client_id.to_owned() })
}

/// To whoever a provider vouches for: nobody else learns of it.
pub(super) fn unknown() -> Problem {
    let text = "nobody has an account with this sign-in yet; make one, or sign in otherwise and link it \
                in the settings";
    Problem::new(ProblemCode::IdentityUnknown, text)
}

pub(in crate::account) fn taken() -> Problem {
    let text = "this sign-in belongs to an account already; sign in with it, or take another one";
    Problem::new(ProblemCode::IdentityTaken, text)
}

/// What it is sealed for.
const HELD: &str = "identity token";

/// A token counts for a moment longer than it says.
const REMEMBERED_LONGER: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_under_the_servers_key_only() {
        let key = ServerKey::new([1; 32]);
        let token = "1//0e\nline";
        let vouched = Vouched {
            provider: "google".into(),
            issuer: "https://id.example".into(),
            subject: "s".into(),
            email: None,
            is_verified: false,
            held: Some(Held { token: token.into(), client_id: "us".into() }),
            code: None,
            proven_at: None,
            said_at: UnixMs(0),
            once: [0; 32],
            until: UnixMs(0),
        };
        let sealed = vouched.shown(&key).token.expect("kept");
        assert_eq!(held(&key, &sealed), vouched.held);
        assert_eq!(held(&ServerKey::new([2; 32]), &sealed), None);
        assert!(!sealed.windows(5).any(|part| part == &token.as_bytes()[..5]));
    }
}
