//! What is kept of how people stand to each other.

use super::{Entry, Export, Owner, Retention, entry};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "blocks.blocker_id",
        BLOCKER,
        KEPT,
        Export::No("it is the account that the export is of"),
        "Your account, where you blocked somebody.",
    ),
    entry(
        "blocks.blocked_id",
        BLOCKER,
        KEPT,
        Export::As("blocks.account"),
        "Whom you blocked: neither of you reaches the other.",
    ),
    entry(
        "blocks.created_at",
        BLOCKER,
        KEPT,
        Export::As("blocks.created_at"),
        "When you blocked them.",
    ),
    // Preferences.
    entry(
        "preferences.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose preferences they are.",
    ),
    entry(
        "preferences.presence",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.presence"),
        "Whether others see that you are online, and friends that you jam.",
    ),
    entry(
        "preferences.room",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.room"),
        "Whether friends see in which room you jam. In which one you do is kept nowhere.",
    ),
    entry(
        "preferences.read_receipts",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.read_receipts"),
        "Whether others see what you have read.",
    ),
    entry(
        "preferences.typing",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.typing"),
        "Whether others see that you are typing.",
    ),
    entry(
        "preferences.mentions",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.mentions"),
        "Whether you are told that a message names you or answers yours.",
    ),
    entry(
        "preferences.gifs_agreed_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("preferences.gifs_agreed_at"),
        "When you agreed that your browser asks the service that has GIFs, until you take that back.",
    ),
    // Profiles.
    entry(
        "profiles.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose profile it is.",
    ),
    entry("profiles.bio", BY_ACCOUNT, KEPT, Export::As("profile.bio"), "What you say of yourself."),
    entry(
        "profiles.status",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.status"),
        "What you say you are up to.",
    ),
    entry(
        "profiles.instruments",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.instruments"),
        "What you say you play.",
    ),
    entry(
        "profiles.bio_for",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.bio_for"),
        "Who sees what you say of yourself.",
    ),
    entry(
        "profiles.status_for",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.status_for"),
        "Who sees what you are up to.",
    ),
    entry(
        "profiles.instruments_for",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.instruments_for"),
        "Who sees what you play.",
    ),
    entry(
        "profiles.photo_for",
        BY_ACCOUNT,
        KEPT,
        Export::As("profile.photo_for"),
        "Who sees your photo.",
    ),
    // Photos.
    entry(
        "photos.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose photo it is.",
    ),
    entry(
        "photos.size",
        BY_ACCOUNT,
        KEPT,
        Export::As("photos.size"),
        "How many pixels your photo is wide and high; it is kept in two sizes.",
    ),
    entry(
        "photos.bytes",
        BY_ACCOUNT,
        KEPT,
        Export::As("photos.bytes"),
        "Your photo, without whatever else was in the file that you sent.",
    ),
    entry(
        "photos.hash",
        BY_ACCOUNT,
        KEPT,
        Export::No("it says nothing that the photo does not"),
        "A hash of your photo, by which a browser knows whether it has it.",
    ),
    // Friends.
    entry(
        "friendships.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose friendship it is.",
    ),
    entry(
        "friendships.other_id",
        BY_ACCOUNT,
        KEPT,
        Export::As("friends.account"),
        "Whom you asked to be friends, or who asked you.",
    ),
    entry(
        "friendships.state",
        BY_ACCOUNT,
        KEPT,
        Export::As("friends.state"),
        "Whether you asked, were asked, or are friends.",
    ),
    entry(
        "friendships.asked_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("friends.asked_at"),
        "When one of you asked.",
    ),
    entry(
        "friendships.accepted_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("friends.accepted_at"),
        "When the other accepted.",
    ),
];

const BY_ACCOUNT: Owner = Owner::Account("account_id");
const BLOCKER: Owner = Owner::Account("blocker_id");
const KEPT: Retention = Retention::Account;
