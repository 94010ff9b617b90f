//! The way of a browser to a provider.
//!
//! What surprises: the provider is told a `state` that holds everything which is needed on the way back
//! ([`Flow`]), so that a sign-in that is begun and never finished costs this server nothing.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::config::Kind;
use super::provider::Provider;
use super::state::{Act, Flow};
use crate::Social;
use crate::http::cookie::Cookie;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, Caller, MaybeActor, PREFIX};
use crate::limits::{IDENTITY_FLOW_LIFE, PROOF_LIFE};
use crate::problem::{Problem, ProblemCode};
use crate::secret::{ServerKey, Token};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(providers)).routes(routes!(begin))
}

/// With whom somebody can sign in.
#[derive(Debug, Serialize, ToSchema)]
struct ProviderBody {
    /// What it is called in paths.
    id: String,
    /// What people call it.
    name: String,
}

/// Lists with whom somebody can sign in here, beside a password.
#[utoipa::path(
    get, path = "/api/v1/social/identity/providers", tag = "sessions",
    responses((status = 200, description = "As whoever runs the server listed them",
        body = Vec<ProviderBody>))
)]
async fn providers(State(social): State<Social>) -> Json<Vec<ProviderBody>> {
    let body = |provider: &Provider| ProviderBody {
        id: provider.config.id.clone(),
        name: provider.config.name.clone(),
    };
    Json(social.providers().0.iter().map(body).collect())
}

/// What a browser goes to a provider for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Purpose {
    /// To be signed in, or to make an account.
    SignIn,
    /// To sign in with it from now on too.
    Link,
    /// To show once more who they are, where a password would be asked for that they do not have.
    Prove,
}

/// A browser that goes to a provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Departure {
    purpose: Purpose,
    /// The page to go to afterwards: a path of this server's.
    #[serde(default)]
    next: Option<String>,
    /// The account's, to link another sign-in with it; an account without one was proven lately.
    #[serde(default)]
    #[schema(format = "password")]
    current_password: Option<String>,
}

/// Where a browser goes.
#[derive(Debug, Serialize, ToSchema)]
struct Destination {
    /// The provider's own page.
    url: String,
}

/// Tells a page of this server's where to lead its browser, which gets a cookie for the way back.
#[utoipa::path(
    post, path = "/api/v1/social/identity/{provider}/begin", tag = "sessions",
    request_body = Departure,
    params(("provider" = String, Path, description = "The provider")),
    responses((status = 200, description = "There", body = Destination))
)]
async fn begin(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(given): Json<Departure>,
) -> Result<Response, Problem> {
    social.rates().sign_in_by_address(&caller)?;
    let provider = social.providers().find(&id)?;
    let origin = origin(&headers)?;
    let next = given.next.filter(|next| is_own_path(next));
    let signed_in = || actor.ok_or_else(|| Problem::new(ProblemCode::NotSignedIn, "sign in first"));
    let act = match given.purpose {
        Purpose::SignIn => Act::SignIn,
        Purpose::Link => {
            let Actor { account, session, .. } = signed_in()?;
            social.prove(signed_in()?, given.current_password).await?;
            Act::Link { account, session }
        }
        Purpose::Prove => {
            let Actor { account, session, .. } = signed_in()?;
            Act::Prove { account, session }
        }
    };
    // Of two tabs, the second must not take the way back from the first.
    let browser = Cookie::Flow.read(&headers).unwrap_or_else(Token::fresh);
    let expires_at = social.now().after(IDENTITY_FLOW_LIFE);
    let flow = Flow::new(&id, act, &origin, next, &browser, expires_at);
    let discovery = provider.discovery().await.map_err(|why| provider.problem(why.into()))?;
    let url = destination(provider, &discovery.authorization_endpoint, &flow, social.key());
    let url = url.ok_or_else(Problem::internal)?.into();
    let mut response = Json(Destination { url }).into_response();
    let cookie = Cookie::Flow.write(&browser, IDENTITY_FLOW_LIFE.as_secs(), &headers);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The page of a provider that answers what a browser goes there for.
pub(super) fn destination(
    provider: &Provider,
    at: &str,
    flow: &Flow,
    key: &ServerKey,
) -> Option<Url> {
    let config = &provider.config;
    let mut url = Url::parse(at).ok()?;
    let scope = config.scopes.join(" ");
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &config.client_id)
        .append_pair("redirect_uri", &return_to(flow))
        .append_pair("scope", &scope)
        .append_pair("state", &flow.text(key))
        .append_pair("nonce", &flow.nonce())
        .append_pair("code_challenge", &flow.challenge())
        .append_pair("code_challenge_method", "S256");
    let proves = matches!(flow.act, Act::Prove { .. });
    match config.kind {
        Kind::Apple => {
            query.append_pair("response_mode", "form_post");
        }
        Kind::Google => {
            // What is shown to it when it is over comes only so, and with a consent.
            query.append_pair("access_type", "offline");
            match flow.act {
                // Who needs to be asked is known when they come back.
                Act::SignIn if !flow.is_again => {}
                Act::SignIn | Act::Link { .. } | Act::Consent { .. } => {
                    query.append_pair("prompt", "consent");
                }
                Act::Prove { .. } => {
                    query.append_pair("prompt", "select_account");
                }
            }
        }
        Kind::Oidc | Kind::Cognito if proves => {
            query.append_pair("prompt", "login");
            query.append_pair("max_age", &PROOF_LIFE.as_secs().to_string());
        }
        Kind::Oidc if config.scopes.iter().any(|scope| scope == "offline_access") => {
            // OpenID Connect 11: it is not given without asking.
            query.append_pair("prompt", "consent");
        }
        Kind::Oidc | Kind::Cognito => {}
    }
    drop(query);
    Some(url)
}

pub(super) fn return_to(flow: &Flow) -> String {
    format!("{}{PREFIX}/identity/{}/callback", flow.origin, flow.provider)
}

/// The site of the page that asks, as its browser says it.
fn origin(headers: &HeaderMap) -> Result<String, Problem> {
    let said = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let is_web = |origin: &&str| {
        Url::parse(origin).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.origin().ascii_serialization() == *origin
        })
    };
    said.filter(is_web).map(str::to_owned).ok_or_else(|| {
        let text = "only a page in a browser begins so; an app asks the provider itself, and shows what \
                    it gave to /sessions/identity";
        Problem::new(ProblemCode::BadRequest, text)
    })
}

/// Whether it is a path of ours that a page may name: never another site.
fn is_own_path(path: &str) -> bool {
    let rest = path.strip_prefix('/');
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    rest.is_some_and(|rest| !rest.starts_with('/') && rest.bytes().all(is_plain))
        && path.len() <= PATH_BYTES_MAX
}

/// Bytes of a path of ours.
const PATH_BYTES_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for good in ["/", "/account", "/account/data", "/r/duo-1_2.x"] {
            assert!(is_own_path(good), "{good}");
        }
        let long = format!("/{}", "a".repeat(PATH_BYTES_MAX));
        for wrong in
            ["", "account", "//evil.example", "/\\evil.example", "/a?b", "/a#b", "/a b", &long]
        {
            assert!(!is_own_path(wrong), "{wrong}");
        }
    }

    #[test]
    fn only_a_site_can_begin() {
        let said = |text: &'static str| {
            origin(&HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(text))]))
        };
        for good in ["https://jam.example", "http://127.0.0.1:7880"] {
            assert_eq!(said(good).as_deref(), Ok(good));
        }
        for wrong in ["null", "https://jam.example/x", "file://", "https://jam.example:443"] {
            assert!(said(wrong).is_err(), "{wrong}");
        }
        assert!(origin(&HeaderMap::new()).is_err());
    }
}
