import type { Admin } from 'kafkajs'
import type { CommittedPosition } from './event-log.ts'

export type KafkaOffsets = {
  /** The first retained offset and the next one to be written. */
  bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }>
  committed(group: string, topic: string, partition: number): Promise<CommittedPosition>
  /** Of every partition of the topic, in order. */
  positions(group: string, topic: string): Promise<readonly CommittedPosition[]>
}

type FetchedOffset = { readonly offset: string; readonly metadata: string | null }

/** Asks the brokers about positions. The partitions of a topic that ask at the same time share one request. */
export function createKafkaOffsets(admin: Admin): KafkaOffsets {
  const boundsOf = sharedCall((topic: string) => admin.fetchTopicOffsets(topic))
  const bounds: KafkaOffsets['bounds'] = async (topic, partition) => {
    const found = (await boundsOf(topic)).find((entry) => entry.partition === partition)
    if (found === undefined) throw new Error(`the brokers know no partition ${partition} of ${topic}`)
    return { start: Number(found.low), end: Number(found.high) }
  }
  const fetchAll = async (group: string, topic: string) =>
    (await admin.fetchOffsets({ groupId: group, topics: [topic] }))[0]?.partitions ?? []
  const positionOf = async (topic: string, partition: number, found: FetchedOffset | undefined) => {
    const offset = Number(found?.offset ?? -1)
    // Negative: nothing was committed yet, or kafkajs went back to the beginning after retention had caught up.
    if (offset < 0) return { offset: (await bounds(topic, partition)).start, metadata: '' }
    return { offset, metadata: found?.metadata ?? '' }
  }
  return {
    bounds,
    async committed(group, topic, partition) {
      const fetched = await fetchAll(group, topic)
      const found = fetched.find((entry) => entry.partition === partition)
      return positionOf(topic, partition, found)
    },
    async positions(group, topic) {
      const fetched = (await fetchAll(group, topic)).toSorted((a, b) => a.partition - b.partition)
      return Promise.all(fetched.map((found) => positionOf(topic, found.partition, found)))
    },
  }
}

/** While a call is on its way, those with the same argument get its answer. */
function sharedCall<Answer>(
  call: (argument: string) => Promise<Answer>,
): (argument: string) => Promise<Answer> {
  const running = new Map<string, Promise<Answer>>()
  return (argument) => {
    const shared = running.get(argument)
    if (shared !== undefined) return shared
    const started = call(argument).finally(() => running.delete(argument))
    running.set(argument, started)
    return started
  }
}
