import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { EventLog } from './event-log.ts'
import { createGroupCommit } from './file-append.ts'
import { createArrivals } from './file-arrivals.ts'
import { startFileConsumer } from './file-consumer.ts'
import { readPositions } from './file-groups.ts'
import { hasRoom, reclaim, startRetention } from './file-retention.ts'
import { openFileStore, type FileStore } from './file-store.ts'

const HOUR_MS = 3_600_000
/** A log that could not take as much as one request is full. */
const HEALTHY_ROOM_BYTES = 5 * 1024 * 1024

/**
 * Opens the event log in a directory of the local disk. Any number of processes may append, read and commit at
 * the same time. Throws the AppError `EVENT_LOG_UNAVAILABLE` if the directory cannot be used.
 */
export async function openFileEventLog(
  config: Config['event_log'],
  options: { readonly log: Logger },
): Promise<EventLog> {
  const { log } = options
  const path = resolve(config.url.slice('file:'.length))
  const store = openStore(path, config, log)
  const arrivals = createArrivals(store)
  const commits = createGroupCommit(store, {
    reclaim: (bytes) => reclaim(store, bytes, config.size_limit_bytes),
    committed: () => arrivals.notify(),
  })
  const stopRetention = startRetention(store, {
    retentionMs: config.retention_hours * HOUR_MS,
    log,
    failed: (error) => log.error({ err: error }, 'expired records could not be deleted'),
  })
  const consumers: Stop[] = []
  let closing: Promise<void> | undefined
  const close = async () => {
    await Promise.all(consumers.map((stop) => stop()))
    await stopRetention()
    await commits.drain()
    await store.close()
  }
  return {
    async append(topic, records) {
      if (closing !== undefined) throw new Error('the event log is closed')
      await commits.append(topic, records)
    },
    async consume(consume) {
      const stop = await startFileConsumer(store, consume, { arrivals, log })
      consumers.push(stop)
      return stop
    },
    positions: (of) => Promise.resolve(readPositions(store, of)),
    health: () => checkHealth(store, config.size_limit_bytes),
    close: () => (closing ??= close()),
  }
}

function openStore(path: string, config: Config['event_log'], log: Logger): FileStore {
  try {
    return openFileStore(path, config, log)
  } catch (error) {
    throw new AppError(
      'EVENT_LOG_UNAVAILABLE',
      `The event log in ${path} cannot be opened; check that the directory can be written and is not full.`,
      { cause: error, retriable: false },
    )
  }
}

async function checkHealth(
  store: FileStore,
  sizeLimitBytes: number,
): Promise<{ readonly ok: boolean; readonly reason?: string }> {
  if (store.failure() !== undefined) {
    // Nobody may append while the answer is no, so it is found out here when the disk can be written again.
    try {
      await store.transact(() => store.setCounter('probes', store.counter('probes') + 1))
    } catch (error) {
      return { ok: false, reason: error instanceof Error ? error.message : 'the log cannot be written' }
    }
  }
  store.refresh()
  if (hasRoom(store, HEALTHY_ROOM_BYTES, sizeLimitBytes)) return { ok: true }
  return { ok: false, reason: 'event_log.size_limit_bytes is reached' }
}
