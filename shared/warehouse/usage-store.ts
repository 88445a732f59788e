import { z } from 'zod'
import type { StoredSource } from '#shared/detection/engine-input.ts'
import type { SourceTraffic } from '#shared/detection/source-silence.ts'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'
import { inGroups, statementValue } from './statement-value.ts'

const KEY_ACTIVITY = sqlFile('key-activity')
const KEY_PARTITIONS = sqlFile('key-partitions')
const SOURCE_ACTIVITY = sqlFile('source-activity')
const SOURCE_VOLUMES = sqlFile('source-volumes')
const SOURCE_HOURS = sqlFile('source-hours')
const LIVE_KEYS = sqlFile('live-keys')

/** One key of one source. */
export type KeyName = { readonly source: string; readonly key: string }

/** Keys per statement: names are at most 256 characters, a statement 256 KiB. */
const KEYS_PER_QUERY = 100
const HOUR_SECONDS = 3600
const DAY_SECONDS = 24 * HOUR_SECONDS
/** Days over which a source's unit of volume and its share of unattributed messages are taken. */
const SOURCE_DAYS = 28
/** Messages below which a source without `processed` may still be one that has just begun. */
const OUTCOMES_TO_DECIDE = 500
/** The watch on silence knows a source by so many hours: five weeks. */
const HISTORY_HOURS = 35 * 24
/** A key's partition is looked for among its events of this many days. */
const PARTITION_DAYS = 7

/** Text that is the same for two names exactly when they are the same key; JSON, because names are free text. */
export function keyText({ source, key }: KeyName): string {
  return JSON.stringify([source, key])
}

const named = z.object({ source: z.string(), key: z.string() })
const activityRow = named.extend({ first_seen: z.number(), last_seen: z.number() })
const partitionRow = named.extend({ partition: z.number() })

/** First and last event of those keys that have any, by `keyText`. */
export async function keyActivity(
  client: ClickHouseClient,
  keys: readonly KeyName[],
): Promise<Map<string, { readonly firstSeen: number; readonly lastSeen: number }>> {
  const rows = await rowsOfKeys(client, { sql: KEY_ACTIVITY, keys, row: activityRow, params: {} })
  return new Map(rows.map((row) => [keyText(row), { firstSeen: row.first_seen, lastSeen: row.last_seen }]))
}

/** The partition of the log that each key's latest event came from, by `keyText`; keys long silent are absent. */
export async function keyPartitions(
  client: ClickHouseClient,
  keys: readonly KeyName[],
  nowSeconds: number,
): Promise<Map<string, number>> {
  const params = { from: nowSeconds - PARTITION_DAYS * DAY_SECONDS }
  const rows = await rowsOfKeys(client, { sql: KEY_PARTITIONS, keys, row: partitionRow, params })
  return new Map(rows.map((row) => [keyText(row), row.partition]))
}

const sourceActivityRow = z.object({ source: z.string(), first_seen: z.number(), last_seen: z.number() })
const sourceVolumeRow = z.object({
  source: z.string(),
  processed: z.number(),
  outcomes: z.number(),
  unattributed_processed: z.number(),
  unattributed_outcomes: z.number(),
})
const sourceHourRow = z.object({
  source: z.string(),
  hour_number: z.number(),
  events_in_hour: z.number(),
  gap_minutes: z.number(),
})

/** Every source that has stored events: its age, its unit of volume and how much of it is unattributed. */
export async function loadSources(client: ClickHouseClient, nowSeconds: number): Promise<StoredSource[]> {
  const [activity, volumes] = await Promise.all([
    rowsOf(client, { sql: SOURCE_ACTIVITY, row: sourceActivityRow, params: {} }),
    rowsOf(client, {
      sql: SOURCE_VOLUMES,
      row: sourceVolumeRow,
      params: { from: Math.max(0, nowSeconds - SOURCE_DAYS * DAY_SECONDS) },
    }),
  ])
  const volumeOf = new Map(volumes.map((row) => [row.source, row]))
  return activity.map(({ source, first_seen }) => {
    const volume = volumeOf.get(source)
    const processed = volume?.processed ?? 0
    const outcomes = volume?.outcomes ?? 0
    const unit = processed > 0 ? 'processed' : outcomes >= OUTCOMES_TO_DECIDE ? 'outcomes' : undefined
    return {
      source,
      firstSeen: first_seen,
      unit,
      messages: unit === 'outcomes' ? outcomes : processed,
      unattributedMessages:
        (unit === 'outcomes' ? volume?.unattributed_outcomes : volume?.unattributed_processed) ?? 0,
    }
  })
}

/** Each source's events per hour of the last weeks and its pauses, by source. It reads every minute of them. */
export async function loadSourceHours(
  client: ClickHouseClient,
  nowSeconds: number,
): Promise<Map<string, SourceTraffic['hours']>> {
  const hours = await rowsOf(client, {
    sql: SOURCE_HOURS,
    row: sourceHourRow,
    params: { from: Math.max(0, nowSeconds - HISTORY_HOURS * HOUR_SECONDS) },
  })
  const hoursOf = new Map<string, { hour: number; events: number; gapMinutes: number }[]>()
  for (const row of hours) {
    const own = hoursOf.get(row.source) ?? []
    own.push({ hour: row.hour_number, events: row.events_in_hour, gapMinutes: row.gap_minutes })
    hoursOf.set(row.source, own)
  }
  return hoursOf
}

/** Every source's latest event, with what is known of its hours, for the watch on silence. */
export async function loadSourceTraffic(
  client: ClickHouseClient,
  hoursOf: ReadonlyMap<string, SourceTraffic['hours']>,
): Promise<SourceTraffic[]> {
  const activity = await rowsOf(client, { sql: SOURCE_ACTIVITY, row: sourceActivityRow, params: {} })
  return activity.map(({ source, last_seen }) => ({
    source,
    lastSeen: last_seen,
    hours: hoursOf.get(source) ?? [],
  }))
}

const liveKeysRow = z.object({ keys: z.number() })

/** How many keys sent something since a time (seconds), by whole days. */
export async function countLiveKeys(client: ClickHouseClient, since: number): Promise<number> {
  const [row] = await rowsOf(client, { sql: LIVE_KEYS, row: liveKeysRow, params: { since } })
  return row?.keys ?? 0
}

type Params = Readonly<Record<string, number | readonly string[]>>

/** Asks a question about some keys; its text holds KEYS_BASE64 where they go. */
async function rowsOfKeys<Row extends z.ZodType>(
  client: ClickHouseClient,
  question: { sql: string; keys: readonly KeyName[]; row: Row; params: Params },
): Promise<z.output<Row>[]> {
  const rows: z.output<Row>[] = []
  for (const group of inGroups(question.keys, KEYS_PER_QUERY)) {
    const names = statementValue(group.map(({ source, key }) => [source, key]))
    rows.push(...(await rowsOf(client, { ...question, sql: question.sql.replace('KEYS_BASE64', names) })))
  }
  return rows
}

async function rowsOf<Row extends z.ZodType>(
  client: ClickHouseClient,
  question: { sql: string; row: Row; params: Params },
): Promise<z.output<Row>[]> {
  const result = await client.query({
    query: question.sql,
    query_params: question.params,
    format: 'JSONEachRow',
  })
  return z.array(question.row).parse(await result.json())
}
