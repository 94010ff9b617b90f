//! What somebody is told in the app.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::NoticeKind;
use super::look::{PersonBody, look_at};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Query};
use crate::id::{AccountId, ChatId, MessageId, NoticeId, ReportId};
use crate::limits::{CALLS_MAX, NOTICES_MAX, PAGE_MAX};
use crate::problem::{Problem, ProblemBody};
use crate::push::{self, What, Word};
use crate::store::{Conn, Message, Notice, StoreError, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(notices)).routes(routes!(read))
}

/// Where the page begins.
#[derive(Debug, Deserialize)]
struct Wanted {
    after: Option<NoticeId>,
}

/// Something that you are told.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeBody {
    id: NoticeId,
    kind: NoticeKind,
    /// Whom it is about.
    person: Option<PersonBody>,
    /// Which report it is about.
    report: Option<ReportId>,
    /// What a moderator tells you.
    explanation: Option<String>,
    /// By which message you are called.
    message: Option<CallingBody>,
    created_at: UnixMs,
    /// When you read it.
    read_at: Option<UnixMs>,
}

/// A message that calls somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeMessage)]
struct CallingBody {
    id: MessageId,
    chat: ChatId,
    /// Its place in the chat.
    seq: i64,
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
struct NoticesPage {
    notices: Vec<NoticeBody>,
    /// After which the next page begins, if there is one.
    next: Option<NoticeId>,
}

/// Lists what you are told, the latest first.
#[utoipa::path(
    get, path = "/api/v1/social/account/notices", tag = "notices",
    params(("after" = Option<NoticeId>, Query, description = "After which the page begins")),
    responses(
        (status = 200, description = "A page of 50 at most", body = NoticesPage),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn notices(
    State(social): State<Social>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Json<NoticesPage>, Problem> {
    let mut conn = social.db().read().await?;
    let before = wanted.after.unwrap_or(NoticeId::LAST);
    let found = conn.notices(actor.account, before, PAGE_MAX + 1).await?;
    let (found, next) = page(found, |notice| notice.id);
    let mut notices = Vec::new();
    for notice in found {
        let person = match notice.other_id {
            Some(other) => match look_at(&mut conn, actor.account, other).await? {
                Some(person) => Some(person),
                // Of somebody who is gone there is nothing to tell.
                None => continue,
            },
            None => None,
        };
        let message = match notice.message_id {
            Some(message) => match calling(&mut conn, actor.account, message).await? {
                Some(message) => Some(message),
                // It is not theirs to see by now.
                None => continue,
            },
            None => None,
        };
        notices.push(NoticeBody {
            id: notice.id,
            kind: notice.kind,
            person,
            report: notice.report_id,
            explanation: explanation(&mut conn, &notice).await?,
            message,
            created_at: notice.created_at,
            read_at: notice.read_at,
        });
    }
    Ok(Json(NoticesPage { notices, next }))
}

/// A message that calls somebody, if they see it, and whoever wrote it reaches them.
async fn calling(
    conn: &mut Conn,
    account: AccountId,
    id: MessageId,
) -> Result<Option<CallingBody>, StoreError> {
    let Some(message) = conn.message(id).await? else { return Ok(None) };
    let Some(author) = message.author_id else { return Ok(None) };
    let member = conn.member(message.chat_id, account).await?;
    let is_seen = member.is_some_and(|member| member.joined_seq < message.seq);
    if !is_seen || conn.is_blocked_between(account, author).await? {
        return Ok(None);
    }
    Ok(Some(CallingBody { id, chat: message.chat_id, seq: message.seq }))
}

/// What a moderator tells whoever a report is about, and never whoever made it.
async fn explanation(conn: &mut Conn, notice: &Notice) -> Result<Option<String>, StoreError> {
    if notice.explanation.is_some() {
        return Ok(notice.explanation.clone());
    }
    let report = match (notice.kind, notice.report_id) {
        (NoticeKind::Warned | NoticeKind::ContentRemoved, Some(id)) => conn.report(id).await?,
        _ => None,
    };
    let resolved = report.and_then(|report| report.resolved);
    Ok(resolved.map(|resolved| resolved.explanation))
}

/// Up to which they were read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadUpTo {
    /// This one, and all before it.
    up_to: NoticeId,
}

/// Notes that you read what you were told.
#[utoipa::path(
    post, path = "/api/v1/social/account/notices/read", tag = "notices", request_body = ReadUpTo,
    responses((status = 204, description = "They count as read"))
)]
async fn read(
    State(social): State<Social>,
    actor: Actor,
    Json(ReadUpTo { up_to }): Json<ReadUpTo>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    tx.read_notices(actor.account, up_to, social.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells somebody something, of somebody or of a report.
pub(crate) async fn tell(
    tx: &mut Tx,
    account_id: AccountId,
    kind: NoticeKind,
    other_id: Option<AccountId>,
    report_id: Option<ReportId>,
    now: UnixMs,
) -> Result<(), StoreError> {
    let notice = Notice { other_id, report_id, ..fresh(account_id, kind, now) };
    tx.add_notice(&notice, NOTICES_MAX).await?;
    push::tell(tx, account_id, What { word: Word::Notice(kind), chat: None }, now).await
}

/// Tells somebody that moderators removed a file of theirs, and why.
pub(super) async fn tell_of_file(
    tx: &mut Tx,
    account_id: AccountId,
    explanation: String,
    now: UnixMs,
) -> Result<(), StoreError> {
    let explanation = Some(explanation);
    let notice = Notice { explanation, ..fresh(account_id, NoticeKind::FileRemoved, now) };
    tx.add_notice(&notice, NOTICES_MAX).await
}

/// Tells somebody that a message of somebody else calls them.
pub(crate) async fn tell_of_message(
    tx: &mut Tx,
    account_id: AccountId,
    kind: NoticeKind,
    author: AccountId,
    message: &Message,
    now: UnixMs,
) -> Result<(), StoreError> {
    let (other_id, message_id) = (Some(author), Some(message.id));
    let notice = Notice { other_id, message_id, ..fresh(account_id, kind, now) };
    tx.drop_calls(account_id, CALLS_MAX - 1).await?;
    tx.add_notice(&notice, NOTICES_MAX).await?;
    let what = What { word: Word::Notice(kind), chat: Some(message.chat_id) };
    push::tell(tx, account_id, what, now).await
}

/// One of nobody and nothing.
fn fresh(account_id: AccountId, kind: NoticeKind, now: UnixMs) -> Notice {
    Notice {
        id: NoticeId::fresh(now),
        account_id,
        kind,
        other_id: None,
        report_id: None,
        message_id: None,
        explanation: None,
        created_at: now,
        read_at: None,
    }
}

/// A page of a list of which one more was asked for, and what the next page begins after.
pub(crate) fn page<T, I>(mut found: Vec<T>, id: impl Fn(&T) -> I) -> (Vec<T>, Option<I>) {
    let most = usize::try_from(PAGE_MAX).unwrap_or(usize::MAX);
    let is_more = most < found.len();
    found.truncate(most);
    let next = found.last().filter(|_| is_more).map(id);
    (found, next)
}
