import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import { AppError } from '#shared/runtime/app-error.ts'

/**
 * Consecutive records of one partition that are stored together. Its bounds are committed before anything is done
 * with it (the intent), so that after a crash exactly the same records are stored again under the same token.
 */
export type Block = {
  readonly partition: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly records: readonly LogRecord[]
}

/** The intent: the position stays at the block's first offset, and this text names its last one. */
export function intentOf(block: Pick<Block, 'lastOffset'>): string {
  return String(block.lastOffset)
}

/** The last offset of a block that was begun and not finished; undefined when the position is clean. */
export function parseIntent(metadata: string): number | undefined {
  if (metadata === '') return undefined
  if (/^\d{1,16}$/.test(metadata)) return Number(metadata)
  throw new AppError(
    'CONSUMER_FAILED',
    'the position of the detector’s group holds a text that is not the detector’s; another program commits for this group: give it another name',
    { retriable: false },
  )
}

/** Every call of the hash costs as much as the hashing of one record. */
const RECORDS_PER_UPDATE = 64

/**
 * Names the block for the warehouse. The offsets alone would do, were a log never made anew under an old warehouse;
 * the hash of the records keeps such a block from being taken for the old one and dropped.
 */
export function tokenOf(topic: string, block: Block): string {
  const hash = createHash('sha256')
  for (let at = 0; at < block.records.length; at += RECORDS_PER_UPDATE) {
    const some = block.records.slice(at, at + RECORDS_PER_UPDATE)
    hash.update(Buffer.concat(some.map(({ value }) => value)))
  }
  const content = hash.digest('hex').slice(0, 16)
  return `${topic}:${block.partition}:${block.firstOffset}:${block.lastOffset}:${content}`
}

/** A block that has reached this size takes no more: the largest events would make 5,000 of them a gigabyte. */
const BLOCK_BYTES_MAX = 32 * 1024 * 1024

/**
 * Waits up to `idleMs` for a first record, then takes what comes within `blockWaitMs`; empty when nothing came. One
 * read of the log is bounded too, so a block is at most that larger than `BLOCK_BYTES_MAX`.
 */
export async function collectFresh(
  partition: Pick<AssignedPartition, 'read'>,
  fromOffset: number,
  limits: { readonly idleMs: number; readonly blockWaitMs: number; readonly recordsMax: number },
): Promise<LogRecord[]> {
  const records = [
    ...(await partition.read({ fromOffset, maxRecords: limits.recordsMax, maxWaitMs: limits.idleMs })),
  ]
  const deadline = performance.now() + limits.blockWaitMs
  let bytes = bytesOf(records)
  for (;;) {
    const last = records.at(-1)
    const leftMs = Math.floor(deadline - performance.now())
    const isFull = records.length >= limits.recordsMax || bytes >= BLOCK_BYTES_MAX
    if (last === undefined || isFull || leftMs <= 0) return records
    const more = await partition.read({
      fromOffset: last.offset + 1,
      maxRecords: limits.recordsMax - records.length,
      maxWaitMs: leftMs,
    })
    if (more.length === 0) return records
    for (const record of more) records.push(record)
    bytes += bytesOf(more)
  }
}

function bytesOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { value }) => sum + value.byteLength, 0)
}

/** How long one read of a pending block may wait; its records are there, so none should. */
const PENDING_READ_MS = 5000
const PENDING_RECORDS = 10_000

/** Exactly the records of a block that was begun before: from its first to its last offset. */
export async function collectPending(
  partition: AssignedPartition,
  bounds: { readonly firstOffset: number; readonly lastOffset: number },
  log: Logger,
): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  let next = bounds.firstOffset
  while (next <= bounds.lastOffset) {
    const read = await partition.read({
      fromOffset: next,
      maxRecords: PENDING_RECORDS,
      maxWaitMs: PENDING_READ_MS,
    })
    const last = read.at(-1)
    if (last === undefined) {
      const { start, end } = await partition.offsets()
      if (start <= bounds.firstOffset && next < end) continue
      // Retention has taken them. What was stored of them is stored; the rest cannot be had any more.
      log.error({ ...bounds, start, end }, 'records of an unfinished block are gone from the log')
      return records
    }
    for (const record of read) if (record.offset <= bounds.lastOffset) records.push(record)
    next = last.offset + 1
  }
  return records
}
