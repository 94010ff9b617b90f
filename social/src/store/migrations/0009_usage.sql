-- How the app is used: counted under a name for one day, which only that day's key makes. The key is
-- deleted with the day.
CREATE TABLE usage_keys (
    day {int} PRIMARY KEY,
    key {bytes} NOT NULL
) {strict};

CREATE TABLE usage_events (
    -- Random: it does not tell when.
    id {uuid} PRIMARY KEY,
    day {int} NOT NULL,
    pseudonym {bytes} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'feature')),
    -- The feature, or with what somebody played.
    word TEXT NOT NULL,
    minutes {int}
) {strict};

CREATE INDEX usage_events_by_day ON usage_events (day, pseudonym);

-- Who objected to being counted.
CREATE TABLE usage_objections (
    account_id {uuid} PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    objected_at {int} NOT NULL
) {strict};

-- Crashes of programs, without anything of whoever they happened to.
CREATE TABLE crashes (
    id {uuid} PRIMARY KEY,
    received_at {int} NOT NULL,
    -- What crashes of one cause have in common.
    cause {bytes} NOT NULL,
    platform TEXT NOT NULL,
    release TEXT NOT NULL,
    title TEXT NOT NULL,
    report TEXT NOT NULL
) {strict};

CREATE INDEX crashes_by_received_at ON crashes (received_at);
CREATE INDEX crashes_by_cause ON crashes (cause, received_at);
