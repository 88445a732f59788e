-- Messages per hour of some keys, newest five weeks. Hours are counted from the epoch; empty hours are absent.
SELECT source, key, groupArray(hour_number) AS hours, groupArray(messages) AS counts
FROM
(
    SELECT source, key, toUInt32(intDiv(toUnixTimestamp(hour), 3600)) AS hour_number, toUInt32(sum(events)) AS messages
    FROM usage_hour
    WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
      AND hour >= toDateTime({from:UInt32}, 'UTC')
      AND event IN {events:Array(String)}
    GROUP BY source, key, hour_number
)
GROUP BY source, key
