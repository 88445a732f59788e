import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'

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
const FINGERPRINTS_MAX = 8000
/** A day of many keys has millions of cells; beyond this the engine sorts them on disk. */
const LIMITS = 'max_threads=2, max_bytes_before_external_group_by=268435456'
const WANTED = '(raw_events > rolled_events OR {surplusToo:UInt8})'

const count = z.coerce.number().int()
const totalsRow = z.object({ day: count, raw: count, minute: count, hour: count, whole: count })
/** Events of one day by the raw table and by each rollup; `day` is its start, seconds since the epoch. */
export type DayTotals = z.output<typeof totalsRow>

/** Events per day since `fromSeconds`, for every day that has any. */
export async function dayTotals(client: ClickHouseClient, fromSeconds: number): Promise<DayTotals[]> {
  return rowsOf(client, { sql: DAY_TOTALS, row: totalsRow, params: { from: fromSeconds } })
}

const cellsRow = z.object({
  cells: count,
  checksum: z.string(),
  fingerprints: z.array(z.string().regex(/^\d{1,20}$/)),
})
/**
 * Cells of one rollup and one day that do not equal their raw events. A fingerprint is of a cell's name and both of
 * its counts, so that a cell which has changed in the meantime is not found again; the checksum is of all fingerprints.
 */
export type DifferingCells = {
  readonly rollup: Rollup
  readonly daySeconds: number
  readonly surplusToo: boolean
  readonly cells: number
  readonly checksum: string
  /** Of all cells, or of the first 8,000. */
  readonly fingerprints: readonly string[]
}

/** The cells that differ, without those where the rollup has more unless `surplusToo`; undefined if there is none. */
export async function differingCells(
  client: ClickHouseClient,
  where: Pick<DifferingCells, 'rollup' | 'daySeconds' | 'surplusToo'>,
): Promise<DifferingCells | undefined> {
  const [row] = await rowsOf(client, {
    sql: `SELECT count() AS cells, toString(sum(fingerprint)) AS checksum,
        arrayMap(one -> toString(one), groupArray(${FINGERPRINTS_MAX})(fingerprint)) AS fingerprints
      FROM (${cellsSql(where.rollup)}) WHERE ${WANTED} SETTINGS ${LIMITS}`,
    row: cellsRow,
    params: paramsOf(where),
  })
  return row === undefined || row.cells === 0 ? undefined : { ...where, ...row }
}

/**
 * Makes those of the cells that have not changed since they were found equal to their raw events, and answers how many.
 *
 * What is missing is added as one more row, which is true whatever is inserted meanwhile: a rollup is a sum, and
 * additions commute. A surplus is taken away, if `mayLower`, by adding what is missing to 2^64: UInt64 sums wrap, in
 * queries as in merges. Such a row is merged with the others at once, for people who read the table without sum().
 *
 * More than 8,000 cells are corrected by one statement if none of them has changed, else the first 8,000 are. A
 * rejection means unknown. Do not call it again for the same cells: find the differing cells again.
 */
export async function correctCells(
  client: ClickHouseClient,
  found: DifferingCells,
  mayLower: boolean,
): Promise<number> {
  const all =
    found.cells <= found.fingerprints.length
      ? 0
      : await correct(client, found, { mayLower, sql: allUnchanged(found) })
  return all > 0 ? all : correct(client, found, { mayLower, sql: listedUnchanged(found) })
}

async function correct(
  client: ClickHouseClient,
  found: DifferingCells,
  unchanged: { readonly mayLower: boolean; readonly sql: string },
): Promise<number> {
  const { rollup } = found
  const { mayLower, sql } = unchanged
  const params = { ...paramsOf(found), mayLower: mayLower ? 1 : 0 }
  const chosen = `${sql} AND (raw_events > rolled_events OR {mayLower:UInt8})`
  const [counts] = await rowsOf(client, {
    sql: `SELECT count() AS cells, countIf(rolled_events > raw_events) AS surpluses ${chosen} SETTINGS ${LIMITS}`,
    row: z.object({ cells: count, surpluses: count }),
    params,
  })
  if (counts === undefined || counts.cells === 0) return 0
  await client.command({
    query: `INSERT INTO ${rollup.table} (source, key, ${rollup.column}, event, events)
      SETTINGS ${ownToken()}, async_insert=0, ${LIMITS}
      SELECT source, key, cell, event, reinterpretAsUInt64(raw_events - rolled_events) ${chosen}`,
    query_params: params,
  })
  if (counts.surpluses > 0) await mergeDay(client, rollup, found.daySeconds)
  return counts.cells
}

/** All differing cells, if they are the very same as when they were found, by their number and checksum. */
function allUnchanged(found: DifferingCells): string {
  return `FROM (
      SELECT *, count() OVER () AS all_cells, sum(fingerprint) OVER () AS checksum
      FROM (${cellsSql(found.rollup)}) WHERE ${WANTED}
    ) WHERE all_cells = {cells:UInt64} AND checksum = {checksum:UInt64}`
}

function listedUnchanged(found: DifferingCells): string {
  return `FROM (${cellsSql(found.rollup)}) WHERE fingerprint IN (${found.fingerprints.join(',')})`
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

function paramsOf(found: Pick<DifferingCells, 'daySeconds' | 'surplusToo'> & Partial<DifferingCells>) {
  return {
    from: found.daySeconds,
    to: found.daySeconds + DAY_SECONDS,
    surplusToo: found.surplusToo ? 1 : 0,
    cells: found.cells ?? 0,
    checksum: found.checksum ?? '0',
  }
}

async function mergeDay(client: ClickHouseClient, rollup: Rollup, daySeconds: number): Promise<void> {
  const [day = ''] = new Date(daySeconds * 1000).toISOString().split('T')
  const partition =
    rollup.table === 'usage_minute' ? day.replaceAll('-', '') : day.slice(0, 7).replace('-', '')
  await client.command({ query: `OPTIMIZE TABLE ${rollup.table} PARTITION ${partition} FINAL` })
}

async function rowsOf<Row extends z.ZodType>(
  client: ClickHouseClient,
  question: {
    readonly sql: string
    readonly row: Row
    readonly params: Readonly<Record<string, number | string>>
  },
): Promise<z.output<Row>[]> {
  const result = await client.query({
    query: question.sql,
    query_params: question.params,
    format: 'JSONEachRow',
  })
  return z.array(question.row).parse(await result.json())
}
