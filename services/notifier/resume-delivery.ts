import type { Logger } from 'pino'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import type { DeliveryMemory } from './delivery-memory.ts'
import type { NotifierMetrics } from './metrics.ts'
import { readAlert } from './read-alert.ts'

/** Kept with every position, so that a group that never committed can be told from one that did. */
export const HANDLED = 'handled'

/** So far back the log is read again after a restart, to know what was told. */
const MEMORY_RECORDS_MAX = 10_000
/** A channel that is new to a running deployment is not told of what happened before this. */
const FIRST_START_AGE_MAX_MS = 3600_000

type ResumeDeps = {
  readonly name: string
  readonly log: Logger
  readonly metrics: NotifierMetrics
  readonly nowMs: () => number
}

/**
 * The offset from which a channel goes on, after the memory of what it was told has been rebuilt from the
 * 10,000 records before that. A resolved state whose opening lies further back is not sent any more.
 */
export async function resumeDelivery(
  partition: AssignedPartition,
  memory: DeliveryMemory,
  deps: ResumeDeps,
): Promise<number> {
  const { offset, metadata } = await partition.committed()
  const { start, end } = await partition.offsets()
  if (metadata === '') {
    const first = await stepOverOld(partition, deps, { from: Math.max(offset, start), end })
    // From now on nothing is too old: what is appended while the notifier is away must reach the channel.
    await partition.commit({ offset: first, metadata: HANDLED })
    return first
  }
  const known = { channel: deps.name, partition: partition.partition, offset }
  if (metadata !== HANDLED) {
    deps.log.warn({ ...known, intent: metadata }, 'ended while sending; that message is sent again')
  }
  if (offset < start) {
    deps.log.error({ ...known, start }, 'alerts left the event log before the channel took them')
  }
  const from = Math.max(start, offset - MEMORY_RECORDS_MAX)
  await eachRecord(partition, { from, end: offset }, (record) => {
    const alert = readAlert(record)
    if (alert !== undefined && memory.decide(alert).kind === 'send') memory.markHandled(alert)
    return true
  })
  return Math.max(start, offset)
}

/** The first offset that is not older than an hour: a new channel is not flooded with last week. */
async function stepOverOld(
  partition: AssignedPartition,
  deps: ResumeDeps,
  range: { readonly from: number; readonly end: number },
): Promise<number> {
  const oldestMs = deps.nowMs() - FIRST_START_AGE_MAX_MS
  let first = range.from
  await eachRecord(partition, range, (record) => {
    if (record.appendedAtMs >= oldestMs) return false
    deps.metrics.skipped.inc({ channel: deps.name, reason: 'before_first_start' })
    first = record.offset + 1
    return true
  })
  return first
}

/** Calls `visit` for the records in [from, end) until it answers false. */
async function eachRecord(
  partition: AssignedPartition,
  range: { readonly from: number; readonly end: number },
  visit: (record: LogRecord) => boolean,
): Promise<void> {
  let next = range.from
  while (next < range.end) {
    const records = await partition.read({ fromOffset: next, maxRecords: 1000, maxWaitMs: 500 })
    if (records.length === 0) return
    for (const record of records) {
      if (record.offset >= range.end || !visit(record)) return
      next = record.offset + 1
    }
  }
}
