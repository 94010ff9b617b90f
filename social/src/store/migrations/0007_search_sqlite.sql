-- The words of messages. It holds no copy of them, and what is taken out is overwritten at once.
CREATE VIRTUAL TABLE message_index USING fts5 (
    body, content = 'messages', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 0'
);
INSERT INTO message_index (message_index, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER message_index_insert AFTER INSERT ON messages WHEN new.body IS NOT NULL BEGIN
    INSERT INTO message_index (rowid, body) VALUES (new.number, new.body);
END;

CREATE TRIGGER message_index_delete AFTER DELETE ON messages WHEN old.body IS NOT NULL BEGIN
    INSERT INTO message_index (message_index, rowid, body)
    VALUES ('delete', old.number, old.body);
END;

CREATE TRIGGER message_index_update AFTER UPDATE OF body ON messages BEGIN
    INSERT INTO message_index (message_index, rowid, body)
    SELECT 'delete', old.number, old.body WHERE old.body IS NOT NULL;
    INSERT INTO message_index (rowid, body)
    SELECT new.number, new.body WHERE new.body IS NOT NULL;
END;
