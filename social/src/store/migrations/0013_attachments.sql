-- Files that messages carry.
CREATE TABLE message_files (
    message_id {uuid} NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    -- Its place among the files of the message.
    place {int} NOT NULL,
    -- In which chat the message is.
    chat_id {uuid} NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    -- Who sent it, whose file it is.
    account_id {uuid} NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- None where the file is gone.
    file_id {uuid} REFERENCES files (id) ON DELETE SET NULL,
    -- The words of the file's name in lower case, a blank before each; nothing where it is gone.
    words TEXT NOT NULL,
    PRIMARY KEY (message_id, place)
) {strict};

CREATE INDEX message_files_by_chat ON message_files (chat_id);
CREATE INDEX message_files_by_account ON message_files (account_id);
CREATE INDEX message_files_by_file ON message_files (file_id);

-- By which message somebody is called.
ALTER TABLE notices ADD COLUMN message_id {uuid} REFERENCES messages (id) ON DELETE CASCADE;

CREATE INDEX notices_by_message ON notices (message_id);

-- Whether somebody is told in the app that a message names them or answers theirs.
ALTER TABLE preferences ADD COLUMN mentions {int} NOT NULL DEFAULT 1 CHECK (mentions IN (0, 1));
