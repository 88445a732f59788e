-- Cells of one rollup and one day whose count is not that of the raw events. The fingerprint is of the cell and of both
-- counts: as long as it stays, neither the raw events of the cell nor its rollup have changed.
SELECT source, key, cell, event, sum(raw) AS raw_events, sum(rolled) AS rolled_events,
    cityHash64(source, key, toUnixTimestamp(cell), event, raw_events, rolled_events) AS fingerprint
FROM
(
    SELECT source, key, CELL_OF_EVENT AS cell, event, count() AS raw, toUInt64(0) AS rolled
    FROM events
    WHERE timestamp >= toDateTime({from:UInt32}, 'UTC') AND timestamp < toDateTime({to:UInt32}, 'UTC')
    GROUP BY source, key, cell, event
    UNION ALL
    SELECT source, key, COLUMN AS cell, event, toUInt64(0) AS raw, sum(events) AS rolled
    FROM ROLLUP
    WHERE toDateTime(COLUMN, 'UTC') >= toDateTime({from:UInt32}, 'UTC')
      AND toDateTime(COLUMN, 'UTC') < toDateTime({to:UInt32}, 'UTC')
    GROUP BY source, key, cell, event
)
GROUP BY source, key, cell, event
HAVING raw_events != rolled_events
