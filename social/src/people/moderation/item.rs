//! What was reported, as moderators see it: the thing itself, and as much around it as tells what it
//! answered to.
//!
//! What surprises: it is looked up when a moderator asks, and never copied into the report. What its
//! author deleted meanwhile is gone for moderators too.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::no_report;
use crate::Social;
use crate::chat::view::{Excerpt, messages};
use crate::clock::UnixMs;
use crate::files;
use crate::http::Actor;
use crate::http::extract::Path;
use crate::id::{AccountId, FileId, MessageId, ReportId};
use crate::limits::REPORT_CONTEXT;
use crate::people::ReportKind;
use crate::problem::{Problem, ProblemBody};
use crate::secret::hex;
use crate::store::{Conn, Message, Report, Span, StoreError, StoredFile};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(reported_file))
}

/// Whose doing it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportedAccount {
    id: AccountId,
    username: String,
    /// Whether nobody can sign in to the account.
    is_suspended: bool,
    /// Until when; none where it has no end.
    suspended_until: Option<UnixMs>,
    /// When it is erased, where it was frozen.
    erase_at: Option<UnixMs>,
}

/// Somebody who was reported, and what they say of themselves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportedPerson {
    id: AccountId,
    username: String,
    bio: String,
    status: String,
    instruments: Vec<String>,
    /// What changes when the photo does, if there is one.
    photo: Option<String>,
    /// Whether nobody can sign in to the account.
    is_suspended: bool,
}

/// A file that was reported.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportedFile {
    id: FileId,
    name: String,
    /// What it is, such as `audio/flac`.
    media_type: &'static str,
    size: i64,
    created_at: UnixMs,
}

/// Whose doing something is, as long as there is something to decide about them: nobody sees who asked to
/// be erased.
pub(super) async fn account(
    conn: &mut Conn,
    report: &Report,
    now: UnixMs,
) -> Result<Option<ReportedAccount>, StoreError> {
    let Some(id) = report.subject_id else { return Ok(None) };
    let Some(account) = conn.account_or_hidden(id).await? else { return Ok(None) };
    let suspension = conn.suspension(id, now).await?;
    if account.erase_at.is_some() && suspension.is_none() {
        return Ok(None);
    }
    Ok(Some(ReportedAccount {
        id,
        username: account.username,
        is_suspended: suspension.is_some(),
        suspended_until: suspension.and_then(|suspension| suspension.until),
        erase_at: account.erase_at,
    }))
}

/// What somebody who was reported says of themselves.
pub(super) async fn person(
    conn: &mut Conn,
    report: &Report,
    now: UnixMs,
) -> Result<Option<ReportedPerson>, StoreError> {
    let id = report.subject_id.filter(|_| report.kind == ReportKind::Person);
    let Some(id) = id else { return Ok(None) };
    let Some(account) = conn.account(id).await? else { return Ok(None) };
    let profile = conn.profile(id).await?;
    let photo = conn.photo_hash(id).await?;
    Ok(Some(ReportedPerson {
        id,
        username: account.username,
        bio: profile.bio,
        status: profile.status,
        instruments: profile.instruments,
        photo: photo.as_deref().map(hex),
        is_suspended: conn.suspension(id, now).await?.is_some(),
    }))
}

/// A message that was reported, with a few before and after it, as moderators see them.
pub(super) async fn around(conn: &mut Conn, report: &Report) -> Result<Vec<Excerpt>, StoreError> {
    let found = context(conn, report).await?;
    Ok(messages(conn, found).await?.into_iter().map(Excerpt::from).collect())
}

/// A message that was reported, with a few before and after it: no more of them than whoever reported it
/// may see.
pub(super) async fn context(conn: &mut Conn, report: &Report) -> Result<Vec<Message>, StoreError> {
    let Some(id) = message_id(report) else { return Ok(Vec::new()) };
    let Some(message) = conn.message(id).await? else { return Ok(Vec::new()) };
    let seen = match report.reporter_id {
        Some(reporter) => conn.member(message.chat_id, reporter).await?,
        None => None,
    };
    let (chat, seq) = (message.chat_id, message.seq);
    let mut found = Vec::new();
    match seen {
        Some(member) => {
            let beyond = member.joined_seq;
            found.extend(conn.messages(chat, beyond, Span::Before(seq), REPORT_CONTEXT).await?);
            found.push(message);
            found.extend(conn.messages(chat, beyond, Span::After(seq), REPORT_CONTEXT).await?);
        }
        // They left: there is nobody for whom the others are to be seen.
        None => found.push(message),
    }
    Ok(found)
}

/// A file that was reported.
pub(super) async fn file(
    conn: &mut Conn,
    report: &Report,
) -> Result<Option<ReportedFile>, StoreError> {
    let found = stored(conn, report).await?;
    Ok(found.map(|StoredFile { id, name, kind, size_bytes, created_at, .. }| ReportedFile {
        id,
        name,
        media_type: kind.media_type(),
        size: size_bytes,
        created_at,
    }))
}

async fn stored(conn: &mut Conn, report: &Report) -> Result<Option<StoredFile>, StoreError> {
    match file_id(report) {
        Some(id) => conn.file(id).await,
        None => Ok(None),
    }
}

/// Which message a report is about.
pub(super) fn message_id(report: &Report) -> Option<MessageId> {
    let is_message = report.kind == ReportKind::Message;
    is_message.then(|| report.subject_ref.parse().ok()).flatten()
}

/// Which file a report is about.
pub(super) fn file_id(report: &Report) -> Option<FileId> {
    let is_file = report.kind == ReportKind::File;
    is_file.then(|| report.subject_ref.parse().ok()).flatten()
}

/// What is in a file that was reported; in ranges, too.
#[utoipa::path(
    get, path = "/api/v1/social/moderation/reports/{report}/file", tag = "moderation",
    params(
        ("report" = ReportId, Path, description = "The report"),
        ("range" = Option<String>, Header, description = "Which bytes"),
    ),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that were asked for", body = Vec<u8>,
            content_type = "application/octet-stream"),
        (status = 416, description = "It has no such bytes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reported_file(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<ReportId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = social.db().begin().await?;
    let report = tx.report(id).await?.ok_or_else(no_report)?;
    let file = stored(&mut tx, &report).await?;
    let (by, now) = (actor.account, social.now());
    tx.audit_report(by, id, report.subject_id, "report_file_read", now).await?;
    tx.commit().await?;
    let file = file.ok_or_else(|| Problem::not_found("file"))?;
    files::answer(&social, &file, &headers).await
}
