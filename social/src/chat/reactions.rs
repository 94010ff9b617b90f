//! Emoji that people put on messages.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::messages::{commit_changed, found};
use super::view::{MessageBody, messages_for};
use super::words;
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::MessageId;
use crate::limits::REACTIONS_MAX;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Message, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(react, take_back))
}

/// Puts an emoji on a message.
#[utoipa::path(
    put, path = "/api/v1/social/messages/{message}/reactions/{emoji}", tag = "messages",
    params(
        ("message" = MessageId, Path, description = "The message"),
        ("emoji" = String, Path, description = "One emoji"),
    ),
    responses(
        (status = 200, description = "The message", body = MessageBody),
        (status = 409, description = "It was deleted, or has 8 of whoever asks",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "It is no emoji",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn react(
    State(social): State<Social>,
    actor: Actor,
    Path((id, emoji)): Path<(MessageId, String)>,
) -> Result<Json<MessageBody>, Problem> {
    social.chat_rates().small_change(actor.account)?;
    let emoji = words::emoji(&emoji)?;
    let mut tx = social.db().begin().await?;
    let (seat, message) = found(&mut tx, id, actor).await?;
    seat.open(&mut tx).await?;
    if message.deleted_at.is_some() {
        return Err(Problem::new(ProblemCode::Conflict, "the message was deleted"));
    }
    match tx.react(&message, actor.account, emoji, REACTIONS_MAX, social.now()).await? {
        Some(true) => commit_changed(&social, tx, id, actor).await,
        Some(false) => as_it_is(&mut tx, message, actor).await,
        None => {
            let text = format!("you have {REACTIONS_MAX} on it, which is the most; take one back");
            Err(Problem::new(ProblemCode::Full, text))
        }
    }
}

/// Takes an emoji back.
#[utoipa::path(
    delete, path = "/api/v1/social/messages/{message}/reactions/{emoji}", tag = "messages",
    params(
        ("message" = MessageId, Path, description = "The message"),
        ("emoji" = String, Path, description = "One emoji"),
    ),
    responses(
        (status = 200, description = "The message", body = MessageBody),
        (status = 422, description = "It is no emoji",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn take_back(
    State(social): State<Social>,
    actor: Actor,
    Path((id, emoji)): Path<(MessageId, String)>,
) -> Result<Json<MessageBody>, Problem> {
    social.chat_rates().small_change(actor.account)?;
    let emoji = words::emoji(&emoji)?;
    let mut tx = social.db().begin().await?;
    let (_, message) = found(&mut tx, id, actor).await?;
    if tx.take_reaction_back(&message, actor.account, emoji).await? {
        commit_changed(&social, tx, id, actor).await
    } else {
        as_it_is(&mut tx, message, actor).await
    }
}

async fn as_it_is(
    tx: &mut Tx,
    message: Message,
    actor: Actor,
) -> Result<Json<MessageBody>, Problem> {
    let mut bodies = messages_for(tx, actor.account, vec![message]).await?;
    bodies.pop().map(Json).ok_or_else(Problem::internal)
}
