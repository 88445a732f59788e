-- How many of each key's newest events to read, and from which hour: whole hours until there are enough.
SELECT source, key, toUInt32(toUnixTimestamp(min(hour))) AS from_seconds, toUInt64(sum(in_hour)) AS events_from
FROM
(
    SELECT
        source, key, hour, in_hour,
        sum(in_hour) OVER (PARTITION BY source, key ORDER BY hour DESC) - in_hour AS newer
    FROM
    (
        SELECT source, key, hour, sum(events) AS in_hour
        FROM usage_hour
        WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
          AND hour >= toDateTime({from:UInt32}, 'UTC')
          AND hour <= toDateTime({until:UInt32}, 'UTC')
        GROUP BY source, key, hour
    )
)
WHERE newer < {enough:UInt64}
GROUP BY source, key
ORDER BY from_seconds, source, key
