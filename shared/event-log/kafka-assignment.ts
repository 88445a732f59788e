import type { Consumer } from 'kafkajs'
import type { Logger } from 'pino'
import type { PartitionHandler } from './event-log.ts'
import type { KafkaCommitter } from './kafka-commit.ts'
import type { KafkaOffsets } from './kafka-offsets.ts'
import { createKafkaPartition, type KafkaPartition } from './kafka-partition.ts'
import { runHandler } from './run-handler.ts'

export type KafkaAssignment = {
  /** The partitions of the present generation of the group. */
  readonly owned: ReadonlyMap<number, KafkaPartition>
  /** Begins a generation: every partition gets a new object and its handler is started. */
  assign(partitions: readonly number[]): void
  /** Ends the present generation: nothing of it can be read or committed any more. */
  revoke(): void
  /** Resolves when every handler, of whichever generation, has ended. */
  handlersEnded(): Promise<void>
}

export function createKafkaAssignment(parts: {
  readonly consumer: Consumer
  readonly committer: KafkaCommitter
  readonly offsets: KafkaOffsets
  /** Names as the services know them, and as the brokers do. */
  readonly topic: string
  readonly kafkaTopic: string
  readonly kafkaGroup: string
  readonly handle: PartitionHandler
  readonly fail: (error: unknown) => void
  readonly log: Logger
}): KafkaAssignment {
  const { consumer, committer, offsets, kafkaTopic: topic, kafkaGroup, log } = parts
  const owned = new Map<number, KafkaPartition>()
  const handlers = new Map<number, Promise<void>>()

  const own = (partition: number) =>
    createKafkaPartition(
      { topic: parts.topic, partition },
      {
        seek: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
        pause: () => consumer.pause([{ topic, partitions: [partition] }]),
        resume: () => consumer.resume([{ topic, partitions: [partition] }]),
        commit: (position, lost) => committer.commit(partition, position, lost),
        committed: () => offsets.committed(kafkaGroup, topic, partition),
        offsets: () => offsets.bounds(topic, partition),
      },
    )
  const revoke = () => {
    for (const partition of owned.values()) partition.lose()
    owned.clear()
  }
  return {
    owned,
    revoke,
    assign(partitions) {
      revoke()
      // What the last generation paused would stay paused.
      consumer.resume([{ topic }])
      for (const partition of partitions) {
        const kafkaPartition = own(partition)
        const { assigned } = kafkaPartition
        owned.set(partition, kafkaPartition)
        // A handler of an earlier generation may still be ending.
        const before = handlers.get(partition) ?? Promise.resolve()
        const run = () =>
          assigned.lost.aborted ? undefined : runHandler(parts.handle, assigned, { log, fail: parts.fail })
        handlers.set(partition, before.then(run))
      }
      log.info({ partitions }, 'owns partitions')
    },
    async handlersEnded() {
      await Promise.all(handlers.values())
    },
  }
}
