-- State changes of alerts that were stored since a time, each once, in the order in which they became true.
SELECT alert_changes.*
FROM alert_changes FINAL
WHERE stored_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
  AND toUnixTimestamp64Milli(stored_at) < {until_ms:Int64}
ORDER BY changed_at, alert_id, revision
