CREATE TABLE accounts (
    id {uuid} PRIMARY KEY,
    region TEXT NOT NULL CHECK (region IN ('eu', 'us')),
    email TEXT NOT NULL,
    -- The same in lower case: by it an address is found.
    email_key TEXT NOT NULL UNIQUE,
    username TEXT NOT NULL,
    -- None where somebody signs in with another service only.
    password_hash TEXT,
    role TEXT NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
    language TEXT NOT NULL,
    created_at {int} NOT NULL,
    password_changed_at {int} NOT NULL
) {strict};

-- A sign-up becomes an account when its e-mail is verified. One with the address of somebody who has
-- an account already is here too, so that nobody can tell.
CREATE TABLE sign_ups (
    id {uuid} PRIMARY KEY,
    region TEXT NOT NULL CHECK (region IN ('eu', 'us')),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    username TEXT NOT NULL,
    password_hash TEXT,
    language TEXT NOT NULL,
    device_hash {bytes} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX sign_ups_by_expires_at ON sign_ups (expires_at);

-- Every username that an account has or a sign-up waits with, in lower case.
CREATE TABLE usernames (
    name_key TEXT PRIMARY KEY,
    account_id {uuid} UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
    sign_up_id {uuid} UNIQUE REFERENCES sign_ups (id) ON DELETE CASCADE,
    CHECK ((account_id IS NULL) <> (sign_up_id IS NULL))
) {strict};

-- Codes that were mailed. The digits are computed from the id under a key that is not here.
CREATE TABLE codes (
    id {uuid} PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('sign_up', 'reset_password', 'change_email')),
    -- None where somebody asked for an address that no account has.
    account_id {uuid} REFERENCES accounts (id) ON DELETE CASCADE,
    sign_up_id {uuid} REFERENCES sign_ups (id) ON DELETE CASCADE,
    new_email TEXT,
    new_email_key TEXT,
    attempts {int} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX codes_by_account ON codes (account_id, purpose);
CREATE INDEX codes_by_sign_up ON codes (sign_up_id);
CREATE INDEX codes_by_expires_at ON codes (expires_at);

CREATE TABLE sessions (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash {bytes} NOT NULL UNIQUE,
    device_hash {bytes} NOT NULL,
    device_name TEXT NOT NULL,
    created_at {int} NOT NULL,
    last_used_at {int} NOT NULL,
    -- When the password was last given.
    proven_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX sessions_by_account ON sessions (account_id, id);
CREATE INDEX sessions_by_expires_at ON sessions (expires_at);

-- Devices that an account signed in from, so that a new one is told of.
CREATE TABLE devices (
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    device_hash {bytes} NOT NULL,
    last_used_at {int} NOT NULL,
    PRIMARY KEY (account_id, device_hash)
) {strict};

CREATE INDEX devices_by_last_used_at ON devices (last_used_at);

-- Devices on which the question for the birth date was answered so that nobody signs up there for a
-- while. Nothing else is known of them.
CREATE TABLE age_refusals (
    device_hash {bytes} PRIMARY KEY,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX age_refusals_by_expires_at ON age_refusals (expires_at);

-- Mails on their way, each gone when it is delivered.
CREATE TABLE mails (
    id {uuid} PRIMARY KEY,
    account_id {uuid} REFERENCES accounts (id) ON DELETE CASCADE,
    sign_up_id {uuid} REFERENCES sign_ups (id) ON DELETE CASCADE,
    code_id {uuid} REFERENCES codes (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    template TEXT NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX mails_by_account ON mails (account_id);
CREATE INDEX mails_by_sign_up ON mails (sign_up_id);
CREATE INDEX mails_by_code ON mails (code_id);
CREATE INDEX mails_by_expires_at ON mails (expires_at);

-- What those with a role did, and to whom.
CREATE TABLE audit (
    id {uuid} PRIMARY KEY,
    actor_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    subject_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    action TEXT NOT NULL,
    at {int} NOT NULL
) {strict};

CREATE INDEX audit_by_actor ON audit (actor_id);
CREATE INDEX audit_by_subject ON audit (subject_id);
CREATE INDEX audit_by_at ON audit (at);
