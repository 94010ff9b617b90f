//! Stems as they come over HTTP: where one ends, more of it, and that it is whole.
//!
//! What surprises: a body is written as it comes, in pieces, so that a connection that is cut in the
//! middle of a request has brought what it brought.

use std::hash::Hash;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use takes::{StemId, TakeId};

use super::gate::{Gate, Pass};
use super::{Refusal, UPLOAD_OFFSET, bearer, json, on_disk, stem_id, take_id};
use crate::handle::Takes;
use crate::id::TakeKey;
use crate::limits::{BODY_BYTES_MAX, CHECK_PATIENCE, JSON_BYTES_MAX, PIECE_BYTES};
use crate::record::Claim;
use crate::store::Completion;

/// What the routes of uploads share.
pub(super) struct Uploads<K> {
    pub(super) takes: Takes,
    pub(super) gate: Arc<Gate<K>>,
    pub(super) caller: fn(&Extensions) -> Option<K>,
}

impl<K> Clone for Uploads<K> {
    fn clone(&self) -> Self {
        Self { takes: self.takes.clone(), gate: Arc::clone(&self.gate), caller: self.caller }
    }
}

impl<K: Eq + Hash> Uploads<K> {
    /// Lets an upload in. Without the right key nobody takes the place of others.
    async fn enter(&self, target: Target, from: Option<K>) -> Result<Pass<K>, Refusal> {
        let Target { take, stem: _, key } = target;
        on_disk(&self.takes, move |store| store.try_key(take, &key)).await?;
        self.gate.enter(from).map_err(|_| {
            let text = "too many uploads run at once from this address; try again in a second";
            let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, text);
            refusal.header = Some((header::RETRY_AFTER, HeaderValue::from_static("1")));
            refusal
        })
    }
}

/// Whose stem it is about.
#[derive(Clone, Copy)]
struct Target {
    take: TakeId,
    stem: StemId,
    key: TakeKey,
}

impl Target {
    fn of((take, stem): &(String, String), headers: &HeaderMap) -> Result<Self, Refusal> {
        Ok(Self { take: take_id(take)?, stem: stem_id(stem)?, key: bearer(headers)? })
    }
}

/// Where a stem ends, and whether it is complete.
pub(super) async fn offset<K: Send + Sync + 'static>(
    State(uploads): State<Uploads<K>>,
    Path(path): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Target { take, stem, key } = Target::of(&path, &headers)?;
    let asked = on_disk(&uploads.takes, move |store| store.offset(take, &key, &stem));
    let (offset, is_complete) = asked.await?;
    let complete = HeaderValue::from_static(if is_complete { "?1" } else { "?0" });
    let headers = [(UPLOAD_OFFSET, HeaderValue::from(offset)), (UPLOAD_COMPLETE, complete)];
    Ok(headers.into_response())
}

/// More of a stem.
pub(super) async fn append<K: Eq + Hash + Send + Sync + 'static>(
    State(uploads): State<Uploads<K>>,
    Path(path): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let from = (uploads.caller)(&head.extensions);
    let entered = begin(&uploads, &path, &head.headers, from).await;
    let mut body = Pieces::of(body);
    let appended = match entered {
        Ok((target, offset, _pass)) => append_all(&uploads.takes, target, offset, &mut body).await,
        Err(refusal) => Err(refusal),
    };
    match appended {
        Ok(offset) => {
            let headers = [(UPLOAD_OFFSET, HeaderValue::from(offset))];
            Ok((StatusCode::NO_CONTENT, headers).into_response())
        }
        Err(refusal) => {
            // Whoever still sends would see a broken connection and not the answer.
            body.drain().await;
            Err(refusal)
        }
    }
}

/// What can be told before a byte of the body is here.
async fn begin<K: Eq + Hash>(
    uploads: &Uploads<K>,
    path: &(String, String),
    headers: &HeaderMap,
    from: Option<K>,
) -> Result<(Target, u64, Pass<K>), Refusal> {
    let target = Target::of(path, headers)?;
    let number = |name| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let offset = number(UPLOAD_OFFSET).ok_or_else(|| {
        let text = "this needs the header Upload-Offset: where in the stem the bytes belong";
        Refusal::new(StatusCode::BAD_REQUEST, text)
    })?;
    let length = number(header::CONTENT_LENGTH).unwrap_or(0);
    if u64::try_from(BODY_BYTES_MAX).is_ok_and(|max| max < length) {
        return Err(too_large());
    }
    Ok((target, offset, uploads.enter(target, from).await?))
}

/// Writes the body as it comes; gives where the stem ends then.
async fn append_all(
    takes: &Takes,
    target: Target,
    mut offset: u64,
    body: &mut Pieces,
) -> Result<u64, Refusal> {
    let Target { take, stem, key } = target;
    loop {
        let (piece, is_last) = body.next().await?;
        let write =
            move |store: &crate::store::Store| store.append(take, &key, &stem, offset, &piece);
        offset = on_disk(takes, write).await?;
        if is_last {
            return Ok(offset);
        }
    }
}

/// The app says that a stem is whole.
pub(super) async fn complete<K: Eq + Hash + Send + Sync + 'static>(
    State(uploads): State<Uploads<K>>,
    Path(path): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let from = (uploads.caller)(&head.extensions);
    // First of all: a body that is not read costs its sender the connection.
    let body = axum::body::to_bytes(body, JSON_BYTES_MAX).await;
    let target = Target::of(&path, &head.headers)?;
    let _pass = uploads.enter(target, from).await?;
    let Target { take, stem, key } = target;
    let claim = body.map_err(|_| too_large()).and_then(|body| read_claim(&body))?;
    let done = on_disk(&uploads.takes, move |store| {
        store.complete(take, &key, &stem, &claim, CHECK_PATIENCE)
    });
    match done.await? {
        Completion::Verified => Ok(StatusCode::NO_CONTENT.into_response()),
        Completion::BeingChecked => {
            let text = "the stem is being checked; ask again in a few seconds";
            let body = serde_json::json!({ "state": "checking", "text": text });
            let mut response = json(StatusCode::ACCEPTED, &body);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            Ok(response)
        }
    }
}

fn read_claim(body: &Bytes) -> Result<Claim, Refusal> {
    let claim: Option<Claim> = serde_json::from_slice(body).ok();
    let is_hash =
        |text: &str| text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let claim = claim.filter(|claim| is_hash(&claim.sha256)).ok_or_else(|| {
        let text =
            "this needs {\"length\": bytes, \"sha256\": \"64 hex digits\"} of the whole stem";
        Refusal::new(StatusCode::BAD_REQUEST, text)
    })?;
    Ok(Claim { sha256: claim.sha256.to_ascii_lowercase(), ..claim })
}

/// A body in pieces that are worth a visit to the disk.
struct Pieces {
    chunks: axum::body::BodyDataStream,
    /// What came and is not given yet.
    ahead: Bytes,
    /// Bytes that came.
    came: usize,
}

impl Pieces {
    fn of(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), ahead: Bytes::new(), came: 0 }
    }

    /// The next piece, and whether it is the last one. A connection that is cut gives what it brought.
    async fn next(&mut self) -> Result<(Bytes, bool), Refusal> {
        let mut piece = Vec::new();
        loop {
            let wanted = PIECE_BYTES - piece.len();
            let fits = self.ahead.split_to(wanted.min(self.ahead.len()));
            piece.extend_from_slice(&fits);
            if piece.len() == PIECE_BYTES {
                return Ok((piece.into(), false));
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => {
                    self.came = self.came.saturating_add(chunk.len());
                    if BODY_BYTES_MAX < self.came {
                        return Err(too_large());
                    }
                    self.ahead = chunk;
                }
                Some(Err(_)) | None => return Ok((piece.into(), true)),
            }
        }
    }

    /// Reads what is left of a body that is not too large.
    async fn drain(&mut self) {
        while self.came <= BODY_BYTES_MAX {
            let Some(Ok(chunk)) = self.chunks.next().await else { return };
            self.came = self.came.saturating_add(chunk.len());
        }
    }
}

fn too_large() -> Refusal {
    let text = format!("a request may bring {BODY_BYTES_MAX} bytes of a stem; send less at once");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, &text)
}

/// Whether a stem is complete, as a structured header's `?1` or `?0`.
const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
