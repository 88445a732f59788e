import { CompressionTypes, type Kafka, type Message, type Producer } from 'kafkajs'
import type { Logger } from 'pino'

/** The leader's patience with its followers, below the client's own for the request. */
const ACKNOWLEDGE_TIMEOUT_MS = 8000

export type KafkaProducer = {
  /** Resolves when every in-sync replica has the messages; they carry their partition. */
  send(topicMessages: readonly { readonly topic: string; readonly messages: Message[] }[]): Promise<void>
  disconnect(): Promise<void>
}

/**
 * An idempotent producer: kafkajs's own tries append nothing twice. After a failure that it could not cure its
 * sequence numbers may disagree with the broker's, so it is replaced by a new one with a new identity.
 */
export async function connectKafkaProducer(kafka: Kafka, log: Logger): Promise<KafkaProducer> {
  let producer: Producer | undefined = await connect(kafka)
  return {
    async send(topicMessages) {
      const current = (producer ??= await connect(kafka))
      try {
        await current.sendBatch({
          topicMessages: [...topicMessages],
          acks: -1,
          timeout: ACKNOWLEDGE_TIMEOUT_MS,
          // Measured on one machine: gzip costs more time than its bytes save.
          compression: CompressionTypes.None,
        })
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

async function connect(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  })
  await producer.connect()
  return producer
}
