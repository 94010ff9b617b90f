//! What a client missed, read from the database for one socket.

use super::deliver::frame;
use super::hub::Live;
use super::table::Frame;
use crate::chat::view::messages_for;
use crate::id::{AccountId, ChatId};
use crate::limits::MESSAGES_PAGE_MAX;
use crate::store::{Span, StoreError};

/// Some of what changed, and where more begins if there is more.
pub(super) struct Missed {
    pub(super) frames: Vec<Frame>,
    pub(super) more_after: Option<i64>,
}

impl Live {
    /// What changed in a chat since a rev, as somebody may see it; nothing where they are not in it.
    pub(super) async fn missed(
        &self,
        account: AccountId,
        chat: ChatId,
        after: i64,
    ) -> Result<Missed, StoreError> {
        let _load = self.loads().acquire().await;
        let mut conn = self.db().read().await?;
        let Some(member) = conn.member(chat, account).await? else {
            return Ok(Missed { frames: Vec::new(), more_after: None });
        };
        let span = Span::ChangedSince(after);
        let found = conn.messages(chat, member.joined_seq, span, MESSAGES_PAGE_MAX).await?;
        let is_full = usize::try_from(MESSAGES_PAGE_MAX).is_ok_and(|max| max <= found.len());
        let messages = messages_for(&mut conn, account, found).await?;
        let last = messages.last().map(|message| message.rev);
        let frames = messages.iter().map(|message| frame(message, chat)).collect();
        Ok(Missed { frames, more_after: last.filter(|_| is_full) })
    }
}
