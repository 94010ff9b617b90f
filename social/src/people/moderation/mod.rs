//! What moderators see of reports, and decide.
//!
//! What surprises: looking is written down like deciding. Of a person moderators see what was reported,
//! and nothing else that this person keeps for friends or themselves.

mod carried;
mod item;
mod resolve;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::item::{ReportedAccount, ReportedFile, ReportedPerson};
use super::notices::page;
use super::photo;
use super::{Reason, ReportKind, ReportState, Resolution};
use crate::Social;
use crate::chat::view::Excerpt;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::{AccountId, ReportId};
use crate::limits::PAGE_MAX;
use crate::problem::{Problem, ProblemBody};
use crate::store::{Conn, Report, StoreError};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(reports))
        .routes(routes!(report))
        .routes(routes!(reported_photo))
        .merge(item::routes())
        .merge(carried::routes())
        .merge(resolve::routes())
}

/// A report, as moderators see it.
#[derive(Debug, Serialize, ToSchema)]
struct ReportBody {
    id: ReportId,
    kind: ReportKind,
    /// The id of the message or the file, or the name of the room; empty for a person.
    item: String,
    reason: Reason,
    text: String,
    created_at: UnixMs,
    state: ReportState,
    /// Who made it, while they have an account.
    reporter: Option<String>,
    /// Whose doing it is.
    subject: Option<String>,
    resolved: Option<ResolvedBody>,
}

/// What became of a report.
#[derive(Debug, Serialize, ToSchema)]
struct ResolvedBody {
    /// Who decided, while they have an account.
    by: Option<String>,
    resolution: Resolution,
    /// For moderators.
    note: String,
    /// For whoever it is about.
    explanation: String,
    at: UnixMs,
}

/// A report, and what it is about.
#[derive(Debug, Serialize, ToSchema)]
struct ReportDetail {
    report: ReportBody,
    /// Whose doing it is.
    account: Option<ReportedAccount>,
    /// What a person who was reported says of themselves.
    person: Option<ReportedPerson>,
    /// A message that was reported, with up to five before and after it, and what they carry.
    messages: Vec<Excerpt>,
    /// A file that was reported.
    file: Option<ReportedFile>,
    /// What was done about the report, the latest first; 50 lines at most.
    audit: Vec<AuditLine>,
}

/// Something that was done about a report.
#[derive(Debug, Serialize, ToSchema)]
struct AuditLine {
    /// By whom, while they have an account.
    by: Option<String>,
    /// What: `report_read`, for one.
    action: String,
    at: UnixMs,
}

/// Which reports, and where the page begins.
#[derive(Debug, Deserialize)]
struct Wanted {
    state: Option<ReportState>,
    after: Option<ReportId>,
}

/// A page of reports.
#[derive(Debug, Serialize, ToSchema)]
struct ReportsPage {
    reports: Vec<ReportBody>,
    /// After which the next page begins, if there is one.
    next: Option<ReportId>,
}

/// Lists reports, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/social/moderation/reports", tag = "moderation",
    params(
        ("state" = Option<ReportState>, Query, description = "Which; open if not said"),
        ("after" = Option<ReportId>, Query, description = "After which the page begins"),
    ),
    responses(
        (status = 200, description = "A page of 50 at most", body = ReportsPage),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reports(
    State(social): State<Social>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Json<ReportsPage>, Problem> {
    let state = wanted.state.unwrap_or(ReportState::Open);
    let after = wanted.after.unwrap_or(ReportId::FIRST);
    let mut tx = social.db().begin().await?;
    let found = tx.reports(state, after, PAGE_MAX + 1).await?;
    let (found, next) = page(found, |report| report.id);
    let mut reports = Vec::new();
    for report in found {
        reports.push(body(&mut tx, report).await?);
    }
    tx.audit(Some(actor.account), None, "reports_listed", social.now()).await?;
    tx.commit().await?;
    Ok(Json(ReportsPage { reports, next }))
}

/// Shows a report and what it is about.
#[utoipa::path(
    get, path = "/api/v1/social/moderation/reports/{report}", tag = "moderation",
    params(("report" = ReportId, Path, description = "The report")),
    responses((status = 200, description = "The report", body = ReportDetail))
)]
async fn report(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<ReportId>,
) -> Result<Json<ReportDetail>, Problem> {
    let mut tx = social.db().begin().await?;
    let report = tx.report(id).await?.ok_or_else(no_report)?;
    let now = social.now();
    tx.audit_report(actor.account, id, report.subject_id, "report_read", now).await?;
    let account = item::account(&mut tx, &report, now).await?;
    let person = item::person(&mut tx, &report, now).await?;
    let messages = item::around(&mut tx, &report).await?;
    let file = item::file(&mut tx, &report).await?;
    let mut audit = Vec::new();
    for (by, action, at) in tx.audit_of_report(id, PAGE_MAX).await? {
        audit.push(AuditLine { by: username(&mut tx, by).await?, action, at });
    }
    let report = body(&mut tx, report).await?;
    tx.commit().await?;
    Ok(Json(ReportDetail { report, account, person, messages, file, audit }))
}

/// Shows the photo of a person who was reported.
#[utoipa::path(
    get, path = "/api/v1/social/moderation/reports/{report}/photo", tag = "moderation",
    params(
        ("report" = ReportId, Path, description = "The report"),
        ("size" = Option<u32>, Query, description = "Pixels: 128, or 512"),
    ),
    responses(
        (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 304, description = "It is the one that `If-None-Match` names"),
    )
)]
async fn reported_photo(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<ReportId>,
    Query(wanted): Query<photo::Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let size = wanted.size()?;
    let mut tx = social.db().begin().await?;
    let report = tx.report(id).await?.ok_or_else(no_report)?;
    let photo = match report.subject_id.filter(|_| report.kind == ReportKind::Person) {
        Some(subject) => tx.photo(subject, size).await?,
        None => None,
    };
    let (by, now) = (actor.account, social.now());
    tx.audit_report(by, id, report.subject_id, "report_photo_read", now).await?;
    tx.commit().await?;
    photo::answer(photo, &headers)
}

async fn body(conn: &mut Conn, report: Report) -> Result<ReportBody, StoreError> {
    let reporter = username(conn, report.reporter_id).await?;
    let subject = username(conn, report.subject_id).await?;
    let state = if report.resolved.is_some() { ReportState::Resolved } else { ReportState::Open };
    let resolved = match report.resolved {
        Some(resolved) => Some(ResolvedBody {
            by: username(conn, resolved.by).await?,
            resolution: resolved.resolution,
            note: resolved.note,
            explanation: resolved.explanation,
            at: resolved.at,
        }),
        None => None,
    };
    Ok(ReportBody {
        id: report.id,
        kind: report.kind,
        item: report.subject_ref,
        reason: report.reason,
        text: report.text,
        created_at: report.created_at,
        state,
        reporter,
        subject,
        resolved,
    })
}

async fn username(conn: &mut Conn, id: Option<AccountId>) -> Result<Option<String>, StoreError> {
    let Some(id) = id else { return Ok(None) };
    Ok(conn.account(id).await?.map(|account| account.username))
}

fn no_report() -> Problem {
    Problem::not_found("report")
}
