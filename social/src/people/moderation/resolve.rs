//! What moderators decide.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::item::{file_id, message_id};
use super::no_report;
use crate::Social;
use crate::account::Role;
use crate::account::identity::End;
use crate::chat::remove_message;
use crate::clock::UnixMs;
use crate::erasure::Erase;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, FileId, ReportId};
use crate::limits::{DAY_LONG, EXPLANATION_CHARS_MAX, REPORT_TEXT_CHARS_MAX, SUSPENSION_DAYS_MAX};
use crate::live::Note;
use crate::mail::Template;
use crate::people::notices::tell;
use crate::people::text::lines;
use crate::people::{NoticeKind, ReportKind, Resolution};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Account, Profile, Report, Resolved, Suspension, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(resolve)).routes(routes!(end_suspension))
}

/// A decision.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    resolution: Resolution,
    /// For moderators: 1000 characters at most.
    note: String,
    /// For whoever it is about, who reads it: needed for `warned`, `content_removed` and `suspended`;
    /// 500 characters at most.
    explanation: Option<String>,
    /// How long they are suspended, 1 to 365 days; for good if not said.
    days: Option<u16>,
}

/// Decides on a report. Whoever made it is told that, and not how; whoever it is about is told why.
#[utoipa::path(
    post, path = "/api/v1/social/moderation/reports/{report}/resolve", tag = "moderation",
    request_body = Decision,
    params(("report" = ReportId, Path, description = "The report")),
    responses(
        (status = 204, description = "It is decided and done"),
        (status = 409, description = "Somebody decided already",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn resolve(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<ReportId>,
    Json(given): Json<Decision>,
) -> Result<StatusCode, Problem> {
    let note = lines("note", &given.note, REPORT_TEXT_CHARS_MAX)?;
    let explanation = explanation(&given)?;
    let now = social.now();
    let until = until(&given, now)?;
    let mut tx = social.db().begin().await?;
    let report = lock(&mut tx, actor.account, id).await?;
    let subject = match report.subject_id {
        Some(subject) => tx.account(subject).await?,
        None => None,
    };
    check(actor, subject.as_ref(), given.resolution)?;
    let is_room = report.kind == ReportKind::Room;
    if is_room && given.resolution == Resolution::ContentRemoved {
        let text = "there is nothing of a room to remove; warn or suspend whoever it is about";
        return Err(Problem::invalid("resolution", text));
    }
    let mut notes = Vec::new();
    if let Some(subject) = &subject {
        let act = Act { social: &social, report: &report, subject, explanation: &explanation };
        notes.extend(act.on(&mut tx, given.resolution, until, now).await?);
    }
    let by = Some(actor.account);
    let resolved = Resolved { by, resolution: given.resolution, note, explanation, at: now };
    tx.resolve_report(id, &resolved).await?;
    if let Some(reporter) = report.reporter_id {
        tell(&mut tx, reporter, NoticeKind::ReportResolved, None, Some(id), now).await?;
    }
    let action = action(given.resolution);
    tx.audit_report(actor.account, id, report.subject_id, action, now).await?;
    social.commit_and_tell(tx, notes).await?;
    social.wake_jobs();
    Ok(StatusCode::NO_CONTENT)
}

/// Lets somebody who is suspended sign in again.
#[utoipa::path(
    delete, path = "/api/v1/social/moderation/accounts/{account}/suspension", tag = "moderation",
    params(("account" = AccountId, Path, description = "The account")),
    responses((status = 204, description = "They can sign in"))
)]
async fn end_suspension(
    State(social): State<Social>,
    actor: Actor,
    Path(account): Path<AccountId>,
) -> Result<StatusCode, Problem> {
    let none = || Problem::not_found("suspension");
    let mut tx = social.db().begin().await?;
    let subject = tx.account_or_hidden(account).await?.ok_or_else(none)?;
    check_rank(actor, &subject)?;
    let now = social.now();
    let suspension = tx.suspension(account, now).await?;
    if !tx.end_suspension(account).await? {
        return Err(none());
    }
    // What was frozen was to be erased. Where its owner asked for that, it stays so.
    if suspension.is_some_and(|suspension| suspension.reason.is_empty()) {
        tx.show_account(account, now).await?;
    }
    tx.audit(Some(actor.account), account, "suspension_ended", now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The report, on which nobody else decides until the transaction ends.
async fn lock(tx: &mut Tx, actor: AccountId, id: ReportId) -> Result<Report, Problem> {
    // Everybody whom it touches first, as whoever locks accounts does.
    let report = tx.report(id).await?.ok_or_else(no_report)?;
    let mut touched = vec![actor];
    touched.extend(report.subject_id);
    touched.extend(report.reporter_id);
    tx.lock_accounts(touched).await?;
    let report = tx.lock_report(id).await?.ok_or_else(no_report)?;
    if report.resolved.is_some() {
        let text = "somebody decided on this report already; look at it again";
        return Err(Problem::new(ProblemCode::Conflict, text));
    }
    Ok(report)
}

/// That whoever decides may, and that there is somebody to decide on.
fn check(actor: Actor, subject: Option<&Account>, resolution: Resolution) -> Result<(), Problem> {
    let Some(subject) = subject else {
        if resolution == Resolution::Nothing {
            return Ok(());
        }
        let text = "this report names no account, or the account is gone; resolve it as nothing";
        return Err(Problem::invalid("resolution", text));
    };
    if subject.id == actor.account {
        let text = "this report is about you; somebody else decides on it";
        return Err(Problem::new(ProblemCode::Forbidden, text));
    }
    check_rank(actor, subject)
}

/// That whoever decides is not below whom they decide on, or beside them.
pub(super) fn check_rank(actor: Actor, subject: &Account) -> Result<(), Problem> {
    if actor.role != Role::Admin && Role::User < subject.role {
        let text = "this is about somebody who helps to run this server: an admin decides";
        return Err(Problem::new(ProblemCode::Forbidden, text));
    }
    Ok(())
}

/// What is done to somebody.
struct Act<'a> {
    social: &'a Social,
    report: &'a Report,
    subject: &'a Account,
    explanation: &'a str,
}

impl Act<'_> {
    /// Does it; what is to be told to those who are here.
    async fn on(
        &self,
        tx: &mut Tx,
        resolution: Resolution,
        until: Option<UnixMs>,
        now: UnixMs,
    ) -> Result<Vec<Note>, Problem> {
        let Self { social, report, subject, explanation } = self;
        // Connections look whether their session is still there.
        let signed_out = Note::SignedOut { account: subject.id };
        let mut notes = Vec::new();
        match resolution {
            Resolution::Nothing => {}
            Resolution::Warned => {
                tell(tx, subject.id, NoticeKind::Warned, None, Some(report.id), now).await?;
            }
            Resolution::ContentRemoved => {
                notes = remove(tx, report, subject.id, now).await?;
                tell(tx, subject.id, NoticeKind::ContentRemoved, None, Some(report.id), now)
                    .await?;
            }
            Resolution::Suspended => {
                let reason = (*explanation).to_owned();
                tx.suspend(subject.id, &Suspension { reason, until }).await?;
                notes.push(signed_out);
                let template = match until {
                    Some(_) => Template::Suspended,
                    None => Template::SuspendedForGood,
                };
                social.mailer().to_account(tx, subject, template, now).await?;
                tracing::info!(account = social.log_id(subject.id), "an account was suspended");
            }
            Resolution::Underage => {
                tx.freeze(subject.id).await?;
                notes.push(signed_out);
                let erase_at = now.after(social.erasure_delay());
                tx.hide_account(subject.id, now, erase_at).await?;
                End::schedule_all(tx, subject.id, now).await?;
                Erase::schedule(tx, erase_at, now).await?;
                social.mailer().to_account(tx, subject, Template::Frozen, now).await?;
                tracing::info!(account = social.log_id(subject.id), "an account was frozen");
            }
        }
        Ok(notes)
    }
}

/// Removes what was reported, if it is there; what is to be told of it to those who are here.
async fn remove(
    tx: &mut Tx,
    report: &Report,
    subject: AccountId,
    now: UnixMs,
) -> Result<Vec<Note>, Problem> {
    let mut notes = Vec::new();
    match report.kind {
        ReportKind::Person => clear_profile(tx, subject).await?,
        ReportKind::Message => {
            if let Some(message) = message_id(report) {
                notes.extend(remove_message(tx, message, now).await?);
            }
        }
        ReportKind::File => {
            if let Some(file) = file_id(report) {
                notes = remove_file(tx, file, now).await?;
            }
        }
        ReportKind::Room => {}
    }
    Ok(notes)
}

/// Removes a file for everybody; which chats show that, at once.
pub(super) async fn remove_file(
    tx: &mut Tx,
    file: FileId,
    now: UnixMs,
) -> Result<Vec<Note>, Problem> {
    let chats = tx.take_out_of_messages(file).await?;
    tx.delete_file(file, now).await?;
    let revs = tx.last_revs(&chats).await?;
    Ok(revs.into_iter().map(|(chat, rev)| Note::Changed { chat, rev }).collect())
}

/// Removes what somebody says of themselves, and their photo. Who sees it stays as they set it.
async fn clear_profile(tx: &mut Tx, account: AccountId) -> Result<(), Problem> {
    let profile = tx.profile(account).await?;
    let (bio, status, instruments) = Default::default();
    tx.set_profile(account, &Profile { bio, status, instruments, ..profile }).await?;
    tx.remove_photo(account).await?;
    Ok(())
}

fn explanation(given: &Decision) -> Result<String, Problem> {
    let text = given.explanation.as_deref().unwrap_or_default();
    let text = lines("explanation", text, EXPLANATION_CHARS_MAX)?;
    let is_told = match given.resolution {
        Resolution::Warned | Resolution::ContentRemoved | Resolution::Suspended => true,
        Resolution::Nothing | Resolution::Underage => false,
    };
    if is_told == text.is_empty() {
        let text = if is_told {
            "say why; whoever it is about reads it"
        } else {
            "nobody would read this: whoever it is about is told nothing of it; write a note instead"
        };
        return Err(Problem::invalid("explanation", text));
    }
    Ok(text)
}

fn until(given: &Decision, now: UnixMs) -> Result<Option<UnixMs>, Problem> {
    let Some(days) = given.days else { return Ok(None) };
    if given.resolution != Resolution::Suspended {
        return Err(Problem::invalid("days", "only who is suspended is so for some days"));
    }
    if !(1..=SUSPENSION_DAYS_MAX).contains(&days) {
        let text = format!("1 to {SUSPENSION_DAYS_MAX} days, or for good if none are said");
        return Err(Problem::invalid("days", text));
    }
    Ok(Some(now.after(DAY_LONG * u32::from(days))))
}

const fn action(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Nothing => "report_nothing",
        Resolution::Warned => "report_warned",
        Resolution::ContentRemoved => "report_content_removed",
        Resolution::Suspended => "report_suspended",
        Resolution::Underage => "report_underage",
    }
}
