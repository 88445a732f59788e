import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { findStoredEvents, identityOf, insertEvents } from '#shared/warehouse/event-store.ts'
import { insertRejected } from '#shared/warehouse/rejected-store.ts'
import { tokenOf, type Block } from './block.ts'
import type { DecodedRecord } from './decode-records.ts'
import type { DetectorMetrics } from './metrics.ts'
import { untilDone, type RetryContext } from './retry.ts'

export type StoreContext = RetryContext & {
  readonly client: ClickHouseClient
  readonly metrics: DetectorMetrics
}

/** An event of a block that had not been stored before. */
export type FreshEvent = Extract<DecodedRecord, { kind: 'event' }>

/**
 * Stores what is new in a block and answers it. `replaying` says that the block was begun before a crash: then its
 * own rows, of which some may be stored, are no duplicates, and the token makes a second insert harmless.
 */
export async function storeBlock(
  block: Block,
  decoded: readonly DecodedRecord[],
  given: { readonly topic: string; readonly replaying: boolean },
  context: StoreContext,
): Promise<FreshEvent[]> {
  const { client, metrics } = context
  const rejected = decoded.flatMap((record) => (record.kind === 'rejected' ? [record.row] : []))
  if (rejected.length > 0) {
    await untilDone('insert rejected', () => insertRejected(client, rejected), context)
    metrics.rejected.inc({ topic: given.topic }, rejected.length)
  }

  const distinct = new Map<string, FreshEvent>()
  let events = 0
  for (const record of decoded) {
    if (record.kind !== 'event') continue
    events += 1
    const identity = identityOf(record.row)
    if (!distinct.has(identity)) distinct.set(identity, record)
  }
  const candidates = [...distinct.values()].map((record) => record.row)
  const stored = await untilDone(
    'look up',
    () => findStoredEvents(client, candidates, given.replaying ? block : undefined),
    context,
  )
  const fresh = [...distinct].flatMap(([identity, record]) => (stored.has(identity) ? [] : [record]))
  const rows = fresh.map((record) => record.row)
  const token = tokenOf(given.topic, block)
  await untilDone('insert events', () => insertEvents(client, rows, token), context)
  metrics.eventsStored.inc(fresh.length)
  metrics.duplicates.inc(events - fresh.length)
  return fresh
}
