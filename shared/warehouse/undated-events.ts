import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import type { EventRow } from './event-row.ts'
import { inChunks, type BlockPosition, type EventIdentity } from './event-store.ts'
import { sqlFile } from './sql-file.ts'
import { statementValue } from './statement-value.ts'

const FIND_UNDATED_EVENTS = sqlFile('find-undated-events')

/**
 * A redelivery is looked for within so many seconds before and after. SendGrid delivers again for 24 hours; the rest
 * is for time that the event spends in the log while the warehouse is away.
 */
const SEARCH_SECONDS = 3 * 24 * 3600
/** A statement searches the days around all of its events, so these must not lie far apart. */
const SPAN_SECONDS_MAX = 24 * 3600

/**
 * Whether ingest had to replace or convert the event's time. A replaced one is the time of receipt, and a redelivery
 * has another: what identifies the event is its source and its id alone.
 */
export function isUndated({ normalised }: Pick<EventRow, 'normalised'>): boolean {
  return normalised.length > 0 && normalised.includes('timestamp')
}

/** Text that is the same for two undated events exactly when they are the same; no other identity looks like it. */
export function undatedIdentityOf({
  source,
  sg_event_id,
}: Pick<EventIdentity, 'source' | 'sg_event_id'>): string {
  return `${source} undated ${sg_event_id}`
}

const storedRow = z.object({ source: z.string(), sg_event_id: z.string() })

/**
 * Which of the candidates are stored already, as `undatedIdentityOf` texts, under whatever time within three days of
 * their own. `ignoring` as in `findStoredEvents`.
 */
export async function findUndatedEvents(
  client: ClickHouseClient,
  candidates: readonly EventIdentity[],
  ignoring?: BlockPosition,
): Promise<Set<string>> {
  const stored = new Set<string>()
  for (const chunk of inChunks(candidates, SPAN_SECONDS_MAX)) {
    // The statement asks for every combination of these sources and ids, in the time of this chunk.
    const wanted = new Set(chunk.map(undatedIdentityOf))
    const [first, last] = [chunk.at(0)?.timestamp ?? 0, chunk.at(-1)?.timestamp ?? 0]
    const result = await client.query({
      query: FIND_UNDATED_EVENTS.replace(
        'SOURCES_BASE64',
        statementValue([...new Set(chunk.map(({ source }) => source))]),
      ).replace('IDS_BASE64', statementValue([...new Set(chunk.map(({ sg_event_id }) => sg_event_id))])),
      query_params: {
        from: Math.max(0, first - SEARCH_SECONDS),
        to: last + SEARCH_SECONDS,
        partition: ignoring?.partition ?? 0,
        // Without a block to ignore the range is empty.
        firstOffset: ignoring?.firstOffset ?? 1,
        lastOffset: ignoring?.lastOffset ?? 0,
      },
      format: 'JSONEachRow',
    })
    for (const row of z.array(storedRow).parse(await result.json())) {
      const identity = undatedIdentityOf(row)
      if (wanted.has(identity)) stored.add(identity)
    }
  }
  return stored
}
