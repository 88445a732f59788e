import { mkdirSync } from 'node:fs'
import { open, type Database } from 'lmdb'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { topics } from './topics.ts'
import { DeadlineError, withDeadline } from './with-deadline.ts'

/** The first offset retained, and the offset that the next record will get. */
export type Bounds = { readonly start: number; readonly end: number }

export type FileTopic = {
  readonly name: string
  readonly partitions: number
  /** Blocks of records (record-block.ts) by `blockKey`. */
  readonly blocks: Database<Buffer, Buffer>
}

/**
 * Of the whole log: `appends` rises with every commit of records, `bytes` is what they take on disk, `probes`
 * is written only to see whether writing works.
 */
export type Counter = 'appends' | 'bytes' | 'probes'

/**
 * The LMDB environment behind a `file:` log. Several processes have it open at once; LMDB serialises their
 * write transactions and gives every reader a consistent snapshot.
 */
export type FileStore = {
  topic(name: string): FileTopic
  readonly topics: readonly FileTopic[]
  bounds(topic: string, partition: number): Bounds
  setBounds(topic: string, partition: number, bounds: Bounds): void
  /** See `Counter`; setting one needs a transaction. */
  counter(name: Counter): number
  setCounter(name: Counter, value: number): void
  /** Leases and positions of the consumer groups, by a text key; values are JSON. */
  readonly groups: Database<unknown, string>
  /** Makes what other processes have committed visible to the reads that follow. */
  refresh(): void
  /** Runs `work` in one write transaction and resolves when it is durable on disk. */
  transact<Result>(work: () => Result): Promise<Result>
  /** Why the last transaction failed; undefined if it did not. */
  failure(): AppError | undefined
  close(): Promise<void>
}

/** A commit that takes longer than this has failed: LMDB's own failures to begin one are never reported. */
const COMMIT_TIMEOUT_MS = 30_000
const MIB = 1024 * 1024
const OFFSET_BYTES = 6
const MAX_DATABASES = 16

/** Blocks lie in order of partition and first offset. */
export function blockKey(partition: number, firstOffset: number): Buffer {
  const key = Buffer.allocUnsafe(2 + OFFSET_BYTES)
  key.writeUInt16BE(partition, 0)
  key.writeUIntBE(firstOffset, 2, OFFSET_BYTES)
  return key
}

export function firstOffsetOf(key: Buffer): number {
  return key.readUIntBE(2, OFFSET_BYTES)
}

/**
 * Opens (and at the first time creates) the store in the directory `path`.
 *
 * `overlappingSync` is off: then LMDB writes and fsyncs the pages, writes the meta page that makes them visible
 * with O_DSYNC, and only then does lmdb resolve the transaction's promise. A reader can never see what a power
 * cut could take back, and a failed write or fsync rejects the promise (with overlapping sync it would stay
 * pending). Trying again after a failed fsync is sound here: no committed transaction rests on pages of one that
 * failed, and after a failed write of the meta page LMDB itself refuses everything.
 */
export function openFileStore(path: string, config: Config['event_log'], log: Logger): FileStore {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const root = open<unknown, string>({
    path,
    noSubdir: false,
    overlappingSync: false,
    encoding: 'json',
    maxDbs: MAX_DATABASES,
    // Address space, not disk. Twice the limit, because the limit counts records and not free or index pages.
    mapSize: 2 * config.size_limit_bytes + 256 * MIB,
  })
  const partitions = root.openDB<unknown, string>({ name: 'partitions', encoding: 'json' })
  const groups = root.openDB<unknown, string>({ name: 'groups', encoding: 'json' })
  const opened = Object.values(topics).map((name): FileTopic => {
    const wanted = name === topics.events ? config.partitions : 1
    return {
      name,
      partitions: root.transactionSync(() => fixPartitions(partitions, { name, wanted, log })),
      blocks: root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' }),
    }
  })
  const byName = new Map(opened.map((topic) => [topic.name, topic]))
  const writer = createWriter(root)
  return {
    topics: opened,
    topic(name) {
      const topic = byName.get(name)
      if (topic === undefined) throw new RangeError(`the event log has no topic ${name}`)
      return topic
    },
    bounds: (topic, partition) => readBounds(partitions.get(`${topic}/${partition}`)),
    setBounds(topic, partition, bounds) {
      partitions.putSync(`${topic}/${partition}`, [bounds.start, bounds.end])
    },
    counter: (name) => readCount(partitions.get(name)),
    setCounter: (name, value) => partitions.putSync(name, value),
    groups,
    refresh: () => root.resetReadTxn(),
    transact: writer.transact,
    failure: writer.failure,
    close: () => root.close(),
  }
}

/** A topic keeps the number of partitions that it was created with: a key must not move. */
function fixPartitions(
  partitions: Database<unknown, string>,
  topic: { readonly name: string; readonly wanted: number; readonly log: Logger },
): number {
  const { name, wanted, log } = topic
  const existing = readCount(partitions.get(`${name}/partitions`))
  if (existing === 0) {
    partitions.putSync(`${name}/partitions`, wanted)
    return wanted
  }
  if (existing !== wanted) {
    log.warn(
      { topic: name, existing, wanted },
      'the topic keeps the number of partitions it was created with',
    )
  }
  return existing
}

function createWriter(root: Database<unknown, string>): Pick<FileStore, 'transact' | 'failure'> {
  let failure: AppError | undefined
  let stuck = false
  return {
    failure: () => failure,
    async transact(work) {
      if (stuck && failure !== undefined) throw failure
      try {
        const result = await withDeadline(root.transaction(work), COMMIT_TIMEOUT_MS)
        failure = undefined
        return result
      } catch (error) {
        stuck = error instanceof DeadlineError
        failure = new AppError(
          'EVENT_LOG_UNAVAILABLE',
          'The event log could not be written to its disk; see the cause, free space or replace the disk, and restart if it goes on.',
          { cause: await causeOf(error), retriable: true },
        )
        throw failure
      }
    },
  }
}

/** lmdb rejects with a general error whose `commitError` is a promise that rejects with the real one. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  const { commitError } = error
  try {
    await commitError
    return error
  } catch (cause) {
    return cause
  }
}

function readCount(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function readBounds(value: unknown): Bounds {
  if (!Array.isArray(value)) return { start: 0, end: 0 }
  return { start: readCount(value[0]), end: readCount(value[1]) }
}
