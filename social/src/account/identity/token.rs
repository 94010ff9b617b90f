//! What a provider's token says, and whether it can be believed.
//!
//! What surprises: the times in it are compared with the injected clock, so the library that checks the
//! signature is told to look at nothing else.

use std::collections::HashSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::clock::UnixMs;
use crate::limits::{EMAIL_BYTES_MAX, IDENTITY_TOKEN_LIFE_MAX, SUBJECT_BYTES_MAX};
use crate::secret::{equal, hex};

/// What a token has to say so that it is believed.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    /// Who it is from: one of these.
    pub(super) issuers: &'a [&'a str],
    /// Whom it is for: one of these.
    pub(super) audiences: &'a [&'a str],
    /// What was asked for it.
    pub(super) nonce: Nonce<'a>,
    /// That it says that it is no token for something else, as those of Cognito do.
    pub(super) says_its_use: bool,
    pub(super) now: UnixMs,
}

/// What came back with the token, so that it is the answer to this question and no other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Nonce<'a> {
    /// Exactly this.
    Is(&'a str),
    /// This or, as apps on Apple's devices have it, its SHA-256.
    IsOrHash(&'a str),
    /// The same, or none: an app that asks Cognito itself cannot say one.
    MayLack(&'a str),
}

/// Whom a provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// For which of the audiences.
    pub(super) audience: String,
    pub(super) email: Option<String>,
    /// Whether the provider has seen that mail to it reaches them.
    pub(super) is_verified: bool,
    pub(super) expires_at: UnixMs,
    /// When it was made, by the provider's clock, or by ours where it does not say so.
    pub(super) said_at: UnixMs,
    /// When they proved who they are, if it says so.
    pub(super) proven_at: Option<UnixMs>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Untrusted(pub(super) &'static str);

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    iss: String,
    sub: String,
    aud: OneOrMore,
    azp: Option<String>,
    exp: f64,
    iat: Option<f64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<BoolOrText>,
    token_use: Option<String>,
    auth_time: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// Apple writes both.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum BoolOrText {
    Bool(bool),
    Text(String),
}

/// What a token says that one of the provider's keys should have signed.
pub(super) fn signed<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<T, Untrusted> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let said = decode::<T>(token, key, &validation).map_err(|_| Untrusted("signature"))?;
    Ok(said.claims)
}

/// Whom a token vouches for, where it is believed.
pub(super) fn judge(said: Said, expected: &Expected<'_>) -> Result<Claims, Untrusted> {
    if !expected.issuers.contains(&said.iss.as_str()) {
        return Err(Untrusted("issuer"));
    }
    let known = |id: &&String| expected.audiences.contains(&id.as_str());
    let audience = said.aud.all().iter().find(known).ok_or(Untrusted("audience"))?;
    // Whom it was given to; it must be said where it is for several.
    let is_given_to_us = match &said.azp {
        Some(azp) => known(&azp),
        None => said.aud.all().len() == 1,
    };
    if !is_given_to_us {
        return Err(Untrusted("authorized party"));
    }
    let expires_at = moment(said.exp);
    if expires_at.after(SKEW_MAX) <= expected.now {
        return Err(Untrusted("expired"));
    }
    // What was used is remembered for as long as it would count.
    if expected.now.after(IDENTITY_TOKEN_LIFE_MAX) < expires_at {
        return Err(Untrusted("it counts for too long"));
    }
    let nonce = said.nonce.as_deref().unwrap_or_default();
    let is = |text: &str| equal(nonce.as_bytes(), text.as_bytes());
    let is_answer = match expected.nonce {
        Nonce::Is(text) => is(text),
        Nonce::MayLack(_) if said.nonce.is_none() => true,
        Nonce::IsOrHash(text) | Nonce::MayLack(text) => is(text) || is(&hex(&Sha256::digest(text))),
    };
    if !is_answer {
        return Err(Untrusted("nonce"));
    }
    if expected.says_its_use && said.token_use.as_deref() != Some("id") {
        return Err(Untrusted("use"));
    }
    let subject_is_one = !said.sub.is_empty()
        && said.sub.len() <= SUBJECT_BYTES_MAX
        && !said.sub.chars().any(char::is_control);
    if !subject_is_one {
        return Err(Untrusted("subject"));
    }
    let is_verified = match &said.email_verified {
        Some(BoolOrText::Bool(is)) => *is,
        Some(BoolOrText::Text(text)) => text == "true",
        None => false,
    };
    Ok(Claims {
        audience: audience.clone(),
        issuer: said.iss,
        subject: said.sub,
        email: said.email.filter(|email| email.len() <= EMAIL_BYTES_MAX),
        is_verified,
        expires_at,
        said_at: said.iat.map_or(expected.now, moment).min(expected.now),
        proven_at: said.auth_time.map(moment),
    })
}

/// A number of seconds, as tokens have them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number that is too large is the end of time"
)]
pub(super) fn moment(seconds: f64) -> UnixMs {
    UnixMs((seconds * 1000.0) as i64)
}

/// How far a provider's clock may be behind this one.
pub(super) const SKEW_MAX: std::time::Duration = std::time::Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: UnixMs = UnixMs(1_000_000_000);

    fn judged(change: Value) -> Result<Claims, Untrusted> {
        let mut said = json!({
            "iss": "https://id.example", "sub": "s", "aud": "us", "exp": 1_000_100, "nonce": "n",
            "email": "ada@example.org", "email_verified": true,
        });
        for (name, value) in change.as_object().expect("claims") {
            said[name] = value.clone();
        }
        let said = serde_json::from_value(said).map_err(|_| Untrusted("claims"))?;
        let expected = Expected {
            issuers: &["https://id.example"],
            audiences: &["us", "app"],
            nonce: Nonce::IsOrHash("n"),
            says_its_use: false,
            now: NOW,
        };
        judge(said, &expected)
    }

    #[test]
    fn a_token_is_believed_where_every_claim_is_right() {
        let claims = judged(json!({})).expect("right");
        assert!(claims.is_verified && claims.audience == "us");
        assert_eq!(claims.said_at, NOW, "where it does not say it");
        for (iat, said_at) in [(999_000, UnixMs(999_000_000)), (2_000_000, NOW)] {
            assert_eq!(judged(json!({ "iat": iat })).expect("right").said_at, said_at);
        }
        for good in [
            json!({ "aud": ["us"] }),
            json!({ "aud": ["us", "other"], "azp": "app" }),
            json!({ "azp": "us" }),
            // Clocks are not all alike.
            json!({ "exp": 999_941 }),
            json!({ "nonce": hex(&Sha256::digest("n")) }),
        ] {
            assert!(judged(good.clone()).is_ok(), "{good}");
        }
        for (wrong, why) in [
            (json!({ "iss": "https://id.example/" }), "issuer"),
            (json!({ "aud": "other" }), "audience"),
            (json!({ "aud": [] }), "audience"),
            (json!({ "aud": ["us", "other"] }), "authorized party"),
            (json!({ "azp": "other" }), "authorized party"),
            (json!({ "exp": 999_940 }), "expired"),
            (json!({ "exp": 1_000_000 + 172_801 }), "it counts for too long"),
            (json!({ "exp": null }), "claims"),
            (json!({ "nonce": "m" }), "nonce"),
            (json!({ "nonce": null }), "nonce"),
            (json!({ "sub": "" }), "subject"),
            (json!({ "sub": "a\nb" }), "subject"),
            (json!({ "sub": "x".repeat(256) }), "subject"),
        ] {
            assert_eq!(judged(wrong.clone()), Err(Untrusted(why)), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_verified_only_where_it_is_said() {
        for (said, verified) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!("false"), false),
            (json!("yes"), false),
            (json!(null), false),
        ] {
            let claims = judged(json!({ "email_verified": said })).expect("right");
            assert_eq!(claims.is_verified, verified, "{said}");
        }
    }
}
