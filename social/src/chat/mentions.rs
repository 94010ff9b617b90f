//! Whom a message names: `@name` becomes the number of a mention between two characters that nobody
//! can type, and comes back as the name that they have when it is read.
//!
//! So a message never holds the name of anybody that the server knows of, and no id either: who is
//! renamed has the new name in it, and who is gone has none.

use crate::id::{AccountId, ChatId};
use crate::limits::{MENTIONS_MAX, USERNAME_CHARS_MAX};
use crate::store::{Conn, StoreError};

/// A text with numbers in the place of names, and who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) text: String,
    pub(super) accounts: Vec<AccountId>,
}

/// Finds the members of a chat that a text names.
pub(super) async fn encode(
    conn: &mut Conn,
    chat: ChatId,
    body: &str,
) -> Result<Encoded, StoreError> {
    let mut encoded = Encoded { text: String::with_capacity(body.len()), accounts: Vec::new() };
    let mut rest = body;
    let mut before = None;
    let mut looked_up = 0;
    while let Some(at) = rest.find('@') {
        let (text, name) = (&rest[..at], &rest[at + 1..]);
        encoded.text.push_str(text);
        before = text.chars().last().or(before);
        // An address has something before it.
        let begins = !before.is_some_and(char::is_alphanumeric);
        let name = if begins && looked_up < MENTIONS_MAX { name_of(name) } else { "" };
        rest = &rest[at + 1..];
        before = Some('@');
        let mut found = None;
        // A dot after a name ends a sentence, unless there is such a name.
        for name in [name, name.trim_end_matches(['.', '-', '_'])] {
            if found.is_none() && !name.is_empty() {
                looked_up += 1;
                found = member_of(conn, chat, name).await?.map(|account| (account, name.len()));
            }
        }
        match found {
            Some((account, length)) => {
                let place = encoded.accounts.iter().position(|known| *known == account);
                let place = place.unwrap_or_else(|| {
                    encoded.accounts.push(account);
                    encoded.accounts.len() - 1
                });
                encoded.text.push_str(&format!("{MARK}{place}{MARK}"));
                rest = &rest[length..];
                before = Some('a');
            }
            None => encoded.text.push('@'),
        }
    }
    encoded.text.push_str(rest);
    Ok(encoded)
}

/// The text with names in it: `name` says what the one with a number is called.
pub(super) fn decode<'a>(text: &str, name: impl Fn(i64) -> Option<&'a str>) -> String {
    let mut parts = text.split(MARK);
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    // A number and the text after it, by turns.
    while let Some(number) = parts.next() {
        decoded.push('@');
        decoded.push_str(number.parse().ok().and_then(&name).unwrap_or(NOBODY));
        decoded.push_str(parts.next().unwrap_or_default());
    }
    decoded
}

async fn member_of(
    conn: &mut Conn,
    chat: ChatId,
    name: &str,
) -> Result<Option<AccountId>, StoreError> {
    let account = conn.account_by_username(&name.to_ascii_lowercase()).await?;
    let Some(account) = account else { return Ok(None) };
    Ok(conn.member(chat, account.id).await?.map(|member| member.account_id))
}

/// What may be a name at the beginning of a text.
fn name_of(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    if end <= USERNAME_CHARS_MAX + 3 { &text[..end] } else { "" }
}

/// Around a number. A text that somebody types holds no control characters.
const MARK: char = '\u{1}';

/// Who is gone.
const NOBODY: &str = "?";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_the_name_that_somebody_has() {
        let names = |place| if place == 1 { Some("ada") } else { None };
        assert_eq!(decode("hi \u{1}1\u{1}, \u{1}0\u{1}!", names), "hi @ada, @?!");
        assert_eq!(decode("no one", names), "no one");
        assert_eq!(decode("\u{1}1\u{1}", names), "@ada");
    }
}
