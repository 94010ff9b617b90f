-- Files on their way.
CREATE TABLE uploads (
    -- The file that it becomes has the same.
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size_bytes {int} NOT NULL,
    received_bytes {int} NOT NULL,
    -- What its first bytes say that it is; none before they came.
    media_type TEXT,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX uploads_by_account ON uploads (account_id);
CREATE INDEX uploads_by_expires_at ON uploads (expires_at);

-- The parts of a file on its way, each an object.
CREATE TABLE upload_parts (
    upload_id {uuid} NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    start_bytes {int} NOT NULL,
    size_bytes {int} NOT NULL,
    object_id {uuid} NOT NULL UNIQUE,
    PRIMARY KEY (upload_id, start_bytes)
) {strict};

CREATE TABLE files (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes {int} NOT NULL,
    object_id {uuid} NOT NULL UNIQUE,
    thumbnail_id {uuid} UNIQUE,
    thumbnail_bytes {int},
    width_px {int},
    height_px {int},
    -- Whether sound was looked through: it is done later.
    analysis TEXT NOT NULL CHECK (analysis IN ('none', 'waiting', 'done', 'failed')),
    duration_ms {int},
    peaks {bytes},
    created_at {int} NOT NULL
) {strict};

CREATE INDEX files_by_account ON files (account_id, id);

-- Who may read a file beside its owner: an account, or everybody in a chat.
CREATE TABLE file_grants (
    file_id {uuid} NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    granted_by {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account_id {uuid} REFERENCES accounts (id) ON DELETE CASCADE,
    chat_id {uuid},
    created_at {int} NOT NULL,
    CHECK ((account_id IS NULL) <> (chat_id IS NULL)),
    UNIQUE (file_id, account_id),
    UNIQUE (file_id, chat_id)
) {strict};

CREATE INDEX file_grants_by_account ON file_grants (account_id);
CREATE INDEX file_grants_by_chat ON file_grants (chat_id);
CREATE INDEX file_grants_by_granter ON file_grants (granted_by);

-- What somebody says of a moment of a recording. Without an author, it is an empty place that somebody
-- left who is gone.
CREATE TABLE file_comments (
    id {uuid} PRIMARY KEY,
    file_id {uuid} NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    account_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    at_ms {int} NOT NULL,
    body TEXT NOT NULL,
    created_at {int} NOT NULL
) {strict};

CREATE INDEX file_comments_by_file ON file_comments (file_id, at_ms, id);
CREATE INDEX file_comments_by_account ON file_comments (account_id);

-- When it was last looked for objects that no row names.
CREATE TABLE object_sweeps (
    id {int} PRIMARY KEY CHECK (id = 1),
    at {int} NOT NULL
) {strict};
