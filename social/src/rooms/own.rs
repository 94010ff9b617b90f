//! Rooms: made, listed, shown, changed and deleted.

use axum::extract::State;
use axum::http::StatusCode;
use protocol::id::RoomId;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::stage::StageNews;
use super::{RoomRole, Seat, Visibility, locked_seat, named, no_room, role_of, words};
use crate::Social;
use crate::chat::{MemberRole, PersonBody, clean_later};
use crate::clock::UnixMs;
use crate::http::extract::{Json, Path};
use crate::http::{Actor, Caller, MaybeActor};
use crate::id::{AccountId, ChatId};
use crate::limits::{ROOMS_LISTED_MAX, ROOMS_MAX};
use crate::live::Note;
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::{Conn, Room, StoreError};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(show, change, remove))
}

/// A room, as whoever asks may see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Room)]
pub(super) struct RoomBody {
    /// As it stands in the link.
    name: String,
    /// What it is called; empty where it is private and whoever asks has no role in it.
    title: String,
    visibility: Visibility,
    /// Whether a password lets into it while it is private.
    has_password: bool,
    /// What whoever asks may do in it.
    role: RoomRole,
    /// For its owner and its moderators: those, who has been it for longest first.
    moderators: Vec<PersonBody>,
    /// For its owner and its moderators: its chat.
    chat: Option<ChatId>,
    created_at: UnixMs,
}

async fn body(conn: &mut Conn, seat: Seat) -> Result<RoomBody, StoreError> {
    let Seat { room, role } = seat;
    let is_inside = RoomRole::Moderator <= role;
    let moderators = if is_inside { conn.room_moderators(&room.name).await? } else { Vec::new() };
    let is_told = is_inside || room.visibility != Visibility::Private;
    Ok(RoomBody {
        title: if is_told { room.title } else { String::new() },
        visibility: room.visibility,
        has_password: room.password_hash.is_some(),
        role,
        moderators: people(conn, moderators).await?,
        chat: is_inside.then_some(room.chat_id),
        created_at: room.created_at,
        name: room.name,
    })
}

/// Accounts with their names; those without one are not shown.
async fn people(conn: &mut Conn, ids: Vec<AccountId>) -> Result<Vec<PersonBody>, StoreError> {
    let mut names = conn.usernames(&ids).await?;
    let named = |account| Some(PersonBody { account, username: names.remove(&account)? });
    Ok(ids.into_iter().filter_map(named).collect())
}

/// A room that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    /// As it is to stand in the link: letters, digits, `-` and `_`.
    name: String,
    /// What it is called.
    title: String,
    visibility: Visibility,
    /// What lets into it while it is private, beside invites.
    #[schema(format = "password")]
    password: Option<String>,
}

/// Makes a room one's own, whose name nobody owns and in which nobody plays.
#[utoipa::path(
    post, path = "/api/v1/social/rooms", tag = "rooms", request_body = NewRoom,
    responses(
        (status = 201, description = "The room", body = RoomBody),
        (status = 409, description = "Somebody owns it, people play in it, or there are too many",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn create(
    State(social): State<Social>,
    actor: Actor,
    Json(given): Json<NewRoom>,
) -> Result<(StatusCode, Json<RoomBody>), Problem> {
    social.room_rates().change(actor.account)?;
    let name = words::name(&given.name)?;
    let title = words::title(&given.title)?.to_owned();
    let password_hash = hashed(&social, given.password.as_deref()).await?;
    // Whoever owned it could take them out.
    if social.playing(vec![name.clone()]).await != [0] {
        let text = "people play in this room; ask them, and try again when it is empty, or take \
                    another name";
        return Err(Problem::new(ProblemCode::RoomInUse, text));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    tx.lock_account(actor.account).await?;
    if ROOMS_MAX <= tx.count_rooms(actor.account).await? {
        let text = format!("you own {ROOMS_MAX} rooms, which is the most; delete one first");
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    if tx.room(name.as_str()).await?.is_some() {
        return Err(taken());
    }
    let chat_id = tx.room_chat(name.as_str(), now).await?;
    let hidden = hidden(&name, given.visibility);
    let room = Room {
        name: name.into(),
        title,
        owner_id: actor.account,
        visibility: given.visibility,
        password_hash,
        chat_id,
        created_at: now,
    };
    match tx.add_room(&room).await {
        Err(StoreError::Taken) => return Err(taken()),
        done => done?,
    }
    tx.join_chat(chat_id, actor.account, MemberRole::Member, now).await?;
    let told = [Note::Chat { chat: chat_id, also: None }].into_iter().chain(hidden).collect();
    let news = StageNews::Visibility(room.visibility);
    social.commit_and_stage(tx, told, &room, news).await?;
    let mut conn = social.db().read().await?;
    let made = body(&mut conn, Seat { room, role: RoomRole::Owner }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// What is told where a room is private: friends of whoever plays there have been told its name.
fn hidden(room: &RoomId, visibility: Visibility) -> Option<Note> {
    (visibility == Visibility::Private).then(|| Note::RoomHidden { room: room.clone() })
}

fn taken() -> Problem {
    let text = "somebody owns a room of this name; take another";
    Problem::new(ProblemCode::RoomTaken, text)
}

async fn hashed(social: &Social, password: Option<&str>) -> Result<Option<String>, Problem> {
    match password {
        Some(password) => {
            let password = words::password(password)?.to_owned();
            Ok(Some(social.passwords().hash(password).await?))
        }
        None => Ok(None),
    }
}

/// Some rooms.
#[derive(Serialize, ToSchema)]
struct Rooms {
    rooms: Vec<RoomBody>,
}

/// Lists the rooms that one owns, then those that one moderates.
#[utoipa::path(
    get, path = "/api/v1/social/rooms", tag = "rooms",
    responses((status = 200, description = "The rooms", body = Rooms))
)]
async fn list(State(social): State<Social>, actor: Actor) -> Result<Json<Rooms>, Problem> {
    let mut conn = social.db().read().await?;
    let mut rooms = Vec::new();
    for room in conn.rooms_of(actor.account, ROOMS_LISTED_MAX).await? {
        let role = role_of(&mut conn, &room, Some(actor.account)).await?;
        rooms.push(body(&mut conn, Seat { room, role }).await?);
    }
    Ok(Json(Rooms { rooms }))
}

/// Shows a room that somebody owns.
#[utoipa::path(
    get, path = "/api/v1/social/rooms/{room}", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "The room", body = RoomBody))
)]
async fn show(
    State(social): State<Social>,
    MaybeActor(actor): MaybeActor,
    caller: Caller,
    Path(room): Path<String>,
) -> Result<Json<RoomBody>, Problem> {
    social.room_rates().look(&caller)?;
    let mut conn = social.db().read().await?;
    let room = conn.room(named(&room)?.as_str()).await?.ok_or_else(no_room)?;
    let role = role_of(&mut conn, &room, actor.map(|actor| actor.account)).await?;
    Ok(Json(body(&mut conn, Seat { room, role }).await?))
}

/// What is to be otherwise. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoomChange {
    title: Option<String>,
    visibility: Option<Visibility>,
    /// Another password; `null` for none, and then only invites let in while it is private.
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<String>, format = "password")]
    password: Option<Option<String>>,
}

/// Something that is there, `null` too.
fn there<'de, D: Deserializer<'de>>(given: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(given).map(Some)
}

/// Changes what a room is called, who finds it and who may come. Those who are in it stay.
#[utoipa::path(
    patch, path = "/api/v1/social/rooms/{room}", tag = "rooms", request_body = RoomChange,
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 200, description = "The room", body = RoomBody))
)]
async fn change(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
    Json(given): Json<RoomChange>,
) -> Result<Json<RoomBody>, Problem> {
    social.room_rates().change(actor.account)?;
    let name = named(&room)?;
    let title = given.title.as_deref().map(words::title).transpose()?;
    // That takes a while, and nobody is to wait for it.
    super::seat(&mut social.db().read().await?, &name, actor).await?.owned()?;
    let password_hash = match &given.password {
        Some(password) => Some(hashed(&social, password.as_deref()).await?),
        None => None,
    };
    let mut tx = social.db().begin().await?;
    let mut seat = locked_seat(&mut tx, &name, actor).await?.owned()?;
    let room = &mut seat.room;
    if let Some(title) = title {
        title.clone_into(&mut room.title);
    }
    room.visibility = given.visibility.unwrap_or(room.visibility);
    if let Some(hash) = password_hash {
        room.password_hash = hash;
    }
    tx.change_room(&seat.room).await?;
    let news = StageNews::Visibility(seat.room.visibility);
    let told = hidden(&name, seat.room.visibility).into_iter().collect();
    social.commit_and_stage(tx, told, &seat.room, news).await?;
    let mut conn = social.db().read().await?;
    Ok(Json(body(&mut conn, seat).await?))
}

/// Gives a room up, and deletes its chat. Those who play go on, in a room that nobody owns.
#[utoipa::path(
    delete, path = "/api/v1/social/rooms/{room}", tag = "rooms",
    params(("room" = String, Path, description = "The room's name")),
    responses((status = 204, description = "Nobody owns it any more"))
)]
async fn remove(
    State(social): State<Social>,
    actor: Actor,
    Path(room): Path<String>,
) -> Result<StatusCode, Problem> {
    social.room_rates().change(actor.account)?;
    let name: RoomId = named(&room)?;
    let mut tx = social.db().begin().await?;
    let Seat { room, .. } = locked_seat(&mut tx, &name, actor).await?.owned()?;
    let chat = room.chat_id;
    tx.lock_chat(chat).await?;
    let members = tx.members(chat).await?;
    tx.remove_room(&room).await?;
    clean_later(&mut tx, social.now()).await?;
    let gone = members.into_iter().map(|member| Some(member.account_id));
    let notes = gone.map(|also| Note::Chat { chat, also }).collect();
    social.commit_and_stage(tx, notes, &room, StageNews::Disowned).await?;
    Ok(StatusCode::NO_CONTENT)
}
