import { AppError } from '#shared/runtime/app-error.ts'
import type { NewRecord } from './event-log.ts'
import { blockKey, type FileStore } from './file-store.ts'
import { storedBytes } from './file-retention.ts'
import { createPartitioner } from './partition-for-key.ts'
import { RecordBlockWriter } from './record-block.ts'

/** A batch that is being committed keeps the event loop and the write lock busy; these bound for how long. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024
const BATCH_RECORDS_MAX = 50_000
/** Small enough to be read for one record's sake, large enough that pages are full. */
const BLOCK_BYTES = 64 * 1024

/** The records that one transaction writes, for every append that came before it began. */
type Batch = {
  /** By topic, then by partition. */
  readonly blocks: Map<string, RecordBlockWriter[][]>
  bytes: number
  records: number
  readonly written: Promise<void>
  readonly settle: { resolve(): void; reject(error: unknown): void }
}

export type GroupCommit = {
  append(topic: string, records: readonly NewRecord[]): Promise<void>
  /** Resolves when every append so far has settled. */
  drain(): Promise<void>
}

/**
 * Appends to the `file:` log: while one transaction is on its way to the disk, newcomers gather in the next
 * batch, so that all of them share one fsync. The records of one append are in one transaction.
 *
 * `reclaim` frees space inside the transaction and answers whether the bytes then fit.
 */
export function createGroupCommit(
  store: FileStore,
  options: { readonly reclaim: (bytes: number) => boolean; readonly committed: () => void },
): GroupCommit {
  const partitioners = new Map(
    store.topics.map(({ name, partitions }) => [name, createPartitioner(partitions)]),
  )
  const queue: Batch[] = []
  let running: Promise<void> | undefined

  const commitAll = async () => {
    while (queue.length > 0) {
      let batch: Batch | undefined
      try {
        const written = await store.transact(() => {
          // Taken only now: whoever came while the lock was awaited is in it.
          batch = queue.shift()
          return batch === undefined || writeBatch(store, batch, options.reclaim)
        })
        if (written) batch?.settle.resolve()
        else batch?.settle.reject(logIsFull())
        options.committed()
      } catch (error) {
        // Without a transaction the batch was not even taken.
        batch ??= queue.shift()
        batch?.settle.reject(error)
      }
    }
    running = undefined
  }

  return {
    append(topic, records) {
      if (records.length === 0) return Promise.resolve()
      const partitionFor = partitioners.get(topic)
      if (partitionFor === undefined) throw new RangeError(`the event log has no topic ${topic}`)
      const batch = openBatch(queue)
      addToBatch(batch, { topic, records, partitionFor })
      running ??= commitAll()
      return batch.written
    },
    async drain() {
      await running
    },
  }
}

function openBatch(queue: Batch[]): Batch {
  const last = queue.at(-1)
  if (last !== undefined && last.bytes < BATCH_BYTES_MAX && last.records < BATCH_RECORDS_MAX) return last
  let settle: Batch['settle'] | undefined
  const written = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  if (settle === undefined) throw new Error('a promise runs its executor at once')
  const batch: Batch = { blocks: new Map(), bytes: 0, records: 0, written, settle }
  queue.push(batch)
  return batch
}

function addToBatch(
  batch: Batch,
  append: {
    readonly topic: string
    readonly records: readonly NewRecord[]
    readonly partitionFor: (key: string) => number
  },
): void {
  let partitions = batch.blocks.get(append.topic)
  if (partitions === undefined) {
    partitions = []
    batch.blocks.set(append.topic, partitions)
  }
  for (const record of append.records) {
    const partition = append.partitionFor(record.key)
    const blocks = (partitions[partition] ??= [])
    let block = blocks.at(-1)
    if (block === undefined || block.byteLength >= BLOCK_BYTES) {
      block = new RecordBlockWriter()
      blocks.push(block)
    }
    const before = block.byteLength
    block.add(record)
    batch.bytes += block.byteLength - before
  }
  batch.records += append.records.length
}

/** Writes the batch inside a running transaction, or nothing at all if the log is full. */
function writeBatch(store: FileStore, batch: Batch, reclaim: (bytes: number) => boolean): boolean {
  if (!reclaim(batch.bytes)) return false
  const appendedAtMs = Date.now()
  let bytes = store.counter('bytes')
  for (const [name, partitions] of batch.blocks) {
    const topic = store.topic(name)
    // Partitions without records in this batch are holes in the array, which forEach leaves out.
    partitions.forEach((blocks, partition) => {
      const { start, end } = store.bounds(name, partition)
      let next = end
      for (const block of blocks) {
        topic.blocks.putSync(blockKey(partition, next), block.finish(appendedAtMs))
        next += block.count
        bytes += storedBytes(block.byteLength)
      }
      store.setBounds(name, partition, { start, end: next })
    })
  }
  store.setCounter('bytes', bytes)
  store.setCounter('appends', store.counter('appends') + 1)
  return true
}

function logIsFull(): AppError {
  return new AppError(
    'EVENT_LOG_FULL',
    'The event log holds event_log.size_limit_bytes of records that are not consumed yet; see that the detector runs, or raise the limit.',
    { retriable: true },
  )
}
