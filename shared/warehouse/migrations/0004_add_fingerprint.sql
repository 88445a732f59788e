-- Rows stored before this have 0: nothing is known of the kinds of their values.
ALTER TABLE events {{on_cluster}}
    ADD COLUMN IF NOT EXISTS fingerprint UInt64 DEFAULT 0
    COMMENT 'Hash of the names present and of the kinds of custom arguments'' values; 0 = not known'
    CODEC(ZSTD(1)) AFTER shape;
