//! One provider: where it is found, how it is asked, and which of its tokens are believed.
//!
//! Nothing is asked before somebody wants to sign in with it; what it says of itself is kept for an hour.
//! What surprises: a token that is signed by a key nobody knows makes this server look for new keys,
//! once a minute and no more often, since anybody can make up such a token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::apple;
use super::config::{ClientSecret, Kind, ProviderConfig, askable, askable_for};
use super::fetch::{Fetch, NoAnswer};
use super::token::{self, Claims, Expected, Nonce, Untrusted};
use crate::clock::{Clock, UnixMs};
use crate::limits::{
    PROVIDER_AGAIN_AFTER, PROVIDER_KEYS_AGAIN_AFTER, PROVIDER_KEYS_MAX, PROVIDER_LIFE,
};
use crate::problem::{Problem, ProblemCode};
use crate::store::Ending;

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    NoAnswer(#[from] NoAnswer),
    #[error("it is not believed: {0}")]
    Untrusted(#[from] Untrusted),
}

/// Where a provider does what, in its own words.
#[derive(Debug, Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What came for a code.
#[derive(Debug, Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<String>,
}

/// What a provider is shown when it is over, and who it was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) token: String,
    pub(super) client_id: String,
}

#[derive(Debug)]
pub(super) struct Provider {
    pub(super) config: ProviderConfig,
    fetch: Fetch,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known of it, and since when.
#[derive(Debug, Default)]
struct Known {
    discovery: Option<(UnixMs, Arc<Discovery>)>,
    keys: Option<(UnixMs, Arc<Vec<Jwk>>)>,
    failed: Option<(UnixMs, NoAnswer)>,
    missed_at: Option<UnixMs>,
}

impl Provider {
    pub(super) fn new(config: ProviderConfig, fetch: Fetch, clock: Arc<dyn Clock>) -> Self {
        Self { config, fetch, clock, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says of itself.
    pub(super) async fn discovery(&self) -> Result<Arc<Discovery>, NoAnswer> {
        let now = self.clock.now();
        if let Some((at, discovery)) = &self.known().discovery
            && now < at.after(PROVIDER_LIFE)
        {
            return Ok(Arc::clone(discovery));
        }
        let found = self.asked(now, async {
            let issuer = self.config.issuer.trim_end_matches('/');
            let url = format!("{issuer}/.well-known/openid-configuration");
            let found: Discovery = self.fetch.get(&url).await?;
            let places = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
            let places = places.into_iter().chain(&found.revocation_endpoint);
            if found.issuer != self.config.issuer
                || places.into_iter().any(|url| askable_for(&found.issuer, url).is_none())
            {
                return Err(NoAnswer::Senseless);
            }
            Ok(Arc::new(found))
        });
        let found = found.await?;
        self.known().discovery = Some((now, Arc::clone(&found)));
        Ok(found)
    }

    /// Asks it, unless it failed a moment ago: whoever comes then does not wait for it.
    async fn asked<T>(
        &self,
        now: UnixMs,
        ask: impl Future<Output = Result<T, NoAnswer>>,
    ) -> Result<T, NoAnswer> {
        if let Some((at, why)) = self.known().failed
            && now < at.after(PROVIDER_AGAIN_AFTER)
        {
            return Err(why);
        }
        let answer = ask.await;
        self.known().failed = answer.as_ref().err().map(|why| (now, *why));
        if let Err(why) = &answer {
            tracing::warn!(provider = self.config.id, %why, "a sign-in provider failed");
        }
        answer
    }

    async fn fetch_keys(&self, now: UnixMs) -> Result<Arc<Vec<Jwk>>, NoAnswer> {
        let url = match &self.config.jwks_uri {
            Some(url) => url.clone(),
            None => self.discovery().await?.jwks_uri.clone(),
        };
        let keys = self.asked(now, async {
            #[derive(Deserialize)]
            struct Keys {
                keys: Vec<Value>,
            }
            let found: Keys = self.fetch.get(&url).await?;
            // One that makes no sense here may be for something else.
            let keys = found.keys.into_iter().take(PROVIDER_KEYS_MAX);
            Ok(Arc::new(keys.filter_map(|key| serde_json::from_value(key).ok()).collect()))
        });
        let keys: Arc<Vec<Jwk>> = keys.await?;
        self.known().keys = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    async fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Refusal> {
        let now = self.clock.now();
        let cached = self.known().keys.clone();
        let keys = match cached {
            Some((at, keys)) if now < at.after(PROVIDER_LIFE) => keys,
            Some(_) | None => self.fetch_keys(now).await?,
        };
        if let Some(key) = find(&keys, id, algorithm) {
            return Ok(key);
        }
        {
            let mut known = self.known();
            if known.missed_at.is_some_and(|at| now < at.after(PROVIDER_KEYS_AGAIN_AFTER)) {
                return Err(Untrusted("key").into());
            }
            known.missed_at = Some(now);
        }
        let keys = self.fetch_keys(now).await?;
        Ok(find(&keys, id, algorithm).ok_or(Untrusted("key"))?)
    }

    /// What a token says that this provider signed.
    pub(super) async fn signed<T: DeserializeOwned>(&self, token: &str) -> Result<T, Refusal> {
        let header = decode_header(token).map_err(|_| Untrusted("form"))?;
        if !self.algorithms().contains(&header.alg) || header.crit.is_some() {
            return Err(Untrusted("algorithm").into());
        }
        let key = self.key(header.kid.as_deref(), header.alg).await?;
        Ok(token::signed(token, &key, header.alg)?)
    }

    /// Who this server and its apps are to it.
    pub(super) fn audiences(&self) -> Vec<&str> {
        let config = &self.config;
        [&config.client_id].into_iter().chain(&config.app_client_ids).map(String::as_str).collect()
    }

    /// Reads a token of this provider for this server, or for one of its apps.
    pub(super) async fn read(&self, token: &str, nonce: Nonce<'_>) -> Result<Claims, Refusal> {
        let said = self.signed(token).await?;
        let config = &self.config;
        let issuers = match config.kind {
            // As it once called itself.
            Kind::Google => vec![config.issuer.as_str(), "accounts.google.com"],
            Kind::Oidc | Kind::Apple | Kind::Cognito => vec![config.issuer.as_str()],
        };
        let expected = Expected {
            issuers: &issuers,
            audiences: &self.audiences(),
            nonce,
            says_its_use: config.kind == Kind::Cognito,
            now: self.clock.now(),
        };
        let mut claims = token::judge(said, &expected)?;
        claims.issuer.clone_from(&config.issuer);
        if matches!(config.kind, Kind::Google | Kind::Apple) {
            // Neither has to say it, whatever it is asked. Whom one of them remembers thus counts as proven,
            // which is the best that can be had there.
            claims.proven_at = claims.proven_at.or(Some(expected.now));
        }
        Ok(claims)
    }

    /// Which signatures count: a short list that no token adds to.
    const fn algorithms(&self) -> &'static [Algorithm] {
        match self.config.kind {
            Kind::Google | Kind::Apple | Kind::Cognito => &[Algorithm::RS256],
            Kind::Oidc => &[Algorithm::RS256, Algorithm::ES256],
        }
    }

    /// What a code is worth. `return_to` is where it came, and `verifier` what only who asked for it has;
    /// a code that an app shows has neither.
    pub(super) async fn exchange(
        &self,
        code: &str,
        way: Option<(&str, &str)>,
        client_id: &str,
    ) -> Result<Tokens, NoAnswer> {
        let mut form = vec![("grant_type", "authorization_code"), ("code", code)];
        if let Some((return_to, verifier)) = way {
            form.extend([("redirect_uri", return_to), ("code_verifier", verifier)]);
        }
        let discovery = self.discovery().await?;
        let bytes = self.post(&discovery, &discovery.token_endpoint, form, client_id).await?;
        serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Senseless)
    }

    /// Whether a client is this server itself, which alone has the secret: its apps can keep none.
    fn is_ours(&self, client_id: &str) -> bool {
        client_id == self.config.client_id
    }

    /// Sends a form with the proof of who this server is, as the provider takes it.
    async fn post(
        &self,
        discovery: &Discovery,
        url: &str,
        mut form: Vec<(&str, &str)>,
        client_id: &str,
    ) -> Result<Vec<u8>, NoAnswer> {
        let made;
        let secret = match &self.config.secret {
            ClientSecret::Text(text) if self.is_ours(client_id) => Some(text.as_str()),
            ClientSecret::None | ClientSecret::Text(_) => None,
            ClientSecret::Apple { team_id, key_id, key } => {
                let issuer = &self.config.issuer;
                let now = self.clock.now();
                made = apple::secret(team_id, key_id, key, client_id, issuer, now);
                Some(made.as_deref().ok_or(NoAnswer::Senseless)?)
            }
        };
        let methods = &discovery.token_endpoint_auth_methods_supported;
        let takes = |method: &str| methods.iter().any(|known| known == method);
        let in_form = takes("client_secret_post") && !takes("client_secret_basic");
        let basic = match secret {
            Some(secret) if !in_form && self.config.kind != Kind::Apple => {
                Some((client_id, secret))
            }
            Some(secret) => {
                form.extend([("client_id", client_id), ("client_secret", secret)]);
                None
            }
            None => {
                form.push(("client_id", client_id));
                None
            }
        };
        self.fetch.post_form(url, &form, basic).await
    }

    /// Tells it that it is over: it revokes what it gave, and a pool of Cognito deletes its user. One to
    /// which what it gave is worth nothing any more has nothing to be told, however often it is tried.
    pub(super) async fn end(&self, held: &Held) -> Result<Ending, NoAnswer> {
        if self.config.kind == Kind::Cognito {
            return self.delete_user(held).await;
        }
        let discovery = self.discovery().await?;
        let Some(url) = &discovery.revocation_endpoint else { return Ok(Ending::Theirs) };
        let form = vec![("token", held.token.as_str()), ("token_type_hint", "refresh_token")];
        told(self.post(&discovery, url, form, &held.client_id).await)
    }

    /// As the user's own wish, with their own token: this server has no rights over the pool.
    async fn delete_user(&self, held: &Held) -> Result<Ending, NoAnswer> {
        let api = match &self.config.api {
            Some(api) => api.clone(),
            None => {
                let issuer = askable(&self.config.issuer).ok_or(NoAnswer::Address)?;
                issuer.join("/").map_err(|_| NoAnswer::Address)?.into()
            }
        };
        let given = match &self.config.secret {
            ClientSecret::Text(_) if self.is_ours(&held.client_id) => {
                let token = held.token.as_str();
                let form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
                let discovery = self.discovery().await?;
                self.post(&discovery, &discovery.token_endpoint, form, &held.client_id).await
            }
            ClientSecret::None | ClientSecret::Text(_) | ClientSecret::Apple { .. } => {
                let body = json!({
                    "AuthFlow": "REFRESH_TOKEN_AUTH",
                    "ClientId": held.client_id,
                    "AuthParameters": { "REFRESH_TOKEN": held.token },
                });
                self.fetch.post_cognito(&api, "InitiateAuth", &body).await
            }
        };
        let bytes = match given {
            // The token was revoked or is too old, or the user is gone.
            Err(NoAnswer::Status(400)) => return Ok(Ending::Theirs),
            given => given?,
        };
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Senseless)?;
        let access = &answer["AuthenticationResult"]["AccessToken"];
        let access = access.as_str().or_else(|| answer["access_token"].as_str());
        let body = json!({ "AccessToken": access.ok_or(NoAnswer::Senseless)? });
        told(self.fetch.post_cognito(&api, "DeleteUser", &body).await)
    }

    /// What people read where it lets nobody in; why stands in the log.
    pub(super) fn problem(&self, refusal: Refusal) -> Problem {
        let name = &self.config.name;
        match refusal {
            Refusal::NoAnswer(_) => {
                let text = format!("{name} cannot be reached; try again in a moment");
                Problem::new(ProblemCode::ProviderUnavailable, text)
            }
            Refusal::Untrusted(why) => {
                tracing::warn!(provider = self.config.id, %why, "a sign-in was not believed");
                let text = format!("what {name} sent does not count; begin again");
                Problem::new(ProblemCode::IdentityRefused, text)
            }
        }
    }
}

/// What became of telling a provider, by its answer.
fn told(answer: Result<Vec<u8>, NoAnswer>) -> Result<Ending, NoAnswer> {
    match answer {
        Ok(_) => Ok(Ending::Told),
        Err(NoAnswer::Status(400)) => Ok(Ending::Theirs),
        Err(why) => Err(why),
    }
}

/// The key of this name; where the token names none, the only one that there is.
fn find(keys: &[Jwk], id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let fits = |key: &&Jwk| {
        let for_signatures =
            key.common.public_key_use.as_ref().is_none_or(|of| *of == PublicKeyUse::Signature);
        let of_kind = if let AlgorithmParameters::EllipticCurve(curve) = &key.algorithm {
            algorithm == Algorithm::ES256 && curve.curve == EllipticCurve::P256
        } else {
            let is_rsa = matches!(key.algorithm, AlgorithmParameters::RSA(_));
            is_rsa && algorithm == Algorithm::RS256
        };
        let said = key.common.key_algorithm.map(|said| said.to_string());
        for_signatures && of_kind && said.is_none_or(|said| said == format!("{algorithm:?}"))
    };
    let mut fitting = keys.iter().filter(fits);
    let key = match id {
        Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    };
    DecodingKey::from_jwk(key?).ok()
}
