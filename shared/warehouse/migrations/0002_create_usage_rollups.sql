-- Rollups are fed by materialized views under the same deduplication token as the block of raw events, so a
-- retried block repairs a missing rollup and never counts twice. Read them with sum(): rows merge in the background.
CREATE TABLE IF NOT EXISTS usage_minute {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    minute DateTime('UTC') COMMENT 'Start of the minute' CODEC(Delta, ZSTD(1)),
    event LowCardinality(String) COMMENT 'Event type',
    events UInt64 COMMENT 'Events in the minute' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine}}SummingMergeTree{{engine_arguments:events}}
PARTITION BY toYYYYMMDD(minute)
ORDER BY (source, key, minute, event)
TTL minute + INTERVAL 400 DAY
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'Events per source, key, minute and type';

CREATE TABLE IF NOT EXISTS usage_hour {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    hour DateTime('UTC') COMMENT 'Start of the hour' CODEC(Delta, ZSTD(1)),
    event LowCardinality(String) COMMENT 'Event type',
    events UInt64 COMMENT 'Events in the hour' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine}}SummingMergeTree{{engine_arguments:events}}
PARTITION BY toYYYYMM(hour)
ORDER BY (source, key, hour, event)
TTL hour + INTERVAL 1830 DAY
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Events per source, key, hour and type';

CREATE TABLE IF NOT EXISTS usage_day {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    day Date COMMENT 'Day, UTC' CODEC(Delta, ZSTD(1)),
    event LowCardinality(String) COMMENT 'Event type',
    events UInt64 COMMENT 'Events in the day' CODEC(T64, ZSTD(1))
)
ENGINE = {{engine}}SummingMergeTree{{engine_arguments:events}}
PARTITION BY toYYYYMM(day)
ORDER BY (source, key, day, event)
TTL day + INTERVAL 3660 DAY
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Events per source, key, day and type';

CREATE TABLE IF NOT EXISTS key_activity {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    first_seen SimpleAggregateFunction(min, DateTime('UTC')) COMMENT 'First event of the key',
    last_seen SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'Latest event of the key'
)
ENGINE = {{engine}}AggregatingMergeTree{{engine_arguments}}
ORDER BY (source, key)
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'When each key was first and last seen; kept for ever';

CREATE MATERIALIZED VIEW IF NOT EXISTS usage_minute_from_events {{on_cluster}} TO usage_minute AS
SELECT source, key, toStartOfMinute(timestamp) AS minute, event, count() AS events
FROM events
GROUP BY source, key, minute, event;

CREATE MATERIALIZED VIEW IF NOT EXISTS usage_hour_from_events {{on_cluster}} TO usage_hour AS
SELECT source, key, toStartOfHour(timestamp) AS hour, event, count() AS events
FROM events
GROUP BY source, key, hour, event;

CREATE MATERIALIZED VIEW IF NOT EXISTS usage_day_from_events {{on_cluster}} TO usage_day AS
SELECT source, key, toDate(timestamp, 'UTC') AS day, event, count() AS events
FROM events
GROUP BY source, key, day, event;

CREATE MATERIALIZED VIEW IF NOT EXISTS key_activity_from_events {{on_cluster}} TO key_activity AS
SELECT source, key, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM events
GROUP BY source, key;
