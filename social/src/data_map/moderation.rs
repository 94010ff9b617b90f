//! What is kept of reports and what became of them, and of what people are told.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{NOTICE_LIFE, REPORT_LIFE};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    // Reports.
    entry("reports.id", REPORTER, REPORT, Export::As("reports.id"), "Tells reports apart."),
    entry(
        "reports.reporter_id",
        REPORTER,
        REPORT,
        Export::No("it is the account's id"),
        "Who reported something, so that you are told when it is decided.",
    ),
    entry(
        "reports.subject_id",
        SUBJECT,
        REPORT,
        Export::No("it is the account's id"),
        "Whose doing the report is about.",
    ),
    entry(
        "reports.kind",
        REPORTER,
        REPORT,
        Export::As("reports.kind"),
        "Whether you reported a person, a message, a file or a room.",
    ),
    entry(
        "reports.subject_ref",
        REPORTER,
        REPORT,
        Export::As("reports.item"),
        "Which message, file or room you reported.",
    ),
    entry("reports.reason", REPORTER, REPORT, Export::As("reports.reason"), "Why you reported it."),
    entry(
        "reports.text",
        REPORTER,
        REPORT,
        Export::As("reports.text"),
        "What you said in the report.",
    ),
    entry(
        "reports.created_at",
        REPORTER,
        REPORT,
        Export::As("reports.created_at"),
        "When you reported it.",
    ),
    entry(
        "reports.state",
        REPORTER,
        REPORT,
        Export::As("reports.state"),
        "Whether it was decided on.",
    ),
    entry(
        "reports.resolved_by",
        Owner::Account("resolved_by"),
        REPORT,
        Export::No("it is about somebody else: who helps to run this server"),
        "Who of the moderators decided.",
    ),
    entry(
        "reports.resolution",
        SUBJECT,
        REPORT,
        Export::As("decisions.resolution"),
        "What moderators decided on a report about you.",
    ),
    entry(
        "reports.note",
        SUBJECT,
        REPORT,
        Export::No("it would tell who reported something, and how moderators work"),
        "What the moderator who decided noted for the others.",
    ),
    entry(
        "reports.explanation",
        SUBJECT,
        REPORT,
        Export::As("decisions.explanation"),
        "Why they decided so, as you were told.",
    ),
    entry("reports.resolved_at", SUBJECT, REPORT, Export::As("decisions.at"), "When they decided."),
    // Suspensions.
    entry(
        "accounts.suspension_reason",
        Owner::Account("id"),
        Retention::Account,
        Export::As("account.suspension_reason"),
        "Why your account is suspended, if it is or was.",
    ),
    entry(
        "accounts.suspended_until",
        Owner::Account("id"),
        Retention::Account,
        Export::As("account.suspended_until"),
        "Until when your account is suspended.",
    ),
    // Notices.
    entry(
        "notices.id",
        BY_ACCOUNT,
        NOTICE,
        Export::No("it orders the server's own work and says nothing of a person"),
        "Tells notices apart.",
    ),
    entry(
        "notices.account_id",
        BY_ACCOUNT,
        NOTICE,
        Export::No("it is the account's id"),
        "Who is told something in the app.",
    ),
    entry(
        "notices.kind",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.kind"),
        "What you are told in the app.",
    ),
    entry(
        "notices.other_id",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.account"),
        "Whom the notice is about.",
    ),
    entry(
        "notices.report_id",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.report"),
        "Which report the notice is about.",
    ),
    entry(
        "notices.message_id",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.message"),
        "Which message the notice is about: it names you, or answers yours.",
    ),
    entry(
        "notices.explanation",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.explanation"),
        "Why moderators removed a file of yours.",
    ),
    entry(
        "notices.created_at",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.created_at"),
        "When you were told.",
    ),
    entry(
        "notices.read_at",
        BY_ACCOUNT,
        NOTICE,
        Export::As("notices.read_at"),
        "When you read it.",
    ),
];

const BY_ACCOUNT: Owner = Owner::Account("account_id");
const REPORTER: Owner = Owner::Account("reporter_id");
const SUBJECT: Owner = Owner::Account("subject_id");
/// After it was decided on.
const REPORT: Retention = Retention::For(REPORT_LIFE);
const NOTICE: Retention = Retention::For(NOTICE_LIFE);
