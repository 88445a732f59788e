import { CompressionTypes, type Kafka, type Message } from 'kafkajs'
import type { Logger } from 'pino'
import type { PreparedBatch } from './kafka-batch.ts'
import { installPreparedBatches, markPrepared, SequenceBook } from './kafkajs-produce.ts'

/** The leader's patience with its followers, below the client's own for the request. */
const ACKNOWLEDGE_TIMEOUT_MS = 8000

export type KafkaProducer = {
  /** Resolves when every in-sync replica has all the batches. */
  send(batches: readonly PreparedBatch[]): Promise<void>
  disconnect(): Promise<void>
}

/**
 * An idempotent producer: kafkajs's own tries append nothing twice. After a failure that it could not cure its
 * sequence numbers may disagree with the broker's, so it is replaced by a new one with a new identity.
 */
export async function connectKafkaProducer(kafka: Kafka, log: Logger): Promise<KafkaProducer> {
  installPreparedBatches()
  let producer: KafkaProducer | undefined = await connect(kafka)
  return {
    async send(batches) {
      const current = (producer ??= await connect(kafka))
      try {
        await current.send(batches)
      } catch (error) {
        producer = undefined
        await current
          .disconnect()
          .catch((failure: unknown) => log.warn({ err: failure }, 'a producer did not end'))
        throw error
      }
    },
    async disconnect() {
      await producer?.disconnect()
    },
  }
}

async function connect(kafka: Kafka): Promise<KafkaProducer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  })
  const sequences = new SequenceBook()
  await producer.connect()
  return {
    async send(batches) {
      await producer.sendBatch({
        topicMessages: toTopicMessages(batches, sequences),
        acks: -1,
        timeout: ACKNOWLEDGE_TIMEOUT_MS,
        // The batches are encoded already. On one machine gzip costs more time than its bytes save.
        compression: CompressionTypes.None,
      })
    },
    disconnect: () => producer.disconnect(),
  }
}

/** To kafkajs each prepared batch is one message of its partition. */
function toTopicMessages(
  batches: readonly PreparedBatch[],
  sequences: SequenceBook,
): { topic: string; messages: Message[] }[] {
  const byTopic = new Map<string, Message[]>()
  for (const { topic, partition, bytes } of batches) {
    markPrepared(bytes, sequences)
    const messages = byTopic.get(topic)
    if (messages === undefined) byTopic.set(topic, [{ partition, value: bytes }])
    else messages.push({ partition, value: bytes })
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }))
}
