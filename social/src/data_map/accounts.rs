//! What is kept of accounts, and of whoever is about to have one.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{
    AGE_REFUSAL_LIFE, AUDIT_LIFE, CODE_LIFE, DEVICE_LIFE, MAIL_LIFE, SESSION_IDLE_MAX, SIGN_UP_LIFE,
};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    // Accounts.
    entry("accounts.id", OWN, KEPT, Export::As("account.id"), "Tells your account from others."),
    entry(
        "accounts.region",
        OWN,
        KEPT,
        Export::As("account.region"),
        "Where your data is kept: you chose it when you signed up, or had it moved.",
    ),
    entry(
        "accounts.email",
        OWN,
        KEPT,
        Export::As("account.email"),
        "Your e-mail address: to sign in, to reset your password, and to warn you.",
    ),
    entry(
        "accounts.email_key",
        OWN,
        KEPT,
        Export::No("it is the e-mail address in lower case"),
        "Your e-mail address in lower case, to find your account by it.",
    ),
    entry(
        "accounts.username",
        OWN,
        KEPT,
        Export::As("account.username"),
        "The name that others see and find you by.",
    ),
    entry(
        "accounts.password_hash",
        OWN,
        KEPT,
        Export::No("it could be used to guess the password"),
        "Checks your password. The password itself is not kept.",
    ),
    entry(
        "accounts.role",
        OWN,
        KEPT,
        Export::As("account.role"),
        "Whether you help to run this server, as a moderator or an admin.",
    ),
    entry(
        "accounts.language",
        OWN,
        KEPT,
        Export::As("account.language"),
        "The language of the mails that you get.",
    ),
    entry(
        "accounts.created_at",
        OWN,
        KEPT,
        Export::As("account.created_at"),
        "When you made your account.",
    ),
    entry(
        "accounts.password_changed_at",
        OWN,
        KEPT,
        Export::As("account.password_changed_at"),
        "When you last changed your password.",
    ),
    // Sign-ups.
    entry("sign_ups.id", Owner::SignUp, SIGNING_UP, NO_ACCOUNT, "Tells sign-ups apart."),
    entry(
        "sign_ups.region",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "Where the account will be kept.",
    ),
    entry(
        "sign_ups.email",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "The address that the code is sent to.",
    ),
    entry(
        "sign_ups.email_key",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "The same address in lower case, to see whether it has an account.",
    ),
    entry(
        "sign_ups.username",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "The name that the account will have.",
    ),
    entry(
        "sign_ups.password_hash",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "Will check the password of the account.",
    ),
    entry("sign_ups.language", Owner::SignUp, SIGNING_UP, NO_ACCOUNT, "The language of mails."),
    entry(
        "sign_ups.device_hash",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "The device of the sign-up, so that you are not warned of it as a new one.",
    ),
    entry("sign_ups.created_at", Owner::SignUp, SIGNING_UP, NO_ACCOUNT, "When it was made."),
    entry("sign_ups.expires_at", Owner::SignUp, SIGNING_UP, NO_ACCOUNT, "When it is deleted."),
    // Usernames.
    entry(
        "usernames.name_key",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the username in lower case"),
        "Your username in lower case, so that nobody else takes it.",
    ),
    entry(
        "usernames.account_id",
        BY_ACCOUNT,
        KEPT,
        Export::No("it is the account's id"),
        "Whose username it is.",
    ),
    entry(
        "usernames.sign_up_id",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "Which sign-up waits with the username.",
    ),
    // Codes.
    entry(
        "codes.id",
        BY_ACCOUNT,
        CODE,
        SECRET,
        "Stands for a code that was mailed. The digits are not kept.",
    ),
    entry("codes.purpose", BY_ACCOUNT, CODE, SECRET, "What the code is for."),
    entry("codes.account_id", BY_ACCOUNT, CODE, SECRET, "Whose code it is."),
    entry("codes.sign_up_id", Owner::SignUp, CODE, NO_ACCOUNT, "Which sign-up it verifies."),
    entry(
        "codes.new_email",
        BY_ACCOUNT,
        CODE,
        Export::As("account.new_email"),
        "The e-mail address that you want to change to.",
    ),
    entry(
        "codes.new_email_key",
        BY_ACCOUNT,
        CODE,
        Export::No("it is that address in lower case"),
        "The same address in lower case.",
    ),
    entry(
        "codes.attempts",
        BY_ACCOUNT,
        CODE,
        SECRET,
        "How often the code was tried, so that nobody guesses it.",
    ),
    entry("codes.created_at", BY_ACCOUNT, CODE, SECRET, "When the code was made."),
    entry("codes.expires_at", BY_ACCOUNT, CODE, SECRET, "When the code is worth nothing any more."),
    // Sessions.
    entry(
        "sessions.id",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.id"),
        "Tells the devices apart that you are signed in on.",
    ),
    entry(
        "sessions.account_id",
        BY_ACCOUNT,
        SESSION,
        Export::No("it is the account's id"),
        "Who is signed in.",
    ),
    entry(
        "sessions.token_hash",
        BY_ACCOUNT,
        SESSION,
        SECRET,
        "Recognizes a device that is signed in. What the device holds is not kept.",
    ),
    entry(
        "sessions.device_hash",
        BY_ACCOUNT,
        SESSION,
        SECRET,
        "A hash of a random number that the device holds, to warn you of a new one.",
    ),
    entry(
        "sessions.device_name",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.device_name"),
        "What you, or your app, call the device.",
    ),
    entry(
        "sessions.created_at",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.created_at"),
        "When you signed in.",
    ),
    entry(
        "sessions.last_used_at",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.last_used_at"),
        "When the device was last used, to the hour.",
    ),
    entry(
        "sessions.proven_at",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.proven_at"),
        "When you last gave your password on the device.",
    ),
    entry(
        "sessions.expires_at",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.expires_at"),
        "When the device is signed out by itself.",
    ),
    entry(
        "sessions.identity_id",
        BY_ACCOUNT,
        SESSION,
        Export::As("sessions.identity_id"),
        "Which provider you signed in with on the device, if with one: it is signed out when that is over.",
    ),
    // Devices.
    entry(
        "devices.account_id",
        BY_ACCOUNT,
        DEVICE,
        Export::No("it is the account's id"),
        "Whose device it is.",
    ),
    entry(
        "devices.device_hash",
        BY_ACCOUNT,
        DEVICE,
        SECRET,
        "A hash of a random number that the device holds, to warn you of a new one.",
    ),
    entry(
        "devices.last_used_at",
        BY_ACCOUNT,
        DEVICE,
        Export::As("devices.last_used_at"),
        "When you last signed in on the device.",
    ),
    // Refusals.
    entry(
        "age_refusals.device_hash",
        Owner::Device,
        Retention::For(AGE_REFUSAL_LIFE),
        Export::No("nobody knows whose device it is"),
        "A hash of a random number that a device holds on which an account cannot be made for a \
         while. Nothing else is kept of whoever was refused.",
    ),
    entry(
        "age_refusals.expires_at",
        Owner::Device,
        Retention::For(AGE_REFUSAL_LIFE),
        Export::No("nobody knows whose device it is"),
        "When that ends.",
    ),
    // Mails.
    entry("mails.id", BY_ACCOUNT, MAIL, IN_MAIL, "Stands for a mail on its way to you."),
    entry("mails.account_id", BY_ACCOUNT, MAIL, IN_MAIL, "Whom the mail is about."),
    entry("mails.sign_up_id", Owner::SignUp, MAIL, NO_ACCOUNT, "Which sign-up the mail is about."),
    entry("mails.code_id", BY_ACCOUNT, MAIL, IN_MAIL, "Which code the mail will hold."),
    entry(
        "mails.address",
        BY_ACCOUNT,
        MAIL,
        IN_MAIL,
        "Where the mail goes: of an e-mail address that you gave up, the last that is kept.",
    ),
    entry("mails.language", BY_ACCOUNT, MAIL, IN_MAIL, "In which language the mail will be."),
    entry("mails.template", BY_ACCOUNT, MAIL, IN_MAIL, "What the mail is about."),
    entry("mails.created_at", BY_ACCOUNT, MAIL, IN_MAIL, "When the mail was written."),
    entry("mails.expires_at", BY_ACCOUNT, MAIL, IN_MAIL, "When it is too late to deliver it."),
    // What those with a role did.
    entry("audit.id", Owner::Account("subject_id"), AUDIT, INTERNAL, "Tells the lines apart."),
    entry(
        "audit.actor_id",
        Owner::Account("actor_id"),
        AUDIT,
        Export::No("it is about somebody else: who helps to run this server"),
        "Who of those who run this server looked at something of yours, or changed it.",
    ),
    entry(
        "audit.subject_id",
        Owner::Account("subject_id"),
        AUDIT,
        Export::No("it is the account's id"),
        "Whose account it was about.",
    ),
    entry(
        "audit.action",
        Owner::Account("subject_id"),
        AUDIT,
        Export::As("audit.action"),
        "What was done.",
    ),
    entry(
        "audit.report_id",
        Owner::Account("subject_id"),
        AUDIT,
        Export::No("it would tell that somebody reported something of yours, before it is decided"),
        "Which report it was about.",
    ),
    entry(
        "audit.at",
        Owner::Account("subject_id"),
        AUDIT,
        Export::As("audit.at"),
        "When it was done.",
    ),
];

const OWN: Owner = Owner::Account("id");
const BY_ACCOUNT: Owner = Owner::Account("account_id");
const KEPT: Retention = Retention::Account;
const SECRET: Export = Export::No("it is a secret of the server's, and tells nothing without it");
const INTERNAL: Export = Export::No("it orders the server's own work and says nothing of a person");
const NO_ACCOUNT: Export = Export::No("there is no account yet that could ask for it");
const SIGNING_UP: Retention = Retention::UntilDone(SIGN_UP_LIFE);
const CODE: Retention = Retention::UntilDone(CODE_LIFE);
const MAIL: Retention = Retention::UntilDone(MAIL_LIFE);
const SESSION: Retention = Retention::For(SESSION_IDLE_MAX);
const DEVICE: Retention = Retention::For(DEVICE_LIFE);
const AUDIT: Retention = Retention::For(AUDIT_LIFE);
const IN_MAIL: Export =
    Export::No("it is gone when the mail is delivered; the mail itself is yours");
