-- The key that the hashes here were made with, as a hash of it: a server with another one would find
-- nobody's device, and write to everybody codes that are worth nothing.
CREATE TABLE server_key (
    id {int} PRIMARY KEY CHECK (id = 1),
    hash {bytes} NOT NULL
) {strict};
