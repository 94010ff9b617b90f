//! The routes, and the headers that every answer carries.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
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
use crate::websocket;

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) alive: Arc<mpsc::Sender<()>>,
    pub(crate) next_connection: Arc<AtomicU64>,
    pub(crate) assets: Assets,
    pub(crate) origins: Origins,
    pub(crate) census: SharedCensus,
    pub(crate) metrics: Arc<dyn Fn(Census) -> String + Send + Sync>,
    pub(crate) version: &'static str,
}

/// Whom a request comes from, for the routes of [`Config::api`](crate::Config::api); none for this
/// machine's own, since behind a proxy everybody has its address.
#[must_use]
pub fn caller(extensions: &Extensions) -> Option<AddressBlock> {
    extensions.get::<ConnectInfo<From>>()?.0.0
}

/// Everything that is served, with somebody else's routes below `/api`.
pub(crate) fn router(shared: Shared, api: Router) -> Router {
    let own_pages_only = from_fn_with_state(shared.origins.clone(), refuse_foreign_pages);
    Router::new()
        .route("/api/v1/ws", get(open_websocket))
        .route("/api/v1/version", get(version))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/", get(index))
        .route("/r/{room}", get(index))
        .fallback(get(asset))
        .with_state(shared)
        .merge(api.layer(own_pages_only))
        .layer(from_fn(add_headers))
}

async fn refuse_foreign_pages(
    State(origins): State<Origins>,
    request: Request,
    next: Next,
) -> Response {
    if origins.welcome(request.headers()) { next.run(request).await } else { not_ours() }
}

fn not_ours() -> Response {
    let text = "this page is not one of this server's; open the room's link instead";
    (StatusCode::FORBIDDEN, text).into_response()
}

async fn open_websocket(
    State(shared): State<Shared>,
    ConnectInfo(From(from)): ConnectInfo<From>,
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

async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The text format of OpenMetrics, which Prometheus reads.
const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The first three isolate the page, without which a browser has no `SharedArrayBuffer` and the
/// engine cannot run. WebAssembly needs `wasm-unsafe-eval`, and nothing else is evaluated.
const HEADERS: [(&str, &str); 7] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    // The link of a room lets its reader in: it must not travel as a referrer.
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "microphone=(self), camera=(), geolocation=()"),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; \
         connect-src 'self' ws: wss:; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; \
         style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
];
