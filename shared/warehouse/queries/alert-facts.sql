-- What a key sends during an episode against what it sent before: the commonest values of each field, with the
-- number of messages that have them in either time. `all` counts every message.
SELECT
    field,
    value,
    toFloat64(countIf(during)) AS messages,
    toFloat64(countIf(NOT during)) AS messages_before
FROM
(
    SELECT
        timestamp >= toDateTime({start:UInt32}, 'UTC') AS during,
        arrayJoin([
            ('all', ''),
            ('category', arrayStringConcat(categories, ', ')),
            ('template', template_id),
            ('recipient_domain', recipient_domain),
            ('pool', pool),
            ('shape', toString(shape))
        ]) AS item,
        item.1 AS field,
        item.2 AS value
    FROM events
    WHERE source = {source:String} AND key = {key:String}
      AND timestamp >= toDateTime({before:UInt32}, 'UTC')
      AND event IN {events:Array(String)}
)
GROUP BY field, value
HAVING messages > 0
ORDER BY messages DESC, value
LIMIT 3 BY field
SETTINGS max_execution_time = 5
