-- One row per event, stored once. The order makes the look-up of redelivered events cheap: a redelivery is the
-- same event with the same key and time. Key names are the sender's choice, so they are no LowCardinality.
CREATE TABLE IF NOT EXISTS events {{on_cluster}}
(
    source LowCardinality(String) COMMENT 'Configured source that posted the event',
    key String COMMENT 'Attributed API key, or unattributed' CODEC(ZSTD(1)),
    timestamp DateTime('UTC') COMMENT 'When the event happened, by SendGrid, seconds' CODEC(Delta, ZSTD(1)),
    sg_event_id String COMMENT 'SendGrid''s event id, or h: and a hash of the event where it has none' CODEC(ZSTD(3)),
    event LowCardinality(String) COMMENT 'SendGrid''s event type; unknown:NAME for a new one',
    received_at DateTime64(3, 'UTC') COMMENT 'When ingest took the request, milliseconds' CODEC(Delta, ZSTD(1)),
    attribution LowCardinality(String) COMMENT 'Attribution rule that named the key: a claim, not a proof',
    sg_message_id String COMMENT 'SendGrid''s message id' CODEC(ZSTD(3)),
    smtp_id String COMMENT 'Message-ID header' CODEC(ZSTD(3)),
    recipient_hash UInt64 COMMENT 'Keyed hash of the recipient''s address; 0 without recipient' CODEC(ZSTD(1)),
    recipient_domain String COMMENT 'Domain of the recipient''s address, lower case' CODEC(ZSTD(1)),
    recipient String COMMENT 'The address itself, only where the configuration asks for plain text' CODEC(ZSTD(1)),
    categories Array(String) COMMENT 'Categories, at most 20' CODEC(ZSTD(1)),
    template_id String COMMENT 'Template of the message' CODEC(ZSTD(1)),
    pool String COMMENT 'IP pool name' CODEC(ZSTD(1)),
    marketing_campaign_id String COMMENT 'Marketing campaign or single send' CODEC(ZSTD(1)),
    asm_group_id UInt32 COMMENT 'Unsubscribe group; 0 = none' CODEC(ZSTD(1)),
    ip String COMMENT 'Sending address for deliveries and bounces, the reader''s for opens and clicks' CODEC(ZSTD(1)),
    url String COMMENT 'Link clicked' CODEC(ZSTD(1)),
    useragent String COMMENT 'Reader''s software' CODEC(ZSTD(1)),
    machine_open Bool COMMENT 'Opened by a privacy proxy, not a person',
    reason String COMMENT 'Reason or response of a bounce, drop or deferral, addresses masked' CODEC(ZSTD(1)),
    status String COMMENT 'Enhanced status code' CODEC(ZSTD(1)),
    bounce_type LowCardinality(String) COMMENT 'bounce or blocked',
    bounce_classification LowCardinality(String) COMMENT 'SendGrid''s class of a bounce',
    attempt UInt16 COMMENT 'Delivery attempt of a deferral' CODEC(ZSTD(1)),
    shape UInt64 COMMENT 'Hash of the sorted names present in the event: a fingerprint of the sending software' CODEC(ZSTD(1)),
    arguments String COMMENT 'Custom arguments and unknown fields, JSON object, addresses masked' CODEC(ZSTD(3)),
    normalised Array(LowCardinality(String)) COMMENT 'Fields that ingest had to change; empty = none',
    log_partition UInt16 COMMENT 'Partition of the event log' CODEC(ZSTD(1)),
    log_offset UInt64 COMMENT 'Offset in that partition' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine}}MergeTree{{engine_arguments}}
PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (source, key, timestamp, sg_event_id)
TTL timestamp + INTERVAL {{raw_retention_days}} DAY
SETTINGS index_granularity = 2048, {{deduplication_window}}, fsync_after_insert = 1, fsync_part_directory = 1, ttl_only_drop_parts = 1
COMMENT 'SendGrid events, each stored once';
