-- Chats: of two, of a group, or of a room.
CREATE TABLE chats (
    id {uuid} PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'group', 'room')),
    -- Of a group.
    title TEXT,
    -- Of a direct chat: the ids of both, the smaller one first, so that there is one for each two.
    -- None once one of them is gone.
    direct_key {bytes} UNIQUE,
    -- Of a room: its name.
    room TEXT UNIQUE,
    -- The last number that a message took, and the last that a change of anything took.
    last_seq {int} NOT NULL,
    last_rev {int} NOT NULL,
    -- When the last message came, or the chat was made.
    active_at {int} NOT NULL,
    created_at {int} NOT NULL
) {strict};

CREATE TABLE chat_members (
    chat_id {uuid} NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
    joined_at {int} NOT NULL,
    -- What the chat had come to by then: what is older is not theirs to see.
    joined_seq {int} NOT NULL,
    joined_rev {int} NOT NULL,
    left_at {int},
    read_seq {int} NOT NULL,
    muted {int} NOT NULL CHECK (muted IN (0, 1)),
    PRIMARY KEY (chat_id, account_id)
) {strict};

CREATE INDEX chat_members_by_account ON chat_members (account_id);

CREATE TABLE messages (
    -- By it the index of words finds a message.
    number {serial} PRIMARY KEY,
    id {uuid} NOT NULL UNIQUE,
    chat_id {uuid} NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    -- Its place in the chat, and the last change of it among all changes there.
    seq {int} NOT NULL,
    rev {int} NOT NULL,
    -- None where its author is gone.
    author_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    -- The author's own name for it, so that it is sent once however often it is tried.
    client_id {uuid},
    -- None where it was deleted. A mention is the number of its row between two characters that
    -- nobody can type.
    body TEXT,
    -- Of the same chat: both go together, so nothing has to refer.
    reply_to {uuid},
    created_at {int} NOT NULL,
    edited_at {int},
    deleted_at {int},
    UNIQUE (chat_id, seq),
    UNIQUE (chat_id, rev),
    UNIQUE (author_id, client_id)
) {strict};

CREATE TABLE reactions (
    message_id {uuid} NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (message_id, account_id, emoji)
) {strict};

CREATE INDEX reactions_by_account ON reactions (account_id);

-- Whom a message names: by id, so that another name of theirs is shown in it.
CREATE TABLE mentions (
    message_id {uuid} NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    place {int} NOT NULL,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (message_id, place)
) {strict};

CREATE INDEX mentions_by_account ON mentions (account_id);

{search}
