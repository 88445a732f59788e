import { Readable } from 'node:stream'
import { z } from 'zod'
import { alertSchema, type Alert } from '#shared/domain/alert.ts'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'

const OPEN_ALERTS = sqlFile('open-alerts')
const CHANGES_SINCE = sqlFile('alert-changes-since')

const columns = [
  'alert_id',
  'revision',
  'incident_id',
  'source',
  'key',
  'signal',
  'severity',
  'status',
  'started_at',
  'detected_at',
  'ended_at',
  'changed_at',
  'observed',
  'expected',
  'expected_low',
  'expected_high',
  'score',
  'p_value',
  'window_seconds',
  'messages_before_alarm',
  'evidence',
  'summary',
  'next_steps',
  'runbook_url',
  'links',
  'stored_at',
] as const

/** The settings stand in the statement: an embedded engine keeps what is sent beside it. */
const INSERT_CHANGES = `INSERT INTO alert_changes (${columns.join(', ')}) SETTINGS async_insert=0 FORMAT JSONEachRow`

/** Keeps state changes of alerts. A change written twice is one row. */
export async function insertAlertChanges(client: ClickHouseClient, alerts: readonly Alert[]): Promise<void> {
  if (alerts.length === 0) return
  // A default of the table's would be asked again for each row of before it, at every reading.
  const storedAt = clickHouseTime(new Date().toISOString())
  const rows = alerts.map((alert) =>
    JSON.stringify({
      ...Object.fromEntries(Object.entries(alert).filter(([name]) => name !== 'v')),
      started_at: clickHouseTime(alert.started_at),
      detected_at: clickHouseTime(alert.detected_at),
      ended_at: alert.ended_at === null ? null : clickHouseTime(alert.ended_at),
      changed_at: clickHouseTime(alert.changed_at),
      evidence: JSON.stringify(alert.evidence),
      links: JSON.stringify(alert.links),
      stored_at: storedAt,
    }),
  )
  const { stream } = await client.exec({
    query: INSERT_CHANGES,
    values: Readable.from([Buffer.from(rows.join('\n'), 'utf8')]),
  })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

/** Every alert that is open now. */
export async function openAlerts(client: ClickHouseClient): Promise<Alert[]> {
  const result = await client.query({ query: OPEN_ALERTS, format: 'JSONEachRow' })
  return z.array(alertRow).parse(await result.json())
}

/**
 * State changes that were stored since a time and before another (milliseconds), in the order in which they became
 * true. The times are those of the writers' clocks.
 */
export async function alertChangesSince(
  client: ClickHouseClient,
  sinceMs: number,
  untilMs = Number.MAX_SAFE_INTEGER,
): Promise<Alert[]> {
  const result = await client.query({
    query: CHANGES_SINCE,
    query_params: { since_ms: Math.floor(sinceMs), until_ms: Math.floor(untilMs) },
    format: 'JSONEachRow',
  })
  return z.array(alertRow).parse(await result.json())
}

/** ClickHouse's `YYYY-MM-DD hh:mm:ss.mmm` of an ISO time, both UTC. */
function clickHouseTime(iso: string): string {
  return new Date(iso).toISOString().slice(0, 23).replace('T', ' ')
}

const time = z.string().transform((text) => `${text.replace(' ', 'T')}Z`)
/** A 64-bit number is text or a number, as the server is set. */
const whole = z.coerce.number()
const json = z.string().transform((text): unknown => JSON.parse(text))

/** A row of `alert_changes` as the alert that it is. */
export const alertRow = z
  .object({
    revision: whole,
    started_at: time,
    detected_at: time,
    ended_at: time.nullable(),
    changed_at: time,
    window_seconds: whole,
    messages_before_alarm: whole,
    evidence: json,
    links: json,
  })
  .loose()
  .transform((row) => ({ ...row, v: 1 }))
  .pipe(alertSchema)
