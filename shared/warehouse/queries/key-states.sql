-- The latest state of some keys that this version of the engine can read.
SELECT source, key, log_partition, log_offset, toUnixTimestamp64Milli(arrived_until), state
FROM key_state
WHERE (source, key) IN JSONExtract(base64Decode('KEYS_BASE64'), 'Array(Tuple(String, String))')
  AND engine_version = {engineVersion:String}
ORDER BY source, key, written_at DESC, log_offset DESC
LIMIT 1 BY source, key
