-- Events of any type per hour of each source. Hours are counted from the epoch.
SELECT source, toUInt32(intDiv(toUnixTimestamp(hour), 3600)) AS hour_number, toUInt32(sum(events)) AS events_in_hour
FROM usage_hour
WHERE hour >= toDateTime({from:UInt32}, 'UTC')
GROUP BY source, hour_number
