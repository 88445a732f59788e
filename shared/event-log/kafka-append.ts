import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { NewRecord } from './event-log.ts'
import { KafkaBatch } from './kafka-batch.ts'
import type { KafkaProducer } from './kafka-producer.ts'
import { createPartitioner } from './partition-for-key.ts'

/** While the brokers are away no more than this is kept in memory. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024

export type KafkaAppender = {
  append(topic: string, records: readonly NewRecord[]): Promise<void>
  /** How long the batch that is now with the brokers has been there; 0 if there is none. */
  waitingMs(): number
  /** Resolves when everything appended so far has settled. */
  drain(): Promise<void>
}

/**
 * Appends to Kafka: while one produce request is on its way, newcomers gather in the next batch, so that many
 * appends share one request. An append has the outcome of the batches that its records went with; it is rejected
 * after `timeoutMs` at the latest, and what has not been sent by then never will be.
 */
export function createKafkaAppender(
  producer: KafkaProducer,
  options: {
    readonly partitions: ReadonlyMap<string, number>
    readonly topicName: (topic: string) => string
    readonly timeoutMs: number
    readonly log: Logger
  },
): KafkaAppender {
  const destinations = new Map(
    [...options.partitions].map(([topic, count]) => [
      topic,
      { topic: options.topicName(topic), partitionFor: createPartitioner(count) },
    ]),
  )
  const waiting = createWaitingBatches(options.timeoutMs)
  let sentAt: number | undefined
  let running: Promise<void> | undefined

  const sendAll = async () => {
    // Appends of the same turn of the event loop go together.
    await nextTurn()
    for (let batch = waiting.take(); batch !== undefined; batch = waiting.take()) {
      sentAt = performance.now()
      try {
        await producer.send(batch.finish())
        batch.resolve()
      } catch (error) {
        options.log.warn({ err: error, records: batch.records }, 'could not append to Kafka')
        batch.reject(unavailable('the brokers refused it', error))
      }
      sentAt = undefined
    }
    running = undefined
  }
  return {
    async append(topic, records) {
      const destination = destinations.get(topic)
      if (destination === undefined) throw new RangeError(`the event log has no topic ${topic}`)
      if (records.length === 0) return
      if (waiting.bytes() >= WAITING_BYTES_MAX) throw unavailable('too much waits for the brokers already')
      const batches = waiting.add(records, destination)
      running ??= sendAll()
      await Promise.all(batches.map(({ sent }) => sent))
    },
    waitingMs: () => (sentAt === undefined ? 0 : performance.now() - sentAt),
    async drain() {
      await running
    },
  }
}

/** The batches that have not been sent, oldest first; newcomers join the last one. */
function createWaitingBatches(timeoutMs: number) {
  const queue: KafkaBatch[] = []
  const open = (): KafkaBatch => {
    const batch = new KafkaBatch()
    const expire = () => {
      const at = queue.indexOf(batch)
      if (at >= 0) queue.splice(at, 1)
      batch.reject(unavailable(`the brokers did not take it within ${timeoutMs} ms`))
    }
    const timer = setTimeout(expire, timeoutMs)
    const settled = () => clearTimeout(timer)
    batch.sent.then(settled, settled)
    queue.push(batch)
    return batch
  }
  return {
    take: () => queue.shift(),
    bytes: () => queue.reduce((sum, batch) => sum + batch.bytes, 0),
    /** Answers the batches that the records went into. */
    add(
      records: readonly NewRecord[],
      to: { readonly topic: string; readonly partitionFor: (key: string) => number },
    ): readonly KafkaBatch[] {
      const used: KafkaBatch[] = []
      let batch = queue.at(-1) ?? open()
      for (const record of records) {
        const place = { topic: to.topic, partition: to.partitionFor(record.key) }
        while (!batch.add(record, place)) batch = open()
        if (used.at(-1) !== batch) used.push(batch)
      }
      return used
    },
  }
}

function unavailable(reason: string, cause?: unknown): AppError {
  return new AppError(
    'EVENT_LOG_UNAVAILABLE',
    `It is unknown whether the records were appended to Kafka: ${reason}. Append them again; check the brokers.`,
    { cause, retriable: true },
  )
}
