import type { AssignedPartition, EventLog, LogRecord } from '#shared/event-log/event-log.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import { eventually } from './eventually.ts'

export type ReadRecord = LogRecord & { readonly partition: number; readonly text: string }

export type LogReader = {
  /** Everything read so far, in order within each partition. */
  readonly records: ReadRecord[]
  /** Every partition object that was ever assigned, in order. */
  readonly assigned: AssignedPartition[]
  readonly failures: unknown[]
  /** Waits until `count` records were read. */
  received(count: number, timeoutMs?: number): Promise<readonly ReadRecord[]>
  readonly stop: Stop
}

/** Consumes a topic from the group's position on, remembers all records and, if asked, commits after each read. */
export async function readLog(
  log: EventLog,
  options: { readonly topic: string; readonly group: string; readonly commit?: boolean },
): Promise<LogReader> {
  const records: ReadRecord[] = []
  const assigned: AssignedPartition[] = []
  const failures: unknown[] = []
  const stop = await log.consume({
    topic: options.topic,
    group: options.group,
    onFailure: (error) => failures.push(error),
    async handle(partition) {
      assigned.push(partition)
      try {
        await readPartition(partition, options.commit === true, (record) => records.push(record))
      } catch (error) {
        if (!isLost(error)) throw error
      }
    },
  })
  return {
    records,
    assigned,
    failures,
    stop,
    async received(count, timeoutMs = 20_000) {
      await eventually(() => records.length >= count, {
        timeoutMs,
        what: `${count} records are read (so far ${records.length}; failures: ${failures.map(String).join()})`,
      })
      return records
    },
  }
}

/** A handler that owns its partition until it is lost, and hands it to `use`. */
export function holdPartition(use: (partition: AssignedPartition) => void) {
  return async (partition: AssignedPartition): Promise<void> => {
    use(partition)
    await untilLost(partition)
  }
}

export function untilLost(partition: AssignedPartition): Promise<void> {
  return new Promise((resolve) => {
    if (partition.lost.aborted) resolve()
    partition.lost.addEventListener('abort', () => resolve(), { once: true })
  })
}

export function isLost(error: unknown): boolean {
  return error instanceof AppError && error.code === 'PARTITION_LOST'
}

async function readPartition(
  partition: AssignedPartition,
  commit: boolean,
  take: (record: ReadRecord) => void,
): Promise<void> {
  let { offset } = await partition.committed()
  while (!partition.lost.aborted) {
    const read = await partition.read({ fromOffset: offset, maxRecords: 1000, maxWaitMs: 200 })
    for (const record of read) {
      take({
        ...record,
        partition: partition.partition,
        text: Buffer.from(record.value).toString('utf8'),
      })
      offset = record.offset + 1
    }
    if (commit && read.length > 0) await partition.commit({ offset, metadata: '' })
  }
}
