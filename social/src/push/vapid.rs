//! Who this server is to push services (RFC 8292): a key pair that is made once, and whom they may write to.

use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use lettre::Address;
use lettre::message::Mailbox;
use serde_json::json;

use crate::clock::UnixMs;
use crate::limits::PUSH_SIGNATURE_LIFE;
use crate::seal::{open, seal};
use crate::secret::ServerKey;
use crate::store::{Db, StoreError};

/// The key that signs is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum BadKey {
    /// What is kept is none.
    #[error("the key in the table push_key is not one that this server sealed")]
    Sealed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What signs.
pub(super) struct Vapid {
    key: EncodingKey,
    public: String,
    subject: String,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Vapid {
    /// The one of this database, made where there is none.
    pub(super) async fn load(db: &Db, key: &ServerKey, subject: String) -> Result<Self, BadKey> {
        let fresh = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let fresh = fresh.and_then(|pair| pair.to_pkcs8v1()).map_err(|_| BadKey::Sealed)?;
        let mut tx = db.begin().await?;
        let sealed = tx.push_key(&seal(key, PURPOSE, fresh.as_ref())).await?;
        tx.commit().await?;
        let pkcs8 = open(key, PURPOSE, &sealed).ok_or(BadKey::Sealed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8);
        let pair = pair.map_err(|_| BadKey::Sealed)?;
        let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self { key: EncodingKey::from_ec_der(&pkcs8), public, subject })
    }

    /// What browsers are shown, and show their push services.
    pub(super) fn public(&self) -> &str {
        &self.public
    }

    /// What a push service is shown with each push. `origin` is its own.
    pub(super) fn authorization(&self, origin: &str, now: UnixMs) -> Option<String> {
        let expires_at = Duration::from_millis(now.after(PUSH_SIGNATURE_LIFE).0.try_into().ok()?);
        let claims = json!({ "aud": origin, "exp": expires_at.as_secs(), "sub": self.subject });
        let token = encode(&Header::new(Algorithm::ES256), &claims, &self.key).ok()?;
        Some(format!("vapid t={token}, k={}", self.public))
    }
}

/// Whom a push service may write to about what this server sends: the contact, where that is an address,
/// or whom mails come from. Apple's refuses whoever names nobody.
pub(super) fn subject(contact: Option<&str>, mail_from: Option<&str>) -> Option<String> {
    let contact = contact.map(str::trim).unwrap_or_default();
    if contact.starts_with("https://") && contact.parse::<url::Url>().is_ok() {
        return Some(contact.to_owned());
    }
    let contact = contact.strip_prefix("mailto:").unwrap_or(contact).parse::<Address>().ok();
    let from = || mail_from?.parse::<Mailbox>().ok().map(|mailbox| mailbox.email);
    contact.or_else(from).map(|address| format!("mailto:{address}"))
}

/// What the key is sealed for.
const PURPOSE: &str = "push key";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_services_are_told_whom_to_write_to() {
        let from = Some("vjam <noreply@jam.example>");
        for (contact, from, named) in [
            (Some("privacy@jam.example"), from, Some("mailto:privacy@jam.example")),
            (Some("mailto:a@b.example"), None, Some("mailto:a@b.example")),
            (Some(" https://jam.example/who "), from, Some("https://jam.example/who")),
            (Some("ask at the bar"), from, Some("mailto:noreply@jam.example")),
            (None, from, Some("mailto:noreply@jam.example")),
            (Some("ask at the bar"), None, None),
            (None, Some("nobody"), None),
            (None, None, None),
        ] {
            assert_eq!(subject(contact, from).as_deref(), named, "{contact:?} {from:?}");
        }
    }
}
