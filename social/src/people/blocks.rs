//! Whom somebody blocks. The others are never told: to them there is nobody of that name any more.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::look::{find_blocked_too, nobody};
use super::notices::page;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Path, Query};
use crate::id::AccountId;
use crate::limits::{BLOCKS_MAX, PAGE_MAX};
use crate::problem::{Problem, ProblemBody, ProblemCode};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(blocks)).routes(routes!(block, unblock))
}

/// Where the page begins.
#[derive(Debug, Deserialize)]
struct Wanted {
    after: Option<AccountId>,
}

/// Somebody whom you blocked.
#[derive(Debug, Serialize, ToSchema)]
struct BlockBody {
    id: AccountId,
    username: String,
    blocked_at: UnixMs,
}

/// A page of them.
#[derive(Debug, Serialize, ToSchema)]
struct BlocksPage {
    blocks: Vec<BlockBody>,
    /// After whom the next page begins, if there is one.
    next: Option<AccountId>,
}

/// Lists whom you blocked.
#[utoipa::path(
    get, path = "/api/v1/social/account/blocks", tag = "people",
    params(("after" = Option<AccountId>, Query, description = "After whom the page begins")),
    responses(
        (status = 200, description = "A page of 50 at most", body = BlocksPage),
        (status = 400, description = "The query is wrong",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn blocks(
    State(social): State<Social>,
    actor: Actor,
    Query(wanted): Query<Wanted>,
) -> Result<Json<BlocksPage>, Problem> {
    let after = wanted.after.unwrap_or(AccountId::FIRST);
    let mut conn = social.db().read().await?;
    let found = conn.blocks(actor.account, after, PAGE_MAX + 1).await?;
    let (found, next) = page(found, |(id, _)| *id);
    let mut blocks = Vec::new();
    for (id, blocked_at) in found {
        if let Some(account) = conn.account(id).await? {
            blocks.push(BlockBody { id, username: account.username, blocked_at });
        }
    }
    Ok(Json(BlocksPage { blocks, next }))
}

/// Blocks somebody: neither of you finds, asks or reaches the other, and a friendship ends.
#[utoipa::path(
    put, path = "/api/v1/social/account/blocks/{username}", tag = "people",
    params(("username" = String, Path, description = "Their username")),
    responses(
        (status = 204, description = "They are blocked"),
        (status = 409, description = "You blocked too many already",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It is your own name",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn block(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
) -> Result<StatusCode, Problem> {
    social.people_rates().change(actor.account)?;
    let other = {
        let mut conn = social.db().read().await?;
        find_blocked_too(&mut conn, &username).await?.id
    };
    if other == actor.account {
        return Err(Problem::invalid("username", "this is your own name; block somebody else"));
    }
    let mut tx = social.db().begin().await?;
    tx.lock_accounts(vec![actor.account, other]).await?;
    if !tx.has_blocked(actor.account, other).await? {
        if tx.has_blocked(other, actor.account).await? {
            return Err(nobody());
        }
        if BLOCKS_MAX <= tx.count_blocks(actor.account).await? {
            let text =
                format!("you blocked {BLOCKS_MAX} people, and more cannot be; take one back");
            return Err(Problem::new(ProblemCode::LimitReached, text));
        }
        tx.block(actor.account, other, social.now()).await?;
        tx.part(actor.account, other).await?;
        tx.remove_notices_between(actor.account, other).await?;
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a block back. What it ended stays ended.
#[utoipa::path(
    delete, path = "/api/v1/social/account/blocks/{username}", tag = "people",
    params(("username" = String, Path, description = "Their username")),
    responses((status = 204, description = "They are not blocked"))
)]
async fn unblock(
    State(social): State<Social>,
    actor: Actor,
    Path(username): Path<String>,
) -> Result<StatusCode, Problem> {
    social.people_rates().change(actor.account)?;
    let mut tx = social.db().begin().await?;
    let other = find_blocked_too(&mut tx, &username).await?.id;
    let was_blocked = tx.unblock(actor.account, other).await?;
    tx.commit().await?;
    if was_blocked { Ok(StatusCode::NO_CONTENT) } else { Err(nobody()) }
}
