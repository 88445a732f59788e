-- Which of these events, whose time is that of their receipt, are stored already. A redelivery has another time, so
-- only the days around it bound the search: every id of these days is read, which is dear, and such events are rare.
SELECT DISTINCT source, sg_event_id
FROM events
WHERE source IN JSONExtract(base64Decode('SOURCES_BASE64'), 'Array(String)')
  AND events.timestamp BETWEEN toDateTime({from:UInt32}, 'UTC') AND toDateTime({to:UInt32}, 'UTC')
  AND sg_event_id IN JSONExtract(base64Decode('IDS_BASE64'), 'Array(String)')
  AND NOT (log_partition = {partition:UInt16} AND log_offset BETWEEN {firstOffset:UInt64} AND {lastOffset:UInt64})
