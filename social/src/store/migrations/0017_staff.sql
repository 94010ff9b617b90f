-- Why moderators removed a file of somebody's, for whom it was.
ALTER TABLE notices ADD COLUMN explanation TEXT;
