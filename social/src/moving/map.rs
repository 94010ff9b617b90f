//! What becomes of every column that is somebody's when their account moves to another region.
//!
//! A test compares this with the data map, so a column that is added there is moved or named here as left
//! behind. What surprises: what others see as one thing has two owners, so a file moves and who else may
//! read it does not. Other people's data stays in their region, and what somebody said to them is erased
//! there, as in every erasure.

/// A table with rows that move.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The column by which its owner is found.
    pub owner: &'static str,
    /// Its columns, each with what its value becomes. One that others are made by comes before those.
    pub columns: &'static [(&'static str, Becomes)],
}

/// What the value of a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// What it is.
    Same,
    /// The id of the account there: an id that was erased never comes back.
    Account,
    /// The region there.
    Region,
    /// The username there, which may be another.
    Username,
    /// The same in lower case.
    UsernameKey,
    /// That of everybody: a role is about one server.
    Role,
    /// What it is; a row whose file does not move is left out.
    File,
    /// Where the copy of the file is.
    Object,
    /// Where the copy of its small picture is.
    Thumbnail,
    /// What the settings there call the provider.
    Provider,
    /// The same text, sealed under the key there.
    Token,
    /// A fresh chat.
    Chat,
}

use Becomes::{
    Account, Chat, File, Object, Provider, Region, Role, Same, Thumbnail, Token, Username,
    UsernameKey,
};

/// Tables whose rows move as they are, in the order in which they are written.
pub const MOVED: &[Table] = &[
    Table {
        name: "accounts",
        owner: "id",
        columns: &[
            ("id", Account),
            ("region", Region),
            ("email", Same),
            ("email_key", Same),
            ("username", Username),
            ("password_hash", Same),
            ("role", Role),
            ("language", Same),
            ("created_at", Same),
            ("password_changed_at", Same),
        ],
    },
    Table {
        name: "usernames",
        owner: "account_id",
        columns: &[("name_key", UsernameKey), ("account_id", Account)],
    },
    Table {
        name: "preferences",
        owner: "account_id",
        columns: &[
            ("account_id", Account),
            ("presence", Same),
            ("room", Same),
            ("read_receipts", Same),
            ("typing", Same),
            ("mentions", Same),
            ("gifs_agreed_at", Same),
        ],
    },
    Table {
        name: "profiles",
        owner: "account_id",
        columns: &[
            ("account_id", Account),
            ("bio", Same),
            ("status", Same),
            ("instruments", Same),
            ("bio_for", Same),
            ("status_for", Same),
            ("instruments_for", Same),
            ("photo_for", Same),
        ],
    },
    Table {
        name: "photos",
        owner: "account_id",
        columns: &[("account_id", Account), ("size", Same), ("bytes", Same), ("hash", Same)],
    },
    Table {
        name: "usage_objections",
        owner: "account_id",
        columns: &[("account_id", Account), ("objected_at", Same)],
    },
    Table {
        name: "files",
        owner: "account_id",
        columns: &[
            ("id", File),
            ("account_id", Account),
            ("name", Same),
            ("media_type", Same),
            ("size_bytes", Same),
            ("object_id", Object),
            ("thumbnail_id", Thumbnail),
            ("thumbnail_bytes", Same),
            ("width_px", Same),
            ("height_px", Same),
            ("analysis", Same),
            ("duration_ms", Same),
            ("peaks", Same),
            ("created_at", Same),
        ],
    },
    Table {
        name: "file_comments",
        owner: "account_id",
        columns: &[
            ("file_id", File),
            ("id", Same),
            ("account_id", Account),
            ("at_ms", Same),
            ("body", Same),
            ("created_at", Same),
        ],
    },
];

/// Tables some rows of which move, each looked at by itself.
pub const CHOSEN: &[Table] = &[
    Table {
        name: "identities",
        owner: "account_id",
        columns: &[
            ("id", Same),
            ("account_id", Account),
            ("provider", Provider),
            ("issuer", Same),
            ("subject", Same),
            ("token", Token),
            ("linked_at", Same),
            ("vouched_at", Same),
            ("relay", Same),
            ("relay_at", Same),
        ],
    },
    Table {
        name: "rooms",
        owner: "owner_id",
        columns: &[
            ("name", Same),
            ("title", Same),
            ("owner_id", Account),
            ("visibility", Same),
            ("password_hash", Same),
            ("chat_id", Chat),
            ("created_at", Same),
        ],
    },
];

/// Tables and columns that are left behind and erased, each with the reason.
pub const LEFT: &[(&str, &str)] = &[
    ("accounts.hidden_at", "what is to be erased does not move"),
    ("accounts.erase_at", "what is to be erased does not move"),
    ("accounts.suspension_reason", "what is suspended does not move"),
    ("accounts.suspended_until", "what is suspended does not move"),
    ("identities.ended_at", "what was unlinked is ended where it was linked"),
    ("identities.outcome", "what was unlinked is ended where it was linked"),
    ("identities.outcome_at", "what was unlinked is ended where it was linked"),
    ("audit", "it is about who ran the other server"),
    ("blocks", "whom somebody blocked is in the other region"),
    ("chat_members", "the chats are others' too"),
    ("codes", "a code that was mailed is worth nothing elsewhere"),
    ("devices", "each is new to the other server, which tells of it"),
    ("exports", "an archive is of what the other server kept"),
    ("file_grants", "whom files were given to is in the other region"),
    ("friendships", "friends are in the other region"),
    ("mails", "they are on their way"),
    ("mentions", "the chats are others' too"),
    ("message_files", "the chats are others' too"),
    ("messages", "the chats are others' too"),
    ("notices", "what they tell of is in the other region"),
    ("policy_notices", "the other server's page about privacy is another"),
    ("push_subscriptions", "each ends with its session"),
    ("reactions", "the chats are others' too"),
    ("reports", "they are the other server's to decide on"),
    ("room_bans", "the rooms are others'"),
    ("room_invites", "their links lead to the other server"),
    ("room_moderators", "the rooms are others'"),
    ("sessions", "everybody signs in anew"),
    ("uploads", "a file that is not complete is begun anew"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_map::{Export, Owner, columns};

    fn is_moved(place: &str) -> bool {
        let (table, column) = place.split_once('.').expect("table.column");
        let of = MOVED.iter().chain(CHOSEN).find(|of| of.name == table);
        of.is_some_and(|of| of.columns.iter().any(|(name, _)| *name == column))
    }

    fn is_left(place: &str) -> bool {
        let (table, _) = place.split_once('.').expect("table.column");
        LEFT.iter().any(|(left, _)| *left == place || *left == table)
    }

    #[test]
    fn promise_19_every_column_that_is_somebodys_is_moved_or_named_as_left_behind() {
        for entry in columns() {
            let is_somebodys = matches!(entry.owner, Owner::Account(_));
            let is_exported = matches!(entry.export, Export::As(_));
            let place = entry.place;
            let fates = usize::from(is_moved(place)) + usize::from(is_left(place));
            let has_one = if is_somebodys || is_exported { fates == 1 } else { fates < 2 };
            assert!(has_one, "{place} either moves, by MOVED or CHOSEN, or is named in LEFT");
        }
        // That it can fail.
        for unknown in ["accounts.shoe_size", "identities.shoe_size", "shoes.size"] {
            assert!(!is_moved(unknown) && !is_left(unknown), "{unknown}");
        }
    }

    #[test]
    fn nothing_is_named_that_is_not_there_or_without_a_reason() {
        let places: Vec<_> = columns().map(|entry| entry.place).collect();
        for table in MOVED.iter().chain(CHOSEN) {
            for (column, _) in table.columns {
                let place = format!("{}.{column}", table.name);
                assert!(places.contains(&place.as_str()), "{place}");
            }
        }
        for (left, reason) in LEFT {
            let is = |place: &&str| place == left || place.split('.').next() == Some(left);
            assert!(places.iter().any(is), "{left}");
            assert!(reason.len() > 10, "{left}");
        }
    }
}
