import { Readable } from 'node:stream'
import type { ClickHouseClient } from './client.ts'
import { inPieces } from './event-store.ts'
import { namesInGroups } from './key-names.ts'
import { readNumber, readText } from './row-cells.ts'
import { sqlFile } from './sql-file.ts'
import { statementValue } from './statement-value.ts'
import { keyText, type KeyName } from './usage-store.ts'

const KEY_STATES = sqlFile('key-states')

const columns = [
  'source',
  'key',
  'log_partition',
  'log_offset',
  'arrived_until',
  'engine_version',
  'written_at',
  'state',
] as const

const INSERT_STATES = `INSERT INTO key_state (${columns.join(', ')}) SETTINGS async_insert=0 FORMAT JSONCompactEachRow`

/** How far into the log a state reaches. */
export type Checkpoint = {
  readonly partition: number
  /** The state holds every event of its key on that partition up to this offset. */
  readonly logOffset: number
  /** The latest arrival (milliseconds) among all events of the partition up to that offset, whichever key's. */
  readonly arrivedUntilMs: number
}

export type KeyStateRow = KeyName & Checkpoint & { readonly state: string }

/**
 * Keeps the states of keys; at most a few thousand at a time. A state that is written later counts, whatever its
 * offset: a log that was made anew begins with small ones.
 */
export async function saveKeyStates(
  client: ClickHouseClient,
  rows: readonly KeyStateRow[],
  given: { readonly engineVersion: string; readonly writtenAtMs: number },
): Promise<void> {
  if (rows.length === 0) return
  const writtenAt = clickHouseTime(given.writtenAtMs)
  const lines = rows.map(
    (row) =>
      `${JSON.stringify([
        row.source,
        row.key,
        row.partition,
        row.logOffset,
        clickHouseTime(row.arrivedUntilMs),
        given.engineVersion,
        writtenAt,
        row.state,
      ])}\n`,
  )
  const { stream } = await client.exec({ query: INSERT_STATES, values: Readable.from(inPieces(lines)) })
  for await (const _chunk of stream) {
    // Nothing comes back from an insert; the end of the answer says that it is done.
  }
}

/** Keys whose states come in one answer: a state has about 8 KiB. */
const KEYS_PER_QUERY = 1000

/** The latest states that this version of the engine can read, by `keyText`; keys without one are absent. */
export async function loadKeyStates(
  client: ClickHouseClient,
  keys: readonly KeyName[],
  engineVersion: string,
): Promise<Map<string, KeyStateRow>> {
  const states = new Map<string, KeyStateRow>()
  for (const group of namesInGroups(keys, KEYS_PER_QUERY)) {
    const result = await client.query({
      query: KEY_STATES.replace('KEYS_BASE64', statementValue(group.map(({ source, key }) => [source, key]))),
      query_params: { engineVersion },
      format: 'JSONCompactEachRow',
    })
    for await (const rows of result.stream()) {
      for (const row of rows) {
        const state = stateOf(row.json())
        states.set(keyText(state), state)
      }
    }
  }
  return states
}

function stateOf(cells: unknown): KeyStateRow {
  if (!Array.isArray(cells)) throw new TypeError('a row is an array')
  return {
    source: readText(cells[0]),
    key: readText(cells[1]),
    partition: readNumber(cells[2]),
    logOffset: readNumber(cells[3]),
    arrivedUntilMs: readNumber(cells[4]),
    state: readText(cells[5]),
  }
}

/** ClickHouse's `YYYY-MM-DD hh:mm:ss.mmm`, UTC. */
function clickHouseTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 23).replace('T', ' ')
}
