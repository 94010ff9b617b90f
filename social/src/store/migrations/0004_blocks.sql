-- Who wants nothing to do with whom. It works both ways.
CREATE TABLE blocks (
    blocker_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    blocked_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at {int} NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
) {strict};

CREATE INDEX blocks_by_blocked ON blocks (blocked_id);
