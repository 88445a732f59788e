// Key names are the sender's choice and end up in SQL text, where Grafana's own quoting leaves backslashes alone.
// So the variable `key` holds the name in hexadecimal digits, and only its label is the name itself.

const keyIsChosen =
  "$__conditionalAll(key IN (SELECT unhex(arrayJoin(splitByChar(',', '${key:csv}')))), $key)"
// Source names come from the configuration, which allows a-z, 0-9, _ and - only.
const sourceIsChosen = '$__conditionalAll(source IN (${source:singlequote}), $source)'
const isChosen = `${sourceIsChosen} AND ${keyIsChosen}`

/** Rollup rows of the dashboard's range; the first bucket is whole, not cut by the start of the range. */
const inRange = (column: 'minute' | 'hour') =>
  `${column} >= $__timeInterval($__fromTime) AND ${column} <= $__toTime`

export const sourcesSql = 'SELECT DISTINCT source FROM key_activity ORDER BY source'

/** Value, then label. The keys used last come first. */
export const keysSql = `SELECT hex(key) AS value, key AS label
FROM key_activity
WHERE ${sourceIsChosen}
GROUP BY key
ORDER BY max(last_seen) DESC
LIMIT 1000`

/**
 * Events of one kind per bucket of the panel's interval, scaled to the rate per minute or hour that the table is
 * kept in, so that zooming does not change the unit. The ten busiest keys by name, the rest as `other`.
 */
export function ratePerKeySql(options: {
  readonly table: 'usage_minute' | 'usage_hour'
  readonly event: 'processed' | 'bounce'
}): string {
  const { table, event } = options
  const [column, seconds] = table === 'usage_minute' ? (['minute', 60] as const) : (['hour', 3600] as const)
  const rows = `${inRange(column)} AND event = '${event}' AND ${isChosen}`
  return `WITH busiest AS
(
    SELECT key FROM ${table}
    WHERE ${rows}
    GROUP BY key ORDER BY sum(events) DESC, key LIMIT 10
)
SELECT
    $__timeInterval(${column}) AS time,
    if(key IN (SELECT key FROM busiest), key, 'other') AS label,
    sum(events) * ${seconds} / $__interval_s AS rate
FROM ${table}
WHERE ${rows}
GROUP BY time, label
ORDER BY time, label`
}

/** What became of the messages whose fate was told in each hour: shares that add up to 1. */
export const outcomeSharesSql = `SELECT
    $__timeInterval(hour) AS time,
    sumIf(events, event = 'delivered') / sum(events) AS delivered,
    sumIf(events, event = 'bounce') / sum(events) AS bounced,
    sumIf(events, event = 'dropped') / sum(events) AS dropped
FROM usage_hour
WHERE ${inRange('hour')} AND event IN ('delivered', 'bounce', 'dropped') AND ${isChosen}
GROUP BY time
ORDER BY time`

const hoursInRange = 'hour >= toStartOfHour($__fromTime) AND hour <= $__toTime'

/** One number for the whole range; shares are 0 where nothing was sent. */
export const totalsSql = `SELECT
    sumIf(events, event = 'processed') AS messages,
    sumIf(events, event = 'delivered') / greatest(messages, 1) AS delivered,
    sumIf(events, event = 'bounce') / greatest(messages, 1) AS bounced,
    sumIf(events, event = 'spamreport') / greatest(messages, 1) AS spam_reports,
    uniqExactIf(source, key, event = 'processed') AS keys
FROM usage_hour
WHERE ${hoursInRange} AND ${isChosen}`

/** One row per key that did anything in the range; first and last seen are of its whole life. */
export const keyTableSql = `SELECT
    used.source AS Source,
    used.key AS Key,
    messages AS Messages,
    delivered / greatest(messages, 1) AS Delivered,
    bounced / greatest(messages, 1) AS Bounced,
    spam_reports AS \`Spam reports\`,
    seen.first AS \`First seen\`,
    seen.last AS \`Last seen\`
FROM
(
    SELECT
        source,
        key,
        sumIf(events, event = 'processed') AS messages,
        sumIf(events, event = 'delivered') AS delivered,
        sumIf(events, event = 'bounce') AS bounced,
        sumIf(events, event = 'spamreport') AS spam_reports
    FROM usage_hour
    WHERE ${hoursInRange} AND ${isChosen}
    GROUP BY source, key
    ORDER BY messages DESC
    LIMIT 500
) AS used
LEFT JOIN
(
    SELECT source, key, min(first_seen) AS first, max(last_seen) AS last
    FROM key_activity
    WHERE ${isChosen}
    GROUP BY source, key
) AS seen ON used.source = seen.source AND used.key = seen.key
ORDER BY Messages DESC`

/** The present state of every open alert, whenever it began; alerts on a whole source show with any of its keys. */
export const openAlertsSql = `SELECT
    argMax(severity, revision) AS Severity,
    argMax(started_at, revision) AS Since,
    any(source) AS Source,
    any(key) AS Key,
    any(signal) AS Signal,
    argMax(summary, revision) AS Summary,
    argMax(messages_before_alarm, revision) AS \`Sent before the alarm\`
FROM alert_changes
WHERE (source = '*' OR ${sourceIsChosen}) AND (key = '*' OR ${keyIsChosen})
GROUP BY alert_id
HAVING argMax(status, revision) = 'open'
ORDER BY indexOf(['critical', 'warning', 'info'], Severity), Since DESC
LIMIT 100`
