-- With whom somebody signs in instead of, or beside, a password.
CREATE TABLE identities (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- What the settings of the server call the provider.
    provider TEXT NOT NULL,
    -- Whom the provider says that it is, and whom it says that they are: by both they are found.
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- What the provider is shown when it is over; encrypted under a key that is not here.
    token {bytes},
    linked_at {int} NOT NULL,
    -- From when it was unlinked until the provider is told, nobody signs in with it.
    ended_at {int},
    -- What became of telling the provider that it is over.
    outcome TEXT CHECK (outcome IN ('told', 'theirs')),
    outcome_at {int},
    UNIQUE (issuer, subject)
) {strict};

CREATE INDEX identities_by_account ON identities (account_id, id);

-- The same, of a sign-up that waits for its e-mail to be verified.
CREATE TABLE sign_up_identities (
    sign_up_id {uuid} PRIMARY KEY REFERENCES sign_ups (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    token {bytes}
) {strict};

-- What counts once and was used, as a hash: answers and tokens of providers.
CREATE TABLE identity_used (
    hash {bytes} PRIMARY KEY,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX identity_used_by_expires_at ON identity_used (expires_at);
