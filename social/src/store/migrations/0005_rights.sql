-- From when its owner asked for an account to be erased until it is, nobody finds it.
ALTER TABLE accounts ADD COLUMN hidden_at {int};
ALTER TABLE accounts ADD COLUMN erase_at {int};

CREATE INDEX accounts_by_erase_at ON accounts (erase_at);

-- Whose account was erased, as a hash under a key that is not here: a database that comes from a backup
-- holds them again, and they are erased again. The same stands in a file, which no backup holds.
CREATE TABLE erasures (
    account_hash {bytes} PRIMARY KEY,
    erased_at {int} NOT NULL
) {strict};

CREATE INDEX erasures_by_erased_at ON erasures (erased_at);

-- Archives of what is kept of somebody. The archive itself lies beside the database.
CREATE TABLE exports (
    id {uuid} PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- None until the archive is there.
    bytes {int},
    -- Of the one link that can be followed, if there is one.
    link_hash {bytes} UNIQUE,
    link_expires_at {int},
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {strict};

CREATE INDEX exports_by_account ON exports (account_id, id);
CREATE INDEX exports_by_expires_at ON exports (expires_at);
