//! Hands out the messages of a chat, in the order of their changes, to those of its members who are here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::hub::Live;
use super::table::Frame;
use crate::chat::view::{self, MessageBody};
use crate::id::{AccountId, ChatId};
use crate::limits::MESSAGES_PAGE_MAX;
use crate::store::{Member, Span, StoreError};

/// A message on a socket.
#[derive(Serialize)]
struct MessageEvent<'a> {
    r#type: &'static str,
    chat: ChatId,
    message: &'a MessageBody,
}

/// A message as it is written to a socket.
pub(super) fn frame(message: &MessageBody, chat: ChatId) -> Frame {
    let event = MessageEvent { r#type: "message", chat, message };
    let text = serde_json::to_string(&event).unwrap_or_default();
    Frame { text: Arc::from(text), change: Some((chat, message.rev)) }
}

/// What changed, and who may see it.
struct Batch {
    messages: Vec<MessageBody>,
    members: Vec<Member>,
    /// For each author whose messages name somebody: those whom they do not call.
    silent: BTreeMap<AccountId, Vec<AccountId>>,
}

impl Live {
    /// Hands out what changed, until nothing more is wanted. For each chat, one does so at a time.
    pub(super) async fn deliver(&self, chat: ChatId, number: u64) {
        loop {
            let Some(after) = self.table().feed(chat, number).map(|feed| feed.delivered) else {
                return;
            };
            let batch = match self.load(chat, after).await {
                Ok(batch) => batch,
                Err(error) => {
                    // Found again when somebody looks.
                    tracing::warn!(%error, "messages were not handed out yet");
                    if let Some(feed) = self.table().feed(chat, number) {
                        feed.is_running = false;
                    }
                    return;
                }
            };
            if !self.hand_out(chat, number, batch) {
                return;
            }
        }
    }

    async fn load(&self, chat: ChatId, after: i64) -> Result<Batch, StoreError> {
        let _load = self.loads().acquire().await;
        let mut conn = self.db().read().await?;
        let found = conn.messages(chat, 0, Span::ChangedSince(after), MESSAGES_PAGE_MAX).await?;
        let members = conn.members(chat).await?;
        let messages = view::messages(&mut conn, found).await?;
        let mut silent = BTreeMap::new();
        for message in messages.iter().filter(|message| message.names_anybody()) {
            if let Some(author) = message.author() {
                silent.insert(author, conn.blocked_either_way(author).await?);
            }
        }
        Ok(Batch { messages, members, silent })
    }

    /// Hands a batch out; whether there may be more.
    fn hand_out(&self, chat: ChatId, number: u64, batch: Batch) -> bool {
        let Batch { messages, members, silent } = batch;
        // Written once, before anybody is kept from the table.
        let frames: Vec<(Frame, Option<Frame>)> = messages
            .iter()
            .map(|message| {
                let called = message.names_anybody().then(|| {
                    let mut called = message.clone();
                    called.mentioned = true;
                    frame(&called, chat)
                });
                (frame(message, chat), called)
            })
            .collect();
        let mut table = self.table();
        if table.feed(chat, number).is_none() {
            return false;
        }
        for (message, (plain, called)) in messages.iter().zip(&frames) {
            let silent = message.author().and_then(|author| silent.get(&author));
            for member in members.iter().filter(|member| member.joined_seq < message.seq) {
                let account = member.account_id;
                let is_silent = silent.is_some_and(|silent| silent.contains(&account));
                let called = called.as_ref().filter(|_| !is_silent && message.names(account));
                table.write(account, called.unwrap_or(plain));
            }
        }
        let Some(feed) = table.feed(chat, number) else { return false };
        match messages.last() {
            Some(last) => feed.delivered = feed.delivered.max(last.rev),
            // What was told is gone again.
            None => feed.delivered = feed.wanted,
        }
        let is_full = usize::try_from(MESSAGES_PAGE_MAX).is_ok_and(|max| max <= messages.len());
        feed.is_running = is_full || feed.delivered < feed.wanted;
        feed.is_running
    }
}
