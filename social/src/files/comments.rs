//! What people say of moments of a recording.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::readable;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, CommentId, FileId};
use crate::limits::{COMMENT_CHARS_MAX, COMMENTS_MAX};
use crate::problem::{Problem, ProblemCode};
use crate::store::FileComment;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(comment, comments)).routes(routes!(delete))
}

/// What is to be said of a moment.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewFileComment)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// Which moment, from the beginning of the recording.
    #[schema(minimum = 0)]
    at_ms: i64,
    /// 1 to 1,000 characters.
    text: String,
}

/// What was said of a moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileComment)]
struct CommentBody {
    id: CommentId,
    at_ms: i64,
    /// Nothing where its author is gone.
    text: String,
    /// Nobody where they are gone, or wait to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<AuthorBody>,
    created_at: UnixMs,
}

/// Who said it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileCommentAuthor)]
struct AuthorBody {
    account: AccountId,
    username: String,
}

impl CommentBody {
    fn of(comment: FileComment) -> Self {
        let FileComment { id, author, author_name, at_ms, body, created_at } = comment;
        let author = author.zip(author_name);
        let author = author.map(|(account, username)| AuthorBody { account, username });
        Self { id, at_ms, text: body, author, created_at }
    }
}

/// A comment that is there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FileCommentId)]
struct CommentIdBody {
    id: CommentId,
}

/// Says something of a moment of a recording.
#[utoipa::path(
    post, path = "/api/v1/social/files/{file}/comments", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    request_body = NewComment,
    responses((status = 201, description = "It is there", body = CommentIdBody))
)]
async fn comment(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
    Json(given): Json<NewComment>,
) -> Result<(StatusCode, Json<CommentIdBody>), Problem> {
    let text = given.text.trim();
    if text.is_empty() || COMMENT_CHARS_MAX < text.chars().count() {
        let why = format!("a comment has 1 to {COMMENT_CHARS_MAX} characters");
        return Err(Problem::invalid("text", why));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Problem::invalid("text", "a comment holds text only, no control characters"));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let file = readable(&mut tx, id, actor.account).await?;
    if !file.kind.is_audio() {
        let why = "only recordings have moments that something can be said of";
        return Err(Problem::new(ProblemCode::Conflict, why));
    }
    if given.at_ms < 0 || file.duration_ms.is_some_and(|end| end < given.at_ms) {
        return Err(Problem::invalid("at_ms", "the recording has no such moment"));
    }
    if COMMENTS_MAX <= tx.file_comments_count(id).await? {
        let why = format!("{COMMENTS_MAX} comments are there, and no more are kept of one file");
        return Err(Problem::new(ProblemCode::Conflict, why));
    }
    let comment = CommentId::fresh(now);
    tx.add_file_comment(comment, id, actor.account, (given.at_ms, text), now).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(CommentIdBody { id: comment })))
}

/// Lists what was said of a recording, in its order.
#[utoipa::path(
    get, path = "/api/v1/social/files/{file}/comments", tag = "files",
    params(("file" = FileId, Path, description = "Which one")),
    responses((status = 200, description = "All of it", body = [CommentBody]))
)]
async fn comments(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<FileId>,
) -> Result<Json<Vec<CommentBody>>, Problem> {
    let mut conn = social.db().read().await?;
    readable(&mut conn, id, actor.account).await?;
    let blocked = conn.blocked_either_way(actor.account).await?;
    let mut all = conn.file_comments(id).await?;
    all.retain(|comment| comment.author.is_none_or(|id| !blocked.contains(&id)));
    Ok(Json(all.into_iter().map(CommentBody::of).collect()))
}

/// Deletes what you said of a recording, or what anybody said of yours.
#[utoipa::path(
    delete, path = "/api/v1/social/files/{file}/comments/{comment}", tag = "files",
    params(
        ("file" = FileId, Path, description = "Of which one"),
        ("comment" = CommentId, Path, description = "Which comment"),
    ),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(
    State(social): State<Social>,
    actor: Actor,
    Path((file, id)): Path<(FileId, CommentId)>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    if !tx.delete_file_comment(id, file, actor.account).await? {
        return Err(Problem::not_found("comment"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
