//! Invites: links that let whoever has them into a private room, for a while.
//!
//! What surprises: who used one is not kept.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Seat, locked_seat, named, seat};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::InviteId;
use crate::limits::{DAY_LONG, INVITE_DAYS_MAX, ROOM_INVITES_MAX};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::secret::Token;
use crate::store::Invite;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// An invite that lets in.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
struct InviteBody {
    id: InviteId,
    /// Who made it; none where they are gone.
    made_by: Option<String>,
    created_at: UnixMs,
    expires_at: UnixMs,
}

/// The invites to a room.
#[derive(Serialize, ToSchema)]
struct Invites {
    /// The last first.
    invites: Vec<InviteBody>,
}

/// Lists the invites that let into the room.
#[utoipa::path(
    get, path = "/api/v1/social/rooms/{room}/invites", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "The invites", body = Invites))
)]
async fn list(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
) -> Result<Json<Invites>, Problem> {
    let mut conn = social.db().read().await?;
    let Seat { room, .. } = seat(&mut conn, &named(&room)?, actor).await?.moderated()?;
    let found = conn.room_invites(&room.name, social.now()).await?;
    let makers: Vec<_> = found.iter().filter_map(|invite| invite.made_by).collect();
    let names = conn.usernames(&makers).await?;
    let body = |invite: Invite| InviteBody {
        id: invite.id,
        made_by: invite.made_by.and_then(|account| names.get(&account).cloned()),
        created_at: invite.created_at,
        expires_at: invite.expires_at,
    };
    Ok(Json(Invites { invites: found.into_iter().map(body).collect() }))
}

/// An invite that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvite {
    /// For how long it lets in.
    #[schema(minimum = 1, maximum = 30)]
    days: u32,
}

/// An invite, and what it is in a link. It is told this once.
#[derive(Serialize, ToSchema)]
struct InviteMade {
    id: InviteId,
    /// Behind `#invite=` in the room's link.
    token: String,
    expires_at: UnixMs,
}

/// Makes an invite to the room.
#[utoipa::path(
    post, path = "/api/v1/social/rooms/{room}/invites", tag = "rooms", request_body = NewInvite,
    params(("room" = String, Path, description = "The room's name")),
    responses(
        (status = 201, description = "The invite", body = InviteMade),
        (status = 409, description = "There are too many",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn make(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
    Json(NewInvite { days }): Json<NewInvite>,
) -> Result<(StatusCode, Json<InviteMade>), Problem> {
    social.room_rates().change(actor.account)?;
    if !(1..=INVITE_DAYS_MAX).contains(&days) {
        let text = format!("an invite lets in for 1 to {INVITE_DAYS_MAX} days");
        return Err(Problem::invalid("days", text));
    }
    let (name, now) = (named(&room)?, social.now());
    let mut tx = social.db().begin().await?;
    let Seat { room, .. } = locked_seat(&mut tx, &name, actor).await?.moderated()?;
    if ROOM_INVITES_MAX <= tx.room_invites(&room.name, now).await?.len() {
        let text = format!(
            "{ROOM_INVITES_MAX} invites let into this room, and more cannot be; take one back first"
        );
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    let token = Token::fresh();
    let life: Duration = DAY_LONG * days;
    let made_by = Some(actor.account);
    let id = InviteId::fresh(now);
    let invite = Invite { id, made_by, created_at: now, expires_at: now.after(life) };
    tx.add_room_invite(&room.name, &token.hash(), &invite).await?;
    tx.commit().await?;
    let made = InviteMade { id, token: token.text(), expires_at: invite.expires_at };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an invite back. Those who came in by it stay.
#[utoipa::path(
    delete, path = "/api/v1/social/rooms/{room}/invites/{invite}", tag = "rooms",
    params(
        ("room" = String, Path, description = "The room's name"),
        ("invite" = InviteId, Path, description = "The invite"),
    ),
    responses((status = 204, description = "It lets nobody in any more"))
)]
async fn revoke(
    State(social): State<Social>,
    actor: Actor,
    Path((room, invite)): Path<(String, InviteId)>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let name = named(&room)?;
    let mut tx = social.db().begin().await?;
    let Seat { room, .. } = locked_seat(&mut tx, &name, actor).await?.moderated()?;
    if !tx.remove_room_invite(&room.name, invite).await? {
        return Err(Problem::not_found("invite"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
