-- Events of some keys since a time that arrived until another, key by key in order of arrival. Events of a block that is about to be given to the
-- engine are left out.
SELECT
    source, key, event, toUnixTimestamp(timestamp), toUnixTimestamp64Milli(received_at), attribution,
    toString(recipient_hash), recipient_domain, toString(fingerprint), smtp_id, template_id, categories, pool,
    marketing_campaign_id, url, bounce_classification, machine_open
FROM events
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND timestamp >= toDateTime({from:UInt32}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({untilMs:Int64}, 'UTC')
  AND NOT (
      log_partition = {pendingPartition:UInt16} AND log_offset BETWEEN {firstOffset:UInt64} AND {lastOffset:UInt64}
      AND received_at >= fromUnixTimestamp64Milli({pendingFromMs:Int64}, 'UTC'))
ORDER BY source, key, received_at, log_partition, log_offset
