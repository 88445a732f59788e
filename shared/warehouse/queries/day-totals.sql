-- Events per day (its start in seconds since the epoch) as the raw table and as each rollup counts them. The legs are
-- read one after another, so a block that is being stored may be in some and not in others.
SELECT toUnixTimestamp(day) AS day, sum(raw) AS raw, sum(minute) AS minute, sum(hour) AS hour, sum(whole) AS whole
FROM
(
    SELECT toStartOfDay(timestamp) AS day, count() AS raw, 0 AS minute, 0 AS hour, 0 AS whole
    FROM events WHERE timestamp >= toDateTime({from:UInt32}, 'UTC') GROUP BY day
    UNION ALL
    SELECT toStartOfDay(usage_minute.minute) AS day, 0, sum(events), 0, 0
    FROM usage_minute WHERE usage_minute.minute >= toDateTime({from:UInt32}, 'UTC') GROUP BY day
    UNION ALL
    SELECT toStartOfDay(usage_hour.hour) AS day, 0, 0, sum(events), 0
    FROM usage_hour WHERE usage_hour.hour >= toDateTime({from:UInt32}, 'UTC') GROUP BY day
    UNION ALL
    SELECT toDateTime(usage_day.day, 'UTC') AS day, 0, 0, 0, sum(events)
    FROM usage_day WHERE usage_day.day >= toDate(toDateTime({from:UInt32}, 'UTC')) GROUP BY usage_day.day
)
GROUP BY day
ORDER BY day
