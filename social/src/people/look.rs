//! Looking at people: what they let whoever looks see.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Audience, Friendship};
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::AccountId;
use crate::limits::{SEARCH_MAX, USERNAME_CHARS_MAX};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::secret::hex;
use crate::store::{Account, Conn, StoreError};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(person)).routes(routes!(search))
}

/// Somebody, as far as they let whoever looks see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PersonBody {
    id: AccountId,
    username: String,
    /// Who they are, in a few sentences.
    bio: Option<String>,
    /// What they are up to.
    status: Option<String>,
    /// What they play.
    instruments: Option<Vec<String>>,
    /// What changes when their photo does, if there is one to see.
    photo: Option<String>,
    /// How you stand to them, if at all.
    friendship: Option<Friendship>,
}

/// What somebody may see of somebody else.
#[derive(Debug, Clone, Copy)]
pub(super) enum Eyes {
    /// Everything: they look at themselves.
    Own,
    /// What is for friends.
    Friend,
    /// What is for everybody.
    Stranger,
}

impl Eyes {
    pub(super) const fn of(is_self: bool, friendship: Option<Friendship>) -> Self {
        match (is_self, friendship) {
            (true, _) => Self::Own,
            (false, Some(Friendship::Friends)) => Self::Friend,
            // Whoever was asked is no friend yet, and whoever asks even less.
            (false, Some(Friendship::Incoming | Friendship::Outgoing) | None) => Self::Stranger,
        }
    }

    pub(super) const fn see(self, audience: Audience) -> bool {
        match (self, audience) {
            (Self::Own, _)
            | (Self::Friend, Audience::Everybody | Audience::Friends)
            | (Self::Stranger, Audience::Everybody) => true,
            (Self::Friend | Self::Stranger, _) => false,
        }
    }
}

/// Looks at somebody by their username.
#[utoipa::path(
    get, path = "/api/v1/social/people/{username}", tag = "people",
    params(("username" = String, Path, description = "Their username")),
    responses((status = 200, description = "What they let you see", body = PersonBody))
)]
async fn person(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
) -> Result<Json<PersonBody>, Problem> {
    social.people_rates().look(actor.account)?;
    let mut conn = social.db().read().await?;
    let account = find(&mut conn, actor.account, &username).await?;
    Ok(Json(look(&mut conn, actor.account, account).await?))
}

/// What to look for.
#[derive(Debug, Deserialize)]
struct Search {
    q: String,
}

/// Who was found.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    people: Vec<PersonBody>,
}

/// Looks for people whose usernames begin with something; 20 at most, in the order of their names.
#[utoipa::path(
    get, path = "/api/v1/social/people", tag = "people",
    params(("q" = String, Query, description = "What the username begins with")),
    responses(
        (status = 200, description = "Who was found", body = Found),
        (status = 400, description = "There is no `q`",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn search(
    State(social): State<Social>,
    actor: Actor,
    Query(Search { q }): Query<Search>,
) -> Result<Json<Found>, Problem> {
    social.people_rates().look(actor.account)?;
    let Some(prefix) = key(&q) else { return Ok(Json(Found { people: Vec::new() })) };
    let mut conn = social.db().read().await?;
    let ids = conn.accounts_by_prefix(&prefix, actor.account, SEARCH_MAX).await?;
    let mut people = Vec::new();
    for id in ids {
        people.extend(look_at(&mut conn, actor.account, id).await?);
    }
    Ok(Json(Found { people }))
}

/// The account of a name, unless one of the two blocked the other: then it is as if there were none.
///
/// # Errors
/// When there is none.
pub(crate) async fn find(
    conn: &mut Conn,
    asker: AccountId,
    username: &str,
) -> Result<Account, Problem> {
    let account = find_blocked_too(conn, username).await?;
    if conn.is_blocked_between(asker, account.id).await? { Err(nobody()) } else { Ok(account) }
}

/// The account of a name, for what works between those who blocked each other too.
pub(super) async fn find_blocked_too(conn: &mut Conn, username: &str) -> Result<Account, Problem> {
    let key = key(username).ok_or_else(nobody)?;
    conn.account_by_username(&key).await?.ok_or_else(nobody)
}

/// What somebody may see of an account.
pub(super) async fn look(
    conn: &mut Conn,
    asker: AccountId,
    account: Account,
) -> Result<PersonBody, StoreError> {
    let friendship = conn.friendship(asker, account.id).await?;
    let eyes = Eyes::of(asker == account.id, friendship);
    let profile = conn.profile(account.id).await?;
    let photo = if eyes.see(profile.photo_for) { conn.photo_hash(account.id).await? } else { None };
    Ok(PersonBody {
        id: account.id,
        username: account.username,
        bio: Some(profile.bio).filter(|_| eyes.see(profile.bio_for)),
        status: Some(profile.status).filter(|_| eyes.see(profile.status_for)),
        instruments: Some(profile.instruments).filter(|_| eyes.see(profile.instruments_for)),
        photo: photo.as_deref().map(hex),
        friendship,
    })
}

/// The same by id; nothing where the account is gone meanwhile.
pub(super) async fn look_at(
    conn: &mut Conn,
    asker: AccountId,
    id: AccountId,
) -> Result<Option<PersonBody>, StoreError> {
    match conn.account(id).await? {
        Some(account) => look(conn, asker, account).await.map(Some),
        None => Ok(None),
    }
}

/// A username, or how one begins, in lower case; none where no name can be so.
pub(crate) fn key(typed: &str) -> Option<String> {
    let letters = typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let length = 1..=USERNAME_CHARS_MAX;
    (letters && length.contains(&typed.len())).then(|| typed.to_ascii_lowercase())
}

pub(super) fn nobody() -> Problem {
    Problem::new(
        ProblemCode::NotFound,
        "there is nobody of this name here; check how it is written",
    )
}
