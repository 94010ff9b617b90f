//! The way of an app that is no browser: it shows the token that the provider gave it.
//!
//! What surprises: a token counts once. Whoever catches one that was used can do nothing with it; an app
//! that wants something else afterwards asks the provider for another.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::config::Kind;
use super::provider::Held;
use super::state::Ticket;
use super::token::Nonce;
use super::vouched::{Vouched, unknown};
use crate::Social;
use crate::account::sign_in::{Begin, Carrier, SignedIn};
use crate::account::words::device_name;
use crate::http::Caller;
use crate::http::cookie::Cookie;
use crate::http::extract::Json;
use crate::limits::NONCE_CHARS_MIN;
use crate::problem::{Problem, ProblemCode};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(cancel))
}

/// What a provider gave an app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdToken {
    /// Which provider: one of those that the server lists.
    provider: String,
    /// Its ID token. It counts once.
    id_token: String,
    /// What the app asked with, 16 random characters or more; the token holds it, or its SHA-256.
    nonce: String,
    /// The code that came with it, if one did: it lets the server tell the provider when it is over. It is
    /// used where somebody is let in, and as good as before where they are not.
    #[serde(default)]
    authorization_code: Option<String>,
    /// The refresh token instead, where the app got one itself.
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Whom the provider vouches for that an app asked.
pub(super) async fn shown_by_app(social: &Social, given: IdToken) -> Result<Vouched, Problem> {
    let provider = social.providers().find(&given.provider)?;
    if given.nonce.chars().count() < NONCE_CHARS_MIN {
        let text = format!("a nonce has {NONCE_CHARS_MIN} random characters or more");
        return Err(Problem::invalid("nonce", text));
    }
    let nonce = match provider.config.kind {
        Kind::Cognito => Nonce::MayLack(&given.nonce),
        Kind::Oidc | Kind::Google | Kind::Apple => Nonce::IsOrHash(&given.nonce),
    };
    let claims = provider.read(&given.id_token, nonce).await;
    let claims = claims.map_err(|refusal| provider.problem(refusal))?;
    let code = given.authorization_code.filter(|_| given.refresh_token.is_none());
    let code = code.map(|code| Held { token: code, client_id: claims.audience.clone() });
    let vouched = Vouched::new(provider, claims, given.refresh_token, &given.id_token);
    Ok(Vouched { code, ..vouched })
}

/// Whom a provider vouches for: as an app shows, or as the cookie of a browser does that came back.
pub(super) async fn shown(
    social: &Social,
    headers: &HeaderMap,
    given: Option<IdToken>,
) -> Result<Vouched, Problem> {
    if let Some(given) = given {
        return shown_by_app(social, given).await;
    }
    let ticket = Cookie::Ticket.read_text(headers);
    let vouched = ticket.and_then(|ticket| Ticket::read(social.key(), &ticket, social.now()));
    vouched.ok_or_else(|| {
        let text = "it is half an hour or more ago that you signed in there; begin again";
        Problem::new(ProblemCode::IdentityRefused, text)
    })
}

/// Who signs in with a provider, from an app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInWithIdentity {
    identity: IdToken,
    /// What to call the device in the list of sessions.
    #[serde(default)]
    device_name: Option<String>,
}

/// Signs an app in with what a provider gave it.
///
/// `identity_unknown` says that there is no account yet. The same token makes one then, once the birth
/// date was asked for. Where an account without a password has to be proven, its `auth_time` counts: an app
/// asks the provider with `max_age` for that.
#[utoipa::path(
    post, path = "/api/v1/social/sessions/identity", tag = "sessions",
    request_body = SignInWithIdentity,
    responses(
        (status = 201, description = "Signed in", body = SignedIn),
        (status = 404, description = "Nobody has an account with it",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn sign_in(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Json(given): Json<SignInWithIdentity>,
) -> Result<Response, Problem> {
    social.rates().sign_in_by_address(&caller)?;
    let vouched = shown_by_app(&social, given.identity).await?;
    let (identity, tx) = vouched.enters(&social, &caller).await?;
    let begin = Begin {
        account: identity.account_id,
        proven_at: vouched.session_proven_at(social.now()),
        carrier: Carrier::Token,
        device: caller.device,
        device_name: device_name(given.device_name.as_deref()),
        identity: Some(identity.id),
    };
    let response = begin.answer(&social, tx, StatusCode::CREATED, &headers).await?;
    vouched.redeem(&social).await;
    Ok(response)
}

/// Who wants their account back, as a provider vouches for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CancellationWithIdentity {
    /// What an app shows; a browser has it in a cookie.
    #[serde(default)]
    identity: Option<IdToken>,
}

/// Takes an erasure back; sign in afterwards.
#[utoipa::path(
    post, path = "/api/v1/social/account/erasure/cancel-with-identity", tag = "rights",
    request_body = CancellationWithIdentity,
    responses(
        (status = 204, description = "The account is as it was"),
        (status = 404, description = "There is no account, or it is not to be erased",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is being erased",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn cancel(
    State(social): State<Social>,
    caller: Caller,
    headers: HeaderMap,
    Json(given): Json<CancellationWithIdentity>,
) -> Result<StatusCode, Problem> {
    social.rates().sign_in_by_address(&caller)?;
    let vouched = shown(&social, &headers, given.identity).await?;
    let found = vouched.account(&social).await?;
    let (account, identity, mut tx) = found.ok_or_else(unknown)?;
    vouched.used(&mut tx).await?;
    // The provider may have been told already; what it gave since is there for the next time.
    tx.renew_identity(identity.id, &vouched.shown(social.key())).await?;
    let done = social.cancel_erasure(tx, &account).await?;
    vouched.redeem(&social).await;
    Ok(done)
}
