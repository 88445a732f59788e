-- Keys that the rollup per day counts since some time and that have no row in key_activity.
SELECT source, key
FROM usage_day
WHERE day >= toDate(toDateTime({from:UInt32}, 'UTC'))
  AND (source, key) NOT IN (SELECT source, key FROM key_activity)
GROUP BY source, key
HAVING sum(events) > 0
