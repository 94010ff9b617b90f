//! Who moderates a room, and who is banned from it.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::stage::StageNews;
use super::{RoomRole, Seat, locked_seat, named, role_of, seat};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::AccountId;
use crate::limits::{ROOM_BANS_MAX, ROOM_MODERATORS_MAX};
use crate::live::Note;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::Conn;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new()
        .routes(routes!(appoint))
        .routes(routes!(dismiss))
        .routes(routes!(bans, ban))
        .routes(routes!(unban))
}

/// Somebody, by one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Whom {
    /// Their username.
    username: Option<String>,
    /// The id of their account, as signalling tells it.
    account: Option<AccountId>,
}

impl Whom {
    async fn find(&self, conn: &mut Conn) -> Result<AccountId, Problem> {
        let found = match (&self.username, self.account) {
            (Some(name), None) => {
                // PostgreSQL takes no NUL, and nobody has one in their name.
                let name = Some(name.trim().to_lowercase());
                match name.filter(|name| !name.chars().any(char::is_control)) {
                    Some(name) => conn.account_by_username(&name).await?,
                    None => None,
                }
            }
            (None, Some(account)) => conn.account(account).await?,
            _ => {
                let text = "say who, by `username` or by `account`";
                return Err(Problem::invalid("username", text));
            }
        };
        found.map(|account| account.id).ok_or_else(nobody)
    }
}

/// Makes somebody a moderator of the room.
#[utoipa::path(
    post, path = "/api/v1/social/rooms/{room}/moderators", tag = "rooms", request_body = Whom,
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 204, description = "They are"),
        (status = 409, description = "They are banned, or there are too many",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn appoint(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
    Json(whom): Json<Whom>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let name = named(&room)?;
    let mut tx = social.db().begin().await?;
    seat(&mut tx, &name, actor).await?.owned()?;
    let account = whom.find(&mut tx).await?;
    // Neither is there for the other.
    if tx.is_blocked_between(actor.account, account).await? {
        return Err(nobody());
    }
    tx.lock_account(account).await?;
    let Seat { room, .. } = locked_seat(&mut tx, &name, actor).await?.owned()?;
    if account == room.owner_id {
        let text = "you own this room, which is more than to moderate it";
        return Err(Problem::invalid("username", text));
    }
    if tx.is_room_banned(&room.name, account).await? {
        let text = "they are banned from this room; take that back first";
        return Err(Problem::new(ProblemCode::Conflict, text));
    }
    let moderators = tx.room_moderators(&room.name).await?;
    if ROOM_MODERATORS_MAX <= moderators.len() && !moderators.contains(&account) {
        let text = format!("a room has {ROOM_MODERATORS_MAX} moderators at most");
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    tx.add_room_moderator(&room.name, account, social.now()).await?;
    let news = StageNews::Role(account, RoomRole::Moderator);
    social.commit_and_stage(tx, Vec::new(), &room, news).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends that somebody moderates the room, or that one does oneself.
#[utoipa::path(
    delete, path = "/api/v1/social/rooms/{room}/moderators/{account}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("account" = AccountId, Path, description = "Who"),
    ),
    responses((status = 204, description = "They do not any more"))
)]
async fn dismiss(
    State(social): State<Social>,
    actor: Actor,
    Path((room, account)): Path<(String, AccountId)>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let name = named(&room)?;
    let mut tx = social.db().begin().await?;
    let seat = locked_seat(&mut tx, &name, actor).await?;
    let Seat { room, .. } = if account == actor.account { seat } else { seat.owned()? };
    if !tx.remove_room_moderator(&room.name, account).await? {
        return Err(Problem::not_found("moderator"));
    }
    let news = StageNews::Role(account, RoomRole::Guest);
    social.commit_and_stage(tx, Vec::new(), &room, news).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody who is banned.
#[derive(Serialize, ToSchema)]
struct Ban {
    account: AccountId,
    username: String,
    banned_at: UnixMs,
}

/// Who is banned.
#[derive(Serialize, ToSchema)]
struct Bans {
    /// The last first; 200 at most.
    bans: Vec<Ban>,
}

/// Lists who is banned from the room.
#[utoipa::path(
    get, path = "/api/v1/social/rooms/{room}/bans", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "Who is banned", body = Bans))
)]
async fn bans(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
) -> Result<Json<Bans>, Problem> {
    let mut conn = social.db().read().await?;
    let Seat { room, .. } = seat(&mut conn, &named(&room)?, actor).await?.moderated()?;
    let found = conn.room_bans(&room.name).await?;
    let ids: Vec<_> = found.iter().map(|(account, _)| *account).collect();
    let mut names = conn.usernames(&ids).await?;
    let ban = |(account, banned_at)| {
        let username = names.remove(&account)?;
        Some(Ban { account, username, banned_at })
    };
    Ok(Json(Bans { bans: found.into_iter().filter_map(ban).collect() }))
}

/// Bans somebody from the room: they are taken out of it and out of its chat, and get no pass.
#[utoipa::path(
    post, path = "/api/v1/social/rooms/{room}/bans", tag = "rooms", request_body = Whom,
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 204, description = "They are"),
        (status = 409, description = "There are too many",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn ban(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
    Json(whom): Json<Whom>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let (name, now) = (named(&room)?, social.now());
    let mut tx = social.db().begin().await?;
    seat(&mut tx, &name, actor).await?.moderated()?;
    let account = whom.find(&mut tx).await?;
    tx.lock_account(account).await?;
    let Seat { room, role } = locked_seat(&mut tx, &name, actor).await?.moderated()?;
    if role <= role_of(&mut tx, &room, Some(account)).await? {
        let text =
            "the owner of a room cannot be banned from it, and a moderator by its owner only";
        return Err(Problem::new(ProblemCode::Forbidden, text));
    }
    let banned = tx.room_bans(&room.name).await?;
    if ROOM_BANS_MAX <= banned.len() && banned.iter().all(|(known, _)| *known != account) {
        let text = format!("{ROOM_BANS_MAX} are banned, and more cannot be; take one back first");
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    tx.remove_room_moderator(&room.name, account).await?;
    tx.ban_from_room(&room.name, account, actor.account, now).await?;
    let chat = room.chat_id;
    tx.lock_chat(chat).await?;
    tx.leave_chat(chat, account, now).await?;
    let notes = vec![Note::Chat { chat, also: Some(account) }];
    social.commit_and_stage(tx, notes, &room, StageNews::Banned(account)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a ban back.
#[utoipa::path(
    delete, path = "/api/v1/social/rooms/{room}/bans/{account}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("account" = AccountId, Path, description = "Who"),
    ),
    responses((status = 204, description = "They are not banned"))
)]
async fn unban(
    State(social): State<Social>,
    actor: Actor,
    Path((room, account)): Path<(String, AccountId)>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let name = named(&room)?;
    let mut tx = social.db().begin().await?;
    let Seat { room, .. } = locked_seat(&mut tx, &name, actor).await?.moderated()?;
    if !tx.unban_from_room(&room.name, account).await? {
        return Err(Problem::not_found("ban"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn nobody() -> Problem {
    let text = "there is nobody of this name here; check how it is written";
    Problem::new(ProblemCode::NotFound, text)
}
