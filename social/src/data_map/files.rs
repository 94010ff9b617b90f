//! What is kept of files, and of what people say of them.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{ORPHAN_AGE, UPLOAD_LIFE};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    // Files on their way.
    entry("uploads.id", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "Tells apart what you send."),
    entry("uploads.account_id", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "Who sends it."),
    entry("uploads.name", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "What you call it."),
    entry("uploads.size_bytes", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "How large it will be."),
    entry("uploads.received_bytes", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "How much of it is here."),
    entry("uploads.media_type", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "What it is."),
    entry("uploads.created_at", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "When you began to send it."),
    entry("uploads.expires_at", BY_ACCOUNT, ON_ITS_WAY, UNFINISHED, "When it is deleted."),
    entry("upload_parts.upload_id", Owner::Nobody, ON_ITS_WAY, INTERNAL, "What it is a part of."),
    entry("upload_parts.start_bytes", Owner::Nobody, ON_ITS_WAY, INTERNAL, "Where it begins."),
    entry("upload_parts.size_bytes", Owner::Nobody, ON_ITS_WAY, INTERNAL, "How large it is."),
    entry("upload_parts.object_id", Owner::Nobody, ON_ITS_WAY, INTERNAL, "Where its bytes are."),
    // Files.
    entry("files.id", BY_ACCOUNT, KEPT, Export::As("files.id"), "Tells your files apart."),
    entry(
        "files.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose file it is.",
    ),
    entry("files.name", BY_ACCOUNT, KEPT, Export::As("files.name"), "What you call your file."),
    entry(
        "files.media_type",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.media_type"),
        "What the file is, by its first bytes.",
    ),
    entry(
        "files.size_bytes",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.size_bytes"),
        "How large the file is.",
    ),
    entry(
        "files.object_id",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.object_id"),
        "Where the file's bytes are. They are in your export too. Of a photo they do not say where \
         and with what it was taken: that is not kept.",
    ),
    entry(
        "files.thumbnail_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is made of the picture"),
        "Where a small copy of a picture is.",
    ),
    entry(
        "files.thumbnail_bytes",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is made of the picture"),
        "How large that copy is.",
    ),
    entry(
        "files.width_px",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.width_px"),
        "How wide a picture is.",
    ),
    entry(
        "files.height_px",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.height_px"),
        "How high a picture is.",
    ),
    entry(
        "files.analysis",
        BY_ACCOUNT,
        KEPT,
        Export::No("it orders the server's own work and says nothing of a person"),
        "Whether the server has looked through a recording for its length.",
    ),
    entry(
        "files.duration_ms",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.duration_ms"),
        "How long a recording sounds.",
    ),
    entry(
        "files.peaks",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is made of the recording"),
        "How a recording looks at a glance, for its player.",
    ),
    entry(
        "files.created_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("files.created_at"),
        "When the file came.",
    ),
    // Who may read them.
    entry(
        "file_grants.file_id",
        GRANTER,
        KEPT,
        Export::As("file_grants.file"),
        "Which of your files you gave to others.",
    ),
    entry(
        "file_grants.granted_by",
        GRANTER,
        KEPT,
        Export::No("it is the account that the export is of"),
        "Your account, where you gave a file to others.",
    ),
    entry(
        "file_grants.account_id",
        GRANTER,
        KEPT,
        Export::As("file_grants.account"),
        "To whom you gave it.",
    ),
    entry(
        "file_grants.chat_id",
        GRANTER,
        KEPT,
        Export::As("file_grants.chat"),
        "In which chat you gave it to everybody.",
    ),
    entry(
        "file_grants.created_at",
        GRANTER,
        KEPT,
        Export::As("file_grants.created_at"),
        "When you gave it.",
    ),
    // What people say of them.
    entry(
        "file_comments.id",
        BY_ACCOUNT,
        KEPT,
        Export::As("file_comments.id"),
        "Tells comments apart.",
    ),
    entry(
        "file_comments.file_id",
        BY_ACCOUNT,
        KEPT,
        Export::As("file_comments.file"),
        "Which recording you said something of.",
    ),
    entry(
        "file_comments.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Who said it. Where you leave, an empty place without your name stays.",
    ),
    entry(
        "file_comments.at_ms",
        BY_ACCOUNT,
        KEPT,
        Export::As("file_comments.at_ms"),
        "Of which moment of the recording.",
    ),
    entry(
        "file_comments.body",
        BY_ACCOUNT,
        KEPT,
        Export::As("file_comments.body"),
        "What you said.",
    ),
    entry(
        "file_comments.created_at",
        BY_ACCOUNT,
        KEPT,
        Export::As("file_comments.created_at"),
        "When you said it.",
    ),
    // The server's own.
    entry("object_sweeps.id", Owner::Nobody, Retention::Server, INTERNAL, "There is one of it."),
    entry(
        "object_sweeps.at",
        Owner::Nobody,
        Retention::Server,
        INTERNAL,
        "When the server last looked for files that belong to nobody, to delete them.",
    ),
];

/// Objects, by what their names begin with. Whose one is, says the row that names it.
pub(super) const PREFIXES: &[Entry] = &[
    entry(
        "parts/",
        Owner::Account("uploads.account_id"),
        ON_ITS_WAY,
        UNFINISHED,
        "Parts of a file that you send, until it is complete.",
    ),
    entry(
        "files/",
        Owner::Account("files.account_id"),
        KEPT,
        Export::As("files"),
        "Your files: recordings as you sent them, and pictures without where they were taken.",
    ),
    entry(
        "thumbnails/",
        Owner::Account("files.account_id"),
        KEPT,
        Export::No("it is made of the picture"),
        "Small copies of your pictures.",
    ),
    entry(
        "probes/",
        Owner::Nobody,
        Retention::UntilDone(ORPHAN_AGE),
        INTERNAL,
        "What the server writes at its start to see whether it can, and deletes.",
    ),
    entry(
        "unfinished/",
        Owner::Nobody,
        Retention::UntilDone(ORPHAN_AGE),
        INTERNAL,
        "What was being written when the server was killed.",
    ),
];

const BY_ACCOUNT: Owner = Owner::Account("account_id");
const GRANTER: Owner = Owner::Account("granted_by");
const KEPT: Retention = Retention::Account;
const ON_ITS_WAY: Retention = Retention::UntilDone(UPLOAD_LIFE);
const UNFINISHED: Export = Export::No("it is a file that is not complete, and gone within a day");
const INTERNAL: Export = Export::No("it orders the server's own work and says nothing of a person");
