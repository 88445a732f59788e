-- The present state of alerts that are open, or changed since a time; the newest first.
SELECT *
FROM
(
    SELECT *
    FROM alert_changes
    WHERE started_at >= now() - INTERVAL 366 DAY
      AND ({source:String} = '' OR source = {source:String})
      AND ({key:String} = '' OR key = {key:String})
    ORDER BY revision DESC
    LIMIT 1 BY alert_id
)
WHERE status = 'open' OR changed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
ORDER BY status = 'open' DESC, started_at DESC, alert_id
LIMIT {limit:UInt32}
