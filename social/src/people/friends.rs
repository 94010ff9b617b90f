//! Friends: to ask, to accept, and to part.
//!
//! What surprises: asking somebody who asked is accepting, and declining, taking back and parting are
//! one thing, which the other is not told of.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::{PersonBody, find, look_at};
use super::notices::tell;
use super::{Friendship, NoticeKind};
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::AccountId;
use crate::limits::{FRIEND_ASKED_MAX, FRIEND_ASKS_MAX, FRIENDS_MAX, PAGE_MAX};
use crate::problem::{Problem, ProblemBody, ProblemCode};
use crate::store::Tx;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(friends)).routes(routes!(befriend, part))
}

/// Which list, and where the page begins.
#[derive(Debug, Deserialize)]
struct Wanted {
    state: Option<Friendship>,
    after: Option<AccountId>,
}

/// Somebody to whom you stand so.
#[derive(Debug, Serialize, ToSchema)]
struct FriendBody {
    person: PersonBody,
    /// When one asked.
    asked_at: UnixMs,
    /// When the other accepted.
    accepted_at: Option<UnixMs>,
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
struct FriendsPage {
    friends: Vec<FriendBody>,
    /// After whom the next page begins, if there is one.
    next: Option<AccountId>,
}

/// Lists your friends, or whom you asked, or who asked you.
#[utoipa::path(
    get, path = "/api/v1/social/friends", tag = "friends",
    params(
        ("state" = Option<Friendship>, Query, description = "Which list; friends if not said"),
        ("after" = Option<AccountId>, Query, description = "After whom the page begins"),
    ),
    responses(
        (status = 200, description = "A page of 50 at most", body = FriendsPage),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn friends(
    State(social): State<Social>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Json<FriendsPage>, Problem> {
    let state = wanted.state.unwrap_or(Friendship::Friends);
    let after = wanted.after.unwrap_or(AccountId::FIRST);
    let mut conn = social.db().read().await?;
    let found = conn.friends(actor.account, state, after, PAGE_MAX + 1).await?;
    let (page, next) = super::notices::page(found, |friend| friend.other_id);
    let mut friends = Vec::new();
    for friend in page {
        if let Some(person) = look_at(&mut conn, actor.account, friend.other_id).await? {
            let (asked_at, accepted_at) = (friend.asked_at, friend.accepted_at);
            friends.push(FriendBody { person, asked_at, accepted_at });
        }
    }
    Ok(Json(FriendsPage { friends, next }))
}

/// How you stand to somebody.
#[derive(Debug, Serialize, ToSchema)]
struct FriendshipBody {
    state: Friendship,
}

/// Asks somebody to be friends, or accepts where they asked you.
#[utoipa::path(
    put, path = "/api/v1/social/friends/{username}", tag = "friends",
    params(("username" = String, Path, description = "Their username")),
    responses(
        (status = 200, description = "How you stand to them", body = FriendshipBody),
        (status = 409, description = "One of you has too many friends, or open questions",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It is your own name",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn befriend(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
) -> Result<Json<FriendshipBody>, Problem> {
    social.people_rates().look(actor.account)?;
    let other = {
        let mut conn = social.db().read().await?;
        find(&mut conn, actor.account, &username).await?.id
    };
    if other == actor.account {
        return Err(Problem::invalid("username", "this is your own name; ask somebody else"));
    }
    let now = social.now();
    let mut tx = social.db().begin().await?;
    tx.lock_accounts(vec![actor.account, other]).await?;
    // Once more, where nobody changes it meanwhile.
    find(&mut tx, actor.account, &username).await?;
    let state = match tx.friendship(actor.account, other).await? {
        Some(Friendship::Incoming) => {
            check_friends(&mut tx, actor.account, other).await?;
            tx.accept_friend(actor.account, other, now).await?;
            tell(&mut tx, other, NoticeKind::FriendAccepted, Some(actor.account), None, now)
                .await?;
            Friendship::Friends
        }
        // Twice the same is once.
        Some(state @ (Friendship::Outgoing | Friendship::Friends)) => state,
        None => {
            social.people_rates().ask(actor.account, other)?;
            check_asks(&mut tx, actor.account, other).await?;
            tx.ask_friend(actor.account, other, now).await?;
            tell(&mut tx, other, NoticeKind::FriendAsked, Some(actor.account), None, now).await?;
            Friendship::Outgoing
        }
    };
    tx.commit().await?;
    Ok(Json(FriendshipBody { state }))
}

/// Declines, takes back a question, or ends a friendship; the other is not told.
#[utoipa::path(
    delete, path = "/api/v1/social/friends/{username}", tag = "friends",
    params(("username" = String, Path, description = "Their username")),
    responses((status = 204, description = "Nothing is between you"))
)]
async fn part(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
) -> Result<StatusCode, Problem> {
    social.people_rates().look(actor.account)?;
    let mut tx = social.db().begin().await?;
    let other = find(&mut tx, actor.account, &username).await?.id;
    tx.lock_accounts(vec![actor.account, other]).await?;
    if !tx.part(actor.account, other).await? {
        return Err(Problem::new(
            ProblemCode::NotFound,
            "this is no friend, and neither of you asked the other",
        ));
    }
    tx.remove_friend_notices(actor.account, other).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check_friends(tx: &mut Tx, one: AccountId, other: AccountId) -> Result<(), Problem> {
    for account in [one, other] {
        if FRIENDS_MAX <= tx.count_friends(account, Friendship::Friends).await? {
            let text = format!("one of you has {FRIENDS_MAX} friends, and more there cannot be");
            return Err(Problem::new(ProblemCode::LimitReached, text));
        }
    }
    Ok(())
}

async fn check_asks(tx: &mut Tx, asker: AccountId, other: AccountId) -> Result<(), Problem> {
    if FRIEND_ASKS_MAX <= tx.count_friends(asker, Friendship::Outgoing).await? {
        let text = format!(
            "{FRIEND_ASKS_MAX} people have not answered you yet; wait, or take a question back"
        );
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    if FRIEND_ASKED_MAX <= tx.count_friends(other, Friendship::Incoming).await? {
        let text = "too many wait for an answer of theirs; try again some day";
        return Err(Problem::new(ProblemCode::LimitReached, text));
    }
    Ok(())
}
