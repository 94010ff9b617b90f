//! Messages that somebody writes: sent, edited.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::call::{call, call_again, ring};
use super::mentions::{Encoded, encode};
use super::messages::{found, own_message};
use super::view::{GifBody, MessageBody, messages_for};
use super::{ChatKind, Seat, gif, locked_seat, words};
use crate::Social;
use crate::http::Actor;
use crate::http::extract::{Json, Path};
use crate::id::{ChatId, ClientId, FileId, MessageId};
use crate::limits::MESSAGE_FILES_MAX;
use crate::live::Note;
use crate::problem::{Problem, ProblemCode};
use crate::store::{Gif, Message, NewMessage, StoreError, StoredFile, Tx};

pub(super) fn routes() -> OpenApiRouter<Social> {
    OpenApiRouter::new().routes(routes!(send)).routes(routes!(edit))
}

/// A message that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Sending {
    /// The author's own name for it: however often it is sent, there is one message of this name.
    client_id: ClientId,
    /// Up to 4000 characters. `@username` names somebody who is in the chat. May be empty where the
    /// message carries something.
    body: String,
    /// To which message of the chat it answers.
    reply_to: Option<MessageId>,
    /// Files of the author's own, in their order: whoever sees the message may read them.
    #[serde(default)]
    #[schema(max_items = 10)]
    files: Vec<FileId>,
    /// What moves in it.
    gif: Option<GifBody>,
}

/// Sends a message. What is answered here is on the disk; sent again under the same `client_id`, the
/// answer is the same.
#[utoipa::path(
    post, path = "/api/v1/social/chats/{chat}/messages", tag = "messages", request_body = Sending,
    params(("chat" = ChatId, Path, description = "The chat")),
    responses(
        (status = 200, description = "The message", body = MessageBody),
        (status = 409, description = "Another message has this client_id",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn send(
    State(social): State<Social>,
    actor: Actor,
    Path(chat): Path<ChatId>,
    Json(given): Json<Sending>,
) -> Result<Json<MessageBody>, Problem> {
    social.chat_rates().message(actor.account)?;
    let Sending { client_id, body, reply_to, files, gif } = given;
    let gif = gif.map(gif::gif).transpose()?;
    if gif.is_some() {
        crate::gifs::check(&social)?;
    }
    check_files(&files)?;
    let carries = gif.is_some() || !files.is_empty();
    let body = if carries { words::body_beside(&body)? } else { words::body(&body)? };
    let mut tx = social.db().begin().await?;
    let held = tx.hold_files(&files, actor.account).await?;
    let seat = locked_seat(&mut tx, chat, actor).await?;
    let encoded = encode(&mut tx, chat, body).await?;
    // Under the lock: of two that arrive at once, the second sees what became of the first.
    if let Some(sent) = tx.message_of_client(actor.account, client_id).await? {
        let again = Again { encoded: &encoded, reply_to, files: &files, gif: gif.as_ref() };
        if !again.is(&mut tx, &sent, chat).await? {
            return Err(other_message());
        }
        return answer(&mut tx, sent, actor).await;
    }
    let seat = seat.open(&mut tx).await?;
    let attached = attached(&files, &held)?;
    if let Some(reply_to) = reply_to {
        check_reply(&mut tx, &seat, reply_to).await?;
    }
    let now = social.now();
    let new = NewMessage {
        id: MessageId::fresh(now),
        chat_id: chat,
        author_id: actor.account,
        client_id,
        body: &encoded.text,
        reply_to,
        gif,
    };
    let sent = match tx.add_message(&new, now).await {
        // In another chat, at this moment.
        Err(StoreError::Taken) => return Err(other_message()),
        sent => sent?,
    };
    if !encoded.accounts.is_empty() {
        tx.set_mentions(sent.id, &encoded.accounts).await?;
    }
    tx.attach(&sent, actor.account, &attached, now).await?;
    call(&mut tx, &sent, actor.account, &encoded.accounts, now).await?;
    if seat.chat.kind == ChatKind::Direct {
        ring(&mut tx, &sent, actor.account, now).await?;
    }
    let note = Note::Changed { chat, rev: sent.rev };
    let answer = answer(&mut tx, sent, actor).await?;
    social.commit_and_tell(tx, vec![note]).await?;
    Ok(answer)
}

/// That a list of files can be one of a message.
fn check_files(files: &[FileId]) -> Result<(), Problem> {
    if MESSAGE_FILES_MAX < files.len() {
        let text = format!("a message carries {MESSAGE_FILES_MAX} files at most; send two");
        return Err(Problem::invalid("files", text));
    }
    if files.iter().collect::<BTreeSet<_>>().len() < files.len() {
        return Err(Problem::invalid("files", "a message carries each file once"));
    }
    Ok(())
}

/// The files of a message with the words of their names, if all are there and the author's.
fn attached(
    files: &[FileId],
    held: &BTreeMap<FileId, StoredFile>,
) -> Result<Vec<(FileId, String)>, Problem> {
    let attached = files.iter().map(|id| {
        let words = held.get(id).map(|file| words::name_words(&file.name));
        let none = || Problem::invalid("files", "one of these is no file of yours that is here");
        words.map(|words| (*id, words)).ok_or_else(none)
    });
    attached.collect()
}

/// What is sent under a name that its author may have used before.
struct Again<'a> {
    encoded: &'a Encoded,
    reply_to: Option<MessageId>,
    files: &'a [FileId],
    gif: Option<&'a Gif>,
}

impl Again<'_> {
    /// Whether a message is the one that is sent again. One that was edited or deleted meanwhile says
    /// nothing of what it was, nor does one of its files that is gone.
    async fn is(&self, tx: &mut Tx, sent: &Message, chat: ChatId) -> Result<bool, Problem> {
        if sent.chat_id != chat || sent.reply_to != self.reply_to {
            return Ok(false);
        }
        let Some(body) = sent.body.as_ref().filter(|_| sent.edited_at.is_none()) else {
            return Ok(true);
        };
        let carried = tx.message_files(&[sent.id]).await?;
        let are_files = carried.len() == self.files.len()
            && carried
                .iter()
                .zip(self.files)
                .all(|((_, was), is)| was.as_ref().is_none_or(|was| was == is));
        let named: Vec<_> =
            tx.mentions(&[sent.id]).await?.into_iter().map(|(_, _, account)| account).collect();
        let is_gif = sent.gif.as_ref() == self.gif;
        let says = *body == self.encoded.text && named == self.encoded.accounts;
        Ok(says && are_files && is_gif)
    }
}

fn other_message() -> Problem {
    let text = "you have another message of this client_id; take a fresh one for each message";
    Problem::new(ProblemCode::Conflict, text)
}

async fn check_reply(tx: &mut Tx, seat: &Seat, reply_to: MessageId) -> Result<(), Problem> {
    let message = tx.message(reply_to).await?;
    let is_seen = message.is_some_and(|message| {
        message.chat_id == seat.chat.id && seat.member.joined_seq < message.seq
    });
    if is_seen {
        return Ok(());
    }
    Err(Problem::invalid("reply_to", "there is no such message in this chat"))
}

/// Another text.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Up to 4000 characters. What the message carries stays.
    body: String,
}

/// Gives a message another text, by its author. What it said before is kept nowhere.
#[utoipa::path(
    patch, path = "/api/v1/social/messages/{message}", tag = "messages", request_body = Edit,
    params(("message" = MessageId, Path, description = "The message")),
    responses(
        (status = 200, description = "The message", body = MessageBody),
        (status = 409, description = "It was deleted",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn edit(
    State(social): State<Social>,
    actor: Actor,
    Path(id): Path<MessageId>,
    Json(given): Json<Edit>,
) -> Result<Json<MessageBody>, Problem> {
    social.chat_rates().message(actor.account)?;
    let now = social.now();
    let mut tx = social.db().begin().await?;
    let (seat, message) = found(&mut tx, id, actor).await?;
    own_message(&message, actor)?;
    if message.deleted_at.is_some() {
        let text = "the message was deleted; write another";
        return Err(Problem::new(ProblemCode::Conflict, text));
    }
    let seat = seat.open(&mut tx).await?;
    let carries = message.gif.is_some() || !tx.message_files(&[id]).await?.is_empty();
    let body = if carries { words::body_beside(&given.body)? } else { words::body(&given.body)? };
    let encoded = encode(&mut tx, seat.chat.id, body).await?;
    let named: Vec<_> =
        tx.mentions(&[id]).await?.into_iter().map(|(_, _, account)| account).collect();
    tx.edit_message(&message, &encoded.text, now).await?;
    tx.set_mentions(id, &encoded.accounts).await?;
    call_again(&mut tx, &message, actor.account, (&named, &encoded.accounts), now).await?;
    super::messages::clean_later(&mut tx, now).await?;
    super::messages::commit_changed(&social, tx, id, actor).await
}

/// What somebody who sent a message is answered.
async fn answer(tx: &mut Tx, sent: Message, actor: Actor) -> Result<Json<MessageBody>, Problem> {
    let mut bodies = messages_for(tx, actor.account, vec![sent]).await?;
    bodies.pop().map(Json).ok_or_else(Problem::internal)
}
