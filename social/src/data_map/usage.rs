//! What is kept of how programs are used, and of their crashes.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{CRASH_LIFE, USAGE_KEY_LIFE, USAGE_LIFE};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry("usage_keys.day", Owner::Nobody, KEY, OF_NOBODY, "The day that is being counted."),
    entry(
        "usage_keys.key",
        Owner::Nobody,
        KEY,
        OF_NOBODY,
        "Makes the names under which people are counted. It is deleted when the day is over, and \
         from then on nobody can tell whose a name was.",
    ),
    entry("usage_events.id", Owner::Nobody, COUNTED, OF_NOBODY, "Tells what was counted apart."),
    entry("usage_events.day", Owner::Nobody, COUNTED, OF_NOBODY, "On which day it was."),
    entry(
        "usage_events.pseudonym",
        Owner::Nobody,
        COUNTED,
        OF_NOBODY,
        "A name that stands for you on one day only, so that people can be counted once.",
    ),
    entry(
        "usage_events.kind",
        Owner::Nobody,
        COUNTED,
        OF_NOBODY,
        "Whether somebody played, or used something.",
    ),
    entry(
        "usage_events.word",
        Owner::Nobody,
        COUNTED,
        OF_NOBODY,
        "With what somebody played, or which feature it was.",
    ),
    entry("usage_events.minutes", Owner::Nobody, COUNTED, OF_NOBODY, "How long somebody played."),
    entry(
        "usage_objections.account_id",
        Owner::Account("account_id"),
        Retention::Account,
        Export::No("it is the account that the export is of"),
        "Your account, if you objected to being counted.",
    ),
    entry(
        "usage_objections.objected_at",
        Owner::Account("account_id"),
        Retention::Account,
        Export::As("usage.objected_at"),
        "When you objected to being counted.",
    ),
    entry("crashes.id", Owner::Nobody, CRASH, OF_NO_PERSON, "Tells crashes apart."),
    entry("crashes.received_at", Owner::Nobody, CRASH, OF_NO_PERSON, "When it was reported."),
    entry("crashes.cause", Owner::Nobody, CRASH, OF_NO_PERSON, "What crashes of one cause share."),
    entry("crashes.platform", Owner::Nobody, CRASH, OF_NO_PERSON, "What kind of program it was."),
    entry("crashes.release", Owner::Nobody, CRASH, OF_NO_PERSON, "Which version it was."),
    entry(
        "crashes.title",
        Owner::Nobody,
        CRASH,
        OF_NO_PERSON,
        "What failed, without names, addresses and machines.",
    ),
    entry(
        "crashes.report",
        Owner::Nobody,
        CRASH,
        OF_NO_PERSON,
        "Where in the program it failed, without names, addresses and machines.",
    ),
];

const KEY: Retention = Retention::For(USAGE_KEY_LIFE);
const COUNTED: Retention = Retention::For(USAGE_LIFE);
const CRASH: Retention = Retention::For(CRASH_LIFE);
const OF_NOBODY: Export = Export::No("nobody can tell any more whose it was");
const OF_NO_PERSON: Export = Export::No("whose program it was is not kept");
