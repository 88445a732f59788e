import { z } from 'zod'
import type { ClickHouseClient } from './client.ts'
import { onCluster, type MigrationVariables } from './migration-statements.ts'

/** Tables that hold raw input, with the time that their age is counted from. */
const RAW_TABLES = new Map([
  ['events', 'timestamp'],
  ['rejected', 'toDateTime(received_at)'],
])

const tableRow = z.object({ name: z.string(), engine_full: z.string() })

/**
 * Sets the configured retention on raw events and rejected input where it differs from the table's.
 *
 * Only the rule changes here; parts past it go with the next background merge, as whole parts.
 */
export async function applyRetention(client: ClickHouseClient, variables: MigrationVariables): Promise<void> {
  const rows = await client.query({
    query: `SELECT name, engine_full FROM system.tables
            WHERE database = currentDatabase() AND name IN ({names:Array(String)})`,
    query_params: { names: [...RAW_TABLES.keys()] },
    format: 'JSONEachRow',
  })
  for (const { name, engine_full } of z.array(tableRow).parse(await rows.json())) {
    const age = RAW_TABLES.get(name)
    if (age === undefined || retentionDays(engine_full) === variables.rawRetentionDays) continue
    await client.command({
      query: `ALTER TABLE ${name} ${onCluster(variables.cluster)}
              MODIFY TTL ${age} + INTERVAL ${variables.rawRetentionDays} DAY
              SETTINGS materialize_ttl_after_modify = 0`,
    })
  }
}

/** The engine writes `INTERVAL 90 DAY` back as `toIntervalDay(90)`. */
function retentionDays(engineFull: string): number | undefined {
  const found = /\bTTL\b.*?\btoIntervalDay\((\d+)\)/s.exec(engineFull)
  return found?.[1] === undefined ? undefined : Number(found[1])
}
