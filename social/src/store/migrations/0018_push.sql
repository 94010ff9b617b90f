-- What signs whatever this server asks of push services, encrypted under a key that is not here.
CREATE TABLE push_key (
    id {int} PRIMARY KEY CHECK (id = 1),
    sealed {bytes} NOT NULL
) {strict};

-- Browsers that are told what happens while no page is open. Each belongs to a session and ends with it.
CREATE TABLE push_subscriptions (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session_id {uuid} NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    -- Of which push service it is.
    host TEXT NOT NULL,
    -- Its address there as a keyed hash: one browser has one, whoever is signed in.
    endpoint_hash {bytes} NOT NULL UNIQUE,
    -- That address and the browser's keys, encrypted under a key that is not here.
    sealed {bytes} NOT NULL,
    created_at {int} NOT NULL
) {strict};

CREATE INDEX push_subscriptions_by_account ON push_subscriptions (account_id, id);
