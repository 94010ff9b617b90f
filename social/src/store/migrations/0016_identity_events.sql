-- When its provider last vouched for whoever it is, by the provider's own clock: what it says of a time before
-- that is out of date. None where that was before this column.
ALTER TABLE identities ADD COLUMN vouched_at {int};

-- Whether the provider forwards mail to the address that it made up for whoever it is, and since when it says so.
ALTER TABLE identities ADD COLUMN relay TEXT CHECK (relay IN ('on', 'off'));
ALTER TABLE identities ADD COLUMN relay_at {int};

-- Which sign-in a session began with; none where that was a password, or is not there any more.
ALTER TABLE sessions ADD COLUMN identity_id {uuid} REFERENCES identities (id) ON DELETE SET NULL;

CREATE INDEX sessions_by_identity ON sessions (identity_id);
