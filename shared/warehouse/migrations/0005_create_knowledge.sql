-- What people know and Keywatch cannot: planned sends, accepted changes, verdicts on alerts, retired keys. A row is a
-- fact and never changes; taking it back is the same row once more with revoked = 1, which wins whatever the clocks say.
CREATE TABLE IF NOT EXISTS knowledge {{on_cluster}}
(
    knowledge_id String COMMENT 'Chosen when the fact was stated',
    kind LowCardinality(String) COMMENT 'planned_send, accept_new_normal, alert_mark or retired_key',
    source String COMMENT 'Source of the key; * = every source',
    key String COMMENT 'Attributed API key',
    from_time Nullable(DateTime64(3, 'UTC')) COMMENT 'When it begins to hold; for a mark, when the alert began',
    until_time Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ends; null = it has no end, or a mark''s alert was open',
    payload String COMMENT 'What else the kind has, JSON object' CODEC(ZSTD(3)),
    author String COMMENT 'Who stated it',
    note String COMMENT 'Why, in the person''s words' CODEC(ZSTD(3)),
    created_at DateTime64(3, 'UTC') COMMENT 'When it was stated',
    revoked UInt8 COMMENT '1 = taken back',
    revoked_by String COMMENT 'Who took it back; empty while it holds',
    revoked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was taken back; null while it holds'
)
ENGINE = {{engine}}ReplacingMergeTree{{engine_arguments:revoked}}
ORDER BY knowledge_id
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What people know: facts that the detector obeys';
