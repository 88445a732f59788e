-- How far a source's messages on one partition of the log had come in each minute of the arrival clock, without those of
-- one key: minutes since the epoch, in order.
SELECT
    toUInt32(intDiv(toUnixTimestamp64Milli(received_at), 60000)) AS arrival_minute,
    toUInt32(intDiv(toUnixTimestamp(max(timestamp)), 60)) AS event_minute
FROM events
WHERE source = {source:String} AND key != {key:String} AND log_partition = {partition:UInt16}
  AND event IN {events:Array(String)}
  AND timestamp >= toDateTime({from:UInt32}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
  AND received_at <= fromUnixTimestamp64Milli({untilMs:Int64}, 'UTC')
GROUP BY arrival_minute
ORDER BY arrival_minute
