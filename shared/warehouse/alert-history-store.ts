import { z } from 'zod'
import type { Alert } from '#shared/domain/alert.ts'
import { alertRow } from './alert-store.ts'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'

const RECENT_ALERTS = sqlFile('recent-alerts')
const FIND_ALERTS = sqlFile('find-alerts')
const CHANGES_OF_ALERT = sqlFile('changes-of-alert')
const UNKNOWN_FIELD_ALERTS = sqlFile('unknown-field-alerts')
const ALERTS_MAX = 5000

/** Of the last year: every alert that is open, and those that changed since a time (milliseconds). At most 5,000. */
export async function recentAlerts(
  client: ClickHouseClient,
  wanted: {
    readonly sinceMs: number
    readonly source?: string | undefined
    readonly key?: string | undefined
  },
): Promise<Alert[]> {
  const result = await client.query({
    query: RECENT_ALERTS,
    query_params: {
      fromMs: Math.max(0, Math.floor(wanted.sinceMs)),
      source: wanted.source ?? '',
      key: wanted.key ?? '',
      limit: ALERTS_MAX,
    },
    format: 'JSONEachRow',
  })
  return z.array(alertRow).parse(await result.json())
}

/** The alerts whose id, or whose incident's id, begins with this text, of whatever age. At most 5,000. */
export async function findAlerts(client: ClickHouseClient, prefix: string): Promise<Alert[]> {
  if (prefix === '') return []
  const result = await client.query({
    query: FIND_ALERTS,
    query_params: { prefix, limit: ALERTS_MAX },
    format: 'JSONEachRow',
  })
  return z.array(alertRow).parse(await result.json())
}

/** Every state change of one alert, the first one first; empty for an id that no alert has. */
export async function changesOfAlert(client: ClickHouseClient, alertId: string): Promise<Alert[]> {
  const result = await client.query({
    query: CHANGES_OF_ALERT,
    query_params: { alertId },
    format: 'JSONEachRow',
  })
  return z.array(alertRow).parse(await result.json())
}

/** What was told about unknown fields of a source, the latest first. At most 5,000. */
export async function unknownFieldAlerts(client: ClickHouseClient, source: string): Promise<Alert[]> {
  const result = await client.query({
    query: UNKNOWN_FIELD_ALERTS,
    query_params: { source, limit: ALERTS_MAX },
    format: 'JSONEachRow',
  })
  return z.array(alertRow).parse(await result.json())
}
