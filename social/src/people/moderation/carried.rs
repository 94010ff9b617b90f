//! The files that a message carries which was reported, and those of the few before and after it.
//!
//! What surprises: whether a file may be looked at is asked each time anew, of the messages as they stand
//! then. A file that nobody sends there any more, or whose message is gone, is out of reach again.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::item::context;
use super::no_report;
use super::resolve::{check_rank, remove_file};
use crate::Social;
use crate::files;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{FileId, ReportId};
use crate::limits::EXPLANATION_CHARS_MAX;
use crate::people::notices::tell_of_file;
use crate::people::text::lines;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Conn, Report, StoredFile};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(carried_file)).routes(routes!(remove_carried))
}

/// A file that one of the messages carries which a report shows.
async fn carried(conn: &mut Conn, report: &Report, id: FileId) -> Result<StoredFile, Problem> {
    let none = || Problem::not_found("file");
    let shown: Vec<_> = context(conn, report).await?.iter().map(|message| message.id).collect();
    let carried = conn.message_files(&shown).await?;
    if !carried.iter().any(|(_, file)| *file == Some(id)) {
        return Err(none());
    }
    conn.file(id).await?.ok_or_else(none)
}

/// What is in a file of a message that a report shows; in ranges, too.
#[utoipa::path(
    get, path = "/api/v1/social/moderation/reports/{report}/files/{file}", tag = "moderation",
    params(
        ("report" = ReportId, Path, description = "The report"),
        ("file" = FileId, Path, description = "The file"),
        ("range" = Option<String>, Header, description = "Which bytes"),
    ),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that were asked for", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 410, description = "What is in it is lost",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 416, description = "It has no such bytes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn carried_file(
    State(social): State<Social>,
    actor: Actor,
    Path((report, file)): Path<(ReportId, FileId)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = social.db().begin().await?;
    let found = tx.report(report).await?.ok_or_else(no_report)?;
    let file = carried(&mut tx, &found, file).await?;
    let (by, owner, now) = (actor.account, Some(file.account), social.now());
    tx.audit_report(by, report, owner, "report_file_read", now).await?;
    tx.commit().await?;
    files::answer(&social, &file, &headers).await
}

/// Why a file is removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FileRemoval {
    /// For whoever it is of, who reads it: 500 characters at most.
    explanation: String,
}

/// Removes a file of a message that a report shows, for everybody. Whoever it is of is told why.
#[utoipa::path(
    post, path = "/api/v1/social/moderation/reports/{report}/files/{file}/remove",
    tag = "moderation", request_body = FileRemoval,
    params(
        ("report" = ReportId, Path, description = "The report"),
        ("file" = FileId, Path, description = "The file"),
    ),
    responses((status = 204, description = "It is gone"))
)]
async fn remove_carried(
    State(social): State<Social>,
    actor: Actor,
    Path((report, file)): Path<(ReportId, FileId)>,
    Json(given): Json<FileRemoval>,
) -> Result<StatusCode, Problem> {
    let why = lines("explanation", &given.explanation, EXPLANATION_CHARS_MAX)?;
    if why.is_empty() {
        return Err(Problem::invalid("explanation", "say why; whoever it is of reads it"));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let found = tx.report(report).await?.ok_or_else(no_report)?;
    let owner = carried(&mut tx, &found, file).await?.account;
    if owner == actor.account {
        let text = "this file is your own; delete it among your files";
        return Err(Problem::new(ProblemCode::Forbidden, text));
    }
    tx.lock_accounts(vec![actor.account, owner]).await?;
    let account = tx.account_or_hidden(owner).await?.ok_or_else(|| Problem::not_found("file"))?;
    check_rank(actor, &account)?;
    let notes = remove_file(&mut tx, file, now).await?;
    tell_of_file(&mut tx, owner, why, now).await?;
    tx.audit_report(actor.account, report, Some(owner), "report_file_removed", now).await?;
    social.commit_and_tell(tx, notes).await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}
