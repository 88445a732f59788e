import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { AssignedPartition, PartitionHandler } from './event-log.ts'

/**
 * Runs a partition's handler to its end. It never rejects: what ends a handler early while its partition is
 * still owned goes to `fail`; what it says after the partition was lost is only logged.
 */
export async function runHandler(
  handle: PartitionHandler,
  partition: AssignedPartition,
  outcome: { readonly log: Logger; readonly fail: (error: unknown) => void },
): Promise<void> {
  const { topic, partition: number, lost } = partition
  try {
    await handle(partition)
    if (!lost.aborted) throw new Error(`the handler of ${topic}/${number} returned while it owned it`)
  } catch (error) {
    if (!lost.aborted) outcome.fail(error)
    else if (!isPartitionLost(error)) {
      outcome.log.warn(
        { err: error, topic, partition: number },
        'a handler failed after its partition was lost',
      )
    }
  }
}

export function partitionLost(topic: string, partition: number): AppError {
  return new AppError(
    'PARTITION_LOST',
    `${topic}/${partition} belongs to another member of the group now; forget what was read from it and go on.`,
    { retriable: false },
  )
}

function isPartitionLost(error: unknown): boolean {
  return error instanceof AppError && error.code === 'PARTITION_LOST'
}
