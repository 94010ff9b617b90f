-- What is done later. It is written in the transaction that it follows from.
CREATE TABLE jobs (
    id {uuid} PRIMARY KEY,
    kind TEXT NOT NULL,
    -- JSON that names things by their ids and says nothing of them.
    payload TEXT NOT NULL,
    -- Of jobs with the same, only one is there.
    once_key TEXT UNIQUE,
    due_at {int} NOT NULL,
    attempts {int} NOT NULL,
    -- Until then it belongs to whoever has the lease.
    locked_until {int},
    lease {uuid},
    last_error TEXT,
    created_at {int} NOT NULL
) {strict};

CREATE INDEX jobs_by_due_at ON jobs (due_at, id);
