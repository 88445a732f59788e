import type { AssignedPartition, LogRecord } from './event-log.ts'
import type { Arrivals } from './file-arrivals.ts'
import { holdsLease, readPosition, writePosition, type LeaseName } from './file-groups.ts'
import { blockKey, firstOffsetOf, type FileStore, type FileTopic } from './file-store.ts'
import { readBlockRecords } from './record-block.ts'
import { partitionLost } from './run-handler.ts'

/** Blocks fetched at a time: a block holds at least one record, most hold hundreds. */
const BLOCKS_PER_FETCH = 64

/** A read ends with the block that reaches this: thousands of the largest records would not fit into memory. */
const READ_BYTES_ENOUGH = 16 * 1024 * 1024

/** One partition of a `file:` log for as long as `lease.member` holds the group's lease. `lost` is aborted by the first who notices. */
export function createFilePartition(
  store: FileStore,
  options: {
    readonly lease: LeaseName
    readonly partition: number
    readonly lost: AbortController
    readonly arrivals: Arrivals
  },
): AssignedPartition {
  const { lease, partition, lost, arrivals } = options
  const topic = store.topic(lease.topic)
  const ensureOwned = () => {
    if (lost.signal.aborted) throw partitionLost(topic.name, partition)
  }
  return {
    topic: topic.name,
    partition,
    lost: lost.signal,
    async committed() {
      ensureOwned()
      store.refresh()
      return readPosition(store, lease, partition)
    },
    async offsets() {
      ensureOwned()
      store.refresh()
      return store.bounds(topic.name, partition)
    },
    async read({ fromOffset, maxRecords, maxWaitMs }) {
      const deadline = performance.now() + maxWaitMs
      for (;;) {
        ensureOwned()
        const mark = arrivals.mark()
        const records = readRecords(topic, { partition, fromOffset, recordsMax: maxRecords })
        const leftMs = deadline - performance.now()
        if (records.length > 0 || leftMs <= 0) return records
        await arrivals.after(mark, leftMs, lost.signal)
      }
    },
    async commit(position) {
      ensureOwned()
      const owned = await store.transact(() => {
        if (!holdsLease(store, lease)) return false
        writePosition(store, { topic: topic.name, group: lease.group, partition }, position)
        return true
      })
      if (!owned) lost.abort()
      ensureOwned()
    },
  }
}

function readRecords(
  topic: FileTopic,
  from: { readonly partition: number; readonly fromOffset: number; readonly recordsMax: number },
): readonly LogRecord[] {
  const records: LogRecord[] = []
  let start = startOfBlock(topic, from.partition, from.fromOffset)
  const end = blockKey(from.partition + 1, 0)
  let bytes = 0
  for (;;) {
    let last: Buffer | undefined
    for (const { key, value } of topic.blocks.getRange({ start, end, limit: BLOCKS_PER_FETCH })) {
      readBlockRecords(value, { ...from, firstOffset: firstOffsetOf(key) }, records)
      last = key
      bytes += value.length
      if (records.length >= from.recordsMax) return records
      if (bytes >= READ_BYTES_ENOUGH && records.length > 0) return records
    }
    if (last === undefined) return records
    start = blockKey(from.partition, firstOffsetOf(last) + 1)
  }
}

/** The key of the block that holds `offset`, or of the place where it would be. */
function startOfBlock(topic: FileTopic, partition: number, offset: number): Buffer {
  const start = blockKey(partition, offset)
  const before = { start, end: blockKey(partition, 0), reverse: true, inclusiveEnd: true, limit: 1 }
  for (const key of topic.blocks.getKeys(before)) return key
  return start
}
