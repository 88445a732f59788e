-- When some keys were first and last seen, seconds since the epoch.
SELECT source, key, toUnixTimestamp(min(first_seen)) AS first_seen, toUnixTimestamp(max(last_seen)) AS last_seen
FROM key_activity
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
GROUP BY source, key
