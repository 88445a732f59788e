-- Which of these events are stored already. The sets are JSON arrays in base64: the text of a statement is the only
-- place with room for thousands of ids, and base64 cannot end a quoted string. A redelivery has the same source and
-- time, so the sort key finds its granules; the key is left out because a change of the attribution rules changes it.
-- Rows of the block that is being stored again (log_partition, log_offset) do not count.
SELECT source, toUInt32(timestamp) AS timestamp, sg_event_id
FROM events
WHERE source IN JSONExtract(base64Decode('SOURCES_BASE64'), 'Array(String)')
  AND events.timestamp IN JSONExtract(base64Decode('TIMESTAMPS_BASE64'), 'Array(UInt32)')
  AND sg_event_id IN JSONExtract(base64Decode('IDS_BASE64'), 'Array(String)')
  AND NOT (log_partition = {partition:UInt16} AND log_offset BETWEEN {firstOffset:UInt64} AND {lastOffset:UInt64})
