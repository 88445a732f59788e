import type { Logger } from 'pino'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import { consumedByAll } from './file-groups.ts'
import { blockKey, firstOffsetOf, type FileStore, type FileTopic } from './file-store.ts'
import { pause } from './pause.ts'
import { readBlockHeader } from './record-block.ts'

const PAGE_BYTES = 4096
/** LMDB puts a value of up to about half a page beside others; a larger one gets whole pages of its own. */
const INLINE_VALUE_BYTES_MAX = 2000
const NODE_HEADER_BYTES = 16
/** Blocks deleted in one transaction: it holds the write lock, and appends wait for it. */
const BLOCKS_PER_TRANSACTION_MAX = 128
const CHECK_INTERVAL_MS = 60_000

/** What a block takes of the disk, for the size limit. */
export function storedBytes(blockBytes: number): number {
  const bytes = blockBytes + NODE_HEADER_BYTES
  return blockBytes <= INLINE_VALUE_BYTES_MAX ? bytes : Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

/**
 * Makes room inside a running write transaction: answers whether `bytes` more fit below the limit, after
 * deleting, oldest first, records that every group of their topic has consumed. Without any group nothing counts
 * as consumed.
 */
export function reclaim(store: FileStore, bytes: number, sizeLimitBytes: number): boolean {
  let free = sizeLimitBytes - store.counter('bytes')
  if (free >= bytes) return true
  for (const topic of store.topics) {
    for (let partition = 0; partition < topic.partitions && free < bytes; partition++) {
      const consumed = consumedByAll(store, topic.name, partition)
      if (consumed === undefined) continue
      free += deleteBlocks(store, { topic, partition }, (block) => block.end <= consumed)
    }
  }
  return free >= bytes
}

/** Whether an append of `bytes` would have a chance now, by what it could reclaim; nothing is changed. */
export function hasRoom(store: FileStore, bytes: number, sizeLimitBytes: number): boolean {
  if (store.counter('bytes') + bytes <= sizeLimitBytes) return true
  return store.topics.some(({ name, partitions }) =>
    Array.from({ length: partitions }, (_, partition) => partition).some((partition) => {
      const { start } = store.bounds(name, partition)
      return (consumedByAll(store, name, partition) ?? start) > start
    }),
  )
}

/** Starts the timer that deletes records older than `retentionMs`. Every process of the log may run one. */
export function startRetention(
  store: FileStore,
  options: { readonly retentionMs: number; readonly log: Logger; readonly failed: (error: unknown) => void },
): Stop {
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      await deleteExpired(store, { cutoffMs: Date.now() - options.retentionMs, log: options.log })
      await pause(CHECK_INTERVAL_MS, stopping.signal)
    }
  }
  const running = run().catch(options.failed)
  return async () => {
    stopping.abort()
    await running
  }
}

/**
 * Deletes what was appended before `cutoffMs`, in small transactions. As in Kafka age alone decides, but what
 * a group had not read yet is never deleted without a warning.
 */
export async function deleteExpired(
  store: FileStore,
  options: { readonly cutoffMs: number; readonly log: Logger },
): Promise<void> {
  const { cutoffMs, log } = options
  for (const topic of store.topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      store.refresh()
      while (oldestAppendedAtMs(topic, partition) < cutoffMs) {
        const unread = await store.transact(() => {
          deleteBlocks(store, { topic, partition }, (block) => block.appendedAtMs < cutoffMs)
          const { start } = store.bounds(topic.name, partition)
          return start - (consumedByAll(store, topic.name, partition) ?? start)
        })
        if (unread > 0) {
          log.warn(
            { topic: topic.name, partition, unread },
            'deleted expired records that a group had not read',
          )
        }
        store.refresh()
      }
    }
  }
}

function oldestAppendedAtMs(topic: FileTopic, partition: number): number {
  for (const { value } of topic.blocks.getRange({ ...wholePartition(partition), limit: 1 })) {
    return readBlockHeader(value).appendedAtMs
  }
  return Number.POSITIVE_INFINITY
}

/** Deletes a bounded number of the oldest blocks, as long as `unwanted` says so, and answers the bytes freed. */
function deleteBlocks(
  store: FileStore,
  of: { readonly topic: FileTopic; readonly partition: number },
  unwanted: (block: { readonly end: number; readonly appendedAtMs: number }) => boolean,
): number {
  const { topic, partition } = of
  const deleted: Buffer[] = []
  const bounds = store.bounds(topic.name, partition)
  let start = bounds.start
  let freed = 0
  const oldest = { ...wholePartition(partition), limit: BLOCKS_PER_TRANSACTION_MAX }
  for (const { key, value } of topic.blocks.getRange(oldest)) {
    const { count, appendedAtMs } = readBlockHeader(value)
    const end = firstOffsetOf(key) + count
    if (!unwanted({ end, appendedAtMs })) break
    deleted.push(key)
    start = end
    freed += storedBytes(value.length)
  }
  if (deleted.length === 0) return 0
  for (const key of deleted) topic.blocks.removeSync(key)
  store.setBounds(topic.name, partition, { start, end: bounds.end })
  store.setCounter('bytes', store.counter('bytes') - freed)
  return freed
}

function wholePartition(partition: number): { readonly start: Buffer; readonly end: Buffer } {
  return { start: blockKey(partition, 0), end: blockKey(partition + 1, 0) }
}
