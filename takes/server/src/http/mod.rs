//! What apps and people talk to: uploads, the state of a take, and its download.
//!
//! Every route wants the take's key, in `Authorization: Bearer` or, where a person follows a link, as
//! `?key=`. Nothing of a request is logged. What surprises: nothing here asks which page a request
//! comes from; whoever serves the routes does that for all of its own.

mod download;
mod gate;
mod upload;

use std::hash::Hash;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use serde::Deserialize;
use std::time::SystemTime;
use takes::{StemId, TakeId};

use crate::handle::Takes;
use crate::id::TakeKey;
use crate::refused::TakeError;
use crate::store::Store;
use gate::Gate;

/// The routes, under `/api/v1/takes`. `caller` tells from a request's extensions which address it
/// comes from, as far as that counts: uploads at once are bounded for each.
pub fn routes<K>(takes: Takes, caller: fn(&Extensions) -> Option<K>) -> Router
where
    K: Eq + Hash + Send + Sync + 'static,
{
    let gate = Arc::new(Gate::default());
    let uploads = Router::new()
        .route("/stems/{stem}", head(upload::offset).patch(upload::append::<K>))
        .route("/stems/{stem}/complete", post(upload::complete::<K>))
        .with_state(upload::Uploads { takes: takes.clone(), gate, caller });
    let take = Router::new()
        .route("/", get(status))
        .route("/take.zip", get(download::download))
        .with_state(takes);
    Router::new().nest("/api/v1/takes/{take}", uploads.merge(take))
}

async fn status(
    State(takes): State<Takes>,
    Path(take): Path<String>,
    Query(query): Query<KeyQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (take, key) = (take_id(&take)?, query.key(&headers)?);
    let status = on_disk(&takes, move |store| store.status(take, &key, SystemTime::now())).await?;
    Ok(json(StatusCode::OK, &status))
}

/// `?key=`.
#[derive(Deserialize)]
struct KeyQuery {
    #[serde(default)]
    key: Option<String>,
}

impl KeyQuery {
    /// The key, wherever it stands.
    fn key(&self, headers: &HeaderMap) -> Result<TakeKey, Refusal> {
        match &self.key {
            Some(key) => key.parse().map_err(|_| Refusal::from(TakeError::WrongKey)),
            None => bearer(headers),
        }
    }
}

/// The key of `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<TakeKey, Refusal> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, key) = value.and_then(|value| value.split_once(' ')).ok_or_else(no_key)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(no_key());
    }
    key.trim().parse().map_err(|_| TakeError::WrongKey.into())
}

fn take_id(text: &str) -> Result<TakeId, Refusal> {
    text.parse().map_err(|_| TakeError::NoTake.into())
}

fn stem_id(text: &str) -> Result<StemId, Refusal> {
    text.parse().map_err(|_| {
        Refusal::new(StatusCode::NOT_FOUND, "a stem is named by 32 of the characters 0-9 and a-f")
    })
}

/// Does something that waits for the disk where waiting holds nobody up.
async fn on_disk<T: Send + 'static>(
    takes: &Takes,
    act: impl FnOnce(&Store) -> Result<T, TakeError> + Send + 'static,
) -> Result<T, Refusal> {
    let store = Arc::clone(takes.store()?);
    match tokio::task::spawn_blocking(move || act(&store)).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed")),
    }
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn no_key() -> Refusal {
    let text = "this needs the take's key: Authorization: Bearer KEY, or ?key=KEY in a link";
    let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, text);
    refusal.header = Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    refusal
}

/// An answer that says why not.
struct Refusal {
    status: StatusCode,
    text: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Refusal {
    fn new(status: StatusCode, text: &str) -> Self {
        Self { status, text: text.to_owned(), header: None }
    }
}

impl From<TakeError> for Refusal {
    fn from(error: TakeError) -> Self {
        let (status, offset) = match &error {
            TakeError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
            TakeError::NoTake | TakeError::NoStem => (StatusCode::NOT_FOUND, None),
            TakeError::WrongKey => (StatusCode::FORBIDDEN, None),
            TakeError::WrongOffset { offset }
            | TakeError::Complete { offset }
            | TakeError::Incomplete { offset, .. } => (StatusCode::CONFLICT, Some(*offset)),
            TakeError::Mismatch { .. } => (StatusCode::CONFLICT, Some(0)),
            TakeError::StemTooLong(_) | TakeError::TooManyStems(_) => {
                (StatusCode::PAYLOAD_TOO_LARGE, None)
            }
            TakeError::NoSpace(_) | TakeError::ExportFailed(_) => {
                (StatusCode::INSUFFICIENT_STORAGE, None)
            }
            TakeError::Disk(error) => {
                tracing::warn!(%error, "the disk of takes fails");
                (StatusCode::INTERNAL_SERVER_ERROR, None)
            }
        };
        let header = offset.map(|offset| (UPLOAD_OFFSET, HeaderValue::from(offset)));
        Self { status, text: error.to_string(), header }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.text).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Where a stem ends.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
