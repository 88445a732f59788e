import { z } from 'zod'
import { eventMessageSchema, type EventMessage } from '#shared/domain/log-message.ts'
import type { ClickHouseClient } from '#shared/warehouse/client.ts'

/** A message of the event topic as ingest writes it. */
export function anEventMessage(
  event: Readonly<Record<string, unknown>> & { readonly sg_event_id: string },
  message: Partial<Omit<EventMessage, 'event'>> = {},
): EventMessage {
  const timestamp = event['timestamp'] ?? 1_790_000_000
  return eventMessageSchema.parse({
    v: 1,
    key: 'orders',
    attribution: { rule: 'custom_arg' },
    source: 'main',
    received_at: Number(timestamp) * 1000 + 1500,
    ...message,
    event: { event: 'processed', email: `${event.sg_event_id}@example.org`, timestamp, ...event },
  })
}

const countRow = z.object({ count: z.coerce.number() })

/** One number that a statement answers as `count`. */
export async function countOf(client: ClickHouseClient, query: string): Promise<number> {
  const result = await client.query({ query, format: 'JSONEachRow' })
  const [row] = z.array(countRow).parse(await result.json())
  return row?.count ?? 0
}

/** Cells of the three usage rollups whose count is not that of the raw events. */
export async function differingRollupCells(client: ClickHouseClient): Promise<number> {
  const rollups = [
    { table: 'usage_minute', column: 'minute', of: 'toStartOfMinute(timestamp)' },
    { table: 'usage_hour', column: 'hour', of: 'toStartOfHour(timestamp)' },
    { table: 'usage_day', column: 'day', of: `toDate(timestamp, 'UTC')` },
  ]
  let differing = 0
  for (const { table, column, of } of rollups) {
    differing += await countOf(
      client,
      `SELECT count() AS count FROM
        (SELECT source, key, ${of} AS cell, event, count() AS n FROM events GROUP BY ALL) AS raw
        FULL JOIN
        (SELECT source, key, ${column} AS cell, event, sum(events) AS n FROM ${table} GROUP BY ALL) AS rolled
        ON raw.source = rolled.source AND raw.key = rolled.key AND raw.cell = rolled.cell AND raw.event = rolled.event
        WHERE raw.n != rolled.n`,
    )
  }
  return differing
}
