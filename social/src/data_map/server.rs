//! What the server keeps of its own work.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::ERASURE_DELAY_MAX;

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    // The server's own.
    entry(
        "jobs.id",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "Stands for something that the server does later.",
    ),
    entry(
        "jobs.kind",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "What it does.",
    ),
    entry(
        "jobs.payload",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "What it does it with: ids, and nothing of what they stand for.",
    ),
    entry(
        "jobs.once_key",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "Keeps it from being done twice.",
    ),
    entry(
        "jobs.due_at",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "When it is done.",
    ),
    entry(
        "jobs.attempts",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "How often it was tried.",
    ),
    entry(
        "jobs.locked_until",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "Until when a server is at it.",
    ),
    entry(
        "jobs.lease",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "Which server is at it.",
    ),
    entry(
        "jobs.last_error",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "Why it failed, in a word.",
    ),
    entry(
        "jobs.created_at",
        Owner::Nobody,
        Retention::UntilDone(ERASURE_DELAY_MAX),
        INTERNAL,
        "When it was wanted.",
    ),
    entry("server_key.id", Owner::Nobody, Retention::Server, INTERNAL, "That there is only one."),
    entry(
        "server_key.hash",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "That the server has the key that the hashes here were made with. The key is not kept here.",
    ),
    entry(
        "schema_migrations.number",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "Which version the tables are of.",
    ),
    entry(
        "schema_migrations.name",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "What that version brought.",
    ),
    entry(
        "schema_migrations.checksum",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "That nobody changed it.",
    ),
    entry(
        "schema_migrations.applied_at",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "When it came.",
    ),
];

const INTERNAL: Export = Export::No("it orders the server's own work and says nothing of a person");
