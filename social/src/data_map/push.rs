//! What is kept of browsers that are told what happens.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::SESSION_IDLE_MAX;

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry("push_key.id", Owner::Nobody, Retention::Server, SERVERS, "That there is only one."),
    entry(
        "push_key.sealed",
        Owner::Nobody,
        Retention::Server,
        SERVERS,
        "Signs what this server asks of the push services of browsers, encrypted.",
    ),
    entry(
        "push_subscriptions.id",
        BY_ACCOUNT,
        SESSION,
        Export::As("push_subscriptions.id"),
        "Tells the browsers apart that are told what happens.",
    ),
    entry(
        "push_subscriptions.account_id",
        BY_ACCOUNT,
        SESSION,
        Export::No("it is the account's id"),
        "Who is told.",
    ),
    entry(
        "push_subscriptions.session_id",
        BY_ACCOUNT,
        SESSION,
        Export::As("push_subscriptions.session"),
        "On which device you are told. When you sign out there, nothing is sent to it any more.",
    ),
    entry(
        "push_subscriptions.host",
        BY_ACCOUNT,
        SESSION,
        Export::As("push_subscriptions.host"),
        "Whose push service your browser uses, which passes on that something happened.",
    ),
    entry(
        "push_subscriptions.endpoint_hash",
        BY_ACCOUNT,
        SESSION,
        SECRET,
        "Recognizes your browser's address at that service, so that it is told for one account only.",
    ),
    entry(
        "push_subscriptions.sealed",
        BY_ACCOUNT,
        SESSION,
        SECRET,
        "Your browser's address at that service and the keys that only it can read with, encrypted.",
    ),
    entry(
        "push_subscriptions.created_at",
        BY_ACCOUNT,
        SESSION,
        Export::As("push_subscriptions.created_at"),
        "When you switched it on.",
    ),
];

const BY_ACCOUNT: Owner = Owner::Account("account_id");
const SESSION: Retention = Retention::For(SESSION_IDLE_MAX);
const SECRET: Export = Export::No("whoever has it could write to your browser");
const SERVERS: Export = Export::No("it is the server's own and says nothing of a person");
