import type { Admin, ITopicConfig } from 'kafkajs'
import type { Logger } from 'pino'
import type { Config } from '#shared/config/config.ts'
import { topics } from './topics.ts'

const HOUR_MS = 3_600_000
/** Rejected bodies are kept whole, and Kafka's default of 1 MB would refuse the largest of them. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024
const CREATE_TIMEOUT_MS = 15_000
/** With three copies or more, an append is durable when two have it; with fewer Kafka's default of one stands. */
const REPLICAS_FOR_QUORUM = 3

/**
 * Creates the missing topics of the event log and answers the number of partitions of each.
 *
 * Several processes may do so at the same time. A topic that exists is left as it is: it keeps its own number of
 * partitions, with a warning if the configuration says otherwise.
 */
export async function ensureTopics(
  admin: Admin,
  config: Config['event_log'],
  log: Logger,
): Promise<ReadonlyMap<string, number>> {
  const prefix = config.topic_prefix ?? ''
  const wanted = Object.values(topics).map((name) => ({
    name,
    topic: `${prefix}${name}`,
    partitions: name === topics.events ? config.partitions : 1,
  }))
  const existing = await admin.listTopics()
  const missing = wanted.filter(({ topic }) => !existing.includes(topic))
  if (missing.length > 0) {
    // Answers false if another process was faster, which is just as good.
    await admin.createTopics({
      topics: missing.map(({ topic, partitions }) => topicConfig(topic, partitions, config)),
      waitForLeaders: true,
      timeout: CREATE_TIMEOUT_MS,
    })
    log.info({ topics: missing.map(({ topic }) => topic) }, 'created topics')
  }
  const metadata = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) })
  const partitions = new Map<string, number>()
  for (const { name, topic, partitions: configured } of wanted) {
    const real = metadata.topics.find((found) => found.name === topic)?.partitions.length ?? 0
    if (real === 0) throw new Error(`the brokers know no partition of ${topic}`)
    if (real !== configured) log.warn({ topic, real, configured }, 'the topic keeps its number of partitions')
    partitions.set(name, real)
  }
  return partitions
}

function topicConfig(topic: string, partitions: number, config: Config['event_log']): ITopicConfig {
  const entries = [
    { name: 'retention.ms', value: String(config.retention_hours * HOUR_MS) },
    { name: 'max.message.bytes', value: String(RECORD_BYTES_MAX) },
  ]
  if (config.replication_factor >= REPLICAS_FOR_QUORUM) {
    entries.push({ name: 'min.insync.replicas', value: '2' })
  }
  return {
    topic,
    numPartitions: partitions,
    replicationFactor: config.replication_factor,
    configEntries: entries,
  }
}
