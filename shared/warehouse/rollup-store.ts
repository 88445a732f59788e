import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'
import { inGroups } from './statement-value.ts'

const DAY_TOTALS = sqlFile('day-totals')
const DIFFERING_CELLS = sqlFile('differing-cells')
const KEYS_WITHOUT_ACTIVITY = sqlFile('keys-without-activity')

/** The tables of counted events, each with its column of time and the cell that a raw event belongs to. */
export const rollups = [
  { table: 'usage_minute', column: 'minute', cellOfEvent: 'toStartOfMinute(timestamp)', total: 'minute' },
  { table: 'usage_hour', column: 'hour', cellOfEvent: 'toStartOfHour(timestamp)', total: 'hour' },
  { table: 'usage_day', column: 'day', cellOfEvent: `toDate(timestamp, 'UTC')`, total: 'whole' },
] as const
export type Rollup = (typeof rollups)[number]

export const DAY_SECONDS = 24 * 3600

/** ClickHouse reads a statement of at most 256 KiB; a fingerprint has at most 20 digits and a comma. */
const FINGERPRINTS_PER_STATEMENT = 8000
/** A day of many keys has millions of cells; beyond this the engine sorts them on disk. */
const LIMITS = 'max_threads=2, max_bytes_before_external_group_by=268435456'

const count = z.coerce.number().int()
const totalsRow = z.object({ day: count, raw: count, minute: count, hour: count, whole: count })
/** Events of one day by the raw table and by each rollup; `day` is its start, seconds since the epoch. */
export type DayTotals = z.output<typeof totalsRow>

/** Events per day since `fromSeconds`, for every day that has any. */
export async function dayTotals(client: ClickHouseClient, fromSeconds: number): Promise<DayTotals[]> {
  return rowsOf(client, { sql: DAY_TOTALS, row: totalsRow, params: { from: fromSeconds } })
}

const cellRow = z.object({
  fingerprint: z.string().regex(/^\d{1,20}$/),
  surplus: z.union([z.literal(0), z.literal(1)]),
})
/** A cell that does not equal its raw events. */
export type DifferingCell = {
  /** Of the cell's name and of both counts, so that a cell which has changed in the meantime is not found again. */
  readonly fingerprint: string
  /** Whether the rollup has more than the raw table. */
  readonly surplus: boolean
}

/** At most `cellsMax` of a day's cells that differ, without those where the rollup has more unless `surplusToo`. */
export async function differingCells(
  client: ClickHouseClient,
  rollup: Rollup,
  wanted: { readonly daySeconds: number; readonly surplusToo: boolean; readonly cellsMax: number },
): Promise<DifferingCell[]> {
  const rows = await rowsOf(client, {
    sql: `SELECT toString(fingerprint) AS fingerprint, toUInt8(rolled_events > raw_events) AS surplus
      FROM (${cellsSql(rollup)})
      WHERE raw_events > rolled_events OR {surplusToo:UInt8}
      LIMIT {cellsMax:UInt32} SETTINGS ${LIMITS}`,
    row: cellRow,
    params: {
      ...dayParams(wanted.daySeconds),
      surplusToo: wanted.surplusToo ? 1 : 0,
      cellsMax: wanted.cellsMax,
    },
  })
  return rows.map(({ fingerprint, surplus }) => ({ fingerprint, surplus: surplus === 1 }))
}

/**
 * Makes those of the cells that have not changed since they were found equal to their raw events, and answers how many.
 *
 * What is missing is added as one more row, which is true whatever is inserted meanwhile: a rollup is a sum, and
 * additions commute. A surplus is taken away by adding what is missing to 2^64: UInt64 sums wrap, in queries as in
 * merges. Such a row is merged with the others at once, for people who read the table without sum().
 *
 * A rejection means unknown. Do not call it again for the same cells: find the differing cells again.
 */
export async function correctCells(
  client: ClickHouseClient,
  rollup: Rollup,
  day: { readonly daySeconds: number; readonly cells: readonly DifferingCell[] },
): Promise<number> {
  let corrected = 0
  let surplus = false
  for (const group of inGroups(day.cells, FINGERPRINTS_PER_STATEMENT)) {
    const unchanged = `FROM (${cellsSql(rollup)}) WHERE fingerprint IN (${group.map((cell) => cell.fingerprint).join(',')})`
    const found = await rowsOf(client, {
      sql: `SELECT count() AS cells, countIf(rolled_events > raw_events) AS surpluses ${unchanged} SETTINGS ${LIMITS}`,
      row: z.object({ cells: count, surpluses: count }),
      params: dayParams(day.daySeconds),
    })
    const { cells, surpluses } = found[0] ?? { cells: 0, surpluses: 0 }
    if (cells === 0) continue
    await client.command({
      query: `INSERT INTO ${rollup.table} (source, key, ${rollup.column}, event, events)
        SETTINGS ${ownToken()}, async_insert=0, ${LIMITS}
        SELECT source, key, cell, event, reinterpretAsUInt64(raw_events - rolled_events) ${unchanged}`,
      query_params: dayParams(day.daySeconds),
    })
    corrected += cells
    surplus ||= surpluses > 0
  }
  if (surplus) await mergeDay(client, rollup, day.daySeconds)
  return corrected
}

/** Adds the row of every key that has none, and answers how many; safe at any time, for these rows are no sums. */
export async function restoreKeyActivity(client: ClickHouseClient, fromSeconds: number): Promise<number> {
  const params = { from: fromSeconds }
  const missing = await rowsOf(client, {
    sql: `SELECT count() AS keys FROM (${KEYS_WITHOUT_ACTIVITY})`,
    row: z.object({ keys: count }),
    params,
  })
  const keys = missing[0]?.keys ?? 0
  if (keys === 0) return 0
  // Raw events may have expired since the key's first day; then the end of that day is when it was first seen.
  await client.command({
    query: `INSERT INTO key_activity (source, key, first_seen, last_seen)
      SETTINGS ${ownToken()}, async_insert=0
      SELECT source, key, min(first), max(last) FROM
      (
        SELECT source, key, min(timestamp) AS first, max(timestamp) AS last
        FROM events WHERE (source, key) IN (${KEYS_WITHOUT_ACTIVITY}) GROUP BY source, key
        UNION ALL
        SELECT source, key, toDateTime(min(day), 'UTC') + ${DAY_SECONDS - 1} AS first, toDateTime(max(day), 'UTC') AS last
        FROM usage_day WHERE (source, key) IN (${KEYS_WITHOUT_ACTIVITY}) GROUP BY source, key
      )
      GROUP BY source, key`,
    query_params: params,
  })
  return keys
}

/**
 * Whether this server of a cluster has not yet got what others were given: then its tables cannot be compared,
 * because each is brought up to date by itself. Never on a single server.
 */
export async function isReplicaBehind(client: ClickHouseClient): Promise<boolean> {
  const rows = await rowsOf(client, {
    sql: `SELECT count() AS behind FROM system.replicas
      WHERE database = currentDatabase() AND (is_readonly OR inserts_in_queue > 0 OR log_pointer <= log_max_index)`,
    row: z.object({ behind: count }),
    params: {},
  })
  return (rows[0]?.behind ?? 0) > 0
}

/**
 * The same correction may be due again one day and must not be taken for a repetition. A token of its own is understood
 * by every version; `insert_deduplicate = 0` no longer has an effect in 26.7, where a newer setting overrules it.
 */
function ownToken(): string {
  return `insert_deduplication_token='reconcile:${randomUUID()}'`
}

function cellsSql(rollup: Rollup): string {
  return DIFFERING_CELLS.replace('CELL_OF_EVENT', rollup.cellOfEvent)
    .replaceAll('COLUMN', rollup.column)
    .replace('ROLLUP', rollup.table)
}

function dayParams(daySeconds: number) {
  return { from: daySeconds, to: daySeconds + DAY_SECONDS }
}

async function mergeDay(client: ClickHouseClient, rollup: Rollup, daySeconds: number): Promise<void> {
  const [day = ''] = new Date(daySeconds * 1000).toISOString().split('T')
  const partition =
    rollup.table === 'usage_minute' ? day.replaceAll('-', '') : day.slice(0, 7).replace('-', '')
  await client.command({ query: `OPTIMIZE TABLE ${rollup.table} PARTITION ${partition} FINAL` })
}

async function rowsOf<Row extends z.ZodType>(
  client: ClickHouseClient,
  question: { readonly sql: string; readonly row: Row; readonly params: Readonly<Record<string, number>> },
): Promise<z.output<Row>[]> {
  const result = await client.query({
    query: question.sql,
    query_params: question.params,
    format: 'JSONEachRow',
  })
  return z.array(question.row).parse(await result.json())
}
