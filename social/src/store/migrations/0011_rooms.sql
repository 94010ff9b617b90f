-- Rooms that an account owns. Others exist by their name in a link, and stand nowhere.
CREATE TABLE rooms (
    -- As it stands in the link.
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    -- Who is erased hands their rooms over before, or they go.
    owner_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'unlisted', 'private')),
    -- None where no password lets in.
    password_hash TEXT,
    chat_id {uuid} NOT NULL UNIQUE REFERENCES chats (id),
    created_at {int} NOT NULL
) {strict};

CREATE INDEX rooms_by_owner ON rooms (owner_id);

CREATE TABLE room_moderators (
    room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    since {int} NOT NULL,
    PRIMARY KEY (room, account_id)
) {strict};

CREATE INDEX room_moderators_by_account ON room_moderators (account_id);

CREATE TABLE room_bans (
    room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- None where they are gone.
    banned_by {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    banned_at {int} NOT NULL,
    PRIMARY KEY (room, account_id)
) {strict};

CREATE INDEX room_bans_by_account ON room_bans (account_id);
CREATE INDEX room_bans_by_banner ON room_bans (banned_by);

-- Whoever has the link comes in, as often as they like, until it expires or is taken back.
CREATE TABLE room_invites (
    id {uuid} PRIMARY KEY,
    room TEXT NOT NULL REFERENCES rooms (name) ON DELETE CASCADE,
    token_hash {bytes} NOT NULL UNIQUE,
    -- None where they are gone.
    made_by {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX room_invites_by_room ON room_invites (room);
CREATE INDEX room_invites_by_maker ON room_invites (made_by);
CREATE INDEX room_invites_by_expires_at ON room_invites (expires_at);
