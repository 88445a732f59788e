import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { ConsumeOptions, PartitionHandler } from './event-log.ts'
import type { Arrivals } from './file-arrivals.ts'
import { claimLease, isLeaseFree, releaseLease, renewLease, type LeaseName } from './file-groups.ts'
import { createFilePartition } from './file-partition.ts'
import type { FileStore } from './file-store.ts'
import { pause } from './pause.ts'
import { runHandler } from './run-handler.ts'

/** A tenth of the lease's time-out, so that one slow heartbeat loses nothing. */
const HEARTBEAT_INTERVAL_MS = 1000
/** How soon a standby member notices that the owner stopped or died. */
const CLAIM_INTERVAL_MS = 250

type Member = {
  readonly store: FileStore
  readonly lease: LeaseName
  readonly arrivals: Arrivals
  readonly log: Logger
  readonly stopping: AbortSignal
}

/**
 * Joins a group of a `file:` log. One member owns all partitions of the topic; the others stand by until it stops
 * or dies (its process is gone, or its heartbeat is too old). An owner that lost its lease stands by again.
 */
export async function startFileConsumer(
  store: FileStore,
  options: ConsumeOptions,
  parts: { readonly arrivals: Arrivals; readonly log: Logger },
): Promise<Stop> {
  const { topic, group, handle, onFailure } = options
  const stopping = new AbortController()
  const member: Member = {
    store,
    lease: { topic, group, member: randomUUID() },
    arrivals: parts.arrivals,
    log: parts.log.child({ topic, group }),
    stopping: stopping.signal,
  }
  let failed = false
  const fail = (error: unknown) => {
    stopping.abort()
    if (!failed) onFailure(error)
    failed = true
  }
  const run = async (claimed: boolean) => {
    if (claimed) await own(member, { handle, fail })
    while (!stopping.signal.aborted) {
      if (await claim(member)) await own(member, { handle, fail })
      else await pause(CLAIM_INTERVAL_MS, stopping.signal)
    }
    await store.transact(() => releaseLease(store, member.lease))
  }

  const claimed = await claim(member)
  if (!claimed) member.log.info('stands by: another member owns the partitions')
  const running = run(claimed).catch((error: unknown) => fail(placeNotKept(error)))
  return async () => {
    stopping.abort()
    await running
  }
}

function claim({ store, lease }: Member): Promise<boolean> {
  store.refresh()
  if (!isLeaseFree(store, lease)) return Promise.resolve(false)
  return store.transact(() => claimLease(store, lease))
}

/** Runs the handlers until the lease is lost or the member stops, and waits for them. */
async function own(
  member: Member,
  work: { readonly handle: PartitionHandler; readonly fail: (error: unknown) => void },
): Promise<void> {
  const { store, lease, arrivals, log, stopping } = member
  log.info('owns the partitions')
  const lost = new AbortController()
  const { partitions } = store.topic(lease.topic)
  const handlers = Array.from({ length: partitions }, (_, partition) => {
    const assigned = createFilePartition(store, { lease, partition, lost, arrivals })
    return runHandler(work.handle, assigned, { log, fail: work.fail })
  })
  const ending = AbortSignal.any([stopping, lost.signal])
  try {
    while (!ending.aborted) {
      await pause(HEARTBEAT_INTERVAL_MS, ending)
      if (!ending.aborted && !(await store.transact(() => renewLease(store, lease)))) break
    }
  } finally {
    if (!stopping.aborted) log.warn('lost the partitions')
    lost.abort()
    await Promise.all(handlers)
  }
}

function placeNotKept(cause: unknown): AppError {
  return new AppError(
    'CONSUMER_FAILED',
    'The consumer could not keep its place in the event log; see the cause and start it again.',
    { cause, retriable: true },
  )
}
