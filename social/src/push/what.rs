//! What a push says: of which kind it is, and which page tells more.

use crate::id::ChatId;
use crate::people::NoticeKind;

/// What happened, as far as a push says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct What {
    /// Of which kind it is.
    pub(crate) word: Word,
    /// In which chat, where it is in one.
    pub(crate) chat: Option<ChatId>,
}

/// Of which kind something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// What somebody is told in the app, too.
    Notice(NoticeKind),
    /// Somebody wrote to them, in a chat of two.
    Message,
    /// Something about how they sign in.
    Security,
}

impl Word {
    /// As it stands in a job and in a push.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Notice(kind) => kind.word(),
            Self::Message => "message",
            Self::Security => "security",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "message" => Some(Self::Message),
            "security" => Some(Self::Security),
            notice => notice.parse().ok().map(Self::Notice),
        }
    }

    /// Whether it reaches its reader whatever they muted, and however much else there is.
    pub(super) const fn is_alert(self) -> bool {
        match self {
            Self::Security => true,
            Self::Message => false,
            Self::Notice(kind) => match kind {
                NoticeKind::PolicyChanged
                | NoticeKind::Warned
                | NoticeKind::ContentRemoved
                | NoticeKind::FileRemoved => true,
                NoticeKind::FriendAsked
                | NoticeKind::FriendAccepted
                | NoticeKind::ReportResolved
                | NoticeKind::Mentioned
                | NoticeKind::Answered => false,
            },
        }
    }
}

impl What {
    /// The page that tells more.
    pub(super) fn page(self) -> String {
        match (self.word, self.chat) {
            (_, Some(chat)) => format!("/account/chats/{chat}"),
            (Word::Security, None) => "/account".to_owned(),
            (Word::Message, None) => "/account/chats".to_owned(),
            (Word::Notice(NoticeKind::PolicyChanged), None) => "/privacy".to_owned(),
            (Word::Notice(_), None) => "/account/people".to_owned(),
        }
    }

    /// What it replaces: whatever else there is of the same chat, or of the same kind.
    pub(super) fn topic(self) -> String {
        match self.chat {
            Some(chat) => format!("chat {chat}"),
            None => self.word.text().to_owned(),
        }
    }

    /// What is sent, in the language of the account.
    pub(super) fn payload(self, language: &str) -> Vec<u8> {
        let (kind, go) = (self.word.text(), self.page());
        serde_json::json!({ "kind": kind, "go": go, "lang": language }).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMs;
    use crate::limits::PUSH_PADDED_BYTES;

    fn all() -> impl Iterator<Item = Word> {
        let notices = NoticeKind::ALL.iter().copied().map(Word::Notice);
        notices.chain([Word::Message, Word::Security])
    }

    #[test]
    fn a_kind_comes_back_from_its_word() {
        for word in all() {
            assert_eq!(Word::parse(word.text()), Some(word));
        }
        assert_eq!(Word::parse("marketing"), None);
    }

    #[test]
    fn whatever_happens_fits_and_leads_to_a_page_of_ours() {
        for word in all() {
            for chat in [None, Some(ChatId::fresh(UnixMs(1)))] {
                let what = What { word, chat };
                // The longest name of a language that a file of mails may have.
                assert!(what.payload(&"x".repeat(35)).len() < PUSH_PADDED_BYTES, "{what:?}");
                assert!(what.page().starts_with('/') && !what.page().starts_with("//"));
            }
        }
    }
}
