//! The files that somebody has.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{owned, peaks, readable};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::{AccountId, FileId};
use crate::limits::FILES_PAGE_MAX;
use crate::live::Note;
use crate::problem::Problem;
use crate::store::{Analysis, StoredFile};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(file, delete))
        .routes(routes!(file_peaks))
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StoredFile)]
pub(crate) struct FileBody {
    id: FileId,
    /// Whose it is.
    account: AccountId,
    name: String,
    /// What it is, such as `audio/flac`.
    media_type: &'static str,
    size: i64,
    /// Whether it was found out how long it sounds.
    analysis: Analysis,
    /// How long it sounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i64>,
    /// How wide it is, of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    width_px: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height_px: Option<i64>,
    created_at: UnixMs,
}

impl FileBody {
    pub(crate) fn of(file: StoredFile) -> Self {
        let StoredFile { id, account, name, kind, size_bytes, analysis, duration_ms, .. } = file;
        Self {
            id,
            account,
            name,
            media_type: kind.media_type(),
            size: size_bytes,
            analysis,
            duration_ms,
            width_px: file.size_px.map(|(width, _)| width),
            height_px: file.size_px.map(|(_, height)| height),
            created_at: file.created_at,
        }
    }
}

/// Some files, and how much room they take together with all others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StoredFiles)]
struct FilesBody {
    files: Vec<FileBody>,
    /// Bytes that all files have, and will have that are on their way.
    used: i64,
    /// Bytes that they may have.
    quota: i64,
    /// Where the next page begins, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<FileId>,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// What `next` said.
    before: Option<FileId>,
}

/// Lists your files, the newest first.
#[utoipa::path(
    get, path = "/api/v1/social/files", tag = "files", params(Page),
    responses((status = 200, description = "Up to 50 of them", body = FilesBody))
)]
async fn list(
    State(social): State<Social>,
    actor: Actor,
    Query(page): Query<Page>,
) -> Result<Json<FilesBody>, Problem> {
    let mut conn = social.db().read().await?;
    let used = conn.bytes_of(actor.account).await?;
    let mut files = conn.files_of(actor.account, page.before, FILES_PAGE_MAX + 1).await?;
    let full = usize::try_from(FILES_PAGE_MAX).unwrap_or(usize::MAX);
    let more = full < files.len();
    files.truncate(full);
    let next = files.last().filter(|_| more).map(|file| file.id);
    let files = files.into_iter().map(FileBody::of).collect();
    Ok(Json(FilesBody { files, used, quota: social.quota_bytes(), next }))
}

/// Shows a file that is yours, or that somebody gave you.
#[utoipa::path(
    get, path = "/api/v1/social/files/{file}", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses((status = 200, description = "The file", body = FileBody))
)]
async fn file(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
) -> Result<Json<FileBody>, Problem> {
    let file = readable(&mut social.db().read().await?, id, actor.account).await?;
    Ok(Json(FileBody::of(file)))
}

/// Deletes a file of yours, for everybody. Messages that carry it show that it is gone.
#[utoipa::path(
    delete, path = "/api/v1/social/files/{file}", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    owned(&mut tx, id, actor.account).await?;
    let chats = tx.take_out_of_messages(id).await?;
    tx.delete_file(id, social.now()).await?;
    let revs = tx.last_revs(&chats).await?;
    let notes = revs.into_iter().map(|(chat, rev)| Note::Changed { chat, rev }).collect();
    social.commit_and_tell(tx, notes).await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}

/// How sound looks: of each of up to 1,000 points, the lowest and the highest sample.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FilePeaks)]
struct PeaksBody {
    duration_ms: Option<i64>,
    /// From -128, which is full scale.
    min: Vec<i8>,
    /// To 127, which is full scale.
    max: Vec<i8>,
}

/// Shows how a recording looks.
#[utoipa::path(
    get, path = "/api/v1/social/files/{file}/peaks", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses((status = 200, description = "Its points", body = PeaksBody))
)]
async fn file_peaks(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
) -> Result<Json<PeaksBody>, Problem> {
    let mut conn = social.db().read().await?;
    let file = readable(&mut conn, id, actor.account).await?;
    let kept =
        conn.file_peaks(id).await?.ok_or_else(|| Problem::not_found("view of a recording"))?;
    let (min, max) = peaks::split(&kept);
    Ok(Json(PeaksBody { duration_ms: file.duration_ms, min, max }))
}
