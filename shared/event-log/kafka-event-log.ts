import type { Admin } from 'kafkajs'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { AppError } from '#shared/runtime/app-error.ts'
import { startAll, type Stop } from '#shared/runtime/lifecycle.ts'
import type { EventLog } from './event-log.ts'
import { createKafkaAppender, type KafkaAppender } from './kafka-append.ts'
import { createKafkaClient } from './kafka-client.ts'
import { kafkaGroupName, startKafkaConsumer } from './kafka-consumer.ts'
import { createKafkaOffsets } from './kafka-offsets.ts'
import { connectKafkaProducer } from './kafka-producer.ts'
import { ensureTopics } from './kafka-topics.ts'
import { withDeadline } from './with-deadline.ts'

/** An append that the brokers have not taken by then is rejected. */
const APPEND_TIMEOUT_MS = 10_000
/** A produce request that takes longer than this means that another one had no chance now. */
const PRODUCE_SLOW_MS = 3000
const HEALTH_TIMEOUT_MS = 3000
/** About eight seconds: whoever starts a service wants to know soon that the brokers are not there. */
const OPEN_RETRIES = 10
/** About a minute, so that the usual outage of a broker is over before a producer or consumer gives up. */
const OUTAGE_RETRIES = 50

/**
 * Connects to Kafka and creates the missing topics. Throws the AppError `EVENT_LOG_UNAVAILABLE` when the brokers
 * do not answer, or refuse, within about ten seconds.
 */
export async function openKafkaEventLog(
  config: Config['event_log'],
  options: { readonly log: Logger; readonly clientId: string },
): Promise<EventLog> {
  const { log } = options
  const kafka = createKafkaClient(config, { ...options, retries: OUTAGE_RETRIES })
  const withPrefix = (name: string) => `${config.topic_prefix ?? ''}${name}`
  const admin = createKafkaClient(config, { ...options, retries: OPEN_RETRIES }).admin()
  let appender: KafkaAppender | undefined
  const disconnect = await startAll(
    async () => {
      await admin.connect()
      return () => admin.disconnect()
    },
    async () => {
      const partitions = await ensureTopics(admin, config, log)
      const producer = await connectKafkaProducer(kafka, log)
      appender = createKafkaAppender(producer, {
        partitions,
        topicName: withPrefix,
        timeoutMs: APPEND_TIMEOUT_MS,
        log,
      })
      return () => producer.disconnect()
    },
  ).catch((error: unknown) => {
    throw unavailable(config.url, error)
  })
  if (appender === undefined) throw new Error('the producer is connected by now')
  const offsets = createKafkaOffsets(admin)
  return assemble({
    appender,
    disconnect,
    positions: ({ topic, group }) =>
      offsets.positions(withPrefix(kafkaGroupName({ topic, group })), withPrefix(topic)),
    health: () => checkHealth(admin, appender),
    consume: (consume) =>
      startKafkaConsumer(consume, {
        kafka,
        offsets,
        withPrefix,
        sessionTimeoutMs: config.session_timeout_ms,
        log,
      }),
  })
}

function assemble(parts: {
  readonly appender: KafkaAppender
  readonly disconnect: Stop
  readonly positions: EventLog['positions']
  readonly health: EventLog['health']
  readonly consume: EventLog['consume']
}): EventLog {
  const { appender, disconnect } = parts
  const consumers: Stop[] = []
  let closing: Promise<void> | undefined
  const close = async () => {
    await Promise.all(consumers.map((stop) => stop()))
    await appender.drain()
    await disconnect()
  }
  return {
    async append(topic, records) {
      if (closing !== undefined) throw new Error('the event log is closed')
      await appender.append(topic, records)
    },
    async consume(options) {
      const stop = await parts.consume(options)
      consumers.push(stop)
      return stop
    },
    positions: parts.positions,
    health: parts.health,
    close: () => (closing ??= close()),
  }
}

async function checkHealth(
  admin: Admin,
  appender: KafkaAppender | undefined,
): Promise<{ readonly ok: boolean; readonly reason?: string }> {
  const waitingMs = appender?.waitingMs() ?? 0
  if (waitingMs > PRODUCE_SLOW_MS) {
    return {
      ok: false,
      reason: `the brokers have not acknowledged an append for ${Math.round(waitingMs)} ms`,
    }
  }
  try {
    const { controller } = await withDeadline(admin.describeCluster(), HEALTH_TIMEOUT_MS)
    return controller === null ? { ok: false, reason: 'the cluster has no controller' } : { ok: true }
  } catch (error) {
    return { ok: false, reason: `the brokers do not answer: ${error instanceof Error ? error.message : ''}` }
  }
}

function unavailable(url: string, cause: unknown): AppError {
  return new AppError(
    'EVENT_LOG_UNAVAILABLE',
    `The brokers of event_log.url (${url}) cannot be used; check the address, that they run, and event_log.tls and event_log.sasl.`,
    { cause, retriable: true },
  )
}
