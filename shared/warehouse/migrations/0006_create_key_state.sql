-- What the detector remembers of each key, so that a restart reads it back instead of the key's whole past. A row holds
-- every event of the key up to log_offset of log_partition; what was stored since is given to the engine again.
CREATE TABLE IF NOT EXISTS key_state {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    log_partition UInt16 COMMENT 'Partition of the event log that the key''s events came from',
    log_offset UInt64 COMMENT 'The state holds every event of the key up to this offset',
    arrived_until DateTime64(3, 'UTC') COMMENT 'The latest arrival among the events up to that offset',
    engine_version LowCardinality(String) COMMENT 'Version of the engine that can read the state',
    written_at DateTime64(3, 'UTC') COMMENT 'When the state was taken',
    state String COMMENT 'The engine''s own encoding' CODEC(ZSTD(3))
)
ENGINE = {{engine}}ReplacingMergeTree{{engine_arguments:written_at}}
ORDER BY (source, key)
TTL toDateTime(written_at) + INTERVAL 1830 DAY
SETTINGS index_granularity = 64, {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The detector''s memory of each key';

-- Events that came since a checkpoint are few, and in few parts: with this the others are not read.
ALTER TABLE events {{on_cluster}} ADD INDEX IF NOT EXISTS received_at_range received_at TYPE minmax GRANULARITY 1;
