//! A file on its way: begun, sent in parts, and resumed from where it broke off.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Remove;
use super::kind::{HEAD_BYTES, MediaKind};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, ObjectId, UploadId};
use crate::limits::{
    FILE_BYTES_MAX, FILE_NAME_CHARS_MAX, PART_BYTES_MAX, PART_WAIT_MAX, PICTURE_BYTES_MAX,
    UPLOAD_LIFE, UPLOADS_MAX,
};
use crate::objects::{ObjectKey, ObjectKind};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Conn, NewPart, Upload};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(upload, send, cancel))
}

/// A file that is to come.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUpload {
    /// What it is called: up to 200 characters, which say nothing of what it is.
    name: String,
    /// Bytes that it will have.
    #[schema(minimum = 1)]
    size: i64,
}

/// A file on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
struct UploadBody {
    /// Also the id of the file that it becomes.
    id: UploadId,
    name: String,
    /// Bytes that it will have.
    size: i64,
    /// Bytes that are here: the next part begins there.
    offset: i64,
    /// When it is deleted, unless it is complete.
    expires_at: UnixMs,
}

impl UploadBody {
    fn of(upload: Upload) -> Self {
        let Upload { id, name, size_bytes, received_bytes, expires_at, .. } = upload;
        Self { id, name, size: size_bytes, offset: received_bytes, expires_at }
    }
}

/// Begins a file.
#[utoipa::path(
    post, path = "/api/v1/social/uploads", tag = "files", request_body = NewUpload,
    responses(
        (status = 201, description = "Send it in parts", body = UploadBody),
        (status = 413, description = "It is larger than a file may be, or there is no room for it",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn begin(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<NewUpload>,
) -> Result<(StatusCode, Json<UploadBody>), Problem> {
    let name = file_name(&given.name)?;
    if given.size < 1 {
        return Err(Problem::invalid("size", "a file has at least one byte"));
    }
    if FILE_BYTES_MAX < given.size {
        let text = format!("a file may have {FILE_BYTES_MAX} bytes at most");
        return Err(Problem::new(ProblemCode::TooLarge, text));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    tx.lock_account(actor.account).await?;
    if UPLOADS_MAX <= tx.uploads_of(actor.account).await? {
        let text =
            format!("{UPLOADS_MAX} files are on their way already; complete one, or cancel it");
        return Err(Problem::new(ProblemCode::TooManyUploads, text));
    }
    check_quota(&social, &mut tx, actor.account, given.size).await?;
    let upload = Upload {
        id: UploadId::fresh(now),
        account: actor.account,
        name,
        size_bytes: given.size,
        received_bytes: 0,
        kind: None,
        expires_at: now.after(UPLOAD_LIFE),
    };
    tx.add_upload(&upload, now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(UploadBody::of(upload))))
}

/// Tells how much of a file is here.
#[utoipa::path(
    get, path = "/api/v1/social/uploads/{upload}", tag = "files",
    params(("upload" = UploadId, Path, description = "Which one")),
    responses((status = 200, description = "How much is here", body = UploadBody))
)]
async fn upload(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<UploadId>,
) -> Result<(HeaderMap, Json<UploadBody>), Problem> {
    let upload = find(&social, &mut social.db().read().await?, id, actor).await?;
    Ok(answer(upload))
}

/// Sends the next part of a file, of up to 8 MiB, and at least the first 64 bytes at once.
#[utoipa::path(
    patch, path = "/api/v1/social/uploads/{upload}", tag = "files",
    params(
        ("upload" = UploadId, Path, description = "Which one"),
        ("upload-offset" = i64, Header, description = "The byte of the file that this begins with"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "It is kept", body = UploadBody),
        (status = 409, description = "Another part belongs there",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn send(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
    body: Body,
) -> Result<(HeaderMap, Json<UploadBody>), Problem> {
    let upload = find(&social, &mut social.db().read().await?, id, actor).await?;
    let start = offset(&headers)?;
    if start != upload.received_bytes {
        return Err(wrong_offset(start, upload.received_bytes));
    }
    let _place = social.places().part(actor.account)?;
    let received = tokio::time::timeout(PART_WAIT_MAX, receive(&upload, body)).await;
    let (bytes, kind) = received.map_err(|_| too_slow())??;
    let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let now = social.now();
    let object = ObjectId::fresh(now);
    let key = ObjectKey::new(ObjectKind::Part, object);
    social.objects().put_bytes(key, "application/octet-stream", bytes.into()).await?;
    let part = NewPart { start_bytes: start, size_bytes, object, kind };
    let mut tx = social.db().begin().await?;
    if !tx.add_part(id, &part).await? {
        drop(tx);
        let mut tx = social.db().begin().await?;
        Remove::schedule(&mut tx, &[key], now).await?;
        tx.commit().await?;
        let upload = find(&social, &mut social.db().read().await?, id, actor).await?;
        return Err(wrong_offset(start, upload.received_bytes));
    }
    tx.commit().await?;
    Ok(answer(Upload { received_bytes: start + size_bytes, ..upload }))
}

/// Gives a file up that is on its way.
#[utoipa::path(
    delete, path = "/api/v1/social/uploads/{upload}", tag = "files",
    params(("upload" = UploadId, Path, description = "Which one")),
    responses((status = 204, description = "It is gone"))
)]
async fn cancel(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<UploadId>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    find(&social, &mut tx, id, actor).await?;
    let parts = tx.end_upload(id).await?.unwrap_or_default();
    Remove::schedule(&mut tx, &parts, social.now()).await?;
    tx.commit().await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn find(
    social: &Social,
    conn: &mut Conn,
    id: UploadId,
    actor: Actor,
) -> Result<Upload, Problem> {
    let upload = conn.upload(id, actor.account, social.now()).await?;
    upload.ok_or_else(|| Problem::not_found("file on its way"))
}

/// That somebody's files have room for so many bytes more.
pub(super) async fn check_quota(
    social: &Social,
    conn: &mut Conn,
    account: AccountId,
    more: i64,
) -> Result<(), Problem> {
    let used = conn.bytes_of(account).await?;
    let quota = social.quota_bytes();
    if used.saturating_add(more) <= quota {
        return Ok(());
    }
    let text = format!(
        "your files have {used} bytes of the {quota} that they may have; delete some to make room"
    );
    Err(Problem::new(ProblemCode::QuotaExceeded, text))
}

/// The bytes of a part, and what the file is: refused as soon as either is known to be wrong.
async fn receive(upload: &Upload, body: Body) -> Result<(Vec<u8>, MediaKind), Problem> {
    let left = upload.size_bytes - upload.received_bytes;
    let most = usize::try_from(left).unwrap_or(usize::MAX).min(PART_BYTES_MAX);
    let head = HEAD_BYTES.min(most);
    let mut kind = upload.kind;
    let mut bytes = Vec::new();
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.try_next().await.map_err(|_| broken())? {
        if most < bytes.len() + piece.len() {
            let text = format!("a part may have {PART_BYTES_MAX} bytes, and this file {left} more");
            return Err(Problem::new(ProblemCode::TooLarge, text));
        }
        bytes.extend_from_slice(&piece);
        if kind.is_none() && head <= bytes.len() {
            kind = Some(allowed(upload, &bytes[..head])?);
        }
    }
    match kind {
        Some(kind) if !bytes.is_empty() => Ok((bytes, kind)),
        Some(_) => Err(Problem::new(ProblemCode::BadRequest, "a part has at least one byte")),
        None => {
            let text =
                format!("the first part has at least {head} bytes, by which a file is known");
            Err(Problem::new(ProblemCode::BadRequest, text))
        }
    }
}

fn allowed(upload: &Upload, head: &[u8]) -> Result<MediaKind, Problem> {
    let Some(kind) = MediaKind::of(head) else {
        let text = "this is no kind of file that is kept here: of sound, WAV, FLAC, MP3, Ogg, M4A, \
                    AAC and WebM are, of pictures JPEG, PNG, WebP and GIF";
        return Err(Problem::new(ProblemCode::KindNotAllowed, text));
    };
    if !kind.is_audio() && PICTURE_BYTES_MAX < upload.size_bytes {
        let text = format!("a picture may have {PICTURE_BYTES_MAX} bytes at most");
        return Err(Problem::new(ProblemCode::TooLarge, text));
    }
    Ok(kind)
}

fn offset(headers: &HeaderMap) -> Result<i64, Problem> {
    let text = headers.get(OFFSET).and_then(|value| value.to_str().ok());
    let offset = text.and_then(|text| text.parse().ok()).filter(|offset| 0 <= *offset);
    offset.ok_or_else(|| {
        let text = "send Upload-Offset: the byte of the file that this part begins with";
        Problem::new(ProblemCode::BadRequest, text)
    })
}

fn wrong_offset(start: i64, received: i64) -> Problem {
    let text = format!(
        "this part begins at byte {start}, and {received} bytes are here; send what comes next"
    );
    Problem::new(ProblemCode::WrongOffset, text)
}

fn broken() -> Problem {
    Problem::new(ProblemCode::BadRequest, "the part ended early; send it again")
}

fn too_slow() -> Problem {
    let text =
        format!("the part took longer than {} s; send a smaller one", PART_WAIT_MAX.as_secs());
    Problem::new(ProblemCode::BadRequest, text)
}

fn answer(upload: Upload) -> (HeaderMap, Json<UploadBody>) {
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, HeaderValue::from(upload.received_bytes));
    (headers, Json(UploadBody::of(upload)))
}

/// A name to show: no path, and nothing that a terminal or a header would take for a command.
fn file_name(given: &str) -> Result<String, Problem> {
    let name = given.trim();
    let is_good = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    if name.is_empty() || FILE_NAME_CHARS_MAX < name.chars().count() || !name.chars().all(is_good) {
        let text = format!(
            "a file's name has 1 to {FILE_NAME_CHARS_MAX} characters, without '/', '\\' or breaks"
        );
        return Err(Problem::invalid("name", text));
    }
    Ok(name.to_owned())
}

/// Where a request says which byte its part begins with, and an answer how many are here.
const OFFSET: &str = "upload-offset";
