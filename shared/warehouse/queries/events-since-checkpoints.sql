-- Events of some keys that their checkpoints do not hold, key by key in order of arrival. An event is not held when it
-- arrived after everything that is, or lies behind the checkpoint in its partition of the log. Events of a block that
-- is about to be given to the engine are left out.
SELECT
    events.source, events.key, event, toUnixTimestamp(timestamp), toUnixTimestamp64Milli(received_at), attribution,
    toString(recipient_hash), recipient_domain, toString(fingerprint), smtp_id, template_id, categories, pool,
    marketing_campaign_id, url, bounce_classification, machine_open
FROM events
INNER JOIN
(
    SELECT held.1 AS source, held.2 AS key, held.3 AS partition, held.4 AS offset, held.5 AS arrived
    FROM
    (
        SELECT arrayJoin(JSONExtract(
            base64Decode('HELD_BASE64'), 'Array(Tuple(String, String, UInt16, UInt64, Int64))')) AS held
    )
) AS held ON events.source = held.source AND events.key = held.key
WHERE (events.source, events.key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND timestamp >= toDateTime({from:UInt32}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({arrivedFromMs:Int64}, 'UTC')
  AND (toUnixTimestamp64Milli(received_at) > arrived OR (log_partition = partition AND log_offset > offset))
  AND NOT (
      log_partition = {pendingPartition:UInt16} AND log_offset BETWEEN {firstOffset:UInt64} AND {lastOffset:UInt64}
      AND received_at >= fromUnixTimestamp64Milli({pendingFromMs:Int64}, 'UTC'))
ORDER BY source, key, received_at, log_partition, log_offset
