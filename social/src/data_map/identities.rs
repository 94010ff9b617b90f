//! What is kept of sign-ins with providers.

use super::{Entry, Export, Owner, Retention, entry};
use crate::limits::{IDENTITY_END_MAX, IDENTITY_TOKEN_LIFE_MAX, SIGN_UP_LIFE};

/// By table.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "identities.id",
        OWN,
        KEPT,
        Export::As("identities.id"),
        "Tells the providers apart that you sign in with.",
    ),
    entry(
        "identities.account_id",
        OWN,
        KEPT,
        Export::No("it is the account's id"),
        "Whose account it leads into.",
    ),
    entry(
        "identities.provider",
        OWN,
        KEPT,
        Export::As("identities.provider"),
        "Which provider you sign in with, if you chose one.",
    ),
    entry(
        "identities.issuer",
        OWN,
        KEPT,
        Export::As("identities.issuer"),
        "What that provider calls itself.",
    ),
    entry(
        "identities.subject",
        OWN,
        KEPT,
        Export::As("identities.subject"),
        "What that provider calls you: a number, as a rule, by which your account is found.",
    ),
    entry(
        "identities.token",
        OWN,
        KEPT,
        SECRET,
        "What that provider is shown when you unlink it or erase your account, so that it ends what it \
         gave. It is encrypted.",
    ),
    entry(
        "identities.linked_at",
        OWN,
        KEPT,
        Export::As("identities.linked_at"),
        "When you linked it to your account.",
    ),
    entry(
        "identities.ended_at",
        OWN,
        ENDING,
        Export::As("identities.ended_at"),
        "When you unlinked it: it is deleted once the provider was told.",
    ),
    entry(
        "identities.outcome",
        OWN,
        KEPT,
        Export::As("identities.outcome"),
        "Whether the provider was told that your account is to be erased.",
    ),
    entry(
        "identities.outcome_at",
        OWN,
        KEPT,
        Export::As("identities.outcome_at"),
        "When it was told.",
    ),
    entry(
        "identities.vouched_at",
        OWN,
        KEPT,
        Export::As("identities.vouched_at"),
        "When that provider last said that it is you, so that nothing counts that it says of a time before.",
    ),
    entry(
        "identities.relay",
        OWN,
        KEPT,
        Export::As("identities.relay"),
        "Whether that provider forwards our mail to you, if it hides your address and told us so.",
    ),
    entry(
        "identities.relay_at",
        OWN,
        KEPT,
        Export::As("identities.relay_at"),
        "Since when it does, or does not.",
    ),
    entry(
        "sign_up_identities.sign_up_id",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "Which sign-up was begun with a provider.",
    ),
    entry(
        "sign_up_identities.provider",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "Which provider the account will be signed in to with.",
    ),
    entry(
        "sign_up_identities.issuer",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "What that provider calls itself.",
    ),
    entry(
        "sign_up_identities.subject",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "What that provider calls whoever signs up.",
    ),
    entry(
        "sign_up_identities.token",
        Owner::SignUp,
        SIGNING_UP,
        NO_ACCOUNT,
        "What that provider is shown when it is over. It is encrypted.",
    ),
    entry(
        "identity_used.hash",
        Owner::Nobody,
        USED,
        NOBODYS,
        "That an answer of a provider was used, as a hash, so that nobody uses it again.",
    ),
    entry(
        "identity_used.expires_at",
        Owner::Nobody,
        USED,
        NOBODYS,
        "When it would not count anyway.",
    ),
];

const OWN: Owner = Owner::Account("account_id");
const KEPT: Retention = Retention::Account;
const ENDING: Retention = Retention::UntilDone(IDENTITY_END_MAX);
const SIGNING_UP: Retention = Retention::UntilDone(SIGN_UP_LIFE);
const USED: Retention = Retention::UntilDone(IDENTITY_TOKEN_LIFE_MAX);
const SECRET: Export = Export::No("it is a secret between this server and the provider");
const NO_ACCOUNT: Export = Export::No("there is no account yet that could ask for it");
const NOBODYS: Export = Export::No("it says nothing of a person");
