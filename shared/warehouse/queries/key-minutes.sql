-- Messages per minute of some keys, newest hours. Minutes are counted from the epoch; empty minutes are absent.
SELECT
    source,
    key,
    toUInt32(intDiv(toUnixTimestamp(minute), 60)) AS minute_number,
    toUInt32(sum(events)) AS messages
FROM usage_minute
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND minute >= toDateTime({from:UInt32}, 'UTC')
  AND event IN {events:Array(String)}
GROUP BY source, key, minute_number
