//! Messages that are there: read by their place or by what changed, deleted, and counted as read.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{MessageBody, messages_for};
use super::{ChatKind, MemberRole, Seat, locked_seat, seat};
use crate::Social;
use crate::clean;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::{AccountId, ChatId, MessageId};
use crate::limits::{CLEAN_MESSAGES_AFTER, MESSAGES_PAGE, MESSAGES_PAGE_MAX};
use crate::live::Note;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Conn, Message, NewJob, Span, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(history))
        .routes(routes!(changes))
        .routes(routes!(delete))
        .routes(routes!(read))
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// The last ones before this place. Without it and `after`, the last ones that there are.
    before: Option<i64>,
    /// The first ones after this place.
    after: Option<i64>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Some messages of a chat.
#[derive(Serialize, ToSchema)]
struct Messages {
    /// In the order in which they came.
    messages: Vec<MessageBody>,
    /// Whether there are more beyond.
    more: bool,
}

/// Shows messages of a chat by their place.
#[utoipa::path(
    get, path = "/api/v1/social/chats/{chat}/messages", tag = "messages",
    params(("chat" = ChatId, Path, description = "The chat"), HistoryQuery),
    responses((status = 200, description = "Some messages", body = Messages))
)]
async fn history(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<Messages>, Problem> {
    let span = match (query.before, query.after) {
        (before, None) => Span::Before(before.unwrap_or(i64::MAX)),
        (None, Some(after)) => Span::After(after),
        (Some(_), Some(_)) => {
            let text = "ask for what is before a place or for what is after one, not for both";
            return Err(Problem::new(ProblemCode::BadRequest, text));
        }
    };
    let mut conn = social.db().read().await?;
    let seat = seat(&mut conn, chat, actor).await?;
    let (messages, more) = page(&mut conn, &seat, span, query.limit).await?;
    Ok(Json(Messages { messages, more }))
}

/// Which changes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChangesQuery {
    /// The last change that the client knows of; 0 where it knows of none.
    after: i64,
    /// How many messages at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// What changed in a chat.
#[derive(Serialize, ToSchema)]
struct Changes {
    /// Each message that changed, as it stands, in the order of the last changes.
    messages: Vec<MessageBody>,
    /// Up to which change this is everything.
    rev: i64,
    /// Whether there is more: to be asked for after `rev`.
    more: bool,
}

/// Shows what changed in a chat since a client last looked: new messages, and others as they stand.
#[utoipa::path(
    get, path = "/api/v1/social/chats/{chat}/changes", tag = "messages",
    params(("chat" = ChatId, Path, description = "The chat"), ChangesQuery),
    responses((status = 200, description = "What changed", body = Changes))
)]
async fn changes(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Query(query): Query<ChangesQuery>,
) -> Result<Json<Changes>, Problem> {
    let mut conn = social.db().read().await?;
    // The chat first: whatever it counts by then is among what is read after.
    let seat = seat(&mut conn, chat, actor).await?;
    let span = Span::ChangedSince(query.after);
    let (messages, more) = page(&mut conn, &seat, span, query.limit).await?;
    let last = messages.last().map_or(query.after, |message| message.rev);
    let rev = if more { last } else { last.max(seat.chat.last_rev) };
    Ok(Json(Changes { messages, rev, more }))
}

async fn page(
    conn: &mut Conn,
    seat: &Seat,
    span: Span,
    limit: Option<i64>,
) -> Result<(Vec<MessageBody>, bool), Problem> {
    let limit = limit.unwrap_or(MESSAGES_PAGE);
    if !(1..=MESSAGES_PAGE_MAX).contains(&limit) {
        let text = format!("`limit` is 1 to {MESSAGES_PAGE_MAX}");
        return Err(Problem::new(ProblemCode::BadRequest, text));
    }
    let Seat { chat, member } = seat;
    let mut found = conn.messages(chat.id, member.joined_seq, span, limit + 1).await?;
    let more = usize::try_from(limit).is_ok_and(|limit| limit < found.len());
    if more {
        match span {
            Span::Before(_) => drop(found.remove(0)),
            Span::After(_) | Span::ChangedSince(_) => drop(found.pop()),
        }
    }
    Ok((messages_for(conn, member.account_id, found).await?, more))
}

/// Deletes a message: what it says is gone for everybody, and that there was one stays. Its author may,
/// and whoever owns the group.
#[utoipa::path(
    delete, path = "/api/v1/social/messages/{message}", tag = "messages",
    params(("message" = MessageId, Path, description = "The message")),
    responses((status = 204, description = "It is deleted"))
)]
async fn delete(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<MessageId>,
) -> Result<StatusCode, Problem> {
    social.chat_rates().message(actor.account)?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let (seat, message) = found(&mut tx, id, actor).await?;
    let is_owner = seat.chat.kind == ChatKind::Group && seat.member.role == MemberRole::Owner;
    if !is_owner {
        own_message(&message, actor)?;
    }
    if message.deleted_at.is_none() {
        tx.delete_message(&message, now).await?;
        clean_later(&mut tx, now).await?;
        commit_changed(&social, tx, id, actor).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// How far somebody has read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Reading {
    /// The place of the last message that they have read.
    #[schema(minimum = 0)]
    seq: i64,
}

/// Notes how far somebody has read a chat. It never goes back.
#[utoipa::path(
    put, path = "/api/v1/social/chats/{chat}/read", tag = "messages", request_body = Reading,
    params(("chat" = ChatId, Path, description = "The chat")),
    responses((status = 204, description = "It is noted"))
)]
async fn read(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Json(given): Json<Reading>,
) -> Result<StatusCode, Problem> {
    let seat = seat(&mut social.db().read().await?, chat, actor).await?;
    if !(0..=seat.chat.last_seq).contains(&given.seq) {
        return Err(Problem::invalid("seq", "there is no message of this place yet"));
    }
    if given.seq <= seat.member.read_seq {
        return Ok(StatusCode::NO_CONTENT);
    }
    let mut tx = social.db().begin().await?;
    if let Some(seq) = tx.read_up_to(chat, actor.account, given.seq).await? {
        let note = Note::Read { chat, account: actor.account, seq };
        social.commit_and_tell(tx, vec![note]).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes away what a message says, whoever wrote it, if it is there; what is to be told of it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn remove_message(
    tx: &mut Tx,
    id: MessageId,
    now: UnixMs,
) -> Result<Option<Note>, Problem> {
    let Some(message) = tx.message(id).await? else { return Ok(None) };
    let chat = message.chat_id;
    tx.lock_chat(chat).await?;
    // As it stands under the lock.
    let Some(message) = tx.message(id).await? else { return Ok(None) };
    if message.deleted_at.is_some() {
        return Ok(None);
    }
    tx.delete_message(&message, now).await?;
    clean_later(tx, now).await?;
    let changed = tx.message(id).await?;
    Ok(changed.map(|changed| Note::Changed { chat, rev: changed.rev }))
}

/// A message that somebody may see.
///
/// # Errors
/// When there is none, or it says nothing any more.
pub(crate) async fn readable_message(
    conn: &mut Conn,
    id: MessageId,
    by: AccountId,
) -> Result<Message, Problem> {
    let none = || Problem::not_found("message");
    let message = conn.message(id).await?.ok_or_else(none)?;
    let member = conn.member(message.chat_id, by).await?.ok_or_else(none)?;
    let is_seen = member.joined_seq < message.seq && message.deleted_at.is_none();
    if is_seen { Ok(message) } else { Err(none()) }
}

/// A message that whoever asks may see, in its chat, whose lock the transaction then has.
pub(super) async fn found(
    tx: &mut Tx,
    id: MessageId,
    actor: Actor,
) -> Result<(Seat, Message), Problem> {
    let none = || Problem::not_found("message");
    let message = tx.message(id).await?.ok_or_else(none)?;
    let seat = locked_seat(tx, message.chat_id, actor).await;
    let not_theirs =
        |problem: Problem| if problem.code() == ProblemCode::NotFound { none() } else { problem };
    let seat = seat.map_err(not_theirs)?;
    // As it stands under the lock.
    let message = tx.message(id).await?.ok_or_else(none)?;
    if seat.member.joined_seq < message.seq { Ok((seat, message)) } else { Err(none()) }
}

pub(super) fn own_message(message: &Message, actor: Actor) -> Result<(), Problem> {
    if message.author_id == Some(actor.account) {
        return Ok(());
    }
    let text = "this message is somebody else's; report it if it should not be here";
    Err(Problem::new(ProblemCode::Forbidden, text))
}

/// Commits a change of a message, tells whoever has the chat open, and answers with it.
pub(super) async fn commit_changed(
    social: &Social,
    mut tx: Tx,
    id: MessageId,
    actor: Actor,
) -> Result<Json<MessageBody>, Problem> {
    let message = tx.message(id).await?.ok_or_else(Problem::internal)?;
    let note = Note::Changed { chat: message.chat_id, rev: message.rev };
    let mut bodies = messages_for(&mut tx, actor.account, vec![message]).await?;
    social.commit_and_tell(tx, vec![note]).await?;
    bodies.pop().map(Json).ok_or_else(Problem::internal)
}

/// Has the files cleaned of what messages said, once for all that is deleted until then: PostgreSQL
/// writes all of them anew.
pub(crate) async fn clean_later(tx: &mut Tx, now: UnixMs) -> Result<(), Problem> {
    let payload = json!({ "tables": CLEANED });
    let due_at = now.after(CLEAN_MESSAGES_AFTER);
    let job = NewJob { kind: clean::KIND, payload, once_key: Some("clean messages"), due_at };
    tx.enqueue(&job, now).await?;
    Ok(())
}

/// The tables that say what was said.
const CLEANED: &[&str] = &["chats", "mentions", "message_files", "messages", "reactions"];
