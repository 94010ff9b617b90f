-- Whether friends see in which room somebody jams: not, until they say so.
ALTER TABLE preferences ADD COLUMN room {int} NOT NULL DEFAULT 0 CHECK (room IN (0, 1));

-- Which report somebody looked at, or decided on.
ALTER TABLE audit ADD COLUMN report_id {uuid} REFERENCES reports (id) ON DELETE SET NULL;

CREATE INDEX audit_by_report ON audit (report_id);
