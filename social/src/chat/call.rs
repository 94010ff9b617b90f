//! Tells people in the app that a message names them, or answers theirs, and their browsers that somebody
//! wrote to them.

use std::collections::BTreeSet;

use crate::clock::UnixMs;
use crate::id::AccountId;
use crate::people::{NoticeKind, tell_of_message};
use crate::push::{self, What, Word};
use crate::store::{Message, StoreError, Tx};

/// Tells whom a fresh message names, and whose message it answers; once where both are one.
pub(super) async fn call(
    tx: &mut Tx,
    message: &Message,
    author: AccountId,
    named: &[AccountId],
    now: UnixMs,
) -> Result<(), StoreError> {
    let answered = match message.reply_to {
        Some(reply_to) => tx.message(reply_to).await?.and_then(|answered| answered.author_id),
        None => None,
    };
    if named.is_empty() && answered.is_none() {
        return Ok(());
    }
    let callable = tx.callable(message, author).await?;
    let named: BTreeSet<_> = named.iter().copied().collect();
    for account in callable.intersection(&named) {
        tell_of_message(tx, *account, NoticeKind::Mentioned, author, message, now).await?;
    }
    let answered = answered.filter(|one| callable.contains(one) && !named.contains(one));
    if let Some(account) = answered {
        tell_of_message(tx, account, NoticeKind::Answered, author, message, now).await?;
    }
    Ok(())
}

/// Has the browsers of the other one told that somebody wrote, in a chat of two. They have no notice of
/// it: the app shows what is unread.
pub(super) async fn ring(
    tx: &mut Tx,
    message: &Message,
    author: AccountId,
    now: UnixMs,
) -> Result<(), StoreError> {
    let what = What { word: Word::Message, chat: Some(message.chat_id) };
    for account in tx.callable(message, author).await? {
        push::tell(tx, account, what, now).await?;
    }
    Ok(())
}

/// Tells whom a message names that did not name them before it was edited, and takes back what those were
/// told whom it no longer names.
pub(super) async fn call_again(
    tx: &mut Tx,
    message: &Message,
    author: AccountId,
    (before, after): (&[AccountId], &[AccountId]),
    now: UnixMs,
) -> Result<(), StoreError> {
    for account in before.iter().filter(|account| !after.contains(account)) {
        tx.uncall(message, *account).await?;
    }
    let fresh: Vec<_> = after.iter().filter(|account| !before.contains(account)).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let callable = tx.callable(message, author).await?;
    for account in fresh.into_iter().filter(|account| callable.contains(account)) {
        // What they were told of it otherwise, as that it answers them.
        tx.uncall(message, *account).await?;
        tell_of_message(tx, *account, NoticeKind::Mentioned, author, message, now).await?;
    }
    Ok(())
}
