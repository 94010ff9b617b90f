//! What is kept of rooms that accounts own.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::INVITE_LIFE_MAX;

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "rooms.name",
        OWNER,
        KEPT,
        Export::As("rooms.name"),
        "The name of a room that you own, as it stands in its link.",
    ),
    entry("rooms.title", OWNER, KEPT, Export::As("rooms.title"), "What your room is called."),
    entry("rooms.owner_id", OWNER, KEPT, OF_EXPORT, "Your account, where you own a room."),
    entry(
        "rooms.visibility",
        OWNER,
        KEPT,
        Export::As("rooms.visibility"),
        "Whether your room is listed, and whether it is private.",
    ),
    entry(
        "rooms.password_hash",
        OWNER,
        KEPT,
        Export::No("the password itself is not kept, and the hash tells nothing"),
        "A bcrypt hash of your room's password, to compare what somebody types.",
    ),
    entry("rooms.chat_id", OWNER, KEPT, Export::As("rooms.chat"), "The chat of your room."),
    entry(
        "rooms.created_at",
        OWNER,
        KEPT,
        Export::As("rooms.created_at"),
        "When you made a room your own.",
    ),
    entry(
        "room_moderators.room",
        BY_ACCOUNT,
        KEPT,
        Export::As("moderated_rooms.room"),
        "A room that you moderate.",
    ),
    entry(
        "room_moderators.account_id",
        BY_ACCOUNT,
        KEPT,
        OF_EXPORT,
        "Your account, where you moderate a room.",
    ),
    entry(
        "room_moderators.since",
        BY_ACCOUNT,
        KEPT,
        Export::As("moderated_rooms.since"),
        "Since when you moderate it: who did for longest gets a room whose owner leaves.",
    ),
    entry(
        "room_bans.room",
        BY_ACCOUNT,
        KEPT,
        Export::As("room_bans.room"),
        "A room that you are banned from.",
    ),
    entry(
        "room_bans.account_id",
        BY_ACCOUNT,
        KEPT,
        OF_EXPORT,
        "Your account, where you are banned from a room.",
    ),
    entry(
        "room_bans.banned_by",
        Owner::Account("banned_by"),
        KEPT,
        OF_EXPORT,
        "Your account, where you banned somebody from a room.",
    ),
    entry(
        "room_bans.banned_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("room_bans.banned_at"),
        "When you were banned from it.",
    ),
    entry(
        "room_invites.id",
        MAKER,
        INVITES,
        Export::As("room_invites.id"),
        "Tells invites to a room apart.",
    ),
    entry(
        "room_invites.room",
        MAKER,
        INVITES,
        Export::As("room_invites.room"),
        "To which room you made an invite.",
    ),
    entry(
        "room_invites.token_hash",
        MAKER,
        INVITES,
        Export::No("the link itself is not kept, and the hash tells nothing"),
        "A hash of the invite's link, to compare what somebody brings. Who used it is not kept.",
    ),
    entry(
        "room_invites.made_by",
        MAKER,
        INVITES,
        OF_EXPORT,
        "Your account, where you made an invite to a room.",
    ),
    entry(
        "room_invites.created_at",
        MAKER,
        INVITES,
        Export::As("room_invites.created_at"),
        "When you made it.",
    ),
    entry(
        "room_invites.expires_at",
        MAKER,
        INVITES,
        Export::As("room_invites.expires_at"),
        "Until when it lets in.",
    ),
];

const OWNER: Owner = Owner::Account("owner_id");
const BY_ACCOUNT: Owner = Owner::Account("account_id");
const MAKER: Owner = Owner::Account("made_by");
const KEPT: Retention = Retention::Account;
const INVITES: Retention = Retention::UntilDone(INVITE_LIFE_MAX);
const OF_EXPORT: Export = Export::No("it is the account that the export is of");
