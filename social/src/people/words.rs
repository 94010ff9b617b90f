//! The words that stand in the database and in JSON alike.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::account::UnknownWord;

/// Makes an enum of words.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $one:ident = $word:literal,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
            #[serde(rename_all = "snake_case")]
            pub enum $name {
                $($(#[$of])* $one,)*
            }

            impl $name {
                /// Every one.
                pub const ALL: &'static [Self] = &[$(Self::$one,)*];

                /// As it stands in the database and in JSON.
                #[must_use]
                pub const fn word(self) -> &'static str {
                    match self { $(Self::$one => $word,)* }
                }
            }

            impl FromStr for $name {
                type Err = UnknownWord;

                fn from_str(text: &str) -> Result<Self, UnknownWord> {
                    Self::ALL.iter().copied().find(|known| known.word() == text).ok_or(UnknownWord)
                }
            }
        )*
    };
}

words! {
    /// Who sees something.
    Audience {
        /// Whoever is signed in.
        Everybody = "everybody",
        /// Friends only.
        Friends = "friends",
        /// Only they themselves.
        Nobody = "nobody",
    }

    /// How one account stands to another.
    Friendship {
        /// It asked the other, who has not answered.
        Outgoing = "outgoing",
        /// The other asked it.
        Incoming = "incoming",
        /// They are friends.
        Friends = "friends",
    }

    /// What somebody is told.
    NoticeKind {
        /// Somebody asked to be friends.
        FriendAsked = "friend_asked",
        /// Somebody accepted.
        FriendAccepted = "friend_accepted",
        /// Their report was decided on; not how.
        ReportResolved = "report_resolved",
        /// They are warned, after a report about them.
        Warned = "warned",
        /// Something of theirs was removed, after a report about it.
        ContentRemoved = "content_removed",
        /// A file of theirs was removed, which a message that was looked at carried.
        FileRemoved = "file_removed",
        /// A message names them.
        Mentioned = "mentioned",
        /// A message answers theirs.
        Answered = "answered",
        /// The page about privacy will say something else.
        PolicyChanged = "policy_changed",
    }

    /// What a report is about.
    ReportKind {
        /// Somebody, and what they say of themselves.
        Person = "person",
        /// A message.
        Message = "message",
        /// A file.
        File = "file",
        /// A room.
        Room = "room",
    }

    /// What is wrong with it.
    Reason {
        /// Advertising, or the same again and again.
        Spam = "spam",
        /// Somebody is pestered or threatened.
        Harassment = "harassment",
        /// Contempt for a group of people.
        Hate = "hate",
        /// Sex, where nobody asked for it.
        Sexual = "sexual",
        /// Violence.
        Violence = "violence",
        /// Somebody pretends to be somebody else.
        Impersonation = "impersonation",
        /// It is somebody else's work.
        Copyright = "copyright",
        /// Somebody is too young to have an account.
        Underage = "underage",
        /// Something else, which the text says.
        Other = "other",
    }

    /// Whether a report was decided on.
    ReportState {
        /// It waits.
        Open = "open",
        /// It was.
        Resolved = "resolved",
    }

    /// What was decided.
    Resolution {
        /// Nothing is wrong.
        Nothing = "nothing",
        /// Whoever it is about is warned.
        Warned = "warned",
        /// What it is about was removed.
        ContentRemoved = "content_removed",
        /// Nobody signs in to the account, for a while or for good.
        Suspended = "suspended",
        /// The account is frozen at once, and erased.
        Underage = "underage",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_the_same_in_the_database_and_in_json() {
        macro_rules! check {
            ($($name:ident)*) => {$(
                for one in $name::ALL {
                    assert_eq!(serde_json::json!(one), one.word());
                    assert_eq!(one.word().parse(), Ok(*one));
                }
                assert_eq!("".parse::<$name>(), Err(UnknownWord));
            )*};
        }
        check!(Audience Friendship NoticeKind ReportKind Reason ReportState Resolution);
    }
}
