-- Keys that have sent, the one that sent last first; messages of the last seven days by whichever of the two counts
-- (processed, or outcomes where a webhook has processed switched off) is larger.
SELECT
    source, key,
    toUnixTimestamp(min(first_seen)) AS first_seen, toUnixTimestamp(max(last_seen)) AS last_seen,
    any(messages) AS messages
FROM key_activity
LEFT JOIN
(
    SELECT
        source, key,
        greatest(
            sumIf(events, event = 'processed'), sumIf(events, event IN ('delivered', 'bounce', 'dropped'))) AS messages
    FROM usage_hour
    WHERE hour >= now() - INTERVAL 7 DAY
    GROUP BY source, key
) AS week USING (source, key)
WHERE ({source:String} = '' OR source = {source:String}) AND ({key:String} = '' OR key = {key:String})
GROUP BY source, key
ORDER BY last_seen DESC, source, key
LIMIT {limit:UInt32}
