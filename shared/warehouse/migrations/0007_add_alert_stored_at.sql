-- An alert found in a backlog became true long before it was stored. Rows of before this count as stored at once.
ALTER TABLE alert_changes {{on_cluster}}
    ADD COLUMN IF NOT EXISTS stored_at DateTime64(3, 'UTC') DEFAULT changed_at
    COMMENT 'When this row was written here';
