-- Events of any type per hour of each source, and the longest pause, in minutes, that ended in the hour. Hours are
-- counted from the epoch.
SELECT
    source,
    toUInt32(intDiv(minute_number, 60)) AS hour_number,
    toUInt32(sum(minute_events)) AS events_in_hour,
    toUInt32(max(pause)) AS gap_minutes
FROM
(
    SELECT
        source,
        minute_number,
        minute_events,
        if(previous = 0, 0, minute_number - previous) AS pause
    FROM
    (
        SELECT
            source,
            minute_number,
            minute_events,
            lagInFrame(minute_number, 1, 0) OVER
                (PARTITION BY source ORDER BY minute_number ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS previous
        FROM
        (
            SELECT source, toInt64(intDiv(toUnixTimestamp(minute), 60)) AS minute_number, sum(events) AS minute_events
            FROM usage_minute
            WHERE minute >= toDateTime({from:UInt32}, 'UTC')
            GROUP BY source, minute_number
        )
    )
)
GROUP BY source, hour_number
