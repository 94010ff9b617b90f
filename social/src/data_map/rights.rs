//! What is kept so that people have their rights: what they asked for, and what was done.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{ERASURE_DELAY_MAX, ERASURE_LEDGER_LIFE, EXPORT_LIFE};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "accounts.hidden_at",
        Owner::Account("id"),
        Retention::UntilDone(ERASURE_DELAY_MAX),
        ERASED,
        "When you asked for your account to be erased: nobody sees it from then on.",
    ),
    entry(
        "accounts.erase_at",
        Owner::Account("id"),
        Retention::UntilDone(ERASURE_DELAY_MAX),
        ERASED,
        "When everything that is kept of you is deleted, unless you take that back.",
    ),
    entry(
        "erasures.account_hash",
        Owner::Nobody,
        LEDGER,
        NOBODYS,
        "That an account was erased, as a hash that tells nobody whose it was: what comes back from a \
         backup is deleted again.",
    ),
    entry("erasures.erased_at", Owner::Nobody, LEDGER, NOBODYS, "When it was erased."),
    entry(
        "exports.id",
        OWN,
        EXPORT,
        Export::As("exports.id"),
        "Stands for an archive of what is kept of you.",
    ),
    entry(
        "exports.account_id",
        OWN,
        EXPORT,
        Export::No("it is the account's id"),
        "Whose archive it is.",
    ),
    entry("exports.bytes", OWN, EXPORT, Export::As("exports.bytes"), "How large the archive is."),
    entry(
        "exports.link_hash",
        OWN,
        EXPORT,
        SECRET,
        "Recognizes the link to the archive. The link itself is not kept.",
    ),
    entry(
        "exports.link_expires_at",
        OWN,
        EXPORT,
        Export::As("exports.link_expires_at"),
        "Until when the link can be followed, once.",
    ),
    entry(
        "exports.created_at",
        OWN,
        EXPORT,
        Export::As("exports.created_at"),
        "When you asked for the archive.",
    ),
    entry(
        "exports.expires_at",
        OWN,
        EXPORT,
        Export::As("exports.expires_at"),
        "When the archive is deleted.",
    ),
];

const OWN: Owner = Owner::Account("account_id");
const EXPORT: Retention = Retention::For(EXPORT_LIFE);
const LEDGER: Retention = Retention::For(ERASURE_LEDGER_LIFE);
const ERASED: Export = Export::No("there is none of an account that is to be erased");
const NOBODYS: Export = Export::No("nobody can tell whose account it was");
const SECRET: Export = Export::No("it is a secret of the server's, and tells nothing without it");
