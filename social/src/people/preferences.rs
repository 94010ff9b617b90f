//! The switches for what others see of what somebody does.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Social;
use crate::http::Actor;
use crate::http::extract::Json;
use crate::live::Note;
use crate::problem::Problem;
use crate::store::Preferences;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(preferences, change_preferences))
}

/// What others see of what somebody does, and what they are told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PreferencesBody {
    /// Whether they see that you are online, and friends that you jam.
    presence: bool,
    /// Whether friends see in which room you jam, where `presence` is on: off until you say so; as before,
    /// where a change does not say.
    room: Option<bool>,
    /// Whether they see what you have read.
    read_receipts: bool,
    /// Whether they see that you are typing.
    typing: bool,
    /// Whether you are told in the app that a message names you or answers yours; as before, where a
    /// change does not say.
    mentions: Option<bool>,
}

/// Shows what others see of what you do.
#[utoipa::path(
    get, path = "/api/v1/social/account/preferences", tag = "account",
    responses((status = 200, description = "The switches", body = PreferencesBody))
)]
async fn preferences(
    State(social): State<Social>,
    actor: Actor,
) -> Result<Json<PreferencesBody>, Problem> {
    let preferences = social.db().read().await?.preferences(actor.account).await?;
    let Preferences { presence, room, read_receipts, typing, mentions } = preferences;
    let (room, mentions) = (Some(room), Some(mentions));
    Ok(Json(PreferencesBody { presence, room, read_receipts, typing, mentions }))
}

/// Changes what others see of what you do.
#[utoipa::path(
    put, path = "/api/v1/social/account/preferences", tag = "account",
    request_body = PreferencesBody,
    responses((status = 204, description = "It holds"))
)]
async fn change_preferences(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<PreferencesBody>,
) -> Result<StatusCode, Problem> {
    let PreferencesBody { presence, room, read_receipts, typing, mentions } = given;
    let mut tx = social.db().begin().await?;
    let before = tx.preferences(actor.account).await?;
    let room = room.unwrap_or(before.room);
    let mentions = mentions.unwrap_or(before.mentions);
    let wanted = Preferences { presence, room, read_receipts, typing, mentions };
    tx.set_preferences(actor.account, wanted).await?;
    let is_seen_otherwise = (before.presence, before.room) != (presence, room);
    let note = is_seen_otherwise.then_some(Note::Preferences { account: actor.account });
    social.commit_and_tell(tx, note.into_iter().collect()).await?;
    Ok(StatusCode::NO_CONTENT)
}
