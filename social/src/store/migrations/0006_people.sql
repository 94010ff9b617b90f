-- What somebody lets others see of what they do. Whoever has no row lets them see all of it.
CREATE TABLE preferences (
    account_id {uuid} PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    presence {int} NOT NULL CHECK (presence IN (0, 1)),
    read_receipts {int} NOT NULL CHECK (read_receipts IN (0, 1)),
    typing {int} NOT NULL CHECK (typing IN (0, 1))
) {strict};

-- What somebody says of themselves, and who sees it.
CREATE TABLE profiles (
    account_id {uuid} PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    bio TEXT NOT NULL,
    status TEXT NOT NULL,
    -- A JSON array of words.
    instruments TEXT NOT NULL,
    bio_for TEXT NOT NULL CHECK (bio_for IN ('everybody', 'friends', 'nobody')),
    status_for TEXT NOT NULL CHECK (status_for IN ('everybody', 'friends', 'nobody')),
    instruments_for TEXT NOT NULL CHECK (instruments_for IN ('everybody', 'friends', 'nobody')),
    photo_for TEXT NOT NULL CHECK (photo_for IN ('everybody', 'friends', 'nobody'))
) {strict};

-- A photo as JPEG, once for each size in pixels that it is shown in.
CREATE TABLE photos (
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    size {int} NOT NULL,
    bytes {bytes} NOT NULL,
    hash {bytes} NOT NULL,
    PRIMARY KEY (account_id, size)
) {strict};

-- Two rows for each two people, one for either, so that each has theirs.
CREATE TABLE friendships (
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    other_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('outgoing', 'incoming', 'friends')),
    asked_at {int} NOT NULL,
    accepted_at {int},
    PRIMARY KEY (account_id, other_id)
) {strict};

CREATE INDEX friendships_by_state ON friendships (account_id, state, other_id);
CREATE INDEX friendships_by_other ON friendships (other_id);

-- What somebody wants moderators to look at.
CREATE TABLE reports (
    id {uuid} PRIMARY KEY,
    reporter_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    -- Whose doing it is. None where nobody knows, as with a room.
    subject_id {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'message', 'file', 'room')),
    -- The id of the message or the file, or the name of the room; nothing of a person.
    subject_ref TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at {int} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    resolved_by {uuid} REFERENCES accounts (id) ON DELETE SET NULL,
    resolution TEXT,
    -- For moderators.
    note TEXT,
    -- For whoever it is about.
    explanation TEXT,
    resolved_at {int}
) {strict};

CREATE INDEX reports_by_state ON reports (state, id);
CREATE INDEX reports_by_reporter ON reports (reporter_id, state);
CREATE INDEX reports_by_subject ON reports (subject_id);
CREATE INDEX reports_by_resolved_by ON reports (resolved_by);

-- What somebody is told in the app.
CREATE TABLE notices (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    other_id {uuid} REFERENCES accounts (id) ON DELETE CASCADE,
    report_id {uuid} REFERENCES reports (id) ON DELETE CASCADE,
    created_at {int} NOT NULL,
    read_at {int}
) {strict};

CREATE INDEX notices_by_account ON notices (account_id, id);
CREATE INDEX notices_by_other ON notices (other_id);
CREATE INDEX notices_by_report ON notices (report_id);
CREATE INDEX notices_by_created_at ON notices (created_at);

-- Why nobody signs in to the account, and until when; without end where that is not said.
ALTER TABLE accounts ADD COLUMN suspension_reason TEXT;
ALTER TABLE accounts ADD COLUMN suspended_until {int};
