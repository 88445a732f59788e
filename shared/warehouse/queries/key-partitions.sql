-- The partition of the event log that each key's latest event came from.
SELECT source, key, argMax(log_partition, (timestamp, log_offset)) AS partition
FROM events
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND timestamp >= toDateTime({from:UInt32}, 'UTC')
GROUP BY source, key
