-- The present state of each alert of some keys that started since a time.
SELECT *
FROM alert_changes
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND started_at >= toDateTime({from:UInt32}, 'UTC')
ORDER BY revision DESC
LIMIT 1 BY alert_id
