-- Events in order of arrival, for one span of it. Partitions are by event time, which is why it is bounded as well: an
-- event arrives a week after it happened at most, and lies a day in the future at most. A day's sort may be larger than
-- the memory, so it may use the disk.
SELECT
    source, key, event, toUnixTimestamp(timestamp), toUnixTimestamp64Milli(received_at), attribution,
    toString(recipient_hash), recipient_domain, toString(fingerprint), smtp_id, template_id, categories, pool,
    marketing_campaign_id, url, bounce_classification, machine_open, sg_event_id, sg_message_id,
    if(event = 'account_status_change', JSONExtractString(arguments, 'type'), '')
FROM events
WHERE received_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
  AND received_at < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
  AND timestamp >= toDateTime({fromSeconds:UInt32}, 'UTC')
  AND timestamp <= toDateTime({toSeconds:UInt32}, 'UTC')
ORDER BY received_at, log_partition, log_offset
SETTINGS max_bytes_before_external_sort = 1000000000
