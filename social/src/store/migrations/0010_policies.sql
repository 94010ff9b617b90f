-- Every version of what the page about privacy says, as a hash.
CREATE TABLE policies (
    hash {bytes} PRIMARY KEY,
    announced_at {int} NOT NULL,
    takes_effect_at {int} NOT NULL
) {strict};

-- Who was told of which.
CREATE TABLE policy_notices (
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash {bytes} NOT NULL,
    told_at {int} NOT NULL,
    PRIMARY KEY (account_id, hash)
) {strict};
