-- The words of messages.
CREATE INDEX message_index ON messages USING gin (to_tsvector('simple', body))
WHERE body IS NOT NULL;
