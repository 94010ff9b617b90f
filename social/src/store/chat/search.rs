//! Messages by their words: the one place where the engines are asked differently.

use sqlx::query_as;

use super::message::{Row, message, select};
use super::{Conn, Driver, Message, StoreError, on, safe};
use crate::clock::UnixMs;
use crate::id::{AccountId, ChatId, MessageId};

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Words that it has, or that begin its words, or those of the name of one of its files: letters
    /// and digits only. Any where there are none.
    pub words: Vec<String>,
    /// Whether it must carry sound.
    pub is_audio: bool,
    /// In which chat.
    pub chat: Option<ChatId>,
    /// From whom.
    pub from: Option<AccountId>,
    /// Not before.
    pub since: Option<UnixMs>,
    /// Before.
    pub until: Option<UnixMs>,
    /// Older than this one.
    pub before: Option<MessageId>,
}

impl Conn {
    /// Messages that somebody may see and that are as they want, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn search_messages(
        &mut self,
        by: AccountId,
        search: &Search,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let Search { words, is_audio, chat, from, since, until, before } = search;
        // A parameter that a statement does not use has no type, so each has all of them.
        let (matching, text) = match self.driver() {
            Driver::Sqlite(_) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"*")).collect();
                (SQLITE, words.join(" "))
            }
            Driver::Pg(_) => {
                let words: Vec<_> = words.iter().map(|word| format!("{word}:*")).collect();
                (POSTGRES, words.join(" & "))
            }
        };
        let audio = if *is_audio { AUDIO } else { "" };
        let sql = if words.is_empty() {
            format!("{VISIBLE} AND CAST($2 AS TEXT) IS NOT NULL {audio} {ORDER}")
        } else {
            let named = named(words.len());
            // Each half ends at the limit, so that neither makes the other slow.
            format!(
                "SELECT * FROM ({VISIBLE} AND {matching} {audio} {ORDER}) said
                 UNION SELECT * FROM ({VISIBLE} AND {named} {audio} {ORDER}) named
                 ORDER BY 1 DESC LIMIT $8"
            )
        };
        let rows: Vec<Row> = on!(self, c => {
            let mut query = query_as(safe(sql))
                .bind(by)
                .bind(text)
                .bind(*chat)
                .bind(*from)
                .bind(*since)
                .bind(*until)
                .bind(*before)
                .bind(limit);
            for word in words {
                query = query.bind(format!("% {}%", word.to_lowercase()));
            }
            query.fetch_all(&mut *c).await
        })?;
        Ok(rows.into_iter().map(message).collect())
    }
}

/// That it says the words.
const SQLITE: &str = "m.number IN (SELECT rowid FROM message_index WHERE message_index MATCH $2)";
const POSTGRES: &str =
    "m.body IS NOT NULL AND to_tsvector('simple', m.body) @@ to_tsquery('simple', $2)";

/// That it carries sound.
const AUDIO: &str = "AND m.id IN (SELECT s.message_id FROM message_files s
     JOIN files f ON f.id = s.file_id AND f.media_type LIKE 'audio/%'
     WHERE s.chat_id IN (SELECT chat_id FROM chat_members WHERE account_id = $1
                         AND left_at IS NULL))";

/// That it carries a file whose name has so many words: those that are bound after all else.
fn named(words: usize) -> String {
    let words: String =
        (9..9 + words).map(|number| format!(" AND s.words LIKE ${number}")).collect();
    format!(
        "m.id IN (SELECT s.message_id FROM message_files s WHERE s.chat_id IN
         (SELECT chat_id FROM chat_members WHERE account_id = $1 AND left_at IS NULL){words})"
    )
}

const VISIBLE: &str = select!(
    "JOIN chat_members v ON v.chat_id = m.chat_id AND v.account_id = $1 AND v.left_at IS NULL
     AND v.joined_seq < m.seq
     WHERE m.deleted_at IS NULL AND ($3 IS NULL OR m.chat_id = $3)
     AND ($4 IS NULL OR m.author_id = $4) AND ($5 IS NULL OR m.created_at >= $5)
     AND ($6 IS NULL OR m.created_at < $6) AND ($7 IS NULL OR m.id < $7)"
);
const ORDER: &str = "ORDER BY m.id DESC LIMIT $8";
