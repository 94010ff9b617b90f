//! What the app talks to: routes below `/api/v1/social`, and their description at `/openapi.json`.
//!
//! Who asks is found out once, before any route (`identify`), and whether they may is decided at one
//! place (`access`): a route that its table does not name is refused to everybody. What surprises:
//! which web page a request comes from is asked by whoever serves these routes, for all of them;
//! `identify` only asks for what cookies need beside that.

pub mod access;
pub mod cookie;
mod cors;
pub mod extract;
mod identify;
mod openapi;

use std::hash::Hash;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use utoipa_axum::router::OpenApiRouter;

use crate::Social;
use crate::limits::JSON_BYTES_MAX;
use crate::problem::{Problem, ProblemCode};
use crate::rate::RateKey;

pub use identify::{Actor, Caller, DEVICE_HEADER, LIVE_PROTOCOL, MaybeActor};

/// Puts the prefix of all routes before a path.
macro_rules! concat_prefix {
    ($path:literal) => {
        concat!("/api/v1/social", $path)
    };
}
/// The routes. `caller` tells from a request's extensions which address it comes from, as far as
/// that counts: rates are counted for each.
pub fn routes<K>(social: Social, caller: fn(&Extensions) -> Option<K>) -> Router
where
    K: Hash + Send + Sync + 'static,
{
    let key = social.key().clone();
    let whom = move |extensions: &Extensions| {
        caller(extensions).map(|caller| RateKey::of_hash(&key, "address", &caller))
    };
    let identity = identify::Identity { social: social.clone(), whom: Arc::new(whom) };
    let description: Arc<str> = description().into();
    let (router, _) = own_pages().split_for_parts();
    let router = router
        .route("/openapi.json", get(async move || openapi::answer(&description)))
        .route(PREFIX, any(nothing))
        .route(concat_prefix!("/"), any(nothing))
        .route(concat_prefix!("/{*rest}"), any(nothing))
        .method_not_allowed_fallback(other_method)
        .with_state(social);
    router
        .layer(from_fn_with_state(identity, identify::identify))
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
}

/// The routes that pages of anybody may ask, and apps that are such a page: those that take reports of
/// crashes. Who asks is told as in [`routes`]. Nobody asks here which page a cookie comes from: all
/// that it does is to keep a report from being kept, where somebody objected.
pub fn open_routes<K>(social: Social, caller: fn(&Extensions) -> Option<K>) -> Router
where
    K: Hash + Send + Sync + 'static,
{
    let key = social.key().clone();
    let whom = move |extensions: &Extensions| {
        caller(extensions).map(|caller| RateKey::of_hash(&key, "address", &caller))
    };
    let identity = identify::Identity { social: social.clone(), whom: Arc::new(whom) };
    let (router, _) = any_page().split_for_parts();
    router
        .method_not_allowed_fallback(other_method)
        .with_state(social)
        .layer(from_fn_with_state(identity, identify::identify))
        .layer(from_fn(cors::answer))
}

/// The routes of a server that has no accounts: each answers why.
pub fn routes_of_none(reason: &'static str) -> Router {
    let none = async move || Problem::new(ProblemCode::Unavailable, reason);
    let description: Arc<str> = description().into();
    Router::new()
        .route("/openapi.json", get(async move || openapi::answer(&description)))
        .route(PREFIX, any(none))
        .route(concat_prefix!("/"), any(none))
        .route(concat_prefix!("/{*rest}"), any(none))
}

/// The description of all routes, as `/openapi.json` answers it.
#[must_use]
pub fn description() -> String {
    openapi::complete(own_pages().merge(any_page()).split_for_parts().1)
}

fn any_page() -> OpenApiRouter<Social> {
    crate::crash::intake()
}

fn own_pages() -> OpenApiRouter<Social> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(crate::account::routes())
        .merge(crate::usage::routes())
        .merge(crate::crash::routes())
        .merge(crate::policy::routes())
        .merge(crate::people::routes())
        .merge(crate::chat::routes())
        .merge(crate::live::routes())
        .merge(crate::files::routes())
        .merge(crate::gifs::routes())
        .merge(crate::export::routes())
        .merge(crate::rooms::routes())
        .merge(crate::push::routes())
}

/// Whether a page of another site may lead a browser to a route with this method: a provider that people
/// sign in with does, back to here with a form. The route believes only what this server made.
#[must_use]
pub fn is_open_to_pages(method: &Method, path: &str) -> bool {
    let provider = path.strip_prefix(concat_prefix!("/identity/"));
    let provider = provider.and_then(|rest| rest.strip_suffix("/callback"));
    *method == Method::POST && provider.is_some_and(|provider| !provider.contains('/'))
}

async fn nothing() -> Problem {
    let text = "there is no such route; /openapi.json describes those that there are";
    Problem::new(ProblemCode::NotFound, text)
}

async fn other_method() -> Problem {
    let text = "this route takes other methods; /openapi.json says which";
    Problem::new(ProblemCode::MethodNotAllowed, text)
}

/// What the paths of all routes but `/openapi.json` begin with.
pub const PREFIX: &str = "/api/v1/social";
