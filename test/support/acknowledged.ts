import type { EventLog } from '#shared/event-log/event-log.ts'
import { topics } from '#shared/event-log/topics.ts'
import { readLog, type ReadRecord } from './read-log.ts'

export type StoredFaults = {
  readonly acknowledgedRequests: number
  /** Records of acknowledged requests that the log does not have. */
  readonly lost: readonly string[]
  readonly repeated: readonly string[]
  /** Requests of which the log has some records only. */
  readonly partial: readonly string[]
  /** Offsets that do not follow the one before. */
  readonly gaps: readonly string[]
}

/** Reads the whole event topic and compares it with what test/fixtures/event-log-writer.ts was told. */
export async function findStoredFaults(log: EventLog, acknowledged: string): Promise<StoredFaults> {
  const records = await readEverything(log)
  const stored = new Map<string, number>()
  for (const { text } of records) {
    const [id, index] = text.split('/')
    stored.set(`${id}/${index}`, (stored.get(`${id}/${index}`) ?? 0) + 1)
  }
  const requests = acknowledged.split('\n').filter((line) => line !== '')
  const lost = requests.flatMap((line) => {
    const [id, count] = line.split('/')
    const all = Array.from({ length: Number(count) }, (_, index) => `${id}/${index}`)
    return all.filter((record) => !stored.has(record))
  })
  return {
    acknowledgedRequests: requests.length,
    lost,
    repeated: [...stored].filter(([, times]) => times !== 1).map(([record]) => record),
    partial: partialRequests(records),
    gaps: findGaps(records),
  }
}

async function readEverything(log: EventLog): Promise<readonly ReadRecord[]> {
  const reader = await readLog(log, { topic: topics.events, group: 'checker' })
  await reader.received(1)
  const ends = await Promise.all(reader.assigned.map((partition) => partition.offsets()))
  const records = await reader.received(
    ends.reduce((sum, { start, end }) => sum + end - start, 0),
    60_000,
  )
  await reader.stop()
  return records
}

function findGaps(records: readonly ReadRecord[]): readonly string[] {
  const next = new Map<number, number>()
  const gaps: string[] = []
  for (const { partition, offset } of records) {
    const expected = next.get(partition) ?? 0
    if (offset !== expected) gaps.push(`${partition}: ${offset} instead of ${expected}`)
    next.set(partition, offset + 1)
  }
  return gaps
}

function partialRequests(records: readonly ReadRecord[]): readonly string[] {
  const found = new Map<string, { count: number; seen: number }>()
  for (const { text } of records) {
    const [id = '', , count] = text.split('/')
    const entry = found.get(id) ?? { count: Number(count), seen: 0 }
    entry.seen += 1
    found.set(id, entry)
  }
  return [...found].filter(([, { count, seen }]) => count !== seen).map(([id]) => id)
}
