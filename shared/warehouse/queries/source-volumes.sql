-- Messages of each source since a day, in both units of volume, and those that no rule attributed.
SELECT
    source,
    toFloat64(sumIf(events, event = 'processed')) AS processed,
    toFloat64(sumIf(events, event IN ('delivered', 'bounce', 'dropped'))) AS outcomes,
    toFloat64(sumIf(events, key = 'unattributed' AND event = 'processed')) AS unattributed_processed,
    toFloat64(sumIf(events, key = 'unattributed' AND event IN ('delivered', 'bounce', 'dropped'))) AS unattributed_outcomes
FROM usage_day
WHERE day >= toDate(toDateTime({from:UInt32}, 'UTC'))
GROUP BY source
