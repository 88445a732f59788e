import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { AppError } from '#shared/runtime/app-error.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { toEventRow, type EventRow } from '#shared/warehouse/event-row.ts'
import { insertEvents } from '#shared/warehouse/event-store.ts'
import type { RecipientPrivacy } from '#shared/warehouse/recipient-privacy.ts'
import type { EventMessage } from '#shared/domain/log-message.ts'
import type { SimulatedEvent } from './event-stream.ts'

export type HistoryProgress = {
  /** Events stored so far. */
  readonly events: number
  /** Up to where, milliseconds since the epoch. */
  readonly untilMs: number
}

export type LoadOptions = {
  readonly client: ClickHouseClient
  readonly privacy: RecipientPrivacy
  readonly toMessage: (event: SimulatedEvent) => EventMessage
  readonly events: Iterable<SimulatedEvent>
  /** Names the load: the same name must always come with the same events. */
  readonly name: string
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: HistoryProgress) => void
}

/**
 * Large blocks make few parts, small ones need little memory: with 20,000 rows the load was a tenth faster and took
 * 700 MB at most instead of 430 MB. The warehouse takes 100,000 rows at most.
 */
const BLOCK_ROWS = 10_000
/** The next block is generated while the warehouse stores the last ones. */
const BLOCKS_IN_FLIGHT_MAX = 2
/** Not a partition that any log has, so that no row of history looks like one of a log's. */
const HISTORY_PARTITION = 65_535
const TRIES_MAX = 6

/**
 * Writes events straight into the warehouse, as the detector would have, and resolves with their number.
 *
 * Blocks are cut by count and named after the load, so the same load can be repeated after a crash without storing
 * anything twice. Throws the AppError `WAREHOUSE_UNAVAILABLE` when the warehouse refuses a block again and again.
 */
export async function loadEvents(options: LoadOptions): Promise<number> {
  const { client, toMessage, privacy, name, signal, onProgress } = options
  const inFlight: Promise<void>[] = []
  let stored = 0
  let block: EventRow[] = []
  let blockNumber = 0
  const flush = async (untilMs: number) => {
    const rows = block
    const token = `simulate:${name}:${blockNumber}:${contentOf(rows)}`
    block = []
    blockNumber += 1
    const insert = insertWithRetry(client, rows, token).then(() => {
      stored += rows.length
      onProgress?.({ events: stored, untilMs })
    })
    // Awaited in order below; an early failure must not count as unhandled until then.
    insert.catch(() => undefined)
    inFlight.push(insert)
    if (inFlight.length >= BLOCKS_IN_FLIGHT_MAX) await inFlight.shift()
    signal?.throwIfAborted()
  }
  let offset = 0
  let lastMs = 0
  try {
    for (const event of options.events) {
      block.push(toEventRow(toMessage(event), { partition: HISTORY_PARTITION, offset }, privacy))
      offset += 1
      lastMs = event.atMs
      if (block.length >= BLOCK_ROWS) await flush(lastMs)
    }
    if (block.length > 0) await flush(lastMs)
  } finally {
    await Promise.allSettled(inFlight)
  }
  await Promise.all(inFlight)
  return stored
}

/** Tells blocks of one place in one load apart that another version of the fleet, or of this file, would fill otherwise. */
function contentOf(rows: readonly EventRow[]): string {
  const hash = createHash('sha256')
  for (const row of rows) hash.update(row.sg_event_id)
  return hash.digest('hex').slice(0, 16)
}

async function insertWithRetry(client: ClickHouseClient, rows: readonly EventRow[], token: string) {
  for (let tryNumber = 1; ; tryNumber++) {
    try {
      return await insertEvents(client, rows, token)
    } catch (error) {
      if (tryNumber >= TRIES_MAX) {
        throw new AppError(
          'WAREHOUSE_UNAVAILABLE',
          'The history could not be stored in the warehouse; once it works, start again: nothing is stored twice.',
          { cause: error, retriable: true },
        )
      }
      await wait(200 * 2 ** tryNumber)
    }
  }
}
