//! A provider that says whatever a test wants, and signs it with a real key.

use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use social::account::identity::{ClientSecret, Kind, ProviderConfig};
use social::clock::UnixMs;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::form_urlencoded;

use crate::world::NOW;

/// What it was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

pub(super) struct Double {
    pub(super) issuer: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    issuer: String,
    state: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    key: Vec<u8>,
    key_id: String,
    /// Whether it signs as Google and Apple do.
    is_rsa: bool,
    tokens: Value,
    is_down: bool,
    /// What it answers instead where it is told that it is over.
    refusal: Option<(u16, Value)>,
    asked: Vec<Asked>,
}

pub(super) const SECRET: &str = "s3cret/of the double";
pub(super) const NONCE: &str = "a nonce of an app";

impl Double {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("it has one"));
        let state = Mutex::new(Told { key: fresh_key(), key_id: "one".into(), ..Told::default() });
        let shared = Arc::new(Shared { issuer: issuer.clone(), state });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { issuer, shared, serving }
    }

    pub(super) fn config(&self, id: &str, kind: Kind) -> ProviderConfig {
        let secret = ClientSecret::Text(SECRET.into());
        let usual = ProviderConfig::new(id, kind, "jam", secret);
        let app_client_ids = vec!["app".into()];
        ProviderConfig { issuer: self.issuer.clone(), app_client_ids, ..usual }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.shared.state.lock().expect("not poisoned")
    }

    /// What it gives for the next codes.
    pub(super) fn gives(&self, tokens: Value) {
        self.told().tokens = tokens;
    }

    /// Signs from now on as Google and Apple do.
    pub(super) fn signs_with_rsa(&self) {
        self.told().is_rsa = true;
    }

    pub(super) fn is_down(&self, is_down: bool) {
        self.told().is_down = is_down;
    }

    /// Answers so where it is told that it is over.
    pub(super) fn refuses(&self, status: u16, said: Value) {
        self.told().refusal = Some((status, said));
    }

    pub(super) fn takes_another_key(&self, id: &str) {
        let mut told = self.told();
        (told.key, told.key_id) = (fresh_key(), id.into());
    }

    /// What it was asked at a path, since it was last asked this.
    pub(super) fn asked(&self, path: &str) -> Vec<Asked> {
        let mut told = self.told();
        let (those, others) =
            std::mem::take(&mut told.asked).into_iter().partition(|a| a.path == path);
        told.asked = others;
        those
    }

    /// A token that is good but for these changes.
    pub(super) fn token(&self, subject: &str, changes: Value) -> String {
        self.signed(&self.claims(subject, changes))
    }

    /// A token that says whatever is wanted.
    pub(super) fn signed(&self, claims: &Value) -> String {
        let told = self.told();
        if told.is_rsa { sign_with_rsa(claims) } else { sign(&told.key, &told.key_id, claims) }
    }

    pub(super) fn claims(&self, subject: &str, changes: Value) -> Value {
        let seconds = NOW.0 / 1000;
        let mut claims = json!({
            "iss": self.issuer, "sub": subject, "aud": "jam", "iat": seconds,
            "exp": seconds + 24 * 3600, "nonce": NONCE, "auth_time": seconds,
            "email": format!("{subject}@example.org"), "email_verified": true,
        });
        for (name, value) in changes.as_object().expect("claims") {
            claims[name] = value.clone();
        }
        claims
    }

    /// What an app shows of somebody.
    pub(super) fn shows(&self, provider: &str, subject: &str, changes: Value) -> Value {
        json!({ "provider": provider, "id_token": self.token(subject, changes), "nonce": NONCE })
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub(super) fn fresh_key() -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    pair.to_pkcs8v1().expect("its form").as_ref().to_vec()
}

pub(super) fn sign(key: &[u8], id: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(id.to_owned());
    encode(&header, claims, &EncodingKey::from_ec_der(key)).expect("signed")
}

/// Made once, since that takes a while.
static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));

fn sign_with_rsa(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "rsa" })), part(claims));
    let mut signature = vec![0; RSA.public_modulus_len()];
    let random = SystemRandom::new();
    RSA.sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature).expect("signed");
    format!("{said}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn published_rsa() -> Value {
    let public = RSA.public_key();
    let number = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa",
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    })
}

/// The public half, as a list of keys has it.
fn published(key: &[u8], id: &str) -> Value {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).expect("a key");
    let point = &pair.public_key().as_ref()[1..];
    let half = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id,
        "x": half(&point[..32]), "y": half(&point[32..]),
    })
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 100_000).await.expect("a body");
    let path = parts.uri.path().to_owned();
    let mut told = shared.state.lock().expect("not poisoned");
    let body = String::from_utf8_lossy(&body).into_owned();
    let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    let action = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
    let headers = parts.headers;
    let named = if action.is_empty() { path.clone() } else { action.clone() };
    told.asked.push(Asked { path: named, headers, body });
    if told.is_down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let is_end = path == "/revoke" || action == "InitiateAuth";
    if let Some((status, said)) = told.refusal.as_ref().filter(|_| is_end) {
        let status = StatusCode::from_u16(*status).expect("a status");
        return (status, said.to_string()).into_response();
    }
    let at = |path: &str| format!("{}{path}", shared.issuer);
    let body = match (path.as_str(), action.as_str()) {
        ("/.well-known/openid-configuration", _) => json!({
            "issuer": shared.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "revocation_endpoint": at("/revoke"),
        }),
        ("/keys", _) => json!({
            "keys": [
                { "kty": "unknown", "kid": "x" },
                published(&told.key, &told.key_id),
                if told.is_rsa { published_rsa() } else { json!(null) },
            ],
        }),
        ("/token", _) => told.tokens.clone(),
        ("/revoke", _) | (_, "DeleteUser") => json!({}),
        (_, "InitiateAuth") => json!({ "AuthenticationResult": { "AccessToken": "access" } }),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    body.to_string().into_response()
}

/// The time that the double believes in.
pub(super) const fn seconds(at: UnixMs) -> i64 {
    at.0 / 1000
}
