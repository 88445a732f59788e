import type { ClickHouseClient } from '#shared/warehouse/client.ts'
import { findStoredEvents, identityOf, insertLines } from '#shared/warehouse/event-store.ts'
import { insertRejected } from '#shared/warehouse/rejected-store.ts'
import { findUndatedEvents, isUndated, undatedIdentityOf } from '#shared/warehouse/undated-events.ts'
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

  const undated = undatedIdentities(decoded)
  const distinct = new Map<string, FreshEvent>()
  let events = 0
  for (const record of decoded) {
    if (record.kind !== 'event') continue
    events += 1
    const byId = undated.size > 0 ? undatedIdentityOf(record.row) : ''
    const identity = undated.has(byId) ? byId : identityOf(record.row)
    if (!distinct.has(identity)) distinct.set(identity, record)
  }
  const candidates = (wantUndated: boolean) =>
    [...distinct].flatMap(([identity, { row }]) => (undated.has(identity) === wantUndated ? [row] : []))
  const ignoring = given.replaying ? block : undefined
  const stored = await untilDone(
    'look up',
    () => findStoredEvents(client, candidates(false), ignoring),
    context,
  )
  const storedUndated = await untilDone(
    'look up',
    () => findUndatedEvents(client, candidates(true), ignoring),
    context,
  )
  const fresh = [...distinct].flatMap(([identity, record]) =>
    stored.has(identity) || storedUndated.has(identity) ? [] : [record],
  )
  const lines = fresh.map(({ line }) => line)
  const token = tokenOf(given.topic, block)
  await untilDone('insert events', () => insertLines(client, lines, token), context)
  metrics.eventsStored.inc(fresh.length)
  metrics.duplicates.inc(events - fresh.length)
  return fresh
}

/** The identities of the block's undated events; a dated event with the same source and id is the same one. */
function undatedIdentities(decoded: readonly DecodedRecord[]): ReadonlySet<string> {
  const undated = new Set<string>()
  for (const record of decoded) {
    if (record.kind === 'event' && isUndated(record.row)) undated.add(undatedIdentityOf(record.row))
  }
  return undated
}
