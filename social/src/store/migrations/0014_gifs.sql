-- What moves in a message, which a service elsewhere keeps: its name there.
ALTER TABLE messages ADD COLUMN gif_provider TEXT;
ALTER TABLE messages ADD COLUMN gif_id TEXT;

-- When somebody agreed that their app asks that service; none where they did not.
ALTER TABLE preferences ADD COLUMN gifs_agreed_at {int};
