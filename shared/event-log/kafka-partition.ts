import { AppError } from '#shared/runtime/app-error.ts'
import type { AssignedPartition, CommittedPosition } from './event-log.ts'
import { KafkaReader, type FetchControl } from './kafka-reader.ts'
import { partitionLost } from './run-handler.ts'

/** What a partition asks of its consumer and of the brokers. */
export type PartitionControl = FetchControl & {
  /** Rejects with the AppError `PARTITION_LOST` if the broker fences it, or `lost` aborts before it is done. */
  commit(position: CommittedPosition, lost: AbortSignal): Promise<void>
  committed(): Promise<CommittedPosition>
  offsets(): Promise<{ readonly start: number; readonly end: number }>
}

export type KafkaPartition = {
  readonly assigned: AssignedPartition
  readonly reader: KafkaReader
  lose(): void
}

/** One partition of Kafka for as long as its consumer stays in the generation of the group that assigned it. */
export function createKafkaPartition(
  name: { readonly topic: string; readonly partition: number },
  control: PartitionControl,
): KafkaPartition {
  const lost = new AbortController()
  const reader = new KafkaReader(control, lost.signal)
  const ensureOwned = () => {
    if (lost.signal.aborted) throw partitionLost(name.topic, name.partition)
  }
  const whileOwned = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    ensureOwned()
    try {
      return await work()
    } catch (error) {
      if (error instanceof AppError && error.code === 'PARTITION_LOST') lost.abort()
      throw error
    } finally {
      ensureOwned()
    }
  }
  return {
    reader,
    lose: () => lost.abort(),
    assigned: {
      ...name,
      lost: lost.signal,
      committed: () => whileOwned(() => control.committed()),
      offsets: () => whileOwned(() => control.offsets()),
      read: ({ fromOffset, maxRecords, maxWaitMs }) =>
        whileOwned(() => reader.read(fromOffset, maxRecords, maxWaitMs)),
      commit: (position) => whileOwned(() => control.commit(position, lost.signal)),
    },
  }
}
