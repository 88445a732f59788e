-- State changes of alerts since a time, each once, in the order in which they became true.
SELECT alert_changes.*
FROM alert_changes FINAL
WHERE changed_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY changed_at, alert_id, revision
