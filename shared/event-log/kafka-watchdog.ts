import { AppError } from '#shared/runtime/app-error.ts'
import type { KafkaPartition } from './kafka-partition.ts'

const CHECK_INTERVAL_MS = 5000
const STALL_LIMIT_MS = 60_000

/**
 * Fails the consumer when a reader has waited a minute for records that the broker has: kafkajs is known to
 * hold a partition and to heartbeat without fetching (its issue 1456). A handler that is busy elsewhere, say
 * with a warehouse that is away, is not the log's failure.
 */
export function startKafkaWatchdog(
  owned: ReadonlyMap<number, KafkaPartition>,
  fail: (error: unknown) => void,
): () => void {
  const check = async () => {
    for (const [partition, kafkaPartition] of owned) {
      const starving = kafkaPartition.reader.starving
      if (starving === undefined || performance.now() - starving.sinceMs < STALL_LIMIT_MS) continue
      const end = await readEnd(kafkaPartition)
      if (end === undefined || end <= starving.offset) continue
      // It may have been served while the end was asked for.
      if (kafkaPartition.reader.starving !== starving) continue
      fail(
        new AppError(
          'CONSUMER_FAILED',
          `The consumer has received nothing of partition ${partition} for a minute although ${end - starving.offset} records wait there; start it again.`,
          { retriable: true },
        ),
      )
    }
  }
  let checking = false
  const timer = setInterval(() => {
    if (checking) return
    checking = true
    void check().finally(() => {
      checking = false
    })
  }, CHECK_INTERVAL_MS)
  return () => clearInterval(timer)
}

/** Undefined while the brokers do not answer, or the partition was lost: then nothing can be said about its lag. */
async function readEnd(partition: KafkaPartition): Promise<number | undefined> {
  try {
    return (await partition.assigned.offsets()).end
  } catch {
    return undefined
  }
}
