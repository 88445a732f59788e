import { resolve } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { EventLog } from './event-log.ts'
import { createGroupCommit } from './file-append.ts'
import { createArrivals } from './file-arrivals.ts'
import { startFileConsumer } from './file-consumer.ts'
import { reclaim, startRetention } from './file-retention.ts'
import { openFileStore, type FileStore } from './file-store.ts'

const HOUR_MS = 3_600_000

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
    async health() {
      const broken = store.broken()
      if (broken !== undefined) return { ok: false, reason: broken.message }
      store.refresh()
      if (store.counter('bytes') >= config.size_limit_bytes) {
        return { ok: false, reason: 'event_log.size_limit_bytes is reached' }
      }
      return { ok: true }
    },
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
