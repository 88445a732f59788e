import {
  PartitionAssigners,
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type PartitionAssigner,
} from 'kafkajs'
import type { Logger } from 'pino'
import { AppError } from '#shared/runtime/app-error.ts'
import type { Stop } from '#shared/runtime/lifecycle.ts'
import type { ConsumeOptions, LogRecord } from './event-log.ts'
import { createKafkaAssignment, type KafkaAssignment } from './kafka-assignment.ts'
import type { FetchedBatch } from './kafka-buffer.ts'
import { createCommitter, type KafkaCommitter } from './kafka-commit.ts'
import type { KafkaOffsets } from './kafka-offsets.ts'
import type { KafkaPartition } from './kafka-partition.ts'
import { startKafkaWatchdog } from './kafka-watchdog.ts'
import { withDeadline } from './with-deadline.ts'

/** The longest a fetch waits at the broker; kafkajs sends heartbeats between fetches. */
const FETCH_WAIT_MS = 200
const HEARTBEATS_PER_SESSION = 3
const JOIN_TIMEOUT_MS = 60_000

export type KafkaConsumerParts = {
  readonly kafka: Kafka
  readonly offsets: KafkaOffsets
  /** The name of a topic or group as the brokers know it. */
  readonly withPrefix: (name: string) => string
  readonly sessionTimeoutMs: number
  readonly log: Logger
}

/**
 * Joins a consumer group and runs a handler for every partition that each generation of it assigns. Resolves
 * when the group has taken this member in; throws the AppError `CONSUMER_FAILED` if it does not within a minute.
 */
export async function startKafkaConsumer(options: ConsumeOptions, parts: KafkaConsumerParts): Promise<Stop> {
  const kafkaTopic = parts.withPrefix(options.topic)
  const kafkaGroup = parts.withPrefix(kafkaGroupName(options))
  let ended = false
  const consumer = createConsumer(parts, kafkaGroup, () => assignment.revoke())
  const fail = (error: unknown) => {
    if (ended) return
    ended = true
    assignment.revoke()
    options.onFailure(error)
  }
  const committer = createCommitter(consumer, kafkaTopic)
  const assignment = createKafkaAssignment({
    consumer,
    committer,
    offsets: parts.offsets,
    topic: options.topic,
    kafkaTopic,
    kafkaGroup,
    handle: options.handle,
    fail,
    log: parts.log.child({ topic: options.topic, group: options.group }),
  })
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      if (!ended) assignment.assign(payload.memberAssignment[kafkaTopic] ?? [])
      resolve()
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      assignment.revoke()
      if (payload.restart) return
      const failure = consumerFailed('kafkajs gave up', payload.error)
      reject(failure)
      fail(failure)
    })
  })
  const stopWatchdog = startKafkaWatchdog(assignment.owned, fail)
  const stop = async () => {
    ended = true
    stopWatchdog()
    assignment.revoke()
    await assignment.handlersEnded()
    await consumer.disconnect()
  }
  try {
    await Promise.all([
      run(consumer, kafkaTopic, { committer, assignment }),
      withDeadline(joined, JOIN_TIMEOUT_MS),
    ])
  } catch (error) {
    await stop()
    throw consumerFailed('it could not join its group', error)
  }
  let stopped: Promise<void> | undefined
  return () => (stopped ??= stop())
}

/**
 * A Kafka group of its own per topic: kafkajs hands partitions to every member of a group, also to those that do not
 * read the topic, and nobody would read these.
 */
export function kafkaGroupName({ topic, group }: Pick<ConsumeOptions, 'topic' | 'group'>): string {
  return `${group}.${topic}`
}

function createConsumer(parts: KafkaConsumerParts, groupId: string, joining: () => void): Consumer {
  return parts.kafka.consumer({
    groupId,
    sessionTimeout: parts.sessionTimeoutMs,
    rebalanceTimeout: parts.sessionTimeoutMs,
    heartbeatInterval: Math.floor(parts.sessionTimeoutMs / HEARTBEATS_PER_SESSION),
    maxWaitTimeInMs: FETCH_WAIT_MS,
    minBytes: 1,
    allowAutoTopicCreation: false,
    partitionAssigners: [assignerThatTells(joining)],
  })
}

/** kafkajs asks its assigner for the subscription right before it joins: from then on nothing is owned any more. */
function assignerThatTells(joining: () => void): PartitionAssigner {
  return (config) => {
    const assigner = PartitionAssigners.roundRobin(config)
    return {
      ...assigner,
      protocol(subscription) {
        joining()
        return assigner.protocol(subscription)
      },
    }
  }
}

async function run(
  consumer: Consumer,
  topic: string,
  to: { readonly committer: KafkaCommitter; readonly assignment: KafkaAssignment },
): Promise<void> {
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: (payload) => {
      to.committer.use(payload)
      deliver(to.assignment.owned.get(payload.batch.partition), payload)
      return Promise.resolve()
    },
  })
}

/** Hands a fetched batch to its partition. What is not taken is not resolved either, so kafkajs fetches it again. */
function deliver(partition: KafkaPartition | undefined, payload: EachBatchPayload): void {
  if (partition === undefined || payload.isStale()) return
  const { batch } = payload
  if (partition.reader.receive(readBatch(batch))) payload.resolveOffset(batch.lastOffset())
}

function readBatch(batch: EachBatchPayload['batch']): FetchedBatch {
  const records = batch.messages.map(({ offset, key, value, timestamp }): LogRecord => ({
    offset: Number(offset),
    key: key?.toString('utf8') ?? '',
    value: value ?? new Uint8Array(0),
    appendedAtMs: Number(timestamp),
  }))
  // kafkajs has it on every batch, though not in its types.
  const fetchedOffset = 'fetchedOffset' in batch ? Number(batch.fetchedOffset) : Number(batch.firstOffset())
  return { records, fetchedOffset, lastOffset: Number(batch.lastOffset()) }
}

function consumerFailed(what: string, cause: unknown): AppError {
  return new AppError(
    'CONSUMER_FAILED',
    `A Kafka consumer stopped: ${what}. Check the brokers and start it again.`,
    {
      cause,
      retriable: true,
    },
  )
}
