import { rejectedMessageSchema } from '#shared/domain/log-message.ts'
import type { AssignedPartition, LogRecord } from '#shared/event-log/event-log.ts'
import {
  insertRejected,
  toRejectedRow,
  unreadableRow,
  type RejectedRow,
} from '#shared/warehouse/rejected-store.ts'
import { collectFresh } from './block.ts'
import { throwIfLost, untilDone } from './retry.ts'
import type { StoreContext } from './store-block.ts'

const LIMITS = { idleMs: 5000, blockWaitMs: 250, recordsMax: 100 }

/**
 * Copies what ingest rejected into the warehouse, addresses masked. The row's id is a hash of its content, so
 * storing one twice after a crash changes nothing and no intent is needed.
 */
export async function runRejectedPartition(
  partition: AssignedPartition,
  baseContext: Omit<StoreContext, 'lost'>,
): Promise<void> {
  const context: StoreContext = { ...baseContext, lost: partition.lost }
  let { offset } = await untilDone('read position', () => partition.committed(), context)
  for (;;) {
    throwIfLost(partition.lost)
    const records = await untilDone('read', () => collectFresh(partition, offset, LIMITS), context)
    const last = records.at(-1)
    if (last === undefined) continue
    const rows = records.map((record) => rejectedRow(record, partition.partition))
    await untilDone('insert rejected', () => insertRejected(context.client, rows), context)
    offset = last.offset + 1
    await untilDone('commit', () => partition.commit({ offset, metadata: '' }), context)
    context.metrics.rejected.inc({ topic: partition.topic }, rows.length)
  }
}

function rejectedRow(record: LogRecord, partition: number): RejectedRow {
  const position = { partition, offset: record.offset }
  try {
    const bytes = Buffer.from(record.value.buffer, record.value.byteOffset, record.value.byteLength)
    return toRejectedRow(rejectedMessageSchema.parse(JSON.parse(bytes.toString('utf8'))), position)
  } catch {
    // Whatever it is, it is kept: it says so itself.
    return unreadableRow({ ...record, detail: 'not a message of ours' }, position)
  }
}
