-- When each source was first and last seen, seconds since the epoch.
SELECT source, toUnixTimestamp(min(first_seen)) AS first_seen, toUnixTimestamp(max(last_seen)) AS last_seen
FROM key_activity
GROUP BY source
