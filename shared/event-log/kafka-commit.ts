import type { Consumer, EachBatchPayload, Offsets } from 'kafkajs'
import { AppError } from '#shared/runtime/app-error.ts'
import type { CommittedPosition } from './event-log.ts'
import { pause } from './pause.ts'
import { partitionLost } from './run-handler.ts'

const RETRY_INTERVAL_MS = 200
/** A commit that did not succeed by then is the caller's to judge: it may read and commit again. */
const TIMEOUT_MS = 30_000

/** The broker's ways of saying that the generation of the group which read the records is over. */
const FENCED = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
])

export type KafkaCommitter = {
  /** Remembers the way to commit that comes with every batch. */
  use(payload: Pick<EachBatchPayload, 'commitOffsetsIfNecessary'>): void
  /** Tries until it succeeds, `lost` aborts (AppError `PARTITION_LOST`) or 30 s have passed. */
  commit(partition: number, position: CommittedPosition, lost: AbortSignal): Promise<void>
}

/**
 * Commits positions with their metadata.
 *
 * kafkajs's own `commitOffsets` tries again by itself, and after a rejoin it does so in the name of the new
 * generation: a commit of the old owner would then not be fenced. The function that comes with a batch tries
 * once, and names the generation that is current when it is called; the trying again is done here, where a lost
 * partition ends it.
 */
export function createCommitter(consumer: Pick<Consumer, 'commitOffsets'>, topic: string): KafkaCommitter {
  let commitOnce: ((offsets: Offsets) => Promise<void>) | undefined

  const attempt = async (partition: number, position: CommittedPosition) => {
    const offset = { partition, offset: String(position.offset), metadata: position.metadata }
    if (commitOnce === undefined) {
      // Before the first batch there is nothing to move past: this can only repeat the committed offset.
      await consumer.commitOffsets([{ topic, ...offset }])
      return
    }
    const offsets: Offsets = { topics: [{ topic, partitions: [offset] }] }
    await commitOnce(offsets)
  }
  return {
    use(payload) {
      commitOnce = (offsets) => payload.commitOffsetsIfNecessary(offsets)
    },
    async commit(partition, position, lost) {
      const deadline = performance.now() + TIMEOUT_MS
      while (!lost.aborted) {
        try {
          await attempt(partition, position)
          return
        } catch (error) {
          if (isFenced(error)) break
          if (performance.now() >= deadline) throw notCommitted(topic, partition, error)
        }
        await pause(RETRY_INTERVAL_MS, lost)
      }
      throw partitionLost(topic, partition)
    },
  }
}

function isFenced(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('type' in error && typeof error.type === 'string' && FENCED.has(error.type)) return true
  return isFenced(error.cause)
}

function notCommitted(topic: string, partition: number, cause: unknown): AppError {
  return new AppError(
    'EVENT_LOG_UNAVAILABLE',
    `The position on ${topic}/${partition} could not be committed; check the brokers, then read and commit again.`,
    { cause, retriable: true },
  )
}
