import { Kafka, logLevel } from 'kafkajs'
import { correctRequestQueueTimer } from '#shared/event-log/kafkajs-timers.ts'
import { eventually } from './eventually.ts'

export type RunningKafka = {
  readonly kind: 'running'
  readonly brokers: readonly string[]
  readonly url: string
  /** SIGKILL; the data stay. */
  kill9(): Promise<void>
  /** Starts it again on the same addresses and data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A real broker for tests, or what this machine lacks for one. */
export type TestKafka = RunningKafka | { readonly kind: 'unavailable'; readonly missing: string }

const START_TIMEOUT_MS = 90_000

/** Resolves when the brokers answer and have a controller. */
export async function awaitBroker(brokers: readonly string[]): Promise<void> {
  correctRequestQueueTimer()
  const kafka = new Kafka({
    clientId: 'keywatch-tests',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    retry: { retries: 0 },
  })
  await eventually(
    async () => {
      const admin = kafka.admin()
      try {
        await admin.connect()
        const { controller } = await admin.describeCluster()
        return controller !== null && controller >= 0
      } finally {
        await admin.disconnect()
      }
    },
    { timeoutMs: START_TIMEOUT_MS, what: `Kafka answers on ${brokers.join(', ')}` },
  )
}
