//! The list of rooms that everybody finds, and how many play in them.

use axum::extract::State;
use protocol::id::RoomId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Social;
use crate::http::extract::{Json, Query};
use crate::http::{Caller, MaybeActor};
use crate::id::AccountId;
use crate::limits::PAGE_MAX;
use crate::people::page;
use crate::problem::{Problem, ProblemBody};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(public))
}

/// Where the page begins.
#[derive(Debug, Deserialize)]
struct Wanted {
    after: Option<String>,
}

/// A room that everybody finds.
#[derive(Debug, Serialize, ToSchema)]
struct PublicRoom {
    /// As it stands in the link.
    name: String,
    /// What it is called.
    title: String,
    /// How many are in it on this server.
    playing: usize,
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
struct PublicRooms {
    rooms: Vec<PublicRoom>,
    /// After which room the next page begins, if there is one.
    next: Option<String>,
}

/// Lists the rooms that everybody may find.
#[utoipa::path(
    get, path = "/api/v1/social/public-rooms", tag = "rooms",
    params(("after" = Option<String>, Query, description = "After which room the page begins")),
    responses(
        (status = 200, description = "A page of 50 at most", body = PublicRooms),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn public(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Json<PublicRooms>, Problem> {
    social.room_rates().look(&caller)?;
    // PostgreSQL takes no NUL; after what can be no name, the list begins.
    let after = wanted.after.and_then(|after| RoomId::parse(&after).ok());
    let after = after.as_ref().map_or("", RoomId::as_str);
    let asker = actor.map_or(AccountId::FIRST, |actor| actor.account);
    let found = social.db().read().await?.public_rooms(after, asker, PAGE_MAX + 1).await?;
    let (found, next) = page(found, |room| room.name.clone());
    let names = found.iter().filter_map(|room| RoomId::parse(&room.name).ok()).collect();
    let playing = social.playing(names).await;
    let rooms = found.into_iter().zip(playing).map(|(room, playing)| PublicRoom {
        name: room.name,
        title: room.title,
        playing,
    });
    Ok(Json(PublicRooms { rooms: rooms.collect(), next }))
}
