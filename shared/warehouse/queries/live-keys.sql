-- Keys that sent something since a day.
SELECT toUInt32(uniqExact(source, key)) AS keys
FROM usage_day
WHERE day >= toDate({since:UInt32})
