-- One row per state change of an alert; the row with the highest revision is its present state. A state written
-- twice is the same row.
CREATE TABLE IF NOT EXISTS alert_changes {{on_cluster}}
(
    alert_id String COMMENT 'Deterministic: source, key, signal and start of the episode',
    revision UInt32 COMMENT 'State change, counted from 1',
    incident_id String COMMENT 'Joins the alerts of one incident',
    source LowCardinality(String) COMMENT 'Source; * = the fleet',
    key String COMMENT 'Attributed key, unattributed, overflow or * (whole source)',
    signal LowCardinality(String) COMMENT 'What was noticed, e.g. volume.spike',
    severity LowCardinality(String) COMMENT 'info, warning or critical',
    status LowCardinality(String) COMMENT 'open or resolved',
    started_at DateTime64(3, 'UTC') COMMENT 'First excess, event time',
    detected_at DateTime64(3, 'UTC') COMMENT 'When the alert opened, arrival time',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the episode was over; null while open',
    changed_at DateTime64(3, 'UTC') COMMENT 'When this row became true, arrival time',
    observed Float64 COMMENT 'Seen in the window, in the signal''s unit (messages for volume)',
    expected Float64 COMMENT 'Expected in the window, same unit',
    expected_low Float64 COMMENT 'Lower end of what is usual',
    expected_high Float64 COMMENT 'Upper end of what is usual',
    score Float64 COMMENT 'Minus log10 of the probability of so large a value',
    p_value Float64 COMMENT 'That probability',
    window_seconds UInt32 COMMENT 'Length of the window judged, seconds',
    messages_before_alarm UInt64 COMMENT 'Messages that left before the alert opened',
    evidence String COMMENT 'Evidence, JSON object' CODEC(ZSTD(3)),
    summary String COMMENT 'One sentence for a person' CODEC(ZSTD(3)),
    next_steps Array(String) COMMENT 'What to do next, in order' CODEC(ZSTD(3)),
    runbook_url String COMMENT 'Where the runbook is',
    links String COMMENT 'Links by name, JSON object' CODEC(ZSTD(3))
)
ENGINE = {{engine}}ReplacingMergeTree{{engine_arguments}}
PARTITION BY toYYYYMM(started_at)
ORDER BY (alert_id, revision)
TTL toDateTime(started_at) + INTERVAL 1830 DAY
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'State changes of alerts';

-- What passed the signature but could not be an event. Addresses are masked here; the bytes as they came stay in
-- the event log at log_partition and log_offset, for as long as the log keeps them.
CREATE TABLE IF NOT EXISTS rejected {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Source that posted it',
    received_at DateTime64(3, 'UTC') COMMENT 'When ingest took the request, milliseconds',
    rejected_id String COMMENT 'Hash of source and bytes: a redelivery is the same row',
    scope LowCardinality(String) COMMENT 'body = a whole request, event = one element of it',
    reason LowCardinality(String) COMMENT 'Why it was rejected',
    detail String COMMENT 'The fault, for a person' CODEC(ZSTD(3)),
    payload String COMMENT 'What came, addresses masked, at most 8 KiB' CODEC(ZSTD(3)),
    log_partition UInt16 COMMENT 'Partition of the topic sendgrid.rejected',
    log_offset UInt64 COMMENT 'Offset in that partition'
)
ENGINE = {{engine}}ReplacingMergeTree{{engine_arguments}}
PARTITION BY toYYYYMM(received_at)
ORDER BY (source, rejected_id)
TTL toDateTime(received_at) + INTERVAL {{raw_retention_days}} DAY
SETTINGS {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Signed input that could not be an event';
