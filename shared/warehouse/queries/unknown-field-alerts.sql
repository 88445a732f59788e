-- The unknown fields of a source that were told of, the latest first.
SELECT *
FROM
(
    SELECT *
    FROM alert_changes
    WHERE signal = 'schema.unknown_field' AND source = {source:String}
    ORDER BY revision DESC
    LIMIT 1 BY alert_id
)
ORDER BY detected_at DESC, alert_id
LIMIT {limit:UInt32}
