//! Chats: made, listed, shown, changed and left.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{self, ChatBody};
use super::{ChatKind, MemberRole, Seat, locked_seat, no_chat, no_person, seat, words};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::{AccountId, ChatId};
use crate::limits::{CHAT_MEMBERS_MAX, CHATS_MAX, CHATS_PAGE_MAX};
use crate::live::Note;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Conn, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(show, change))
        .routes(routes!(leave))
}

/// A chat that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
enum NewChat {
    /// With somebody: the one that there is, or a fresh one.
    Direct {
        /// Their username.
        with: String,
    },
    /// A group, owned by whoever makes it.
    Group {
        /// What it is called.
        title: String,
        /// The usernames of who else is in it.
        #[schema(max_items = 99)]
        members: Vec<String>,
    },
}

/// Makes a group, or a direct chat if there is none yet of the two.
#[utoipa::path(
    post, path = "/api/v1/social/chats", tag = "chats", request_body = NewChat,
    responses(
        (status = 200, description = "The chat", body = ChatBody),
        (status = 404, description = "Nobody of this name can be reached",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "There are too many",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<NewChat>,
) -> Result<Json<ChatBody>, Problem> {
    social.chat_rates().chat(actor.account)?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    if CHATS_MAX <= tx.number_of_chats(actor.account).await? {
        let text = format!("you are in {CHATS_MAX} chats, which is the most; leave one first");
        return Err(Problem::new(ProblemCode::Full, text));
    }
    let chat = match given {
        NewChat::Direct { with } => {
            let other = reachable(&mut tx, actor.account, &with).await?;
            if other == actor.account {
                return Err(Problem::invalid("with", "a chat is with somebody else"));
            }
            tx.direct_chat(actor.account, other, now).await?
        }
        NewChat::Group { title, members } => {
            let title = words::title(&title)?;
            if CHAT_MEMBERS_MAX <= members.len() {
                return Err(full());
            }
            let chat = tx.add_group(title, now).await?;
            tx.join_chat(chat, actor.account, MemberRole::Owner, now).await?;
            for name in members {
                let other = reachable(&mut tx, actor.account, &name).await?;
                tx.join_chat(chat, other, MemberRole::Member, now).await?;
            }
            chat
        }
    };
    social.commit_and_tell(tx, vec![Note::Chat { chat, also: None }]).await?;
    answer(&social, chat, actor).await
}

/// Somebody whom one may let into a chat, by their name.
pub(super) async fn reachable(
    tx: &mut Tx,
    by: AccountId,
    name: &str,
) -> Result<AccountId, Problem> {
    // PostgreSQL takes no NUL, and nobody has one in their name.
    if name.chars().any(char::is_control) {
        return Err(no_person());
    }
    let account = tx.account_by_username(&name.trim().to_lowercase()).await?;
    let account = account.ok_or_else(no_person)?.id;
    if tx.is_blocked_between(by, account).await? { Err(no_person()) } else { Ok(account) }
}

pub(super) fn full() -> Problem {
    let text = format!("a group has {CHAT_MEMBERS_MAX} members at most");
    Problem::new(ProblemCode::Full, text)
}

pub(super) async fn answer(
    social: &Social,
    chat: ChatId,
    actor: Actor,
) -> Result<Json<ChatBody>, Problem> {
    let mut conn = social.db().read().await?;
    let Seat { chat, member } = seat(&mut conn, chat, actor).await?;
    Ok(Json(view::chat(&mut conn, chat, member).await?))
}

/// Which of the chats.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChatsQuery {
    /// What `next` of the page before says.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// Some of the chats.
#[derive(Serialize, ToSchema)]
struct Chats {
    /// The most lively first.
    chats: Vec<ChatBody>,
    /// Asks for more; none where there are no more.
    next: Option<String>,
}

/// Lists the chats that somebody is in.
#[utoipa::path(
    get, path = "/api/v1/social/chats", tag = "chats", params(ChatsQuery),
    responses(
        (status = 200, description = "Some of the chats", body = Chats),
        (status = 400, description = "The cursor is none",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list(
    State(social): State<Social>,
    actor: Actor,
    Query(query): Query<ChatsQuery>,
) -> Result<Json<Chats>, Problem> {
    let after = query.cursor.as_deref().map(cursor).transpose()?;
    let mut conn = social.db().read().await?;
    let mut found = conn.chats_of(actor.account, after, CHATS_PAGE_MAX + 1).await?;
    let more = usize::try_from(CHATS_PAGE_MAX).is_ok_and(|max| max < found.len());
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}.{}", last.active_at.0, last.id));
    let mut chats = Vec::with_capacity(found.len());
    for chat in found {
        // Somebody may have left meanwhile.
        if let Some(member) = conn.member(chat.id, actor.account).await? {
            chats.push(view::chat(&mut conn, chat, member).await?);
        }
    }
    Ok(Json(Chats { chats, next }))
}

fn cursor(text: &str) -> Result<(UnixMs, ChatId), Problem> {
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(at, id)| Some((UnixMs(at.parse().ok()?), id.parse().ok()?)));
    parsed.ok_or_else(|| {
        let text = "the cursor is none that this route gave; leave it out to begin anew";
        Problem::new(ProblemCode::BadRequest, text)
    })
}

/// Shows a chat.
#[utoipa::path(
    get, path = "/api/v1/social/chats/{chat}", tag = "chats",
    params(("chat" = ChatId, Path, description = "The chat")),
    responses((status = 200, description = "The chat", body = ChatBody))
)]
async fn show(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
) -> Result<Json<ChatBody>, Problem> {
    answer(&social, chat, actor).await
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChatChange {
    /// Of a group, by its owner.
    title: Option<String>,
    /// Whether whoever asks wants no notices of it.
    muted: Option<bool>,
}

/// Changes what a group is called, or whether one wants notices of a chat.
#[utoipa::path(
    patch, path = "/api/v1/social/chats/{chat}", tag = "chats", request_body = ChatChange,
    params(("chat" = ChatId, Path, description = "The chat")),
    responses(
        (status = 200, description = "The chat", body = ChatBody),
        (status = 409, description = "It is no group",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Json(given): Json<ChatChange>,
) -> Result<Json<ChatBody>, Problem> {
    social.chat_rates().small_change(actor.account)?;
    let mut tx = social.db().begin().await?;
    let mut seat = locked_seat(&mut tx, chat, actor).await?;
    if let Some(title) = &given.title {
        let title = words::title(title)?;
        seat = seat.owned()?;
        tx.set_title(seat.chat.id, title).await?;
    }
    if let Some(is_muted) = given.muted {
        tx.set_muted(chat, actor.account, is_muted).await?;
    }
    social.commit_and_tell(tx, vec![Note::Chat { chat, also: None }]).await?;
    answer(&social, chat, actor).await
}

/// Leaves a group, which then belongs to whoever has been in it for longest, if nobody else owns it.
#[utoipa::path(
    post, path = "/api/v1/social/chats/{chat}/leave", tag = "chats",
    params(("chat" = ChatId, Path, description = "The chat")),
    responses(
        (status = 204, description = "Whoever asked is not in it any more"),
        (status = 409, description = "It is a direct chat",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn leave(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    let seat = locked_seat(&mut tx, chat, actor).await?;
    if seat.chat.kind == ChatKind::Direct {
        let text = "a direct chat is of two as long as both are here; mute it, or block the other";
        return Err(Problem::new(ProblemCode::Conflict, text));
    }
    remove(&mut tx, chat, actor.account, social.now()).await?;
    let also = Some(actor.account);
    social.commit_and_tell(tx, vec![Note::Chat { chat, also }]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody out of a chat, whose lock the transaction has.
pub(super) async fn remove(
    tx: &mut Tx,
    chat: ChatId,
    account: AccountId,
    now: UnixMs,
) -> Result<(), Problem> {
    if !tx.leave_chat(chat, account, now).await? {
        return Err(no_chat());
    }
    tx.hand_over_group(chat).await?;
    if tx.delete_empty_chat(chat).await? {
        super::messages::clean_later(tx, now).await?;
    }
    Ok(())
}

/// How many are in a chat.
pub(super) async fn size(conn: &mut Conn, chat: ChatId) -> Result<usize, Problem> {
    Ok(conn.members(chat).await?.len())
}
