//! The routes, and the headers that every answer carries.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use signalling::{AddressBlock, ConnectionId};
use tokio::sync::mpsc;

use crate::assets::{Assets, content_type};
use crate::census::{Census, SharedCensus};
use crate::core_task::Input;
use crate::limits::WEBSOCKET_MESSAGE_BYTES_MAX;
use crate::listener::From;
use crate::origin::Origins;
use crate::proxies::{Proxies, look_behind};
use crate::websocket;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) alive: Arc<mpsc::Sender<()>>,
    pub(crate) next_connection: Arc<AtomicU64>,
    pub(crate) assets: Assets,
    pub(crate) origins: Origins,
    pub(crate) open_to_pages: fn(&Method, &str) -> bool,
    pub(crate) census: SharedCensus,
    pub(crate) metrics: Arc<dyn Fn(Census) -> String + Send + Sync>,
    pub(crate) version: &'static str,
}

/// Whom a request comes from, for the routes of [`Config::api`](crate::Config::api): behind a proxy of
/// [`Config::trusted_proxies`](crate::Config::trusted_proxies), whoever asked there. None for this
/// machine's own.
#[must_use]
pub fn caller(extensions: &Extensions) -> Option<AddressBlock> {
    extensions.get::<ConnectInfo<From>>()?.0.block
}

/// Everything that is served, with somebody else's routes below `/api`: those for own pages, and those for
/// any page.
pub(crate) fn router(
    shared: Shared,
    (api, open_api): (Router, Router),
    proxies: Proxies,
    page_policy: HeaderValue,
) -> Router {
    let pages = Pages { origins: shared.origins.clone(), open: shared.open_to_pages };
    let own_pages_only = from_fn_with_state(pages, refuse_foreign_pages);
    Router::new()
        .route("/api/v1/ws", get(open_websocket))
        .route("/api/v1/version", get(version))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/", get(index))
        .route("/r/{room}", get(index))
        .route("/account", get(index))
        .route("/account/{page}", get(index))
        .route("/account/{page}/{of}", get(index))
        .route("/privacy", get(index))
        .fallback(get(asset))
        .with_state(shared)
        .merge(api.layer(own_pages_only))
        .merge(open_api)
        .layer(from_fn_with_state(proxies, look_behind))
        .layer(from_fn_with_state(page_policy, add_headers))
}

/// Whose pages may ask for what.
#[derive(Clone)]
struct Pages {
    origins: Origins,
    open: fn(&Method, &str) -> bool,
}

async fn refuse_foreign_pages(
    State(pages): State<Pages>,
    request: Request,
    next: Next,
) -> Response {
    let is_open = (pages.open)(request.method(), request.uri().path());
    if is_open || pages.origins.welcome(request.headers()) {
        next.run(request).await
    } else {
        not_ours()
    }
}

fn not_ours() -> Response {
    let text = "this page is not one of this server's; open the room's link instead";
    (StatusCode::FORBIDDEN, text).into_response()
}

async fn open_websocket(
    State(shared): State<Shared>,
    ConnectInfo(From { block: from, .. }): ConnectInfo<From>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !shared.origins.welcome(&headers) {
        return not_ours();
    }
    upgrade
        .max_message_size(WEBSOCKET_MESSAGE_BYTES_MAX)
        .max_frame_size(WEBSOCKET_MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            // Relaxed: only the number itself matters.
            let id = ConnectionId(shared.next_connection.fetch_add(1, Ordering::Relaxed));
            websocket::serve(socket, id, from, shared.inputs, shared.alive).await;
        })
}

async fn version(State(shared): State<Shared>) -> Response {
    let body = serde_json::json!({
        "protocol": protocol::signal::VERSION,
        "server": "vjam",
        "version": shared.version,
    });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Whether whoever comes next would be let in: for proxies that choose among servers.
async fn ready(State(shared): State<Shared>) -> Response {
    if shared.census.read().takes_rooms {
        "ready".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "full, or stopping").into_response()
    }
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let text = (shared.metrics)(shared.census.read());
    ([(header::CONTENT_TYPE, METRICS_CONTENT_TYPE)], text).into_response()
}

async fn index(State(shared): State<Shared>) -> Response {
    find(&shared.assets, "index.html")
}

async fn asset(State(shared): State<Shared>, request: Request) -> Response {
    find(&shared.assets, request.uri().path().trim_start_matches('/'))
}

fn find(assets: &Assets, path: &str) -> Response {
    match assets(path) {
        Some(asset) => {
            let headers = [
                (header::CONTENT_TYPE, content_type(path)),
                (header::CACHE_CONTROL, asset.caching.header()),
            ];
            let bytes = match asset.bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            (headers, bytes).into_response()
        }
        None => (StatusCode::NOT_FOUND, "there is nothing here").into_response(),
    }
}

async fn add_headers(
    State(page_policy): State<HeaderValue>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // A route may be stricter with what it serves: a file of somebody's is no page of ours.
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(page_policy);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The text format of OpenMetrics, which Prometheus reads.
const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the page may do, which asks others than this server and shows their pictures only where these
/// origins are named. WebAssembly needs `wasm-unsafe-eval`, and nothing else is evaluated.
pub(crate) fn page_policy(asked_elsewhere: &[String]) -> HeaderValue {
    // A text that would end one part of it and begin another names no origin.
    let is_origin =
        |text: &&String| text.bytes().all(|b| b.is_ascii_graphic() && !b";,".contains(&b));
    let elsewhere: String =
        asked_elsewhere.iter().filter(is_origin).map(|origin| format!(" {origin}")).collect();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
         connect-src 'self' ws: wss:{elsewhere}; img-src 'self' data: blob:{elsewhere}; \
         media-src 'self' blob: mediastream:; style-src 'self' 'unsafe-inline'; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("it is printable ASCII")
}

/// The first three isolate the page, without which a browser has no `SharedArrayBuffer` and the
/// engine cannot run.
const HEADERS: [(&str, &str); 6] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    // The link of a room lets its reader in: it must not travel as a referrer.
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
];
