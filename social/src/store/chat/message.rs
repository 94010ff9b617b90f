//! Messages, by their place in a chat and by what changed since.

use sqlx::{query, query_as, query_scalar};

use super::{Conn, StoreError, Tx, on};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId, ClientId, MessageId};

/// A message, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// In which chat.
    pub chat_id: ChatId,
    /// Its place there.
    pub seq: i64,
    /// The last change of it.
    pub rev: i64,
    /// Who wrote it, if they are there.
    pub author_id: Option<AccountId>,
    /// Its author's own name for it.
    pub client_id: Option<ClientId>,
    /// What it says, with the numbers of those whom it names; none where it was deleted.
    pub body: Option<String>,
    /// To which message it answers.
    pub reply_to: Option<MessageId>,
    /// What moves in it.
    pub gif: Option<Gif>,
    /// When it came.
    pub created_at: UnixMs,
    /// When it was last edited.
    pub edited_at: Option<UnixMs>,
    /// When it was deleted.
    pub deleted_at: Option<UnixMs>,
}

/// Something that moves, by its name at whoever has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gif {
    /// Who.
    pub provider: String,
    /// Its name there.
    pub id: String,
}

/// A message that is to be.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: MessageId,
    /// In which chat.
    pub chat_id: ChatId,
    /// Who writes it.
    pub author_id: AccountId,
    /// Their own name for it.
    pub client_id: ClientId,
    /// What it says, with the numbers of those whom it names.
    pub body: &'a str,
    /// To which message it answers.
    pub reply_to: Option<MessageId>,
    /// What moves in it.
    pub gif: Option<Gif>,
}

/// Which messages of a chat.
#[derive(Debug, Clone, Copy)]
pub enum Span {
    /// The last ones before this place.
    Before(i64),
    /// The first ones after this place.
    After(i64),
    /// Those that changed since this change, in the order in which they did.
    ChangedSince(i64),
}

pub(super) type Row = (
    MessageId,
    ChatId,
    i64,
    i64,
    Option<AccountId>,
    Option<ClientId>,
    Option<String>,
    Option<MessageId>,
    Option<String>,
    Option<String>,
    UnixMs,
    Option<UnixMs>,
    Option<UnixMs>,
);

pub(super) fn message(row: Row) -> Message {
    let (
        id,
        chat_id,
        seq,
        rev,
        author_id,
        client_id,
        body,
        reply_to,
        provider,
        gif,
        created,
        edited,
        deleted,
    ) = row;
    Message {
        id,
        chat_id,
        seq,
        rev,
        author_id,
        client_id,
        body,
        reply_to,
        gif: provider.zip(gif).map(|(provider, id)| Gif { provider, id }),
        created_at: created,
        edited_at: edited,
        deleted_at: deleted,
    }
}

/// Its columns, before what says which.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.chat_id, m.seq, m.rev, m.author_id, m.client_id, m.body, m.reply_to,
             m.gif_provider, m.gif_id, m.created_at, m.edited_at, m.deleted_at FROM messages m ",
            $rest
        )
    };
}
pub(super) use select;

impl Conn {
    /// A message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message(&mut self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let sql = select!("WHERE m.id = $1");
        let row = on!(self, c => query_as(sql).bind(id).fetch_optional(&mut *c).await)?;
        Ok(row.map(message))
    }

    /// The message that its author has this name for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message_of_client(
        &mut self,
        author: AccountId,
        client_id: ClientId,
    ) -> Result<Option<Message>, StoreError> {
        let sql = select!("WHERE m.author_id = $1 AND m.client_id = $2");
        let row = on!(self, c => query_as(sql).bind(author).bind(client_id)
            .fetch_optional(&mut *c).await)?;
        Ok(row.map(message))
    }

    /// Messages of a chat that are after a place, from the first to the last, or from the first change
    /// to the last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages(
        &mut self,
        chat: ChatId,
        beyond_seq: i64,
        span: Span,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let (sql, from) = match span {
            Span::Before(seq) => (
                select!(
                    "WHERE m.chat_id = $1 AND m.seq > $2 AND m.seq < $3
                          ORDER BY m.seq DESC LIMIT $4"
                ),
                seq,
            ),
            Span::After(seq) => (
                select!(
                    "WHERE m.chat_id = $1 AND m.seq > $2 AND m.seq > $3
                          ORDER BY m.seq LIMIT $4"
                ),
                seq,
            ),
            Span::ChangedSince(rev) => (
                select!(
                    "WHERE m.chat_id = $1 AND m.seq > $2 AND m.rev > $3
                          ORDER BY m.rev LIMIT $4"
                ),
                rev,
            ),
        };
        let rows: Vec<Row> = on!(self, c => query_as(sql).bind(chat).bind(beyond_seq).bind(from)
            .bind(limit).fetch_all(&mut *c).await)?;
        let mut messages: Vec<_> = rows.into_iter().map(message).collect();
        if matches!(span, Span::Before(_)) {
            messages.reverse();
        }
        Ok(messages)
    }

    /// How many messages of others somebody has not read, counted up to `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unread(
        &mut self,
        chat: ChatId,
        account: AccountId,
        read_seq: i64,
        limit: i64,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM (SELECT 1 AS one FROM messages
                   WHERE chat_id = $1 AND seq > $3 AND deleted_at IS NULL
                   AND (author_id IS NULL OR author_id <> $2) LIMIT $4) unread";
        Ok(on!(self, c => query_scalar(sql).bind(chat).bind(account).bind(read_seq).bind(limit)
            .fetch_one(&mut *c).await)?)
    }
}

impl Tx {
    /// Adds a message to a chat, whose lock this transaction has.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when its author has another message of this name.
    pub async fn add_message(
        &mut self,
        new: &NewMessage<'_>,
        now: UnixMs,
    ) -> Result<Message, StoreError> {
        let sql = "UPDATE chats SET last_seq = last_seq + 1, last_rev = last_rev + 1,
                   active_at = $2 WHERE id = $1 RETURNING last_seq, last_rev";
        let (seq, rev): (i64, i64) = on!(self, c => query_as(sql).bind(new.chat_id).bind(now)
            .fetch_one(&mut *c).await)?;
        let sql = "INSERT INTO messages (id, chat_id, seq, rev, author_id, client_id, body,
                   reply_to, created_at, gif_provider, gif_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let gif = new.gif.as_ref();
        on!(self, c => query(sql).bind(new.id).bind(new.chat_id).bind(seq).bind(rev)
            .bind(new.author_id).bind(new.client_id).bind(new.body).bind(new.reply_to).bind(now)
            .bind(gif.map(|gif| &gif.provider)).bind(gif.map(|gif| &gif.id))
            .execute(&mut *c).await.map(drop))?;
        Ok(Message {
            id: new.id,
            chat_id: new.chat_id,
            seq,
            rev,
            author_id: Some(new.author_id),
            client_id: Some(new.client_id),
            body: Some(new.body.to_owned()),
            reply_to: new.reply_to,
            gif: new.gif.clone(),
            created_at: now,
            edited_at: None,
            deleted_at: None,
        })
    }

    /// Gives a message another text, in a chat whose lock this transaction has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn edit_message(
        &mut self,
        of: &Message,
        body: &str,
        now: UnixMs,
    ) -> Result<(), StoreError> {
        let rev = self.next_rev(of.chat_id).await?;
        let sql = "UPDATE messages SET body = $2, edited_at = $3, rev = $4 WHERE id = $1";
        on!(self, c => query(sql).bind(of.id).bind(body).bind(now).bind(rev)
            .execute(&mut *c).await.map(drop))?;
        Ok(())
    }

    /// Takes away what a message says and carries, whom it names and what others said to it, in a chat
    /// whose lock this transaction has. That it was there, and whose it was, stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_message(&mut self, of: &Message, now: UnixMs) -> Result<(), StoreError> {
        let rev = self.next_rev(of.chat_id).await?;
        let sql = "UPDATE messages SET body = NULL, gif_provider = NULL, gif_id = NULL,
                   edited_at = NULL, deleted_at = $2, rev = $3 WHERE id = $1";
        on!(self, c => query(sql).bind(of.id).bind(now).bind(rev)
            .execute(&mut *c).await.map(drop))?;
        for sql in [
            "DELETE FROM mentions WHERE message_id = $1",
            "DELETE FROM reactions WHERE message_id = $1",
            "DELETE FROM notices WHERE message_id = $1",
            "DELETE FROM message_files WHERE message_id = $1",
        ] {
            on!(self, c => query(sql).bind(of.id).execute(&mut *c).await.map(drop))?;
        }
        self.drop_idle_grants(of.chat_id).await
    }
}
