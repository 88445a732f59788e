import type { EngineEvent } from '#shared/detection/engine-input.ts'
import type { ClickHouseClient } from './client.ts'
import { readText } from './row-cells.ts'
import { sqlFile } from './sql-file.ts'
import { eventOf } from './stored-events-store.ts'

const EVENTS_BY_ARRIVAL = sqlFile('events-by-arrival')

const DAY_MS = 24 * 3600 * 1000
const DAY_SECONDS = 24 * 3600
/** SendGrid delivers again for a day, and then an event may lie in the log for a week. */
const LATE_SECONDS = 8 * DAY_SECONDS

/** A stored event with what tells it from others. */
export type StoredEvent = {
  readonly event: EngineEvent
  readonly eventId: string
  readonly messageId: string
}

/**
 * All stored events that arrived in a span of time (`fromMs` inclusive, `toMs` exclusive), in order of arrival, in
 * pieces of a few thousand. Read day by day, so that neither side holds more than one.
 */
export async function* eventsByArrival(
  client: ClickHouseClient,
  span: { readonly fromMs: number; readonly toMs: number },
): AsyncGenerator<readonly StoredEvent[], void, void> {
  for (let { fromMs } = span; fromMs < span.toMs; fromMs += DAY_MS) {
    const toMs = Math.min(fromMs + DAY_MS, span.toMs)
    const result = await client.query({
      query: EVENTS_BY_ARRIVAL,
      query_params: {
        fromMs,
        toMs,
        fromSeconds: Math.max(0, Math.floor(fromMs / 1000) - LATE_SECONDS),
        toSeconds: Math.ceil(toMs / 1000) + DAY_SECONDS,
      },
      format: 'JSONCompactEachRow',
    })
    try {
      for await (const rows of result.stream()) yield rows.map((row) => storedEvent(row.json()))
    } finally {
      result.close()
    }
  }
}

function storedEvent(cells: unknown): StoredEvent {
  if (!Array.isArray(cells)) throw new TypeError('a row is an array')
  const event = eventOf(cells)
  const [eventId, messageId, accountStatus] = [cells[17], cells[18], cells[19]].map(readText)
  return {
    event: accountStatus === undefined || accountStatus === '' ? event : { ...event, accountStatus },
    eventId: eventId ?? '',
    messageId: messageId ?? '',
  }
}
