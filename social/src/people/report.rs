//! Reports: what somebody wants moderators to look at.
//!
//! What surprises: a block keeps nobody from reporting. Whoever pesters others would otherwise block
//! them first; that there is an account of a name is no secret, since a sign-up says so too.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::find_blocked_too;
use super::text::{line, lines};
use super::{Reason, ReportKind};
use crate::Social;
use crate::chat::readable_message;
use crate::http::Actor;
use crate::http::extract::Json;
use crate::id::{AccountId, FileId, MessageId, ReportId};
use crate::limits::{REPORT_REF_CHARS_MAX, REPORT_TEXT_CHARS_MAX, REPORTS_OPEN_MAX};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Conn, Report};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(report))
}

/// What moderators should look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewReport {
    kind: ReportKind,
    /// Whose doing it is: needed for a person. Of messages and files the server knows.
    username: Option<String>,
    /// The id of the message or the file, or the name of the room: needed for all but a person.
    item: Option<String>,
    reason: Reason,
    /// What you want to say: 1000 characters at most.
    text: String,
}

/// A report that waits.
#[derive(Debug, Serialize, ToSchema)]
struct ReportMade {
    id: ReportId,
}

/// Reports something to the moderators. You are told when they decided.
#[utoipa::path(
    post, path = "/api/v1/social/reports", tag = "reports", request_body = NewReport,
    responses(
        (status = 201, description = "It waits to be looked at", body = ReportMade),
        (status = 404, description = "There is nobody of this name, or no such message or file",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Too many of yours wait already",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn report(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<NewReport>,
) -> Result<(StatusCode, Json<ReportMade>), Problem> {
    social.people_rates().report(actor.account)?;
    let text = lines("text", &given.text, REPORT_TEXT_CHARS_MAX)?;
    let item = line("item", given.item.as_deref().unwrap_or_default(), REPORT_REF_CHARS_MAX)?;
    let is_person = given.kind == ReportKind::Person;
    if is_person && given.username.is_none() {
        return Err(Problem::invalid("username", "say who it is about"));
    }
    if is_person != item.is_empty() {
        let text = if is_person {
            "a report about a person names nothing else; choose another kind"
        } else {
            "say which message, file or room it is about"
        };
        return Err(Problem::invalid("item", text));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    tx.lock_account(actor.account).await?;
    let (item, subject) = found(&mut tx, &given, item, actor.account).await?;
    if subject == Some(actor.account) {
        let of_item = matches!(given.kind, ReportKind::Message | ReportKind::File);
        return Err(if of_item {
            Problem::invalid("item", "this is your own; delete it if it should not be here")
        } else {
            Problem::invalid("username", "this is your own name")
        });
    }
    if REPORTS_OPEN_MAX <= tx.count_open_reports(actor.account).await? {
        let text = format!(
            "{REPORTS_OPEN_MAX} reports of yours wait to be looked at; wait for some of them"
        );
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    let report = Report {
        id: ReportId::fresh(now),
        reporter_id: Some(actor.account),
        subject_id: subject,
        kind: given.kind,
        subject_ref: item,
        reason: given.reason,
        text,
        created_at: now,
        resolved: None,
    };
    tx.add_report(&report).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(ReportMade { id: report.id })))
}

/// What a report is about, as it is kept, and whose doing that is. Whoever reports a message or a file
/// has to see it, so that nobody has somebody looked at for what somebody else did.
async fn found(
    conn: &mut Conn,
    given: &NewReport,
    item: String,
    by: AccountId,
) -> Result<(String, Option<AccountId>), Problem> {
    match given.kind {
        ReportKind::Person | ReportKind::Room => {
            let subject = match &given.username {
                Some(username) => Some(find_blocked_too(conn, username).await?.id),
                None => None,
            };
            Ok((item, subject))
        }
        ReportKind::Message => {
            let id: MessageId = item.parse().map_err(|_| Problem::not_found("message"))?;
            let message = readable_message(conn, id, by).await?;
            Ok((id.to_string(), message.author_id))
        }
        ReportKind::File => {
            let none = || Problem::not_found("file");
            let id: FileId = item.parse().map_err(|_| none())?;
            let file = conn.file(id).await?.ok_or_else(none)?;
            // A block keeps nobody from reporting.
            let is_theirs =
                conn.may_read_file(id, by).await? || conn.was_given_file(id, by).await?;
            if is_theirs { Ok((id.to_string(), Some(file.account))) } else { Err(none()) }
        }
    }
}
