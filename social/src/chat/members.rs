//! Who is in a group, which its owners say.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::chats::{answer, full, reachable, remove, size};
use super::view::ChatBody;
use super::{MemberRole, locked_seat};
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{AccountId, ChatId};
use crate::limits::CHAT_MEMBERS_MAX;
use crate::live::Note;
use crate::problem::{Problem, ProblemCode};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(remove_member)).routes(routes!(role))
}

/// Somebody who is to be in a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMember {
    /// Their name.
    username: String,
}

/// Lets somebody into a group, who sees what comes from then on.
#[utoipa::path(
    post, path = "/api/v1/social/chats/{chat}/members", tag = "chats", request_body = NewMember,
    params(("chat" = ChatId, Path, description = "The group")),
    responses(
        (status = 200, description = "The group", body = ChatBody),
        (status = 409, description = "It is no group, or it is full",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn add(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Json(given): Json<NewMember>,
) -> Result<Json<ChatBody>, Problem> {
    social.chat_rates().chat(actor.account)?;
    let mut tx = social.db().begin().await?;
    locked_seat(&mut tx, chat, actor).await?.owned()?;
    let account = reachable(&mut tx, actor.account, &given.username).await?;
    tx.join_chat(chat, account, MemberRole::Member, social.now()).await?;
    if CHAT_MEMBERS_MAX < size(&mut tx, chat).await? {
        return Err(full());
    }
    social.commit_and_tell(tx, vec![Note::Chat { chat, also: None }]).await?;
    answer(&social, chat, actor).await
}

/// Takes somebody out of a group.
#[utoipa::path(
    delete, path = "/api/v1/social/chats/{chat}/members/{account}", tag = "chats",
    params(
        ("chat" = ChatId, Path, description = "The group"),
        ("account" = AccountId, Path, description = "Who"),
    ),
    responses(
        (status = 204, description = "They are not in it any more"),
        (status = 409, description = "It is no group",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn remove_member(
    State(social): State<Social>,
    actor: Actor,
    Path((chat, account)): Path<(ChatId, AccountId)>,
) -> Result<StatusCode, Problem> {
    let mut tx = social.db().begin().await?;
    locked_seat(&mut tx, chat, actor).await?.owned()?;
    tx.member(chat, account).await?.ok_or_else(no_member)?;
    remove(&mut tx, chat, account, social.now()).await?;
    social.commit_and_tell(tx, vec![Note::Chat { chat, also: Some(account) }]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody may do in a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberRoleChange)]
struct RoleChange {
    role: MemberRole,
}

/// Makes somebody an owner of a group, or a member like others. A group always has an owner.
#[utoipa::path(
    put, path = "/api/v1/social/chats/{chat}/members/{account}/role", tag = "chats",
    request_body = RoleChange,
    params(
        ("chat" = ChatId, Path, description = "The group"),
        ("account" = AccountId, Path, description = "Who"),
    ),
    responses(
        (status = 204, description = "They are"),
        (status = 409, description = "It is no group, or nobody would own it",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn role(
    State(social): State<Social>,
    actor: Actor,
    Path((chat, account)): Path<(ChatId, AccountId)>,
    Json(given): Json<RoleChange>,
) -> Result<StatusCode, Problem> {
    social.chat_rates().small_change(actor.account)?;
    let mut tx = social.db().begin().await?;
    locked_seat(&mut tx, chat, actor).await?.owned()?;
    tx.member(chat, account).await?.ok_or_else(no_member)?;
    tx.set_member_role(chat, account, given.role).await?;
    let members = tx.members(chat).await?;
    if members.iter().all(|member| member.role != MemberRole::Owner) {
        let text = "somebody has to own the group; make another member an owner first";
        return Err(Problem::new(ProblemCode::Conflict, text));
    }
    social.commit_and_tell(tx, vec![Note::Chat { chat, also: None }]).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_member() -> Problem {
    Problem::not_found("member")
}
