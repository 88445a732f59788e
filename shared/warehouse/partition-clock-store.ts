import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { sqlFile } from './sql-file.ts'
import type { KeyName } from './usage-store.ts'

const PARTITION_CLOCK = sqlFile('partition-clock')
/** An event that arrives now may have happened so long before. */
const LATE_SECONDS = 8 * 24 * 3600

const clockRow = z.object({ arrival_minute: z.number(), event_minute: z.number() })

/** In this minute of the arrival clock (since the epoch), messages up to that minute of event time had come. */
export type ClockStep = { readonly arrivalMinute: number; readonly eventMinute: number }

/**
 * How far the messages of a source had come on one partition of the log, minute by minute, as seen from one key: whose
 * own messages are left out. It is what tells a key that is silent from a source that is.
 */
export async function partitionClock(
  client: ClickHouseClient,
  { source, key }: KeyName,
  wanted: {
    readonly partition: number
    /** The event types that count as messages. */
    readonly events: readonly string[]
    /** Arrival, milliseconds, both ends included. */
    readonly fromMs: number
    readonly untilMs: number
  },
): Promise<ClockStep[]> {
  const result = await client.query({
    query: PARTITION_CLOCK,
    query_params: {
      source,
      key,
      partition: wanted.partition,
      events: wanted.events,
      from: Math.max(0, Math.floor(wanted.fromMs / 1000) - LATE_SECONDS),
      fromMs: Math.max(0, Math.floor(wanted.fromMs)),
      untilMs: Math.floor(wanted.untilMs),
    },
    format: 'JSONEachRow',
  })
  return z
    .array(clockRow)
    .parse(await result.json())
    .map(({ arrival_minute, event_minute }) => ({ arrivalMinute: arrival_minute, eventMinute: event_minute }))
}
