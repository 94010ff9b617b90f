//! What is kept of the page about privacy itself.

use super::{Entry, Export, Owner, Retention, entry};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry("policies.hash", Owner::Nobody, Retention::Server, OF_NOBODY, "Which version it was."),
    entry(
        "policies.announced_at",
        Owner::Nobody,
        Retention::Server,
        OF_NOBODY,
        "When a version was announced.",
    ),
    entry(
        "policies.takes_effect_at",
        Owner::Nobody,
        Retention::Server,
        OF_NOBODY,
        "From when on a version holds.",
    ),
    entry(
        "policy_notices.account_id",
        TOLD,
        Retention::Account,
        Export::No("it is the account that the export is of"),
        "Your account, where you were told of another version.",
    ),
    entry(
        "policy_notices.hash",
        TOLD,
        Retention::Account,
        Export::No("it only tells versions apart"),
        "Which version you were told of, so that you are told once.",
    ),
    entry(
        "policy_notices.told_at",
        TOLD,
        Retention::Account,
        Export::As("policy_notices.told_at"),
        "When you were told of another version.",
    ),
];

const TOLD: Owner = Owner::Account("account_id");
const OF_NOBODY: Export = Export::No("it says nothing of a person");
