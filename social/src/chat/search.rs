//! Messages by their words, over all chats of whoever asks.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::view::{MessageBody, messages_for};
use super::words::search_words;
use crate::Social;
use crate::clock::UnixMs;
use crate::http::Actor;
use crate::http::extract::{Json, Query};
use crate::id::{ChatId, MessageId};
use crate::limits::SEARCH_PAGE_MAX;
use crate::problem::{Problem, ProblemCode};
use crate::store::Search;

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// Words, or beginnings of words, that a message has all of, or the name of one of its files.
    #[param(max_length = 500)]
    q: Option<String>,
    /// Whether it must carry sound.
    audio: Option<bool>,
    /// In this chat only.
    chat: Option<ChatId>,
    /// From the person of this username only.
    #[param(max_length = 100)]
    from: Option<String>,
    /// Not before this moment.
    since: Option<UnixMs>,
    /// Before this moment.
    until: Option<UnixMs>,
    /// What `next` of the page before says.
    cursor: Option<MessageId>,
}

/// Messages that were found.
#[derive(Serialize, ToSchema)]
#[schema(as = MessagesFound)]
struct Found {
    /// The newest first.
    messages: Vec<MessageBody>,
    /// Asks for more; none where there are no more.
    next: Option<MessageId>,
}

/// Looks for messages in all chats that somebody is in.
#[utoipa::path(
    get, path = "/api/v1/social/search/messages", tag = "messages", params(SearchQuery),
    responses(
        (status = 200, description = "Messages", body = Found),
        (status = 404, description = "Nobody has that name",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "There is nothing to look for, or too much",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn search(
    State(social): State<Social>,
    actor: Actor,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Found>, Problem> {
    social.chat_rates().search(actor.account)?;
    let words = search_words(query.q.as_deref().unwrap_or_default())?;
    let asks_otherwise = query.chat.is_some() || query.from.is_some() || query.since.is_some();
    let is_audio = query.audio.unwrap_or(false);
    if words.is_empty() && !asks_otherwise && query.until.is_none() && !is_audio {
        let text = "say a word to look for, a chat, a person or a time, or look for sound";
        return Err(Problem::invalid("q", text));
    }
    let mut conn = social.db().read().await?;
    let from = match &query.from {
        None => None,
        Some(name) => {
            let name = name.trim().to_lowercase();
            let is_name = !name.chars().any(char::is_control);
            let account = if is_name { conn.account_by_username(&name).await? } else { None };
            let none = || Problem::new(ProblemCode::NotFound, "there is nobody of this name");
            Some(account.ok_or_else(none)?.id)
        }
    };
    let search = Search {
        words,
        is_audio,
        chat: query.chat,
        from,
        since: query.since,
        until: query.until,
        before: query.cursor,
    };
    let mut found = conn.search_messages(actor.account, &search, SEARCH_PAGE_MAX + 1).await?;
    let more = usize::try_from(SEARCH_PAGE_MAX).is_ok_and(|max| max < found.len());
    if more {
        found.pop();
    }
    let next = found.last().filter(|_| more).map(|last| last.id);
    let messages = messages_for(&mut conn, actor.account, found).await?;
    Ok(Json(Found { messages, next }))
}
