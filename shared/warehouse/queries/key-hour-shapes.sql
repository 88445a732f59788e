-- How clustered the hours of some keys were: the largest windows of 1, 10 and 60 minutes that end in the hour, and the
-- pairs of messages within one minute and within ten. Minutes and hours are counted from the epoch.
SELECT
    source,
    key,
    toUInt32(intDiv(minute_number, 60)) AS hour_number,
    toFloat64(max(messages)) AS peak_1,
    toFloat64(max(in_10)) AS peak_10,
    toFloat64(max(in_60)) AS peak_60,
    toFloat64(sum(messages * (messages - 1))) AS pairs_1,
    toFloat64(arraySum(n -> n * (n - 1), sumMap([intDiv(minute_number, 10)], [messages]).2)) AS pairs_10
FROM
(
    SELECT
        source,
        key,
        minute_number,
        messages,
        sum(messages) OVER (PARTITION BY source, key ORDER BY minute_number RANGE BETWEEN 9 PRECEDING AND CURRENT ROW) AS in_10,
        sum(messages) OVER (PARTITION BY source, key ORDER BY minute_number RANGE BETWEEN 59 PRECEDING AND CURRENT ROW) AS in_60
    FROM
    (
        SELECT source, key, toUInt32(intDiv(toUnixTimestamp(minute), 60)) AS minute_number, sum(events) AS messages
        FROM usage_minute
        WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
          AND minute >= toDateTime({from:UInt32}, 'UTC')
          AND event IN {events:Array(String)}
        GROUP BY source, key, minute_number
    )
)
GROUP BY source, key, hour_number
