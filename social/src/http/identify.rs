//! Who asks: the session of a request, its device and its address, and whether they may.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::access;
use super::cookie::Cookie;
use crate::Social;
use crate::account::Role;
use crate::id::{AccountId, SessionId};
use crate::problem::{Problem, ProblemCode};
use crate::rate::RateKey;
use crate::secret::Token;

/// Whoever is signed in. As an argument of a handler, it is there: the table of `access` says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Their account.
    pub account: AccountId,
    /// The session they ask in.
    pub session: SessionId,
    /// What they may do.
    pub role: Role,
}

/// Whoever is signed in, if anybody is.
#[derive(Debug, Clone, Copy)]
pub struct MaybeActor(pub Option<Actor>);

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Its address, as rates are counted; none where it comes from this machine.
    pub address: Option<RateKey>,
    /// The device that it says it is.
    pub device: Option<Token>,
}

/// Tells the address of a request, as rates are counted.
pub(super) type Whom = dyn Fn(&Extensions) -> Option<RateKey> + Send + Sync;

#[derive(Clone)]
pub(super) struct Identity {
    pub(super) social: Social,
    pub(super) whom: Arc<Whom>,
}

pub(super) async fn identify(
    State(Identity { social, whom }): State<Identity>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let Some(path) = path.filter(|path| !is_nothing(path)) else {
        return next.run(request).await;
    };
    let path = path.to_owned();
    let caller = Caller { address: whom(request.extensions()), device: device(request.headers()) };
    let actor = match actor(&social, request.method(), request.headers()).await {
        Ok(actor) => actor,
        Err(problem) => return problem.into_response(),
    };
    // A method that the route does not have is answered by the route.
    let known = access::TABLE.iter().any(|(_, at, _)| *at == path);
    if !known || access::of(request.method(), &path).is_some() {
        let role = actor.map(|actor| actor.role);
        if let Err(problem) = access::authorize(request.method(), &path, role) {
            return problem.into_response();
        }
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(MaybeActor(actor));
    next.run(request).await
}

/// Whether it is one of the paths that answer that there is no such route.
fn is_nothing(path: &str) -> bool {
    let below = path.strip_prefix(super::PREFIX);
    below.is_some_and(|rest| matches!(rest, "" | "/" | "/{*rest}"))
}

/// Whoever is signed in with the token that stands in the header, or in the cookie.
async fn actor(
    social: &Social,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Actor>, Problem> {
    let token = match headers.get(header::AUTHORIZATION) {
        Some(value) => Some(bearer(value)?),
        None if headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) => Some(subprotocol(headers)?),
        None => match Cookie::Session.read(headers) {
            Some(token) => {
                refuse_foreign(method, headers)?;
                Some(token)
            }
            None => None,
        },
    };
    let Some(token) = token else { return Ok(None) };
    social.session(&token).await
}

fn bearer(value: &header::HeaderValue) -> Result<Token, Problem> {
    let words = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = words.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.and_then(|(_, token)| Token::parse(token.trim())).ok_or_else(|| {
        let text = "this is no session's token; send Authorization: Bearer TOKEN, or none";
        Problem::new(ProblemCode::NotSignedIn, text)
    })
}

/// The token of a WebSocket whose client cannot send a header, as one of the subprotocols it asks for.
fn subprotocol(headers: &HeaderMap) -> Result<Token, Problem> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let asked = values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let mut tokens = asked.filter_map(|asked| asked.trim().strip_prefix("bearer."));
    tokens.next().and_then(Token::parse).ok_or_else(|| {
        let text = "this names no session's token; ask for the subprotocols vjam and bearer.TOKEN, \
                    or for none";
        Problem::new(ProblemCode::NotSignedIn, text)
    })
}

/// A browser sends cookies along whoever made it ask. What changes something must say that a page of
/// this server asks: `Origin`, which the server compares with its own, or the browser's word.
fn refuse_foreign(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let site = headers.get("sec-fetch-site").map(header::HeaderValue::as_bytes);
    let ours = match site {
        Some(site) => site == b"same-origin",
        None => headers.contains_key(header::ORIGIN),
    };
    if ours || matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let text = "a cookie counts only for requests of this server's own pages; programs send the \
                session's token as Authorization: Bearer instead";
    Err(Problem::new(ProblemCode::ForeignPage, text))
}

/// The device's token: a browser has it in a cookie, an app sends it as a header.
fn device(headers: &HeaderMap) -> Option<Token> {
    let header = headers.get(DEVICE_HEADER).and_then(|value| value.to_str().ok());
    header.and_then(Token::parse).or_else(|| Cookie::Device.read(headers))
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<MaybeActor>().and_then(|actor| actor.0);
        actor.ok_or_else(|| Problem::new(ProblemCode::NotSignedIn, "sign in first"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeActor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(None)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // `identify` runs before every route that takes one.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::internal)
    }
}

/// Where an app that is no browser says which device it is.
pub const DEVICE_HEADER: &str = "vjam-device";

/// The subprotocol of the WebSocket. Beside it a client asks for `bearer.TOKEN`, where it cannot send a
/// header.
pub const LIVE_PROTOCOL: &str = "vjam";
